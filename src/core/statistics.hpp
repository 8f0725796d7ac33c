// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

namespace gpuvet {

/// The middle value, or the mean of the two middle ones. `values` must not be empty.
double median(std::vector<double> values);

struct Interval {
  double low = 0, high = 0;
};

/// The values between which the median of what `values` are samples of lies with at least 95 %,
/// whatever its distribution (order statistics of the binomial); of 5 values and fewer, all of
/// them. `values` must not be empty.
Interval median_interval(std::vector<double> values);

}  // namespace gpuvet
