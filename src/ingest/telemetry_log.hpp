// SPDX-License-Identifier: Apache-2.0
// Telemetry of any exporter, reduced while it goes by: per GPU a series of bins and its last
// sample. Which column or key means what is the caller's to say.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.hpp"
#include "evidence/evidence.hpp"
#include "ingest/query_time.hpp"
#include "ingest/series_binner.hpp"

namespace gpuvet::ingest {

/// A quantity that a series knows, as exporters spell it.
struct Telemetry {
  std::string_view name;  ///< lower case, words joined by "_"
  std::string_view unit;  ///< what a bare number means: "C", "W", "MHz", "%"
  Id id;
  double Sample::*to;
};

/// Nothing when `name` ("temp_c", "GPU Temperature", "DCGM_FI_DEV_GPU_TEMP") is no known quantity.
const Telemetry* find_telemetry(std::string_view name);

/// "gpu_temperature" of "GPU Temperature", without what stands in brackets.
std::string telemetry_name(std::string_view title);

/// Puts the bits of NVML's clock event reasons into `sample`.
void set_clock_events(Sample& sample, std::uint64_t bits);

/// A list of bounded length that stands for one of any length.
class Thinned {
 public:
  void add(double value);
  [[nodiscard]] const std::vector<double>& values() const { return values_; }

 private:
  static constexpr std::size_t most = 4096;
  std::vector<double> values_;
  std::size_t stride_ = 1, seen_ = 0;
};

class TelemetryLog {
 public:
  struct Gpu {
    SeriesBinner series;
    Sample last;
    Thinned rates;  ///< FLOP/s, where the exporter logs them
    std::int64_t previous = 0, shift = 0;
    std::size_t line = 0, jumps = 0;
  };

  /// Microseconds of a row's timestamp.
  Result<std::int64_t> time(std::string_view text, std::size_t line);

  /// The GPU of that subject; an error beyond 1024 of them.
  Result<Gpu*> gpu(const std::string& subject, std::size_t line);

  /// Adds a sample taken at `now`; sets its time and gap.
  void add(Gpu& gpu, Sample sample, std::int64_t now, std::size_t line);

  /// Last values and, for GPUs with two samples or more, tables.
  void record(Recorder& out) const;

  [[nodiscard]] bool empty() const { return gpus_.empty(); }

 private:
  QueryTime time_;
  std::optional<std::int64_t> first_;
  std::map<std::string, Gpu, std::less<>> gpus_;
};

}  // namespace gpuvet::ingest
