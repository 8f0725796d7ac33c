// SPDX-License-Identifier: Apache-2.0
// What gpu_burn's progress says of one GPU.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "evidence/evidence.hpp"

namespace gpuvet::ingest {

/// One "187%  proc'd: 4160 (187 Gflop/s) - ...  errors: 0 - ...  temps: 90 C - ...".
struct BurnProgress {
  struct Gpu {
    std::int64_t processed = 0;  ///< multiplications; -1 when its process died
    double rate = 0;             ///< Gflop/s of its last report
    std::int64_t errors = 0;     ///< since the last summary
    std::optional<double> temperature;
  };
  double percent = 0;
  std::vector<Gpu> gpus;
};

/// Nothing when the text is cut, or no progress.
std::optional<BurnProgress> burn_progress(std::string_view text);

class BurnGpu {
 public:
  void add(const BurnProgress::Gpu& now, std::size_t line);
  /// gpu_burn counts errors from 0 again after each summary.
  void summary();
  [[nodiscard]] bool died() const { return died_line_ > 0; }
  [[nodiscard]] std::size_t died_line() const { return died_line_; }

  /// `pass`: multiplications of one report, when known; the first report includes the start-up.
  /// Temperatures count only when `own`: a run on some of the GPUs mixes those of all.
  void record(Recorder& out, const std::string& gpu, std::string_view backend,
              std::optional<std::int64_t> pass, bool own) const;

 private:
  std::int64_t processed_ = 0, first_processed_ = 0;
  std::vector<double> rates_;  ///< thinned out when there are many
  std::size_t stride_ = 1, skipped_ = 0;
  std::int64_t errors_ = 0, errors_since_ = 0;
  std::optional<double> hottest_;
  std::size_t line_ = 0, hottest_line_ = 0, errors_line_ = 0, died_line_ = 0;
};

}  // namespace gpuvet::ingest
