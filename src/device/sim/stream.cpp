// SPDX-License-Identifier: Apache-2.0
#include "device/sim/stream.hpp"

#include <algorithm>
#include <utility>

#include "device/sim/strikes.hpp"

namespace gpuvet::device {
namespace {

/// Seconds that real hardware needs to start a kernel, shrunk like everything else.
constexpr double start_of_work = 3e-6;
/// What healthy GPUs reach of the data sheet.
constexpr double read_share = 0.93, write_share = 0.9, copy_share = 0.89, test_share = 0.85,
                 library_share = 0.82, own_share = 0.55, hammer_share = 0.9;
constexpr double never = 1e12;  ///< seconds

struct SimulatedEvent final : Event {
  std::shared_ptr<double> at;
  [[nodiscard]] Result<double> since(const Event& earlier) const override {
    const auto* other = dynamic_cast<const SimulatedEvent*>(&earlier);
    if (other == nullptr || *at < 0 || *other->at < 0)
      return fail(Errc::usage, "an event has no time before its stream was synchronized");
    return *at - *other->at;
  }
};

SimulatedDevice* simulated(Range range) { return dynamic_cast<SimulatedDevice*>(range.device); }

/// The GPU whose memory a range is, -1 for host memory.
int place_of(Range range) {
  const auto* device = simulated(range);
  return device == nullptr || range.placement == Placement::pinned ||
                 range.placement == Placement::pageable
             ? -1
             : device->properties().index;
}

}  // namespace

SimulatedStream::SimulatedStream(SimulatedDevice& device, std::unique_ptr<Stream> inner)
    : device_{device}, inner_{std::move(inner)} {}

SimulatedStream::~SimulatedStream() { device_.machine().forget(*this); }

void SimulatedStream::run(const std::function<Result<void>()>& effect) {
  if (error_) return;
  if (auto done = effect(); !done) error_ = std::move(done).error();
}

Result<void> SimulatedStream::enqueue(Effect effect, std::vector<sim::Use> uses, double wait) {
  GPUVET_CHECK(device_.begin_work());
  double fixed = wait > 0 ? wait : start_of_work * device_.scale();
  if (const auto* hang = device_.plant(PlantKind::hangs))
    if (device_.work() > 3 + Pattern::mix(hang->seed) % 10) fixed = never;
  device_.machine().enqueue(*this, std::move(effect), std::move(uses), fixed);
  return {};
}

Result<void> SimulatedStream::inside(const std::function<Result<void>(Stream&)>& work) {
  constexpr double real_limit = 600;  // the inner device is trusted
  GPUVET_CHECK(work(*inner_));
  return inner_->synchronize(real_limit);
}

Result<void> SimulatedStream::in_pieces(
    Range range, Order order, bool reads, bool writes,
    const std::function<Result<void>(Range, std::uint64_t)>& work, CheckResult* out) {
  const auto base = device_.first_word(range);
  const std::uint64_t words = range.bytes / 8;
  auto faulty =
      base ? device_.cells().words_in(*base, *base + words) : std::vector<std::uint64_t>{};
  const auto access = device_.access();
  const auto part = [&](std::uint64_t first, std::uint64_t last) -> Result<void> {
    if (first == last) return {};
    Range piece = inner_range(range);
    piece.address += first * 8;
    piece.bytes = (last - first) * 8;
    return work(piece, first);
  };
  const auto single = [&](std::uint64_t word) -> Result<void> {
    auto& cells = device_.cells();
    if (reads) cells.before_read(word, device_.now(), access);
    if (writes) cells.before_write(word, access);
    const auto found = out == nullptr ? 0 : out->mismatches.size();
    GPUVET_CHECK(part(word - *base, word - *base + 1));
    // Read once more, a disturbed word is as it should be.
    // What was overwritten meanwhile stays.
    if (reads && cells.after_read(word, access, !writes) && out != nullptr)
      for (std::size_t i = found; i < out->mismatches.size(); ++i)
        out->mismatches[i].again = out->mismatches[i].expected;
    if (writes) cells.after_write(word, device_.now(), access);
    return {};
  };
  if (order == Order::ascending) {
    std::uint64_t at = 0;
    for (const auto word : faulty) {
      GPUVET_CHECK(part(at, word - *base));
      GPUVET_CHECK(single(word));
      at = word - *base + 1;
    }
    return part(at, words);
  }
  std::uint64_t at = words;
  for (auto word = faulty.rbegin(); word != faulty.rend(); ++word) {
    GPUVET_CHECK(part(*word - *base + 1, at));
    GPUVET_CHECK(single(*word));
    at = *word - *base;
  }
  return part(0, at);
}

Result<void> SimulatedStream::with_cells(const std::vector<Range>& reads,
                                         const std::vector<Range>& writes, const Effect& work) {
  const auto each = [](const std::vector<Range>& ranges, auto act) {
    for (const auto& range : ranges) {
      auto* owner = simulated(range);
      const auto base = owner == nullptr ? std::nullopt : owner->first_word(range);
      if (!base) continue;
      for (const auto word : owner->cells().words_in(*base, *base + range.bytes / 8))
        act(owner->cells(), word, owner->access());
    }
  };
  const double now = device_.now();
  each(reads, [&](Cells& cells, auto word, const auto& to) { cells.before_read(word, now, to); });
  each(writes, [&](Cells& cells, auto word, const auto& to) { cells.before_write(word, to); });
  GPUVET_CHECK(work());
  each(reads, [&](Cells& cells, auto word, const auto& to) { cells.after_read(word, to); });
  each(writes, [&](Cells& cells, auto word, const auto& to) { cells.after_write(word, now, to); });
  return {};
}

std::vector<sim::Use> SimulatedStream::memory_use(double bytes, double share) const {
  return device_.machine().roads().in_memory(device_.index(), bytes, share);
}

Result<void> SimulatedStream::fill(Range to, Pattern pattern) {
  return enqueue(
      [=, this] {
        return in_pieces(to, Order::ascending, false, true, [&](Range piece, std::uint64_t first) {
          Pattern shifted = pattern;
          shifted.first += first;
          return inside([&](Stream& s) { return s.fill(piece, shifted); });
        });
      },
      memory_use(static_cast<double>(to.bytes), write_share));
}

Result<void> SimulatedStream::check(Range of, Pattern pattern, CheckResult& out) {
  return enqueue(
      [=, this, &out] {
        return in_pieces(
            of, Order::ascending, true, false,
            [&](Range piece, std::uint64_t first) {
              Pattern shifted = pattern;
              shifted.first += first;
              return inside([&](Stream& s) { return s.check(piece, shifted, out); });
            },
            &out);
      },
      memory_use(static_cast<double>(of.bytes), test_share));
}

Result<void> SimulatedStream::exchange(Range of, Pattern expected, Pattern next, Order order,
                                       CheckResult& out) {
  return enqueue(
      [=, this, &out] {
        return in_pieces(
            of, order, true, true,
            [&](Range piece, std::uint64_t first) {
              Pattern old = expected, fresh = next;
              old.first += first;
              fresh.first += first;
              return inside([&](Stream& s) { return s.exchange(piece, old, fresh, order, out); });
            },
            &out);
      },
      memory_use(2 * static_cast<double>(of.bytes), test_share));
}

Result<void> SimulatedStream::hammer(Range of, int times) {
  return enqueue(
      [=, this]() -> Result<void> {
        if (const auto base = device_.first_word(of))
          device_.cells().hammered(*base, *base + of.bytes / 8, times, device_.access());
        return inside([&](Stream& s) { return s.hammer(inner_range(of), std::min(times, 1)); });
      },
      memory_use(static_cast<double>(of.bytes) * times, hammer_share));
}

Result<void> SimulatedStream::pass(StreamKernel kernel, Range a, Range b, Range c) {
  const auto bytes = static_cast<double>(a.bytes);
  const auto moved = kernel == StreamKernel::triad  ? 3 * bytes
                     : kernel == StreamKernel::copy ? 2 * bytes
                                                    : bytes;
  const double share = kernel == StreamKernel::read    ? read_share
                       : kernel == StreamKernel::write ? write_share
                                                       : copy_share;
  return enqueue(
      [=, this] {
        return inside([&](Stream& s) {
          return s.pass(kernel, inner_range(a), inner_range(b), inner_range(c));
        });
      },
      memory_use(moved, share));
}

Result<void> SimulatedStream::copy(Range to, Range from, Engine engine) {
  if (to.bytes != from.bytes) return fail(Errc::usage, "a copy between ranges of two sizes");
  const int source = place_of(from), target = place_of(to);
  const auto bytes = static_cast<double>(to.bytes);
  auto& roads = device_.machine().roads();
  auto uses = source == target && source >= 0 ? roads.in_memory(source, 2 * bytes, copy_share)
                                              : roads.transfer(source, target, bytes);
  // What is small is copied for its latency, which does not shrink with the memory.
  const bool small = to.bytes <= 4096 && source != target;
  // Memory that is not pinned is copied once more by the driver.
  if (from.placement == Placement::pageable || to.placement == Placement::pageable)
    for (auto& use : uses) use.amount *= 2.5;
  // A GPU with slow processors is a slow rank: copies wait for its kernels.
  if (source != target && source >= 0 && target >= 0)
    uses.push_back(
        {roads.processors(source),
         bytes / (1.2 * roads.capacity()[roads.transfer(source, target, 1).front().part])});
  return enqueue(
      [=, this]() -> Result<void> {
        return with_cells({from}, {to}, [&]() -> Result<void> {
          const CopyStrike strike(device_.machine(), to, source, target, device_.work());
          GPUVET_CHECK(inside(
              [&](Stream& s) { return s.copy(inner_range(to), inner_range(from), engine); }));
          strike.after();
          return {};
        });
      },
      std::move(uses), small ? start_of_work + roads.latency(source, target) : 0);
}

Result<void> SimulatedStream::add(Range to, Range from) {
  const int source = place_of(from);
  auto uses = memory_use(2 * static_cast<double>(to.bytes), copy_share);
  if (source != device_.index())
    for (const auto& use : device_.machine().roads().transfer(source, device_.index(),
                                                              static_cast<double>(from.bytes)))
      uses.push_back(use);
  return enqueue(
      [=, this] {
        return with_cells({to, from}, {to}, [&]() -> Result<void> {
          GPUVET_CHECK(
              inside([&](Stream& s) { return s.add(inner_range(to), inner_range(from)); }));
          strike_sum(device_, to);
          return {};
        });
      },
      std::move(uses));
}

Result<void> SimulatedStream::fill_matrix(Range to, Precision precision, Values values,
                                          std::uint64_t seed) {
  return enqueue(
      [=, this] {
        return with_cells({}, {to}, [&]() -> Result<void> {
          GPUVET_CHECK(inside(
              [&](Stream& s) { return s.fill_matrix(inner_range(to), precision, values, seed); }));
          strike_input(device_, to, precision, seed);
          return {};
        });
      },
      memory_use(static_cast<double>(to.bytes), write_share));
}

Result<void> SimulatedStream::multiply(const Product& product) {
  const double operations = 2.0 * static_cast<double>(product.m) * static_cast<double>(product.n) *
                            static_cast<double>(product.k);
  const double share = product.engine == MatrixEngine::library ? library_share : own_share;
  auto uses = device_.machine().roads().compute(device_.index(), name(product.precision),
                                                operations, share);
  if (uses.empty())
    return fail(Errc::not_supported, "this GPU has no " + std::string(name(product.precision)));
  return enqueue(
      [=, this] {
        return with_cells({product.a, product.b}, {product.c}, [&]() -> Result<void> {
          Product own = product;
          own.engine = MatrixEngine::own;
          own.a = inner_range(product.a);
          own.b = inner_range(product.b);
          own.c = inner_range(product.c);
          GPUVET_CHECK(inside([&](Stream& s) { return s.multiply(own); }));
          strike_product(device_, product);
          return {};
        });
      },
      std::move(uses));
}

Result<void> SimulatedStream::verify(const Product& product, std::uint64_t seed,
                                     ProductCheck& out) {
  const auto bytes = static_cast<double>(product.a.bytes + product.b.bytes + product.c.bytes);
  return enqueue(
      [=, this, &out] {
        return with_cells({product.a, product.b, product.c}, {}, [&] {
          Product own = product;
          own.a = inner_range(product.a);
          own.b = inner_range(product.b);
          own.c = inner_range(product.c);
          return inside([&](Stream& s) { return s.verify(own, seed, out); });
        });
      },
      memory_use(bytes, read_share));
}

Result<void> SimulatedStream::compare(Range a, Range b, std::uint64_t& out) {
  return enqueue(
      [=, this, &out] {
        return with_cells({a, b}, {}, [&] {
          return inside([&](Stream& s) { return s.compare(inner_range(a), inner_range(b), out); });
        });
      },
      memory_use(2 * static_cast<double>(a.bytes), read_share));
}

Result<std::unique_ptr<Event>> SimulatedStream::record() {
  auto out = std::make_unique<SimulatedEvent>();
  out->at = device_.machine().enqueue(
      *this, [] { return Result<void>{}; }, {}, 0);
  return out;
}

Result<void> SimulatedStream::wait(const Event& event) {
  const auto* other = dynamic_cast<const SimulatedEvent*>(&event);
  if (other == nullptr) return fail(Errc::usage, "an event of another backend");
  device_.machine().wait(*this, other->at);
  return {};
}

Result<void> SimulatedStream::synchronize(double limit) {
  auto waited = device_.machine().wait_for(*this, limit);
  if (error_) return tl::make_unexpected(*error_);
  return waited;
}

}  // namespace gpuvet::device
