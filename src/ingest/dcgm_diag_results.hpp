// SPDX-License-Identifier: Apache-2.0
// A test of dcgmi diag, however it was printed, and the observations that it becomes.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "core/result.hpp"
#include "evidence/evidence.hpp"

namespace gpuvet::ingest {

/// How a test ended on one subject.
struct DiagEntry {
  std::string subject;  ///< "node", "gpu:dcgm#0", "nvswitch:dcgm#1"
  std::string status;   ///< as printed: "Pass", "Not Run"
  std::vector<std::string> errors, infos;
  std::string remark;
  std::size_t line = 0;
};

struct DiagTest {
  static constexpr std::size_t most_entries = 4096;  // of all tests together
  static constexpr std::size_t most_messages = 32;   // of one entry
  static constexpr std::size_t longest_message = 8192;

  std::string name;
  std::vector<DiagEntry> entries;  ///< what is said of the server comes first
};

/// Subject of the entity "GPU", 3.
std::string diag_subject(std::string_view group, std::size_t id);

/// Results, errors and measured figures. The only error is a decimal comma.
Result<void> record_diag(Recorder& out, const DiagTest& test);

}  // namespace gpuvet::ingest
