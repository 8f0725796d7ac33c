// SPDX-License-Identifier: Apache-2.0
// What fill_matrix() writes: each element computed from the seed and its row-major index alone, by
// the same code on GPU and host and to the same bits, so that nothing needs to be kept or sent.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "device/matrix.hpp"

namespace gpuvet::device {

/// Of a matrix: the seed, mixed once.
GPUVET_HD constexpr std::uint64_t element_key(std::uint64_t seed) { return Pattern::mix(seed); }

GPUVET_HD constexpr std::uint64_t element_word(std::uint64_t key, std::uint64_t index) {
  return Pattern::mix(index * 0x9e3779b97f4a7c15U + key);
}

/// -1, 0 or 1.
GPUVET_HD constexpr int integer_element(std::uint64_t key, std::uint64_t index) {
  return static_cast<int>(element_word(key, index) % 3) - 1;
}

/// The sum of four uniform 16-bit numbers about its middle (Irwin-Hall): near enough to normal,
/// never beyond 3.47 standard deviations, and the same everywhere, as no log or cosine is.
GPUVET_HD constexpr int normal_sum(std::uint64_t key, std::uint64_t index) {
  const std::uint64_t word = element_word(key, index);
  return static_cast<int>((word & 0xffffU) + ((word >> 16U) & 0xffffU) + ((word >> 32U) & 0xffffU) +
                          (word >> 48U)) -
         2 * 0xffff;
}
inline constexpr double normal_scale = 2.6428997921303014e-05;  ///< 1 / sqrt(4 (2^32 - 1) / 12)
inline constexpr double int8_deviation = 32;  ///< of int8's normal values: 3.47 of them fit

GPUVET_HD constexpr double normal_element(std::uint64_t key, std::uint64_t index) {
  return normal_sum(key, index) * normal_scale;  // one rounding: no compiler can contract it
}

GPUVET_HD inline std::uint32_t bits_of(float x) {
  std::uint32_t out = 0;
  memcpy(&out, &x, sizeof out);
  return out;
}
GPUVET_HD inline float float_of(std::uint32_t bits) {
  float out = 0;
  memcpy(&out, &bits, sizeof out);
  return out;
}

/// A finite float's nearest number (ties to even) with `dropped` bits fewer.
GPUVET_HD inline std::uint32_t rounded_bits(float x, int dropped) {
  const std::uint32_t bits = bits_of(x);
  const std::uint32_t half = (1U << (dropped - 1)) - 1U + ((bits >> dropped) & 1U);
  return ((bits + half) >> dropped) << dropped;
}
GPUVET_HD inline float to_tf32(float x) { return float_of(rounded_bits(x, 13)); }
GPUVET_HD inline std::uint16_t to_bf16(float x) {
  return static_cast<std::uint16_t>(rounded_bits(x, 16) >> 16U);
}

/// A finite float, small enough not to overflow, in a format of `exponent_bits` and `mantissa_bits`
/// with numbers below the normal ones: fp16 is 5 and 10, e4m3 is 4 and 3.
GPUVET_HD inline std::uint32_t to_small(float x, int exponent_bits, int mantissa_bits) {
  const int bias = (1 << (exponent_bits - 1)) - 1;
  const std::uint32_t sign = (bits_of(x) >> 31U) << (exponent_bits + mantissa_bits);
  const float magnitude = float_of(bits_of(x) & 0x7fffffffU);
  const float smallest = float_of(static_cast<std::uint32_t>(128 - bias) << 23U);  // normal
  // Adding 2^23 units of the last place leaves their number, rounded, in the low bits.
  const auto exponent = static_cast<std::uint32_t>(128 - bias - mantissa_bits + 23);
  const float shifter = float_of(exponent << 23U);
  const std::uint32_t units = bits_of(magnitude + shifter) - bits_of(shifter);
  const int dropped = 23 - mantissa_bits;
  const std::uint32_t kept = (rounded_bits(magnitude, dropped) >> dropped) -
                             (static_cast<std::uint32_t>(127 - bias) << mantissa_bits);
  // Which of both nobody can foresee: chosen without a branch.
  const std::uint32_t below = 0U - static_cast<std::uint32_t>(magnitude < smallest);
  return sign | (units & below) | (kept & ~below);
}
GPUVET_HD inline std::uint16_t to_fp16(float x) {
  return static_cast<std::uint16_t>(to_small(x, 5, 10));
}
GPUVET_HD inline std::uint8_t to_fp8(float x) {
  return static_cast<std::uint8_t>(to_small(x, 4, 3));
}

GPUVET_HD inline float from_bf16(std::uint16_t bits) {
  return float_of(static_cast<std::uint32_t>(bits) << 16U);
}

/// The number behind the bits; what is not a number stays none.
GPUVET_HD inline float from_small(std::uint32_t bits, int exponent_bits, int mantissa_bits,
                                  bool has_infinity) {
  const int bias = (1 << (exponent_bits - 1)) - 1;
  const std::uint32_t top = (1U << exponent_bits) - 1U;
  const std::uint32_t exponent = (bits >> mantissa_bits) & top;
  const std::uint32_t mantissa = bits & ((1U << mantissa_bits) - 1U);
  const std::uint32_t sign = (bits >> (exponent_bits + mantissa_bits)) << 31U;
  const auto whole = static_cast<std::uint32_t>(127 - bias);
  if (exponent == top && (has_infinity || mantissa == (1U << mantissa_bits) - 1U)) {
    const std::uint32_t rest = has_infinity ? mantissa << (23 - mantissa_bits) : 0x400000U;
    return float_of(sign | 0x7f800000U | rest);
  }
  if (exponent == 0) {  // below the normal ones: whole units of the last place
    const float unit = float_of((whole + 1U - static_cast<std::uint32_t>(mantissa_bits)) << 23U);
    const float magnitude = static_cast<float>(mantissa) * unit;
    return sign != 0 ? -magnitude : magnitude;
  }
  return float_of(sign | ((exponent + whole) << 23U) | (mantissa << (23 - mantissa_bits)));
}
GPUVET_HD inline float from_fp16(std::uint16_t bits) { return from_small(bits, 5, 10, true); }
GPUVET_HD inline float from_fp8(std::uint8_t bits) { return from_small(bits, 4, 3, false); }

/// The bits that stand for `x`, one of `values`, in the low operand_bytes(precision) bytes.
GPUVET_HD inline std::uint64_t number_bits(Precision precision, Values values, double x) {
  const auto narrow = static_cast<float>(x);
  switch (precision) {
    case Precision::fp64: {
      std::uint64_t out = 0;
      memcpy(&out, &x, sizeof out);
      return out;
    }
    case Precision::fp32:
      return bits_of(narrow);
    case Precision::tf32:  // rounded here, so that the multiplier's own rounding changes nothing
      return bits_of(to_tf32(narrow));
    case Precision::bf16:
      return to_bf16(narrow);
    case Precision::fp16:
      return to_fp16(narrow);
    case Precision::fp8:
      return to_fp8(narrow);
    case Precision::int8: {
      const double scaled = values == Values::integers ? x : x * int8_deviation;
      const int nearest = static_cast<int>(scaled + (scaled < 0 ? -0.5 : 0.5));
      return static_cast<std::uint8_t>(static_cast<std::int8_t>(nearest));
    }
  }
  return 0;
}

/// The element's bits, in the low operand_bytes(precision) bytes.
GPUVET_HD inline std::uint64_t element_bits(Precision precision, Values values, std::uint64_t key,
                                            std::uint64_t index) {
  return number_bits(
      precision, values,
      values == Values::integers ? integer_element(key, index) : normal_element(key, index));
}

/// `count` elements from `first` on, as they lie in memory, on the host.
void write_elements(Precision precision, Values values, std::uint64_t key, std::uint64_t first,
                    std::uint64_t count, std::byte* to);

}  // namespace gpuvet::device
