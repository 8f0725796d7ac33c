// SPDX-License-Identifier: Apache-2.0
// Freivalds' check of c = a bᵀ: c r = a (bᵀ r) with random signs r, in fp64, row by row. What is
// random and how much rounding may explain is decided here for every backend;
// docs/method/compute.md derives it.
#pragma once

#include <cmath>
#include <cstdint>

#include "device/matrix_values.hpp"

namespace gpuvet::device {

/// Vectors at once: an error that one misses (even odds at worst, for two equal ones in a row), the
/// other still meets.
inline constexpr int check_vectors = 2;

/// Element `index` of vector `vector`: 1 or -1. `key` is element_key() of the check's seed.
GPUVET_HD constexpr int check_sign(std::uint64_t key, std::uint64_t index, int vector) {
  return ((element_word(key, index) >> static_cast<unsigned>(vector)) & 1U) != 0 ? 1 : -1;
}

/// Half the last place of a result, relative to it: at most, but for bf16 its root mean square over
/// a row, rounded up (docs/method/compute.md).
GPUVET_HD constexpr double result_rounding(Precision precision) {
  switch (precision) {
    case Precision::fp64:
      return 0x1p-53;
    case Precision::fp32:
    case Precision::tf32:
      return 0x1p-24;
    case Precision::fp16:
      return 0x1p-11;
    case Precision::bf16:
    case Precision::fp8:
      return 0x1p-9;
    case Precision::int8:
      return 0;
  }
  return 0;
}

/// Of the sums over k, for each root of k. Matrix units cut off instead of rounding, and those of
/// fp8 keep 13 bits; check_bound_test.cpp makes such sums and finds a sixth of this at most.
GPUVET_HD constexpr double sum_rounding(Precision precision) {
  switch (precision) {
    case Precision::fp64:
      return 0x1p-53;
    case Precision::fp8:
      return 0x1p-16;
    case Precision::int8:
      return 0;
    default:
      return 0x1p-25;
  }
}

/// How many standard deviations of a random sign's sum are no alarm: by Hoeffding's inequality a
/// row of a right product goes beyond with a probability under 2 exp(-81/2) = 5e-18.
inline constexpr double check_deviations = 9;

/// What a row's |c r - a (bᵀ r)| may reach by rounding. Euclidean norms of the row of a, of all of
/// b, and of the row of c. 0 where every number is a whole one.
GPUVET_HD inline double rounding_bound(Precision precision, bool exact, std::int64_t n,
                                       std::int64_t k, double row_of_a, double all_of_b,
                                       double row_of_c) {
  if (exact || precision == Precision::int8) return 0;
  const double root_k = std::sqrt(static_cast<double>(k));
  const double root_n = std::sqrt(static_cast<double>(n));
  const double sums = (sum_rounding(precision) * root_k + 0x1p-53 * root_n) * row_of_a * all_of_b;
  return check_deviations * (result_rounding(precision) * row_of_c + sums);
}

/// Whether a row is wrong: beyond its bound, or not a number at all (a bound that overflowed says
/// nothing either).
GPUVET_HD inline bool beyond(double difference, double bound) {
  return !(std::fabs(difference) <= bound) || !(bound < HUGE_VAL);
}

/// `difference` in units of its bound; of 1 where nothing may differ.
GPUVET_HD inline double relative_to(double difference, double bound) {
  const double ratio = std::fabs(difference) / (bound > 0 ? bound : 1);
  return ratio >= 0 ? ratio : HUGE_VAL;
}

}  // namespace gpuvet::device
