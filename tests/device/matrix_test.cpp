// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <limits>
#include <random>

#include "device/host/host.hpp"
#include "device/host/matrix_multiply.hpp"
#include "device/host/numbers.hpp"
#include "device/matrix_check.hpp"

namespace gpuvet::device {
namespace {

constexpr std::array all_precisions = {Precision::fp64, Precision::fp32, Precision::tf32,
                                       Precision::bf16, Precision::fp16, Precision::fp8,
                                       Precision::int8};

/// The format's number nearest to `x` among all of them, of two as near the one with the even bits.
template <class Bits, class From>
Bits nearest(double x, From from, Bits largest) {
  Bits low = 0, high = largest;  // of the positive numbers, which rise with their bits
  const double size = std::fabs(x);
  while (high - low > 1) {
    const auto middle = static_cast<Bits>(low + (high - low) / 2);
    (static_cast<double>(from(middle)) <= size ? low : high) = middle;
  }
  const double below = size - from(low), above = from(high) - size;
  const bool up = above < below || (above == below && (high & 1U) == 0);
  return up ? high : low;
}

/// Each number of the format, the middle between it and the next, and just beside that middle.
template <class Bits, class Of, class From>
void rounds_everywhere(Of of, From from, Bits largest, Bits sign) {
  for (Bits bits = 0; bits < largest; ++bits) {
    const float low = from(bits), high = from(static_cast<Bits>(bits + 1));
    const float middle = low + (high - low) / 2;  // exact: both formats are shorter than fp32
    for (const float x :
         {low, middle, std::nextafter(middle, 0.0F), std::nextafter(middle, 1e30F)}) {
      const Bits due = nearest<Bits>(x, from, largest);
      ASSERT_EQ(of(x), due) << x;
      ASSERT_EQ(of(-x), static_cast<Bits>(due | sign)) << -x;
    }
    ASSERT_EQ(of(low), bits);
  }
}

TEST(Numbers, Bf16RoundsToNearestEven) {
  // Every number above fp32's smallest: half of the smallest itself fp32 cannot tell.
  for (std::uint32_t i = 0; i < 0x7f80; ++i) {
    const auto bits = static_cast<std::uint16_t>(i);
    ASSERT_EQ(host::bf16_of(from_bf16(bits)), bits);
    const auto below = (i << 16U) | 0x7fffU, middle = (i << 16U) | 0x8000U, above = middle + 1;
    ASSERT_EQ(host::bf16_of(float_of(below)), i);
    ASSERT_EQ(host::bf16_of(float_of(middle)), i + (i & 1U));
    ASSERT_EQ(host::bf16_of(float_of(above)), i + 1);
    ASSERT_EQ(host::bf16_of(-float_of(middle)), 0x8000U | (i + (i & 1U)));
  }
}

TEST(Numbers, Fp16RoundsToNearestEven) {
  rounds_everywhere<std::uint16_t>(host::fp16_of, from_fp16, 0x7bff, 0x8000);
  EXPECT_EQ(host::fp16_of(65519.996F), 0x7bff);
  EXPECT_EQ(host::fp16_of(65520), 0x7c00);
  EXPECT_EQ(host::fp16_of(-1e30F), 0xfc00);
}

TEST(Numbers, Fp8RoundsToNearestEven) {
  rounds_everywhere<std::uint8_t>(host::fp8_of, from_fp8, 0x7e, 0x80);
  EXPECT_EQ(from_fp8(0x7e), 448);
  EXPECT_EQ(host::fp8_of(464), 0x7e);
  EXPECT_EQ(host::fp8_of(std::nextafter(464.0F, 1e9F)), 0x7f);
}

TEST(Numbers, WhatIsNoNumberStaysNone) {
  const float inf = std::numeric_limits<float>::infinity();
  for (const std::uint32_t payload : {1U, 0x400000U, 0x7fffffU, 0x12345U}) {
    const float nan = float_of(0x7f800000U | payload);
    EXPECT_TRUE(std::isnan(from_bf16(host::bf16_of(nan))));
    EXPECT_TRUE(std::isnan(from_fp16(host::fp16_of(nan))));
    EXPECT_TRUE(std::isnan(from_fp8(host::fp8_of(nan))));
  }
  EXPECT_EQ(from_bf16(host::bf16_of(-inf)), -inf);
  EXPECT_EQ(from_fp16(host::fp16_of(-inf)), -inf);
  EXPECT_TRUE(std::isnan(from_fp8(host::fp8_of(inf))));
  EXPECT_EQ(from_bf16(host::bf16_of(std::numeric_limits<float>::max())), inf);
  for (std::uint32_t i = 0; i < 65536; ++i) {
    const auto bits = static_cast<std::uint16_t>(i);
    const bool top = (i & 0x7c00U) == 0x7c00U;
    ASSERT_EQ(std::isfinite(from_fp16(bits)), !top) << i;
    if (!top) {
      ASSERT_EQ(host::fp16_of(from_fp16(bits)), bits);
    }
  }
  for (std::uint32_t i = 0; i < 256; ++i)
    ASSERT_EQ(std::isnan(from_fp8(static_cast<std::uint8_t>(i))), (i & 0x7fU) == 0x7fU);
}

HostDevice small_host(int threads) {
  Properties properties;
  properties.subject = "node";
  return {properties, std::vector<int>(static_cast<std::size_t>(threads), -1),
          std::uint64_t{256} << 20};
}

/// A product of random values in the device's memory, with its operands in fp64 beside it.
struct Case {
  Case(HostDevice& device, Precision precision, std::int64_t m, std::int64_t n, std::int64_t k,
       Values values = Values::normal, std::uint64_t seed = 1)
      : stream{device.stream().value()},
        a{device.allocate(bytes(m, k, operand_bytes(precision))).value()},
        b{device.allocate(bytes(n, k, operand_bytes(precision))).value()},
        c{device.allocate(bytes(m, n, result_bytes(precision))).value()} {
    product = {precision, MatrixEngine::own,         m, n, k, a.all(), b.all(),
               c.all(),   values == Values::integers};
    EXPECT_TRUE(stream->fill_matrix(a.all(), precision, values, seed));
    EXPECT_TRUE(stream->fill_matrix(b.all(), precision, values, seed + 1));
    EXPECT_TRUE(stream->synchronize(60));
    wide_a = widened(a, m * k);
    wide_b = widened(b, n * k);
  }
  static std::uint64_t bytes(std::int64_t rows, std::int64_t columns, std::uint64_t each) {
    return static_cast<std::uint64_t>(rows * columns) * each;
  }
  [[nodiscard]] std::vector<double> widened(const Buffer& of, std::int64_t count) const {
    std::vector<double> out(static_cast<std::size_t>(count));
    host::widen(product.precision, reinterpret_cast<const std::byte*>(of.all().address), count,
                out.data());
    return out;
  }
  [[nodiscard]] std::vector<double> result() const {
    std::vector<double> out(static_cast<std::size_t>(product.m * product.n));
    host::widen_result(product.precision, at(), product.m * product.n, out.data());
    return out;
  }
  [[nodiscard]] double due(std::int64_t row, std::int64_t column) const {
    double out = 0;
    for (std::int64_t i = 0; i < product.k; ++i)
      out += wide_a[static_cast<std::size_t>(row * product.k + i)] *
             wide_b[static_cast<std::size_t>(column * product.k + i)];
    return out;
  }
  [[nodiscard]] std::byte* at() const { return reinterpret_cast<std::byte*>(product.c.address); }
  void multiply() {
    ASSERT_TRUE(stream->multiply(product));
    ASSERT_TRUE(stream->synchronize(60));
  }
  ProductCheck verify(std::uint64_t seed) {
    ProductCheck out;
    EXPECT_TRUE(stream->verify(product, seed, out));
    EXPECT_TRUE(stream->synchronize(60));
    return out;
  }
  /// Element `index` of c becomes `value`, or as near as c can say it.
  void put(std::int64_t index, double value) {
    const auto narrow = static_cast<float>(value);
    if (product.precision == Precision::fp64)
      std::memcpy(at() + index * 8, &value, 8);
    else if (product.precision == Precision::int8) {
      const auto whole = static_cast<std::int32_t>(value);
      std::memcpy(at() + index * 4, &whole, 4);
    } else
      host::narrow_result(
          product.precision, &narrow, 1,
          at() + index * static_cast<std::int64_t>(result_bytes(product.precision)));
  }

  std::unique_ptr<Stream> stream;
  Buffer a, b, c;
  Product product;
  std::vector<double> wide_a, wide_b;
};

TEST(HostMatrix, FillsWithTheSharedValues) {
  auto device = small_host(3);
  for (const auto precision : all_precisions)
    for (const auto values : {Values::normal, Values::integers}) {
      Case c(device, precision, 48, 16, 80, values, 7);
      const auto width = operand_bytes(precision);
      for (std::uint64_t i = 0; i < 48 * 80; ++i) {
        std::uint64_t bits = 0;
        std::memcpy(&bits, reinterpret_cast<std::byte*>(c.a.all().address) + i * width, width);
        ASSERT_EQ(bits, element_bits(precision, values, element_key(7), i)) << name(precision);
      }
      EXPECT_TRUE(c.a.guards_intact().value());
    }
}

TEST(HostMatrix, WholeNumbersMultiplyExactly) {
  auto device = small_host(3);
  for (const auto precision : all_precisions)
    for (const auto& [m, n, k] : {std::array{16, 16, 16}, {208, 112, 256}, {16, 400, 208}}) {
      Case c(device, precision, m, n, k, Values::integers);
      c.multiply();
      const auto found = c.result();
      for (std::int64_t i = 0; i < m * n; ++i)
        ASSERT_EQ(found[static_cast<std::size_t>(i)], c.due(i / n, i % n)) << name(precision);
      EXPECT_TRUE(c.c.guards_intact().value());
    }
}

TEST(HostMatrix, NormalValuesMultiplyToWithinRounding) {
  auto device = small_host(2);
  for (const auto precision : all_precisions) {
    Case c(device, precision, 64, 80, 1360);
    c.multiply();
    const auto found = c.result();
    const double root = std::sqrt(1360.0);
    for (std::int64_t i = 0; i < 64 * 80; ++i) {
      const double due = c.due(i / 80, i % 80), got = found[static_cast<std::size_t>(i)];
      const double rounding = 2 * result_rounding(precision) * std::fabs(due) +
                              4 * sum_rounding(precision) * root * root;
      ASSERT_LE(std::fabs(got - due), rounding) << name(precision);
    }
  }
}

TEST(HostMatrix, EveryVectorUnitGivesRightProducts) {
  auto device = small_host(2);
  std::vector<const host::MatrixKernels*> units{&host::plain_kernels};
  if (__builtin_cpu_supports("avx2") != 0) units.push_back(&host::avx2_kernels);
  if (__builtin_cpu_supports("avx512f") != 0) units.push_back(&host::avx512_kernels);
  for (const auto* unit : units)
    for (const auto precision : {Precision::fp64, Precision::fp32, Precision::int8}) {
      Case c(device, precision, 80, 48, 400, Values::integers);
      host::multiply(c.product, device.team(), *unit);
      const auto found = c.result();
      for (std::int64_t i = 0; i < 80 * 48; ++i)
        ASSERT_EQ(found[static_cast<std::size_t>(i)], c.due(i / 48, i % 48)) << unit->name;
      ProductCheck out;
      host::verify(c.product, 3, device.team(), *unit, out);
      EXPECT_EQ(out.wrong, 0U) << unit->name;
      c.put(5, found[5] + 1);
      host::verify(c.product, 3, device.team(), *unit, out);
      EXPECT_EQ(out.wrong, 1U) << unit->name;
    }
}

TEST(HostMatrix, TheSameBitsOnAnyNumberOfThreads) {
  auto one = small_host(1), three = small_host(3);
  for (const auto precision : all_precisions) {
    Case a(one, precision, 208, 96, 512), b(three, precision, 208, 96, 512);
    a.multiply();
    b.multiply();
    EXPECT_EQ(std::memcmp(a.at(), b.at(), a.product.c.bytes), 0) << name(precision);
  }
}

TEST(HostMatrix, TheLibraryAgrees) {
  auto device = small_host(2);
  const auto there = device.precisions(MatrixEngine::library);
  if (there.empty()) GTEST_SKIP() << "no OpenBLAS";
  for (const auto precision : there) {
    Case c(device, precision, 112, 80, 272);
    c.product.engine = MatrixEngine::library;
    c.multiply();
    EXPECT_EQ(c.verify(9).wrong, 0U) << name(precision);
    EXPECT_LE(std::fabs(c.result()[777] - c.due(777 / 80, 777 % 80)), 1e-3);
    EXPECT_TRUE(c.c.guards_intact().value());
  }
}

TEST(HostMatrix, RefusesWhatItCannotDo) {
  auto device = small_host(1);
  Case c(device, Precision::bf16, 32, 32, 32);
  auto p = c.product;
  p.k = 24;
  EXPECT_EQ(c.stream->multiply(p).error().code, Errc::usage);
  p.k = 48;
  EXPECT_EQ(c.stream->multiply(p).error().code, Errc::usage);
  p = c.product;
  p.engine = MatrixEngine::library;
  EXPECT_EQ(c.stream->multiply(p).error().code, Errc::not_supported);
}

}  // namespace
}  // namespace gpuvet::device
