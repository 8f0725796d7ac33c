// SPDX-License-Identifier: Apache-2.0
// The time of two things that overlap in part.
#pragma once

#include <algorithm>
#include <cmath>

namespace gpuvet::model {

/// p = 1 adds the two, large p takes the larger.
inline double joined(double a, double b, double p) {
  const double most = std::max(a, b), least = std::min(a, b);
  if (most <= 0) return 0;
  return most * std::pow(1 + std::pow(least / most, p), 1 / p);
}

/// p of a host that launches ahead and the GPU behind it, and of two limits of one rate.
inline constexpr double launched_ahead = 4;

}  // namespace gpuvet::model
