// SPDX-License-Identifier: Apache-2.0
#include "device/sim/strikes.hpp"

#include <algorithm>
#include <array>
#include <cstring>

namespace gpuvet::device {
namespace {

constexpr std::uint64_t piece = 64;  ///< bytes of a copy that do not arrive

Range at(Range range, std::uint64_t offset, std::uint64_t bytes) {
  range = inner_range(range);
  range.address += offset;
  range.bytes = bytes;
  return range;
}

std::vector<std::byte> bytes_of(Range range) {
  std::vector<std::byte> out(range.bytes);
  (void)range.device->read(range, out);
  return out;
}

void flip(Range range, std::uint64_t bit) {
  auto bytes = bytes_of(range);
  bytes[bit / 8] ^= static_cast<std::byte>(1U << (bit % 8));
  (void)range.device->write(range, bytes);
}

/// Whether this copy between `source` and `target` is one that `plant` strikes.
bool strikes(const Plant& plant, int source, int target) {
  switch (plant.kind) {
    case PlantKind::peer_copy_stale:
    case PlantKind::peer_copy_corrupt:
      return source == plant.gpu && target == plant.peer;
    case PlantKind::h2d_corrupt:
      return source < 0 && target == plant.gpu;
    case PlantKind::d2h_corrupt:
      return target < 0 && source == plant.gpu;
    default:
      return false;
  }
}

/// One element of c, of the size its precision's results have.
Range element(const Product& product, std::int64_t row, std::int64_t column) {
  const auto size = result_bytes(product.precision);
  return at(product.c, static_cast<std::uint64_t>(row * product.n + column) * size, size);
}

/// Changes an element so that no rounding explains it: its highest exponent bit, or of an integer a
/// high bit.
void spoil(const Product& product, std::int64_t row, std::int64_t column) {
  const auto bits = 8 * result_bytes(product.precision);
  flip(element(product, row, column), bits - 2);
}

void put_special(const Product& product, std::int64_t row, std::int64_t column, bool nan) {
  // All exponent bits; NaN has a mantissa bit besides.
  static constexpr std::array<std::uint64_t, 2> fp64 = {0x7ff0000000000000U, 0x7ff8000000000000U};
  static constexpr std::array<std::uint64_t, 2> fp32 = {0x7f800000U, 0x7fc00000U};
  static constexpr std::array<std::uint64_t, 2> bf16 = {0x7f80U, 0x7fc0U};
  static constexpr std::array<std::uint64_t, 2> fp16 = {0x7c00U, 0x7e00U};
  const auto& values = product.precision == Precision::fp64   ? fp64
                       : product.precision == Precision::fp32 ? fp32
                       : product.precision == Precision::tf32 ? fp32
                       : product.precision == Precision::fp16 ? fp16
                                                              : bf16;
  if (product.precision == Precision::int8) return spoil(product, row, column);
  const auto range = element(product, row, column);
  const std::uint64_t value = values[nan ? 1 : 0];
  std::array<std::byte, 8> bytes{};
  std::memcpy(bytes.data(), &value, sizeof value);
  (void)range.device->write(range, std::span(bytes).first(range.bytes));
}

}  // namespace

CopyStrike::CopyStrike(Machine& machine, Range to, int source, int target, std::uint64_t work)
    : to_{to} {
  for (const auto& plant : machine.plants())
    if (strikes(plant, source, target) && to.bytes >= 2 * piece) plant_ = &plant;
  if (plant_ == nullptr) return;
  offset_ = Pattern::mix(plant_->seed + work) % (to.bytes / piece) * piece;
  before_ = bytes_of(at(to_, offset_, piece));
}

void CopyStrike::after() const {
  if (plant_ == nullptr) return;
  const auto range = at(to_, offset_, std::min(piece, to_.bytes - offset_));
  if (plant_->kind == PlantKind::peer_copy_stale)
    (void)range.device->write(range, std::span(before_).first(range.bytes));
  else
    flip(range, Pattern::mix(plant_->seed) % (8 * range.bytes));
}

void strike_sum(SimulatedDevice& device, Range to) {
  if (const auto* plant = device.plant(PlantKind::sum_wrong)) {
    const auto index = Pattern::mix(plant->seed + device.work()) % (to.bytes / 4);
    flip(at(to, index * 4, 4), 30);  // the highest exponent bit
  }
}

void strike_input(SimulatedDevice& device, Range to, Precision precision, std::uint64_t seed) {
  if (const auto* plant = device.plant(PlantKind::wrong_input)) {
    const auto size = operand_bytes(precision);
    const auto index = Pattern::mix(plant->seed ^ seed) % (to.bytes / size);
    flip(at(to, index * size, size), 8 * size - 1);  // the sign
  }
}

void strike_product(SimulatedDevice& device, const Product& product) {
  for (const auto& plant : device.machine().plants()) {
    if (plant.gpu != device.index()) continue;
    const auto row =
        static_cast<std::int64_t>(Pattern::mix(plant.seed) % static_cast<std::uint64_t>(product.m));
    const auto column = static_cast<std::int64_t>(Pattern::mix(plant.seed + 1) %
                                                  static_cast<std::uint64_t>(product.n));
    switch (plant.kind) {
      case PlantKind::wrong_element:
        spoil(product, row, column);
        break;
      case PlantKind::nan_element:
        put_special(product, row, column, true);
        break;
      case PlantKind::inf_element:
        put_special(product, row, column, false);
        break;
      case PlantKind::wrong_row:
        for (std::int64_t i = 0; i < product.n; ++i) spoil(product, row, i);
        break;
      case PlantKind::wrong_column:
        for (std::int64_t i = 0; i < product.m; ++i) spoil(product, i, column);
        break;
      case PlantKind::wrong_tile:
        for (std::int64_t i = row / 16 * 16; i < row / 16 * 16 + 16; ++i)
          for (std::int64_t j = column / 16 * 16; j < column / 16 * 16 + 16; ++j)
            spoil(product, i, j);
        break;
      case PlantKind::nondeterministic:
        if (Pattern::mix(plant.seed + device.work()) % 2 == 0)
          flip(element(product, row, column), 0);
        break;
      case PlantKind::sibling_differs:
        flip(element(product, row, column), 0);
        break;
      default:
        break;
    }
  }
}

}  // namespace gpuvet::device
