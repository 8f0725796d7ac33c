// SPDX-License-Identifier: Apache-2.0
#include "ingest/unnamed_log.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace gpuvet::ingest {
namespace {

// What a GPU in use can have: it is warmer than the coldest aisle, and slows down far below 115 C.
// PCIe widths (1 to 16, 32) and generations take a handful of steps, never a dozen rises.
constexpr double coldest = 15, hottest = 115, largest_step = 25, warms_by = 2;
constexpr double busy_from = 90, idle_to = 10, rows_each = 5;
constexpr std::size_t least_rows = 60, least_moves = 12;

}  // namespace

void UnnamedLog::add(double first, double share, std::size_t line) {
  if (rows_ > 0) {
    largest_step_ = std::max(largest_step_, std::abs(first - previous_));
    rises_ += first > previous_ ? 1 : 0;
    falls_ += first < previous_ ? 1 : 0;
  }
  whole_ = whole_ && first == std::floor(first) && share >= 0 && share <= 100;
  if (first > highest_) hottest_line_ = line;
  lowest_ = std::min(lowest_, first);
  highest_ = std::max(highest_, first);
  previous_ = first;
  ++rows_;
  if (share < busy_from && share > idle_to) return;
  Mean& mean = share >= busy_from ? busy_ : idle_;
  mean.sum += first;
  mean.count += 1;
}

bool UnnamedLog::is_temperature() const {
  return whole_ && rows_ >= least_rows && rises_ >= least_moves && falls_ >= least_moves &&
         lowest_ >= coldest && highest_ <= hottest && largest_step_ <= largest_step &&
         busy_.count >= rows_each && idle_.count >= rows_each &&
         busy_.value() - idle_.value() >= warms_by;
}

std::string UnnamedLog::reason() const {
  return fmt::format(
      "columns inferred: the first has no unit, goes up and down between {:.0f} and {:.0f} and is "
      "{:.1f} higher in rows with 90 % or more in the second than in idle ones: a temperature, of "
      "core or memory, of one GPU or of several",
      lowest_, highest_, busy_.value() - idle_.value());
}

}  // namespace gpuvet::ingest
