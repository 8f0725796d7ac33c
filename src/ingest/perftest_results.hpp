// SPDX-License-Identifier: Apache-2.0
// What a run of one of perftest's programs found, whichever way it was written down.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.hpp"
#include "evidence/evidence.hpp"

namespace gpuvet::ingest {

struct PerftestRow {
  std::optional<double> bytes, bandwidth, typical, average, p99;  ///< base units
  bool cycles = false;   ///< times count processor cycles, of unknown length
  std::size_t line = 0;  ///< of the file

  /// Whether the column of this name says one of these.
  static bool reads(std::string_view column);
  void take(std::string_view column, double value);
};

struct PerftestRun {
  std::string verb;  ///< "write", "read", "send", "write_imm", "atomic"
  bool latency = false, bandwidth = false;
  std::string direction = "unidirectional";
  std::string device, connection;
  std::optional<double> qps;
  std::optional<bool> gpu = false;  ///< whose memory; nothing when the file does not tell
  std::vector<PerftestRow> rows;
};

/// "write" for "RDMA_Write"; empty for none of perftest's.
std::string perftest_verb(std::string_view title);

Result<void> record(const PerftestRun& run, Recorder& out);

/// What --out_json writes: one test and one row.
Result<void> read_perftest_json(std::string_view text, Recorder& out);

}  // namespace gpuvet::ingest
