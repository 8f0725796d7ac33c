// SPDX-License-Identifier: Apache-2.0
// `nvidia-smi --help-query-gpu` and its kin: what could be asked. It describes fields and no
// server, so it is known only to say so.
#include <algorithm>
#include <array>

#include "core/text.hpp"
#include "ingest/importer.hpp"

namespace gpuvet::ingest {

Importer nvidia_smi_help();

namespace {

/// How such pages begin: --help-query-gpu and its siblings, then -h.
constexpr std::array beginnings{
    std::string_view{"List of valid properties to query for the switch"},
    std::string_view{"NVIDIA System Management Interface --"},
};

std::string_view take_line(std::string_view& text) {
  const auto end = std::min(text.find('\n'), text.size());
  const std::string_view line = text.substr(0, std::min<std::size_t>(end, 256));
  text.remove_prefix(std::min(end + 1, text.size()));
  return line;
}

/// The command itself may stand above, so a few lines are looked at; nothing else goes before.
bool recognises(std::string_view head) {
  constexpr std::size_t lines_that_count = 6;
  for (std::size_t seen = 0; !head.empty() && seen < lines_that_count; ++seen) {
    const std::string stripped = strip_escapes(take_line(head));
    const std::string_view line = trim(stripped);
    if (std::ranges::any_of(beginnings, [&](auto begins) { return line.starts_with(begins); }))
      return true;
  }
  return false;
}

Result<void> read(ByteSource& source, Recorder& /*out*/) {
  LineReader lines{source};
  while (const auto line = lines.next())
    if (std::ranges::any_of(beginnings,
                            [&](auto begins) { return trim(*line).starts_with(begins); }))
      break;
  if (lines.error()) return tl::make_unexpected(*lines.error());
  return fail(Errc::not_supported,
              "a help page of nvidia-smi: it tells what can be asked and nothing about a server; "
              "give the answers, nvidia-smi -q -x",
              lines.line());
}

}  // namespace

Importer nvidia_smi_help() {
  return {"nvidia_smi_help", "nvidia-smi --help-query-gpu", "nvidia-smi --help-query-gpu",
          recognises, read};
}

}  // namespace gpuvet::ingest
