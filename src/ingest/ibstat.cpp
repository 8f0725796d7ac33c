// SPDX-License-Identifier: Apache-2.0
// `ibstat`: one block for each channel adapter, one below it for each port. Its rates are bare
// numbers of gigabits a second.
#include "core/text.hpp"
#include "ingest/importer.hpp"
#include "ingest/rdma_port.hpp"

namespace gpuvet::ingest {
namespace {

/// "mlx5_0" in "CA 'mlx5_0'".
std::string_view adapter_in(std::string_view line) {
  if (!line.starts_with("CA '") || !line.ends_with('\'') || line.size() < 6) return {};
  return line.substr(4, line.size() - 5);
}

bool recognises(std::string_view head) {
  bool adapter = false;
  while (!head.empty()) {
    const auto end = std::min(head.find('\n'), head.size());
    const auto line = trim(head.substr(0, end));
    head.remove_prefix(std::min(end + 1, head.size()));
    if (!adapter_in(line).empty()) adapter = true;
    if (adapter && line.starts_with("CA type:")) return true;
  }
  return false;
}

Result<void> read(ByteSource& source, Recorder& out) {
  out.tool("ibstat");
  LineReader lines{source};
  RdmaBlocks blocks{out};
  while (const auto raw = lines.next()) {
    const auto line = trim(*raw);
    const auto colon = line.find(':');
    if (const auto adapter = adapter_in(line); !adapter.empty()) {
      GPUVET_CHECK(blocks.device(adapter, lines.line()));
    } else if (line.starts_with("Port ") && line.ends_with(':')) {
      GPUVET_CHECK(blocks.port(line.substr(5, line.size() - 6), lines.line()));
    } else if (colon != std::string_view::npos) {
      GPUVET_CHECK(blocks.fact(line.substr(0, colon), trim(line.substr(colon + 1)), lines.line()));
    }
  }
  if (lines.error()) return tl::make_unexpected(*lines.error());
  return blocks.finish("ibstat", lines.line());
}

}  // namespace

Importer ibstat() { return {"ibstat", "ibstat", "ibstat > ibstat.txt", recognises, read}; }

}  // namespace gpuvet::ingest
