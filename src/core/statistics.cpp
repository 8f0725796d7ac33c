// SPDX-License-Identifier: Apache-2.0
#include "core/statistics.hpp"

#include <algorithm>
#include <cmath>
#include <stdexcept>

namespace gpuvet {

double median(std::vector<double> values) {
  if (values.empty()) throw std::invalid_argument("median of nothing");
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  if (values.size() % 2 == 1) return *middle;
  return (*middle + *std::max_element(values.begin(), middle)) / 2;
}

Interval median_interval(std::vector<double> values) {
  if (values.empty()) throw std::invalid_argument("interval of nothing");
  std::sort(values.begin(), values.end());
  const auto n = values.size();
  // The largest k such that at most 2.5 % of binomial(n, 1/2) lie below k.
  std::size_t k = 0;
  double term = std::pow(0.5, static_cast<double>(n)), below = term;
  while (k + 1 < n / 2 && below <= 0.025) {
    term *= static_cast<double>(n - k) / static_cast<double>(k + 1);
    if (below + term > 0.025) break;
    below += term;
    ++k;
  }
  return {values[k], values[n - 1 - k]};
}

}  // namespace gpuvet
