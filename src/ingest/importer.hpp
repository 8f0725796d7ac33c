// SPDX-License-Identifier: Apache-2.0
// Other tools' bytes -> evidence. Each tool has one file here and one line in all.cpp.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "core/bytes.hpp"
#include "core/result.hpp"
#include "evidence/evidence.hpp"

namespace gpuvet::ingest {

struct Importer {
  std::string_view kind;    ///< "nvidia_smi_topo": the name in `inputs` and in captures
  std::string_view title;   ///< "nvidia-smi topo -m"
  std::string_view obtain;  ///< the command that produces such a file

  /// Whether a file that starts with `head` (its first 64 KiB at most, escapes still in) is this
  /// kind.
  bool (*recognises)(std::string_view head);

  /// Reads all of `source`. Takes any bytes; linear in time, bounded in memory. An error carries
  /// the line; what was recorded before it is discarded by the caller.
  Result<void> (*read)(ByteSource& source, Recorder& out);
};

/// In the order in which they are asked whether they recognise a file.
std::span<const Importer> all();

/// The importer that recognises `head`; nothing when none does.
const Importer* recognise(std::string_view head);

/// How nvidia-smi spells a missing value: "N/A", "[Not Supported]", "[Insufficient Permissions]",
/// ... Nothing when `text` is a value.
std::optional<Absence> absence_in(std::string_view text);

/// The subject of a GPU that a tool knows only by its ordinal: "gpu:smi#3".
std::string gpu_ordinal(std::size_t index);

}  // namespace gpuvet::ingest
