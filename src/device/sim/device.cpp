// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <random>

#include "device/litmus_outcomes.hpp"
#include "device/sim/machine.hpp"
#include "device/sim/stream.hpp"

namespace gpuvet::device {
namespace {

/// What the faults of memory order show, and in which test.
struct Disorder {
  PlantKind kind;
  Litmus shape;
  std::array<std::uint32_t, 6> seen;  ///< registers, x, y: what must never be
};
constexpr std::array disorders = {
    Disorder{PlantKind::order_message_passing, Litmus::message_passing, {1, 0, 0, 0, 1, 1}},
    Disorder{PlantKind::order_store_buffering, Litmus::store_buffering, {0, 0, 0, 0, 1, 1}},
    Disorder{PlantKind::order_load_buffering, Litmus::load_buffering, {1, 1, 0, 0, 1, 1}},
    Disorder{PlantKind::order_iriw, Litmus::iriw, {1, 0, 1, 0, 1, 1}},
    Disorder{PlantKind::order_coherence, Litmus::coherence, {0, 2, 1, 0, 2, 0}},
    Disorder{PlantKind::atomic_add_lost, Litmus::atomic_add, {0, 1, 1, 2, 3, 0}},
    Disorder{PlantKind::atomic_cas_twice, Litmus::atomic_cas, {0, 0, 0, 0, 2, 0}},
    Disorder{PlantKind::atomic_exchange_lost, Litmus::atomic_exchange, {0, 0, 0, 0, 2, 0}},
};

Properties properties_of(const sim::World& world, std::size_t index) {
  const auto& gpu = world.gpus[index];
  Properties out;
  out.backend = Backend::sim;
  out.name = gpu.name;
  out.subject = "gpu:" + gpu.uuid;
  out.address = gpu.place.address();
  out.index = static_cast<int>(index);
  out.numa = gpu.place.numa;
  out.capability = gpu.capability_major * 10 + gpu.capability_minor;
  out.processors = gpu.cores / 64;
  out.memory = gpu.memory;
  out.driver = world.driver;
  return out;
}

std::vector<Plant> of_gpu(const std::vector<Plant>& plants, int index) {
  std::vector<Plant> out;
  for (const auto& plant : plants)
    if (plant.gpu == index) out.push_back(plant);
  return out;
}

}  // namespace

Range inner_range(Range range) {
  if (auto* simulated = dynamic_cast<SimulatedDevice*>(range.device))
    range.device = &simulated->inner();
  return range;
}

SimulatedDevice::SimulatedDevice(std::shared_ptr<Machine> machine, std::unique_ptr<Device> inner,
                                 int index)
    : machine_{std::move(machine)},
      inner_{std::move(inner)},
      properties_{properties_of(machine_->world(), static_cast<std::size_t>(index))},
      capacity_{inner_->free_memory().value_or(0)},
      scale_{static_cast<double>(capacity_) / static_cast<double>(properties_.memory)},
      cells_{of_gpu(machine_->plants(), index), capacity_ / 8} {
  if (const auto* plant_of_loss = plant(PlantKind::lost))
    lost_after_ = 3 + Pattern::mix(plant_of_loss->seed) % 20;
}

const Plant* SimulatedDevice::plant(PlantKind kind) const {
  for (const auto& one : machine_->plants())
    if (one.kind == kind && one.gpu == properties_.index) return &one;
  return nullptr;
}

Result<void> SimulatedDevice::begin_work() {
  ++work_;
  if (lost_after_ > 0 && work_ > lost_after_)
    return fail(Errc::vendor_failure, "the GPU has fallen off the bus");
  return {};
}

Result<Telemetry> SimulatedDevice::telemetry() {
  if (lost_after_ > 0 && work_ > lost_after_)
    return fail(Errc::vendor_failure, "the GPU has fallen off the bus");
  const auto& gpu = machine_->world().gpus[static_cast<std::size_t>(index())];
  Telemetry out;
  out.clock = gpu.clock;
  out.memory_clock = gpu.memory_clock;
  out.power = gpu.power;
  out.temperature = gpu.temperature;
  out.reasons = gpu.reasons;
  if (gpu.ecc) {
    out.corrected = gpu.volatile_ecc.corrected_dram + gpu.volatile_ecc.corrected_sram;
    out.uncorrected = gpu.volatile_ecc.uncorrected_dram + gpu.volatile_ecc.uncorrected_sram;
    if (plant(PlantKind::ecc_corrected) != nullptr) *out.corrected += work_;
    if (plant(PlantKind::ecc_uncorrected) != nullptr) *out.uncorrected += work_;
  }
  if (gpu.remaps_rows) {
    out.remapped = gpu.remap_uncorrected;
    out.remap_pending = gpu.remap_pending;
    if (plant(PlantKind::row_remapped) != nullptr && work_ > 1) {
      ++*out.remapped;
      out.remap_pending = true;
    }
  }
  return out;
}

Result<std::uint64_t> SimulatedDevice::free_memory() { return inner_->free_memory(); }

Result<std::unique_ptr<Stream>> SimulatedDevice::stream() {
  GPUVET_CHECK(begin_work());
  GPUVET_TRY(auto inner, inner_->stream());
  return std::make_unique<SimulatedStream>(*this, std::move(inner));
}

Result<void> SimulatedDevice::read(Range from, std::span<std::byte> to) {
  machine_->catch_up();
  return inner_->read(inner_range(from), to);
}

Result<void> SimulatedDevice::write(Range to, std::span<const std::byte> from) {
  machine_->catch_up();
  return inner_->write(inner_range(to), from);
}

Result<bool> SimulatedDevice::reach(Device& peer) {
  return dynamic_cast<SimulatedDevice*>(&peer) != nullptr;
}

Result<LitmusCounts> SimulatedDevice::litmus(const LitmusSetup& setup, Device* peer) {
  GPUVET_CHECK(begin_work());
  auto* other = dynamic_cast<SimulatedDevice*>(peer);
  machine_->idle(1e-6 * static_cast<double>(setup.iterations));
  const auto disorder = std::find_if(disorders.begin(), disorders.end(),
                                     [&](const Disorder& one) { return one.shape == setup.shape; });
  const auto struck = runs_struck(disorder->kind, setup);
  auto healthy = setup;
  healthy.iterations -= struck;
  GPUVET_TRY(auto out, inner_->litmus(healthy, other == nullptr ? peer : &other->inner()));
  if (struck == 0) return out;
  LitmusOutcome seen;
  for (std::uint32_t field = 0; field < disorder->seen.size(); ++field)
    seen.set(field, disorder->seen[field]);
  add_outcome(setup, seen, struck, out);
  return out;
}

/// Faults of memory order are rare, and only in one kind of memory.
std::uint64_t SimulatedDevice::runs_struck(PlantKind kind, const LitmusSetup& setup) const {
  constexpr std::array places = {Placement::device, Placement::pinned, Placement::managed};
  const auto* fault = plant(kind);
  if (fault == nullptr || setup.memory != places[fault->seed % places.size()]) return 0;
  constexpr double often = 1e-3;
  std::mt19937_64 random(Pattern::mix(fault->seed + work_));
  return std::binomial_distribution<std::uint64_t>(
      setup.iterations, fault->strength > 0 ? fault->strength : often)(random);
}

Result<double> SimulatedDevice::latency(Device* peer, int rounds) {
  GPUVET_CHECK(begin_work());
  const auto* other = dynamic_cast<SimulatedDevice*>(peer);
  const int to = other == nullptr ? -1 : other->index();
  double out = machine_->roads().latency(index(), to);
  for (const auto& one : machine_->plants())
    if (one.kind == PlantKind::link_latency && to >= 0 &&
        ((one.gpu == index() && one.peer == to) || (one.peer == index() && one.gpu == to)))
      out *= one.strength > 0 ? one.strength : 5;
  machine_->idle(2 * out * rounds);
  return out;
}

std::vector<Precision> SimulatedDevice::precisions(MatrixEngine engine) const {
  std::vector<Precision> out;
  // The host works in the library's place with its own kernel, where it has no library.
  const auto inside = inner_->precisions(MatrixEngine::own);
  for (const auto precision : inside)
    if (machine_->roads().has_rate(index(), name(precision)) &&
        (engine == MatrixEngine::library || precision != Precision::fp32))
      out.push_back(precision);
  return out;
}

std::optional<std::uint64_t> SimulatedDevice::first_word(Range range) const {
  if (range.device != this || range.placement != Placement::device) return {};
  auto at = allocations_.upper_bound(range.address);
  if (at == allocations_.begin()) return {};
  --at;
  return at->second.first_word + (range.address - at->first) / 8;
}

std::optional<std::uint64_t> SimulatedDevice::address_of(std::uint64_t word) const {
  for (const auto& [address, allocation] : allocations_)
    if (word >= allocation.first_word && word - allocation.first_word < allocation.words)
      return address + (word - allocation.first_word) * 8;
  return {};
}

Cells::Access SimulatedDevice::access() {
  const auto range = [this](std::uint64_t address) {
    return Range{inner_.get(), Placement::device, address, 8};
  };
  return {[this, range](std::uint64_t word) {
            std::uint64_t out = 0;
            if (const auto address = address_of(word))
              (void)inner_->read(range(*address), std::as_writable_bytes(std::span(&out, 1)));
            return out;
          },
          [this, range](std::uint64_t word, std::uint64_t value) {
            if (const auto address = address_of(word))
              (void)inner_->write(range(*address), std::as_bytes(std::span(&value, 1)));
          }};
}

Result<std::uint64_t> SimulatedDevice::allocate_bytes(std::uint64_t bytes, Placement placement) {
  GPUVET_CHECK(begin_work());
  if (placement != Placement::device) {
    GPUVET_TRY(auto inner, inner_->allocate(bytes, placement));
    const auto address = inner.all().address;
    allocations_.emplace(address, Allocation{~std::uint64_t{0} >> 1U, 0, std::move(inner)});
    return address;
  }
  if (plant(PlantKind::memory_short) != nullptr) {
    GPUVET_TRY(const auto free, inner_->free_memory());
    if (free < bytes + capacity_ * 2 / 5)
      return fail(Errc::too_large, "out of memory, although so much is said to be free");
  }
  // The lowest gap that is large enough, as the real one's bytes lie anywhere.
  std::vector<std::pair<std::uint64_t, std::uint64_t>> taken;
  for (const auto& [address, allocation] : allocations_)
    if (allocation.words > 0)
      taken.emplace_back(allocation.first_word, allocation.first_word + allocation.words);
  std::sort(taken.begin(), taken.end());
  std::uint64_t first = 0;
  for (const auto& [begin, end] : taken) {
    if (begin - first >= bytes / 8) break;
    first = end;
  }
  GPUVET_TRY(auto inner, inner_->allocate(bytes));
  const auto address = inner.all().address;
  allocations_.emplace(address, Allocation{first, bytes / 8, std::move(inner)});
  return address;
}

void SimulatedDevice::free_bytes(std::uint64_t address, Placement) noexcept {
  machine_->catch_up();
  allocations_.erase(address);
}

}  // namespace gpuvet::device
