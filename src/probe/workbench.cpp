// SPDX-License-Identifier: Apache-2.0
#include "probe/workbench.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "device/matrix_values.hpp"

namespace gpuvet::probe {
namespace {

using device::Precision;
using device::Values;

std::uint64_t squared(std::int64_t side) { return static_cast<std::uint64_t>(side * side); }

/// Bytes of two operands and two results.
std::uint64_t memory_of(Precision precision, std::int64_t side) {
  return 2 * squared(side) * (operand_bytes(precision) + result_bytes(precision));
}

device::Range first_bytes(const device::Buffer& buffer, std::uint64_t bytes) {
  return buffer.part(0, bytes);
}

}  // namespace

void Tally::add(const device::ProductCheck& found) {
  ++products;
  rows += found.rows;
  wrong += found.wrong;
  not_finite += found.not_finite;
  worst = std::max(worst, found.worst);
  if (first.empty() && found.first >= 0)
    first = fmt::format("product {}, row {}", products, found.first);
}

std::string Tally::words() const {
  std::string out = fmt::format("{} products, {} rows", products, rows);
  if (!first.empty()) out += "; first wrong: " + first;
  return out + fmt::format("; worst residual {:.3g} of what rounding explains", worst);
}

std::string engine_name(const device::Device& device, device::MatrixEngine engine) {
  if (engine == device::MatrixEngine::own) return "own";
  return device.properties().backend == device::Backend::host ? "openblas" : "cublas";
}

Result<Workbench> Workbench::make(Context& context, device::Device& device, Precision precision,
                                  device::MatrixEngine engine, std::int64_t size) {
  Workbench out;
  out.context_ = &context;
  out.device_ = &device;
  out.precision_ = precision;
  out.engine_ = engine;
  out.size_ = size;
  GPUVET_TRY(out.a_, device.allocate(squared(size) * operand_bytes(precision)));
  GPUVET_TRY(out.b_, device.allocate(squared(size) * operand_bytes(precision)));
  GPUVET_TRY(out.c_, device.allocate(squared(size) * result_bytes(precision)));
  GPUVET_TRY(out.again_, device.allocate(squared(size) * result_bytes(precision)));
  GPUVET_TRY(out.stream_, device.stream());
  return out;
}

Result<std::int64_t> Workbench::fitting_size(Context& context, device::Device& device,
                                             Precision precision, device::MatrixEngine engine,
                                             double seconds) {
  constexpr std::int64_t smallest = 128, largest = 8192;
  GPUVET_TRY(const auto free, device.free_memory());
  const auto fits = [&](std::int64_t side) { return memory_of(precision, side) <= free / 5 * 4; };
  if (!fits(smallest)) return fail(Errc::too_large, "too little memory is free for products");
  std::int64_t size = smallest;
  while (size < largest && fits(2 * size) && !context.over()) {
    GPUVET_TRY(auto bench, make(context, device, precision, engine, size));
    GPUVET_TRY(const auto took, bench.trial());
    if (8 * took > seconds) break;
    size *= 2;
  }
  return size;
}

device::Product Workbench::product(std::int64_t side, std::int64_t k, bool exact) const {
  const auto elements = static_cast<std::uint64_t>(side * k);
  return {precision_,
          engine_,
          side,
          side,
          k,
          first_bytes(a_, elements * operand_bytes(precision_)),
          first_bytes(b_, elements * operand_bytes(precision_)),
          first_bytes(c_, squared(side) * result_bytes(precision_)),
          exact};
}

Result<void> Workbench::fill(const device::Product& of, Values values, std::uint64_t seed) {
  GPUVET_CHECK(stream_->fill_matrix(of.a, precision_, values, seed));
  return stream_->fill_matrix(of.b, precision_, values, device::Pattern::mix(seed));
}

Result<double> Workbench::trial() {
  const auto p = product(size_, size_, false);
  GPUVET_CHECK(fill(p, Values::normal, fresh()));
  GPUVET_CHECK(stream_->multiply(p));  // a library's first call sets it up
  return timed(*context_, *stream_, [&] { return stream_->multiply(p); });
}

Result<void> Workbench::begin(int products) {
  const auto p = product(size_, size_, false);
  marks_.clear();
  checks_.assign(static_cast<std::size_t>(products), {});
  const auto mark = [&]() -> Result<void> {
    GPUVET_TRY(auto event, stream_->record());
    marks_.push_back(std::move(event));
    return {};
  };
  GPUVET_CHECK(fill(p, Values::normal, fresh()));
  for (auto& check : checks_) {
    GPUVET_CHECK(mark());
    GPUVET_CHECK(stream_->multiply(p));
    GPUVET_CHECK(mark());
    GPUVET_CHECK(stream_->verify(p, fresh(), check));
    GPUVET_CHECK(mark());
  }
  return {};
}

Result<double> Workbench::finish(Tally& tally) {
  GPUVET_CHECK(synchronize());
  double multiply = 0;
  for (std::size_t i = 0; i < checks_.size(); ++i) {
    tally.add(checks_[i]);
    GPUVET_TRY(const double took, marks_[3 * i + 1]->since(*marks_[3 * i]));
    GPUVET_TRY(const double check, marks_[3 * i + 2]->since(*marks_[3 * i + 1]));
    multiply += took;
    tally.check += check;
  }
  tally.multiply += multiply;
  return multiply / static_cast<double>(std::max<std::size_t>(1, checks_.size()));
}

Result<std::uint64_t> Workbench::exact(Tally& tally) {
  constexpr std::int64_t side_limit = 1024;  // what is read back should not take long
  const auto side = std::min(size_, side_limit);
  const auto p = product(side, std::min(side, exact_limit(precision_)), true);
  const auto seed = fresh();
  GPUVET_CHECK(fill(p, Values::integers, seed));
  GPUVET_CHECK(stream_->multiply(p));
  checks_.assign(1, {});
  GPUVET_CHECK(stream_->verify(p, fresh(), checks_.front()));
  GPUVET_CHECK(synchronize());
  tally.add(checks_.front());
  GPUVET_TRY(const auto of_a, wrong_inputs(p.a, seed));
  GPUVET_TRY(const auto of_b, wrong_inputs(p.b, device::Pattern::mix(seed)));
  return of_a + of_b;
}

Result<std::uint64_t> Workbench::wrong_inputs(device::Range range, std::uint64_t seed) {
  std::vector<std::byte> found(range.bytes), expected(range.bytes);
  GPUVET_CHECK(device_->read(range, found));
  const auto width = operand_bytes(precision_);
  device::write_elements(precision_, Values::integers, device::element_key(seed), 0,
                         found.size() / width, expected.data());
  if (found == expected) return 0;
  std::uint64_t out = 0;
  for (std::uint64_t at = 0; at < found.size(); at += width)
    out += std::memcmp(found.data() + at, expected.data() + at, width) != 0 ? 1U : 0U;
  return out;
}

Result<std::uint64_t> Workbench::repeat(int times) {
  const auto p = product(size_, size_, false);
  auto second = p;
  second.c = first_bytes(again_, p.c.bytes);
  *differing_ = 0;
  GPUVET_CHECK(fill(p, Values::normal, fresh()));
  GPUVET_CHECK(stream_->multiply(p));
  for (int i = 0; i < times; ++i) {
    GPUVET_CHECK(stream_->multiply(second));
    GPUVET_CHECK(stream_->compare(p.c, second.c, *differing_));
  }
  GPUVET_CHECK(synchronize());
  return *differing_;
}

Result<std::uint64_t> Workbench::digest(std::uint64_t seed) {
  constexpr std::int64_t side_limit = 4096;
  const auto side = std::min(size_, side_limit);
  const auto p = product(side, side, false);
  GPUVET_CHECK(fill(p, Values::normal, seed));
  GPUVET_CHECK(stream_->multiply(p));
  GPUVET_CHECK(synchronize());
  std::vector<std::uint64_t> piece(std::min<std::uint64_t>(p.c.bytes, 4U << 20U) / 8);
  std::uint64_t out = 0;
  for (std::uint64_t at = 0; at < p.c.bytes; at += piece.size() * 8) {
    piece.resize(std::min<std::uint64_t>(piece.size(), (p.c.bytes - at) / 8));
    GPUVET_CHECK(
        device_->read(c_.part(at, piece.size() * 8), std::as_writable_bytes(std::span(piece))));
    for (const auto word : piece) out = device::Pattern::mix(out ^ word);
  }
  return out;
}

Result<bool> Workbench::guards_intact() const {
  for (const auto* buffer : {&a_, &b_, &c_, &again_}) {
    GPUVET_TRY(const bool intact, buffer->guards_intact());
    if (!intact) return false;
  }
  return true;
}

}  // namespace gpuvet::probe
