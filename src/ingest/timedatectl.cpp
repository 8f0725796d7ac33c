// SPDX-License-Identifier: Apache-2.0
// `timedatectl`: whether the clock is synchronised, which systemd has named in three ways. The
// kernel's flag counts, not whether a service is switched on.
#include "core/text.hpp"
#include "ingest/importer.hpp"

namespace gpuvet::ingest {
namespace {

bool recognises(std::string_view head) {
  const auto at = head.find("Local time:");
  if (at == std::string_view::npos) return false;
  const auto rest = head.substr(at, 2048);
  return contains(rest, "Universal time") && contains(rest, "Time zone:");
}

Result<void> read(ByteSource& source, Recorder& out) {
  out.tool("timedatectl");
  LineReader lines{source};
  bool known = false;
  while (const auto raw = lines.next()) {
    const std::string line = strip_escapes(raw->substr(0, 512));
    const auto colon = line.find(':');
    if (colon == std::string::npos) continue;
    const auto key = trim(std::string_view(line).substr(0, colon));
    const auto value = trim(std::string_view(line).substr(colon + 1));
    out.line(lines.line());
    if (key == "Universal time") out.when(printable(value.substr(0, 80)));
    if (key == "System clock synchronized" || key == "NTP synchronized") {
      if (value != "yes" && value != "no")
        return fail(Errc::malformed, "synchronised is neither yes nor no: the file is cut off",
                    lines.line());
      out.flag("node.clock.synchronised"_id, "node", value == "yes");
      known = true;
    }
    if (key == "systemd-timesyncd.service active" && value == "yes")
      out.text("node.clock.service"_id, "node", "timesyncd");
  }
  if (lines.error()) return tl::make_unexpected(*lines.error());
  if (!known)
    return fail(Errc::malformed, "no line says whether the clock is synchronised: cut off",
                lines.line());
  return {};
}

}  // namespace

Importer timedatectl() {
  return {"timedatectl", "timedatectl", "timedatectl > timedatectl.txt", recognises, read};
}

}  // namespace gpuvet::ingest
