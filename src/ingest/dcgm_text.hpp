// SPDX-License-Identifier: Apache-2.0
// What the outputs of dcgmi have in common: two-column tables, entity names, its error messages.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "core/result.hpp"

namespace gpuvet::ingest {

/// A GPU that DCGM knows by its own number, which need not be nvidia-smi's: "gpu:dcgm#3".
std::string dcgm_gpu(std::size_t id);

/// The number of "GPU 3", "GPU3", "GPU ID: 3", "3"; nothing when it is none below 1024.
std::optional<std::size_t> dcgm_gpu_id(std::string_view text);

/// "| left | right |" as it stands between the bars, blanks included.
struct DcgmRow {
  std::string_view left, right;
};
std::optional<DcgmRow> dcgm_row(std::string_view line);

/// "+------+------+": a line of nothing else.
bool is_dcgm_border(std::string_view line);

/// `text` for people: printable, at most `longest` bytes.
std::string dcgm_words(std::string_view text, std::size_t longest = 80);

/// The error that `line` is, when dcgmi printed one instead of an answer.
Result<void> check_dcgm_error(std::string_view line, std::size_t number);

}  // namespace gpuvet::ingest
