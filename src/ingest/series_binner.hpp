// SPDX-License-Identifier: Apache-2.0
// A telemetry log of any length -> a table of bounded length, on the fly: what derive needs to
// judge temperature, throttling and gaps survives, the single samples do not.
#pragma once

#include <cstddef>
#include <limits>
#include <string>
#include <vector>

#include "evidence/table.hpp"

namespace gpuvet::ingest {

/// One sample of one GPU, in base units. NaN: not in the log, or not readable this time.
struct Sample {
  static constexpr double missing = std::numeric_limits<double>::quiet_NaN();

  double time = 0;  ///< since the first sample of the log
  double gap = 0;   ///< since the previous sample of this GPU
  double core = missing, memory = missing, margin = missing;
  double power = missing, clock = missing, utilization = missing;
  double hardware_throttled = missing, sw_thermal = missing, power_cap = missing;  ///< 1 or 0
};

/// Every sample is its own bin until there are more bins than allowed; then neighbours are merged
/// and a bin holds twice as many samples. So all bins but the last hold the same number of samples,
/// a power of two, and bins are as uneven in time as the samples are.
class SeriesBinner {
 public:
  static constexpr std::size_t default_bins = 1024;
  static constexpr double busy_from = 0.95;  ///< utilization

  explicit SeriesBinner(std::size_t most_bins = default_bins) : most_bins_{most_bins} {}

  void add(const Sample& sample);

  /// Fewer bins from now on; at least 2.
  void limit(std::size_t most_bins);

  [[nodiscard]] std::size_t samples() const { return samples_; }

  /// start end samples busy core_max core_mean_busy core_mean memory_max margin_min power_mean_busy
  /// power_mean clock_sm_mean_busy utilization_mean hardware_throttled sw_thermal power_cap gap_max
  [[nodiscard]] Table table(std::string name, std::string subject) const;

 private:
  /// Sum and number of the values that were there.
  struct Tally {
    double sum = 0, count = 0;
    void add(double value) {
      const bool there = value == value;
      sum += there ? value : 0;
      count += there ? 1 : 0;
    }
    void add(const Tally& other) {
      sum += other.sum;
      count += other.count;
    }
    [[nodiscard]] double mean() const { return count > 0 ? sum / count : Sample::missing; }
    [[nodiscard]] double total() const { return count > 0 ? sum : Sample::missing; }
  };
  struct Bin {
    double start = 0, end = 0, samples = 0, gap_max = 0;
    double core_max = Sample::missing, memory_max = Sample::missing, margin_min = Sample::missing;
    Tally busy, core, core_busy, power, power_busy, clock_busy, utilization;
    Tally hardware_throttled, sw_thermal, power_cap;

    void add(const Sample& sample);
    void merge(const Bin& later);
  };
  void halve();

  std::vector<Bin> bins_;
  std::size_t most_bins_;
  std::size_t width_ = 1;  // samples in a full bin
  std::size_t samples_ = 0;
};

}  // namespace gpuvet::ingest
