// SPDX-License-Identifier: Apache-2.0
#include "device/matrix_values.hpp"

namespace gpuvet::device {
namespace {

/// With the precision known when compiled, what is chosen once is not chosen at each element.
template <Precision precision, class Bits>
void write(Values values, std::uint64_t key, std::uint64_t first, std::uint64_t count,
           std::byte* to) {
  const auto each = [&](auto bits_at) {
    for (std::uint64_t i = 0; i < count; ++i) {
      const Bits bits = bits_at(first + i);
      std::memcpy(to + i * sizeof bits, &bits, sizeof bits);
    }
  };
  if (values == Values::normal)
    return each([&](std::uint64_t index) {
      return static_cast<Bits>(element_bits(precision, Values::normal, key, index));
    });
  const auto of = [](int x) {
    return static_cast<Bits>(number_bits(precision, Values::integers, x));
  };
  const Bits three[] = {of(-1), of(0), of(1)};
  each([&](std::uint64_t index) { return three[integer_element(key, index) + 1]; });
}

}  // namespace

void write_elements(Precision precision, Values values, std::uint64_t key, std::uint64_t first,
                    std::uint64_t count, std::byte* to) {
  switch (precision) {
    case Precision::fp64:
      return write<Precision::fp64, std::uint64_t>(values, key, first, count, to);
    case Precision::fp32:
      return write<Precision::fp32, std::uint32_t>(values, key, first, count, to);
    case Precision::tf32:
      return write<Precision::tf32, std::uint32_t>(values, key, first, count, to);
    case Precision::bf16:
      return write<Precision::bf16, std::uint16_t>(values, key, first, count, to);
    case Precision::fp16:
      return write<Precision::fp16, std::uint16_t>(values, key, first, count, to);
    case Precision::fp8:
      return write<Precision::fp8, std::uint8_t>(values, key, first, count, to);
    case Precision::int8:
      return write<Precision::int8, std::uint8_t>(values, key, first, count, to);
  }
}

}  // namespace gpuvet::device
