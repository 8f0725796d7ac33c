// SPDX-License-Identifier: Apache-2.0
// The script or note beside a log that was written without header: it names the fields.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace gpuvet::ingest {

/// `nvidia-smi --query-gpu=FIELDS --format=csv,noheader[,nounits]` as a text has it.
struct QueryCommand {
  std::vector<std::string> fields;
  bool units = true;
  std::string file;  ///< for the caller to fill
  std::size_t line = 0;
};

/// Commands that write no header, as far as they stand on one line (backslashes join lines).
/// Fields that hold variables make a command unusable, and it is left out.
std::vector<QueryCommand> query_commands(std::string_view text);

/// The command whose output `head` can be: with times, as many columns, each cell of the field's
/// form. Nothing when none fits, or two that name different fields do.
std::optional<QueryCommand> command_of(std::string_view head,
                                       const std::vector<QueryCommand>& commands);

/// The header that the command would have printed.
std::string header_of(const QueryCommand&);

}  // namespace gpuvet::ingest
