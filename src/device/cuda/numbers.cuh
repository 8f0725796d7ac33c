// SPDX-License-Identifier: Apache-2.0
// 16 bytes of a matrix, which a thread loads at once, as numbers.
#pragma once

#include "device/matrix_values.hpp"

namespace gpuvet::device::cuda {

enum class Number { fp64, fp32, bf16, fp16, fp8, int8, int32 };

__device__ inline std::uint32_t quarter(const uint4& x, int i) {
  return i == 0 ? x.x : i == 1 ? x.y : i == 2 ? x.z : x.w;
}
__device__ inline std::uint32_t half_word(const uint4& x, int i) {
  return quarter(x, i / 2) >> (i % 2 * 16) & 0xffffU;
}
__device__ inline std::uint32_t byte_of(const uint4& x, int i) {
  return quarter(x, i / 4) >> (i % 4 * 8) & 0xffU;
}

/// `Value` holds a number exactly; `short_sums`: so few bits that a few numbers may be added in
/// fp32 before they go on in fp64. Whole ones stay exact; of others, the rounding is far below what
/// the product's own rounding may do.
template <Number kind>
struct Chunk;

template <>
struct Chunk<Number::fp64> {
  using Value = double;
  static constexpr int count = 2;
  static constexpr bool short_sums = false;
  static __device__ Value at(const uint4& x, int i) {
    return i == 0 ? __hiloint2double(static_cast<int>(x.y), static_cast<int>(x.x))
                  : __hiloint2double(static_cast<int>(x.w), static_cast<int>(x.z));
  }
};

template <>
struct Chunk<Number::fp32> {
  using Value = float;
  static constexpr int count = 4;
  static constexpr bool short_sums = false;
  static __device__ Value at(const uint4& x, int i) { return __uint_as_float(quarter(x, i)); }
};

template <>
struct Chunk<Number::int32> {
  using Value = double;
  static constexpr int count = 4;
  static constexpr bool short_sums = false;
  static __device__ Value at(const uint4& x, int i) { return static_cast<int>(quarter(x, i)); }
};

template <>
struct Chunk<Number::bf16> {
  using Value = float;
  static constexpr int count = 8;
  static constexpr bool short_sums = true;
  static __device__ Value at(const uint4& x, int i) {
    return from_bf16(static_cast<std::uint16_t>(half_word(x, i)));
  }
};

template <>
struct Chunk<Number::fp16> {
  using Value = float;
  static constexpr int count = 8;
  static constexpr bool short_sums = true;
  static __device__ Value at(const uint4& x, int i) {
    float out;
    asm("cvt.f32.f16 %0, %1;" : "=f"(out) : "h"(static_cast<std::uint16_t>(half_word(x, i))));
    return out;
  }
};

template <>
struct Chunk<Number::fp8> {
  using Value = float;
  static constexpr int count = 16;
  static constexpr bool short_sums = true;
  /// e4m3 as the upper bits of an fp16 whose exponent counts from another zero: one product sets it
  /// right, also below the normal numbers. 0x7f is no number.
  static __device__ Value at(const uint4& x, int i) {
    const std::uint32_t bits = byte_of(x, i);
    float out;
    asm("cvt.f32.f16 %0, %1;"
        : "=f"(out)
        : "h"(static_cast<std::uint16_t>((bits & 0x80U) << 8U | (bits & 0x7fU) << 7U)));
    return (bits & 0x7fU) == 0x7fU ? __uint_as_float(0x7fffffffU) : out * 256;
  }
};

template <>
struct Chunk<Number::int8> {
  using Value = float;
  static constexpr int count = 16;
  static constexpr bool short_sums = true;
  static __device__ Value at(const uint4& x, int i) {
    return static_cast<std::int8_t>(byte_of(x, i));
  }
};

}  // namespace gpuvet::device::cuda
