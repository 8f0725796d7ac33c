// SPDX-License-Identifier: Apache-2.0
// The system event log: `ipmitool sel list` and `sel elist`, FreeIPMI's ipmi-sel. What counts are
// events of failed parts that were asserted and not taken back.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/text.hpp"
#include "ingest/importer.hpp"

namespace gpuvet::ingest {
namespace {

constexpr std::size_t most_events = 5000;  // distinct ones of failed parts
constexpr std::size_t most_reported = 200;
constexpr std::size_t longest_cell = 120;

std::string cell(std::string_view text) { return printable(trim(text).substr(0, longest_cell)); }

/// Whether an event says that a part failed. Events come in the words of the IPMI standard.
bool reports_failure(std::string_view event) {
  std::string low = lower(event.substr(0, 400));
  for (auto at = low.find("non-critical"); at != std::string::npos; at = low.find("non-critical"))
    low.erase(at, 12);
  constexpr std::array<std::string_view, 21> words{"critical going",
                                                   "transition to critical",
                                                   "non-recoverable",
                                                   "failure detected",
                                                   "ac lost",
                                                   "input lost",
                                                   "uncorrectable",
                                                   "fatal",
                                                   "drive fault",
                                                   "ierr",
                                                   "thermal trip",
                                                   "pci perr",
                                                   "pci serr",
                                                   "redundancy lost",
                                                   "in failed array",
                                                   "in critical array",
                                                   "fan failure",
                                                   "memory logging limit",
                                                   "power unit fail",
                                                   "processor disabled",
                                                   "configuration error"};
  return std::ranges::any_of(words, [&](std::string_view w) { return contains(low, w); });
}

bool is_date(std::string_view s) {
  // "12/24/2022", "2022-12-24", "Oct-06-2022"
  const auto digits = std::ranges::count_if(s, [](char c) { return c >= '0' && c <= '9'; });
  const auto marks = std::ranges::count_if(s, [](char c) { return c == '/' || c == '-'; });
  return marks == 2 && digits >= 6 && s.size() <= 11;
}

/// What stands where the date does: a date, or what the controller says without a clock.
bool is_when(std::string_view s) {
  for (const std::string_view word : {"Pre-Init", "PreInit", "PostInit", "OEM record", "Unknown"})
    if (s.starts_with(word)) return true;
  return is_date(s);
}

struct Event {
  std::string sensor, words;
  bool failure = false, deasserted = false;
};

/// FreeIPMI's columns, as its header names them.
struct Header {
  std::size_t columns = 0;
  std::optional<std::size_t> name, state, event;

  static std::optional<Header> in(std::string_view line) {
    const auto f = split(line.substr(0, 2000), '|');
    Header out;
    out.columns = f.size();
    if (f.size() < 5 || trim(f[0]) != "ID" || trim(f[1]) != "Date" || trim(f[2]) != "Time")
      return {};
    for (std::size_t i = 3; i < f.size(); ++i) {
      if (trim(f[i]) == "Name") out.name = i;
      if (trim(f[i]) == "State") out.state = i;
      if (trim(f[i]) == "Event") out.event = i;
    }
    return out.name && out.event ? std::optional(out) : std::nullopt;
  }
};

/// One entry of the log; nothing for a line that is none.
std::optional<Event> event_in(std::string_view line, const std::optional<Header>& header) {
  const auto f = split(line.substr(0, 2000), '|');
  if (f.size() < 3 || !parse_integer(trim(f[0]), header ? 10 : 16) || !is_when(trim(f[1])))
    return {};
  Event out;
  if (header) {
    if (f.size() < header->columns) return {};
    out.sensor = cell(f[*header->name]);
    out.words = cell(f[*header->event]);
    // FreeIPMI judges the events itself where it is asked to.
    out.failure =
        header->state ? trim(f[*header->state]) == "Critical" : reports_failure(out.words);
    return out;
  }
  if (f.size() < 5) return trim(f[1]).starts_with("OEM") ? std::optional(out) : std::nullopt;
  out.sensor = cell(f[3]);
  out.words = cell(f[4]);
  out.failure = reports_failure(out.words);
  out.deasserted = f.size() > 5 && trim(f[5]) == "Deasserted";
  return out;
}

class Reader {
 public:
  Reader(ByteSource& source, Recorder& out) : lines_{source}, out_{out} {}

  Result<void> read() {
    bool cut = false, empty = false;
    while (const auto raw = lines_.next()) {
      const std::string line = strip_escapes(*raw);
      empty = empty || contains(line, "SEL has no entries");
      if (!header_ && (header_ = Header::in(line))) continue;
      const auto event = event_in(line, header_);
      cut = !event && contains(line, "|");
      if (event) GPUVET_CHECK(take(*event));
    }
    if (lines_.error()) return tl::make_unexpected(*lines_.error());
    if (entries_ == 0 && !empty && !header_)
      return fail(Errc::malformed, "no entry of an event log in it", lines_.line());
    if (cut)
      return fail(Errc::malformed, "the file ends early: its last row is cut", lines_.line());
    out_.tool(header_ ? "ipmi-sel" : "ipmitool sel");
    out_.line(first_line_);
    out_.number("bmc.sel.entries"_id, "bmc", static_cast<double>(entries_));
    std::vector<std::string> failures;
    for (const auto& [event, asserted] : failures_)
      if (asserted && failures.size() < most_reported) failures.push_back(event);
    out_.texts("bmc.sel.critical"_id, "bmc", std::move(failures));
    return {};
  }

 private:
  Result<void> take(const Event& event) {
    if (entries_++ == 0) first_line_ = lines_.line();
    if (!event.failure) return {};
    std::string key = event.sensor.empty() ? event.words : event.sensor + ": " + event.words;
    if (failures_.size() >= most_events && !failures_.contains(key))
      return fail(Errc::too_large, fmt::format("more than {} different failures", most_events),
                  lines_.line());
    failures_[std::move(key)] = !event.deasserted;  // the last word on it counts
    return {};
  }

  LineReader lines_;
  Recorder& out_;
  std::optional<Header> header_;
  std::map<std::string, bool, std::less<>> failures_;
  std::size_t entries_ = 0, first_line_ = 1;
};

bool recognises(std::string_view head) {
  for (std::size_t n = 0; n < 50 && !head.empty(); ++n) {
    const auto end = std::min(head.find('\n'), head.size());
    const std::string line = strip_escapes(head.substr(0, std::min<std::size_t>(end, 2000)));
    head.remove_prefix(std::min(end + 1, head.size()));
    if (trim(line) == "SEL has no entries" || Header::in(line)) return true;
    const auto f = split(line, '|');
    if (f.size() >= 5 && event_in(line, {})) return true;
  }
  return false;
}

Result<void> read(ByteSource& source, Recorder& out) { return Reader(source, out).read(); }

}  // namespace

Importer ipmi_sel() {
  return {"ipmi_sel", "ipmitool sel list", "ipmitool sel elist > sel.txt", recognises, read};
}

}  // namespace gpuvet::ingest
