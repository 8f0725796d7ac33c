// SPDX-License-Identifier: Apache-2.0
#include "device/host/numbers.hpp"

#include <cmath>
#include <cstring>
#include <vector>

#include "device/matrix_values.hpp"

namespace gpuvet::device::host {
namespace {

template <class T>
const T* as(const std::byte* at) {
  return reinterpret_cast<const T*>(at);
}

/// All 65536 numbers of fp16: a look is faster than taking the bits apart.
const float* fp16_numbers() {
  static const auto table = [] {
    std::vector<float> out(65536);
    for (std::uint32_t i = 0; i < out.size(); ++i)
      out[i] = from_fp16(static_cast<std::uint16_t>(i));
    return out;
  }();
  return table.data();
}

const float* fp8_numbers() {
  static const auto table = [] {
    std::vector<float> out(256);
    for (std::uint32_t i = 0; i < out.size(); ++i) out[i] = from_fp8(static_cast<std::uint8_t>(i));
    return out;
  }();
  return table.data();
}

template <class From, class To, class Convert>
void each(const std::byte* from, std::int64_t count, To* to, Convert convert) {
  const From* in = as<From>(from);
  for (std::int64_t i = 0; i < count; ++i) to[i] = static_cast<To>(convert(in[i]));
}

template <class To>
void widen_to(Precision precision, const std::byte* from, std::int64_t count, To* to) {
  switch (precision) {
    case Precision::fp64:
      return each<double>(from, count, to, [](double x) { return x; });
    case Precision::fp32:
    case Precision::tf32:
      return each<float>(from, count, to, [](float x) { return x; });
    case Precision::bf16:
      return each<std::uint16_t>(from, count, to, [](std::uint16_t x) { return from_bf16(x); });
    case Precision::fp16:
      return each<std::uint16_t>(
          from, count, to, [numbers = fp16_numbers()](std::uint16_t x) { return numbers[x]; });
    case Precision::fp8:
      return each<std::uint8_t>(from, count, to,
                                [numbers = fp8_numbers()](std::uint8_t x) { return numbers[x]; });
    case Precision::int8:
      return each<std::int8_t>(from, count, to, [](std::int8_t x) { return x; });
  }
}

}  // namespace

std::uint16_t bf16_of(float x) {
  if (std::isnan(x)) return static_cast<std::uint16_t>((bits_of(x) >> 16U) | 0x40U);
  return to_bf16(x);  // carries into infinity by itself
}

std::uint16_t fp16_of(float x) {
  const auto sign = static_cast<std::uint16_t>((bits_of(x) >> 16U) & 0x8000U);
  if (std::isnan(x)) return sign | 0x7e00U;
  if (std::fabs(x) >= 65520) return sign | 0x7c00U;  // half way to the number there is none of
  return to_fp16(x);
}

std::uint8_t fp8_of(float x) {
  const auto sign = static_cast<std::uint8_t>((bits_of(x) >> 24U) & 0x80U);
  if (std::isnan(x) || std::fabs(x) > 464) return sign | 0x7fU;
  return to_fp8(x);
}

void widen(Precision precision, const std::byte* from, std::int64_t count, float* to) {
  widen_to(precision, from, count, to);
}

void widen(Precision precision, const std::byte* from, std::int64_t count, double* to) {
  widen_to(precision, from, count, to);
}

void widen_result(Precision precision, const std::byte* from, std::int64_t count, double* to) {
  if (precision == Precision::int8)
    return each<std::int32_t>(from, count, to, [](std::int32_t x) { return x; });
  widen_to(precision == Precision::fp8 ? Precision::bf16 : precision, from, count, to);
}

void narrow_result(Precision precision, const float* from, std::int64_t count, std::byte* to) {
  auto* out = reinterpret_cast<std::uint16_t*>(to);
  switch (precision) {
    case Precision::bf16:
    case Precision::fp8:
      for (std::int64_t i = 0; i < count; ++i) out[i] = bf16_of(from[i]);
      break;
    case Precision::fp16:
      for (std::int64_t i = 0; i < count; ++i) out[i] = fp16_of(from[i]);
      break;
    default:
      std::memcpy(to, from, static_cast<std::size_t>(count) * sizeof *from);
  }
}

}  // namespace gpuvet::device::host
