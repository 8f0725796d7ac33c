// SPDX-License-Identifier: Apache-2.0
// `ibstatus`: one block for each port, with the state's number before its name and the rate's lanes
// after it.
#include "core/text.hpp"
#include "ingest/importer.hpp"
#include "ingest/rdma_port.hpp"

namespace gpuvet::ingest {
namespace {

constexpr std::string_view start = "Infiniband device '", no_device = "sys files not found";

bool recognises(std::string_view head) {
  while (!head.empty()) {
    const auto end = std::min(head.find('\n'), head.size());
    const auto line = trim(head.substr(0, end));
    head.remove_prefix(std::min(end + 1, head.size()));
    if (line.starts_with(start) && line.ends_with(" status:")) return true;
    if (line.starts_with("Fatal error:") && contains(line, no_device)) return true;
  }
  return false;
}

Result<void> read(ByteSource& source, Recorder& out) {
  out.tool("ibstatus");
  LineReader lines{source};
  RdmaBlocks blocks{out};
  while (const auto raw = lines.next()) {
    const auto line = trim(*raw);
    if (line.starts_with("Fatal error:") && contains(line, no_device))
      return fail(Errc::not_found, "ibstatus found no RDMA device: is the driver loaded?",
                  lines.line());
    if (line.starts_with(start)) {
      auto rest = line.substr(start.size());
      const auto quote = rest.find('\'');
      GPUVET_CHECK(blocks.device(rest.substr(0, quote), lines.line()));
      rest.remove_prefix(std::min(rest.size(), quote));
      const auto word = words(rest.substr(0, 64));  // "' port 1 status:"
      GPUVET_CHECK(blocks.port(word.size() > 2 ? word[2] : "", lines.line()));
    } else if (const auto colon = line.find(':'); colon != std::string_view::npos) {
      GPUVET_CHECK(blocks.fact(line.substr(0, colon), trim(line.substr(colon + 1)), lines.line()));
    }
  }
  if (lines.error()) return tl::make_unexpected(*lines.error());
  return blocks.finish("ibstatus", lines.line());
}

}  // namespace

Importer ibstatus() {
  return {"ibstatus", "ibstatus", "ibstatus > ibstatus.txt", recognises, read};
}

}  // namespace gpuvet::ingest
