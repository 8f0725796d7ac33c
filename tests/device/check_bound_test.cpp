// SPDX-License-Identifier: Apache-2.0
// The bound of Freivalds' check against sums as matrix units make them, and the table of
// docs/method/compute.md.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "device/matrix_check.hpp"

namespace gpuvet::device {
namespace {

/// Sums as matrix units are known to make them: `at_once` products and the sum so far are aligned
/// to the largest of them, and what lies below `bits` bits of that is cut off.
double cut_off_dot(const double* a, const double* b, std::int64_t k, std::int64_t at_once,
                   int bits) {
  double sum = 0;
  for (std::int64_t first = 0; first < k; first += at_once) {
    double largest = std::fabs(sum);
    for (auto p = first; p < first + at_once; ++p)
      largest = std::max(largest, std::fabs(a[p] * b[p]));
    if (largest == 0) continue;
    const double unit = std::ldexp(1, std::ilogb(largest) - bits);
    double next = std::trunc(sum / unit);
    for (auto p = first; p < first + at_once; ++p) next += std::trunc(a[p] * b[p] / unit);
    sum = next * unit;
  }
  return sum;
}

std::vector<double> matrix(Precision precision, std::int64_t rows, std::int64_t k,
                           std::uint64_t seed) {
  std::vector<double> out;
  const auto key = element_key(seed);
  for (std::int64_t i = 0; i < rows * k; ++i) {
    const auto bits = element_bits(precision, Values::normal, key, static_cast<std::uint64_t>(i));
    switch (precision) {
      case Precision::bf16:
        out.push_back(from_bf16(static_cast<std::uint16_t>(bits)));
        break;
      case Precision::fp16:
        out.push_back(from_fp16(static_cast<std::uint16_t>(bits)));
        break;
      case Precision::fp8:
        out.push_back(from_fp8(static_cast<std::uint8_t>(bits)));
        break;
      default:
        out.push_back(float_of(static_cast<std::uint32_t>(bits)));
    }
  }
  return out;
}

double squares(const double* x, std::int64_t count) {
  double out = 0;
  for (std::int64_t i = 0; i < count; ++i) out += x[i] * x[i];
  return out;
}

struct MatrixUnit {
  Precision precision;
  std::int64_t at_once;
  int bits;  ///< after the first
};

class CheckBound : public testing::TestWithParam<MatrixUnit> {};

// What is known of A100 and H100: 23 bits or more, of fp8 13; 4 products of tf32, 8 of bf16, 32 of
// fp8 at once.
INSTANTIATE_TEST_SUITE_P(Units, CheckBound,
                         testing::Values(MatrixUnit{Precision::tf32, 4, 23},
                                         MatrixUnit{Precision::bf16, 8, 23},
                                         MatrixUnit{Precision::fp16, 8, 23},
                                         MatrixUnit{Precision::fp8, 32, 13}),
                         [](const auto& p) { return std::string(name(p.param.precision)); });

/// Rounding of a row, as a vector, stays within a sixth of what the bound assumes of its length;
/// the nine deviations come on top.
TEST_P(CheckBound, SumsThatAreCutOffStayFarWithin) {
  const auto [precision, at_once, bits] = GetParam();
  const std::int64_t m = 6, n = 48;
  for (const std::int64_t k : {64, 1024, 8192}) {
    const auto a = matrix(precision, m, k, 1), b = matrix(precision, n, k, 2);
    const double all_of_b = std::sqrt(squares(b.data(), n * k));
    for (std::int64_t i = 0; i < m; ++i) {
      double error = 0, row_of_c = 0;
      for (std::int64_t j = 0; j < n; ++j) {
        double exact = 0;
        for (std::int64_t p = 0; p < k; ++p)
          exact += a[static_cast<std::size_t>(i * k + p)] * b[static_cast<std::size_t>(j * k + p)];
        const double sum = cut_off_dot(&a[static_cast<std::size_t>(i * k)],
                                       &b[static_cast<std::size_t>(j * k)], k, at_once, bits);
        error += (sum - exact) * (sum - exact);
        row_of_c += exact * exact;
      }
      const double row_of_a = std::sqrt(squares(&a[static_cast<std::size_t>(i * k)], k));
      const double bound = rounding_bound(precision, false, n, k, row_of_a, all_of_b, 0);
      EXPECT_LT(std::sqrt(error), bound / check_deviations / 6) << k << ' ' << i;
      EXPECT_GT(row_of_c, 0);
    }
  }
}

/// The error of one element that is found for sure, in units of a typical one: the row's rounding
/// may take away one bound, and a second must be exceeded.
double sure(Precision precision, std::int64_t n) {
  const double side = static_cast<double>(n);
  return 2 * rounding_bound(precision, false, n, n, std::sqrt(side), side, side) / std::sqrt(side);
}

TEST(CheckTable, IsThatOfThePage) {
  std::ifstream file(std::string(GPUVET_SOURCE_DIR) + "/docs/method/compute.md");
  std::stringstream page;
  page << file.rdbuf();
  EXPECT_EQ(sure(Precision::fp32, 4096), sure(Precision::tf32, 4096));
  for (const auto precision :
       {Precision::fp64, Precision::fp32, Precision::fp16, Precision::bf16, Precision::fp8}) {
    std::string line = "| " + std::string(name(precision));
    if (precision == Precision::fp32) line += ", tf32";
    for (const std::int64_t n : {1024, 4096, 8192, 32768}) {
      char text[32];
      std::snprintf(text, sizeof text, " | %.2g", sure(precision, n));
      line += text;
    }
    EXPECT_NE(page.str().find(line + " |\n"), std::string::npos) << line;
  }
}

TEST(CheckTable, OverflowsAndWhatIsNoNumberAreBeyond) {
  const double none = std::nan("");
  EXPECT_TRUE(beyond(none, 1));
  EXPECT_TRUE(beyond(1, none));
  EXPECT_TRUE(beyond(0, HUGE_VAL));
  EXPECT_TRUE(beyond(HUGE_VAL, 1));
  EXPECT_TRUE(beyond(-2, 1));
  EXPECT_FALSE(beyond(-1, 1));
  EXPECT_FALSE(beyond(0, 0));
  EXPECT_EQ(relative_to(none, 1), HUGE_VAL);
  EXPECT_EQ(relative_to(3, 0), 3);
}

}  // namespace
}  // namespace gpuvet::device
