// SPDX-License-Identifier: Apache-2.0
// Output of nccl-tests line by line, for its own importer and for logs of NCCL that hold it.
#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.hpp"
#include "ingest/nccl_tests_failure.hpp"
#include "ingest/nccl_tests_run.hpp"
#include "ingest/nccl_tests_series.hpp"

namespace gpuvet::ingest::nccl {

/// Collects runs while lines go by, and judges them at the end: what a table is may be said below
/// it.
class Parser {
 public:
  Result<void> line(std::string_view text, std::size_t number);

  /// The run named last failed, as something outside the lines says.
  void failed(std::string_view message, std::size_t number);

  /// Ends the last row. Whether there is anything to record: figures, or a failure.
  bool finish();

  /// After finish(). An error when there is nothing to record.
  Result<void> record(Recorder& out);

  /// Says of a program that was begun why its figures are missing.
  void record_missing(Recorder& out) const;

 private:
  Setup& setup();
  void begin_run(Layout layout, std::size_t number);
  bool take_row(const Words& line, std::size_t number);
  void close_row();
  void prose(std::string_view text, const Words& line, std::size_t number);
  void read_parameters(const Words& line, std::size_t number);
  void read_out_of_bounds(std::string_view text, std::size_t number);
  void read_version(std::string_view text, const Words& line, std::size_t number);
  void join_series(const Run& run, std::vector<Series>& all,
                   std::map<std::string, std::size_t>& index) const;
  [[nodiscard]] Error refusal() const;
  void record_tool(Recorder& out, const std::vector<Series>& all) const;
  void record_unmeasured(Recorder& out, const std::vector<Series>& all) const;
  void record_gpus(Recorder& out) const;

  std::vector<Run> runs_;
  std::optional<OpenRow> open_;
  Setup setup_;
  bool setup_used_ = false, says_alltoall_ = false;
  const Collective* named_ = nullptr;
  Failures failures_;
  std::map<std::string, std::size_t> hosts_, versions_;  ///< -> first line
  std::string program_ = "nccl-tests", program_version_;
  std::string_view unread_;  ///< why the first unread row is none
  std::size_t rows_ = 0, ranks_ = 0, header_line_ = 0, unread_line_ = 0;
};

}  // namespace gpuvet::ingest::nccl
