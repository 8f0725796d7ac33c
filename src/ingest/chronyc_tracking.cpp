// SPDX-License-Identifier: Apache-2.0
// `chronyc tracking`: how the clock follows its reference. Before the first update every figure is
// a placeholder, and the stratum 0 that is printed then means none.
#include <fmt/format.h>

#include "core/text.hpp"
#include "ingest/importer.hpp"

namespace gpuvet::ingest {
namespace {

constexpr std::string_view cannot = "506 Cannot talk to daemon";

bool recognises(std::string_view head) {
  if (contains(head.substr(0, 1024), cannot)) return true;
  const auto at = head.find("Reference ID");
  return at != std::string_view::npos && contains(head.substr(at, 1024), "Stratum") &&
         contains(head.substr(at, 2048), "System time");
}

struct Row {
  std::string value;
  std::size_t line = 0;
};

Result<void> record(Recorder& out, const Row& reference, const Row& stratum, const Row& offset,
                    const Row& leap) {
  constexpr double none = 16;
  const bool follows = leap.value != "Not synchronised";
  out.line(leap.line);
  out.flag("node.clock.synchronised"_id, "node", follows);
  out.text("node.clock.service"_id, "node", "chrony");
  const auto level = parse_integer(stratum.value);
  if (!level || *level < 0 || *level > 16)
    return fail(Errc::malformed, "the stratum is none", stratum.line);
  out.line(stratum.line);
  out.number("node.clock.stratum"_id, "node", follows ? static_cast<double>(*level) : none);
  const auto word = words(offset.value);  // "0.000003264 seconds slow of NTP time"
  const auto seconds = word.size() < 3 ? std::nullopt : parse_number(word[0]);
  if (!seconds || *seconds < 0 || word[1] != "seconds" || (word[2] != "slow" && word[2] != "fast"))
    return fail(Errc::malformed, "the system time's offset is none", offset.line);
  if (!follows) {
    for (const Id id : {"node.clock.offset"_id, "node.clock.source"_id})
      out.absent(id, "node", Absence::not_supported, "not synchronised yet");
    return {};
  }
  // How far, whichever way: limits are on the distance.
  out.line(offset.line);
  out.number("node.clock.offset"_id, "node", *seconds);
  out.detail(std::string(word[2]));
  // "AC69C04A (host.example)": the name, else the number.
  const auto bracket = reference.value.find('(');
  std::string_view name = reference.value;
  if (bracket != std::string::npos && reference.value.ends_with(')') &&
      reference.value.size() > bracket + 2)
    name = name.substr(bracket + 1, name.size() - bracket - 2);
  out.line(reference.line);
  out.text("node.clock.source"_id, "node", printable(name.substr(0, 80)));
  return {};
}

Result<void> read(ByteSource& source, Recorder& out) {
  out.tool("chronyc tracking");
  LineReader lines{source};
  Row reference, stratum, offset, leap;
  while (const auto raw = lines.next()) {
    if (contains(raw->substr(0, 256), cannot))
      return fail(Errc::not_found, "chronyc cannot reach chronyd: is it running?", lines.line());
    const auto colon = raw->find(':');
    if (colon == std::string_view::npos) continue;
    const auto key = trim(raw->substr(0, colon));
    const auto value = trim(raw->substr(colon + 1)).substr(0, 256);
    for (auto& [name, row] : {std::pair{"Reference ID", &reference},
                              {"Stratum", &stratum},
                              {"System time", &offset},
                              {"Leap status", &leap}})
      if (key == name) *row = {std::string(value), lines.line()};
  }
  if (lines.error()) return tl::make_unexpected(*lines.error());
  // The last row, and one of four words: without it all others may be placeholders.
  bool whole = false;
  for (const std::string_view status :
       {"Normal", "Insert second", "Delete second", "Not synchronised"})
    whole = whole || leap.value == status;
  if (!whole || reference.line == 0 || stratum.line == 0 || offset.line == 0)
    return fail(Errc::malformed, "no whole leap status: the file is cut off", lines.line());
  return record(out, reference, stratum, offset, leap);
}

}  // namespace

Importer chronyc_tracking() {
  return {"chronyc_tracking", "chronyc tracking", "chronyc tracking > tracking.txt", recognises,
          read};
}

}  // namespace gpuvet::ingest
