// SPDX-License-Identifier: Apache-2.0
// How predictions compare with what was measured.
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace gpuvet::accuracy {

struct Score {
  std::size_t rows = 0, refused = 0, groups = 0;
  double median = 0, p90 = 0, worst = 0;  ///< of |predicted / measured - 1|
  std::optional<double> covered;          ///< share of rows whose interval holds the measurement
  double half_width = 0;                  ///< median of high / value - 1
};

struct Scored {
  std::string group;
  double predicted = 0, measured = 0;
  bool refused = false;
  double low = 0, high = 0;  ///< both 0: has no interval
};

/// The `share` quantile by linear interpolation; 0 for none.
double quantile(std::vector<double> values, double share);

Score score(const std::vector<Scored>&);

/// The two shares between which 95 % of coverages lie when each of `n` is covered with 0.9.
std::pair<double, double> coverage_band(std::size_t n);

}  // namespace gpuvet::accuracy
