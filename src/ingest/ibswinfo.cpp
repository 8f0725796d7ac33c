// SPDX-License-Identifier: Apache-2.0
// `ibswinfo`: the inventory of an InfiniBand switch. Its supplies and fans are not the server's, so
// the file is named for what it is and refused.
#include "core/text.hpp"
#include "ingest/importer.hpp"

namespace gpuvet::ingest {
namespace {

bool recognises(std::string_view head) {
  return contains(head, "Mellanox Technologies") && contains(head, "part number        | ") &&
         contains(head, "uptime (d-h:m:s)   | ");
}

Result<void> read(ByteSource& source, Recorder& out) {
  out.tool("ibswinfo");
  LineReader lines{source};
  while (lines.next())
    if (lines.line() == 2) break;
  if (lines.error()) return tl::make_unexpected(*lines.error());
  return fail(Errc::not_supported, "the inventory of an InfiniBand switch, not of a server",
              lines.line());
}

}  // namespace

Importer ibswinfo() {
  return {"ibswinfo", "ibswinfo", "ibswinfo (a switch's: not read)", recognises, read};
}

}  // namespace gpuvet::ingest
