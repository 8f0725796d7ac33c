// SPDX-License-Identifier: Apache-2.0
// A log of nvidia-smi without header: "41, 0 %, 222 MiB". nvidia-smi prints a unit with every
// figure but counts, link widths and temperatures. Whether the first column is a temperature is
// told by its course, or not at all.
#pragma once

#include <cstddef>
#include <limits>
#include <string>

namespace gpuvet::ingest {

class UnnamedLog {
 public:
  /// `share`: the row's percentage.
  void add(double first, double share, std::size_t line);

  /// Counters never fall, links and ids stay, encoders rest at 0, fans carry "%", and the margin
  /// to the limit falls under load: what is left is a temperature.
  [[nodiscard]] bool is_temperature() const;

  [[nodiscard]] double highest() const { return highest_; }
  [[nodiscard]] std::size_t hottest_line() const { return hottest_line_; }
  [[nodiscard]] std::string reason() const;

 private:
  struct Mean {
    double sum = 0, count = 0;
    [[nodiscard]] double value() const { return count > 0 ? sum / count : 0; }
  };
  double lowest_ = std::numeric_limits<double>::infinity(), highest_ = -lowest_;
  double previous_ = 0, largest_step_ = 0;
  Mean busy_, idle_;  ///< of the first column
  std::size_t rows_ = 0, rises_ = 0, falls_ = 0, hottest_line_ = 0;
  bool whole_ = true;
};

}  // namespace gpuvet::ingest
