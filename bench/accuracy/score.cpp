// SPDX-License-Identifier: Apache-2.0
#include "accuracy/score.hpp"

#include <algorithm>
#include <cmath>
#include <set>

namespace gpuvet::accuracy {

double quantile(std::vector<double> values, double share) {
  if (values.empty()) return 0;
  std::sort(values.begin(), values.end());
  const double at = share * static_cast<double>(values.size() - 1);
  const auto below = static_cast<std::size_t>(at);
  const auto above = std::min(below + 1, values.size() - 1);
  return values[below] + (at - static_cast<double>(below)) * (values[above] - values[below]);
}

Score score(const std::vector<Scored>& all) {
  Score out;
  std::set<std::string> groups;
  std::vector<double> errors, widths;
  std::size_t with_interval = 0, held = 0;
  for (const auto& one : all) {
    ++out.rows;
    groups.insert(one.group);
    if (one.refused) {
      ++out.refused;
      continue;
    }
    const double error =
        one.measured == 0 ? std::abs(one.predicted) : std::abs(one.predicted / one.measured - 1);
    errors.push_back(error);
    if (one.high <= 0) continue;
    ++with_interval;
    held += one.low <= one.measured && one.measured <= one.high ? 1 : 0;
    if (one.predicted > 0) widths.push_back(one.high / one.predicted - 1);
  }
  out.groups = groups.size();
  out.median = quantile(errors, 0.5);
  out.p90 = quantile(errors, 0.9);
  out.worst = quantile(errors, 1);
  if (with_interval > 0)
    out.covered = static_cast<double>(held) / static_cast<double>(with_interval);
  out.half_width = quantile(widths, 0.5);
  return out;
}

std::pair<double, double> coverage_band(std::size_t n) {
  if (n == 0) return {0, 1};
  const double spread = 1.96 * std::sqrt(0.9 * 0.1 / static_cast<double>(n));
  return {0.9 - spread, std::min(1.0, 0.9 + spread)};
}

}  // namespace gpuvet::accuracy
