// SPDX-License-Identifier: Apache-2.0
// What NCCL itself writes with NCCL_DEBUG=INFO, line by line.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>

#include "evidence/evidence.hpp"

namespace gpuvet::ingest::nccl {

/// One line of the log: "host:pid:tid [0] transport.cc:41 NCCL WARN words".
struct LogLine {
  std::string_view host;   ///< empty when another process's output is glued to it
  std::string_view level;  ///< INFO or WARN
  std::string_view words;
};

/// The log's part of `line`; nothing when there is none. Any prefix may precede it.
std::optional<LogLine> log_line(std::string_view line);

/// Collects facts over all ranks; what each rank repeats is kept once.
class Log {
 public:
  void line(std::string_view text, std::size_t number);

  [[nodiscard]] bool empty() const { return lines_ == 0; }

  /// What stands in the log alone. With `table`, figures of nccl-tests are in the file too, which
  /// name hosts, GPUs and the version themselves.
  void record(Recorder& out, bool table) const;

 private:
  using Seen = std::map<std::string, std::size_t>;  ///< -> first line
  struct Channels {
    std::int64_t collective = 0;
    std::optional<std::int64_t> ranks;
    auto operator<=>(const Channels&) const = default;
  };

  void info(std::string_view words, std::size_t number);
  void read_communicator(std::string_view words, std::size_t number);
  void read_channel(std::string_view words, std::size_t number);
  void read_gdr(std::string_view words, std::size_t number);
  void read_nvls(std::string_view words, std::size_t number);

  void record_versions(Recorder& out, bool table) const;
  void record_hosts(Recorder& out, bool table) const;
  void record_gdr(Recorder& out) const;
  void record_channels(Recorder& out) const;

  std::size_t lines_ = 0;
  std::map<std::string, std::pair<std::size_t, std::size_t>> hosts_;  ///< -> lines, first line
  Seen versions_, cuda_, nets_, environment_, warnings_;
  std::map<std::string, std::size_t> transports_;  ///< -> channels
  std::size_t transports_line_ = 0;
  std::map<Channels, std::size_t> channels_;
  std::map<std::string, std::pair<std::int64_t, std::size_t>> gpus_;  ///< -> NVML index, line
  std::set<std::int64_t> all_ranks_, all_nodes_;
  std::optional<std::int64_t> ranks_;
  std::size_t net_gdr_ = 0, net_plain_ = 0, hca_gdr_ = 0, hca_plain_ = 0, gdr_line_ = 0;
  std::optional<bool> nvls_;
  std::size_t nvls_line_ = 0, more_warnings_ = 0;
  bool nvls_by_channels_ = false;
};

}  // namespace gpuvet::ingest::nccl
