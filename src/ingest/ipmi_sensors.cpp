// SPDX-License-Identifier: Apache-2.0
// Sensors over IPMI: `ipmitool sdr`, `sdr elist`, `sensor`, each also with -c, and FreeIPMI's
// ipmimonitoring and ipmi-sensors. A discrete sensor's "ok" only says that it could be read, so
// only sensors with a figure have a health; names may repeat ("Temp", "Status") and then get the
// sensor's number.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/text.hpp"
#include "ingest/importer.hpp"
#include "ingest/sensor_names.hpp"

namespace gpuvet::ingest {
namespace {

constexpr std::size_t most_sensors = 4096;
constexpr std::size_t longest_name = 80;

struct Row {
  std::string name;
  std::string number;  ///< "04h" or FreeIPMI's ID; may be empty
  std::string entity;  ///< "10.1": what the sensor belongs to; may be empty
  std::string value;   ///< the figure or the words
  std::string unit;    ///< of the figure
  std::string state;   ///< ok, nc, cr, ns, ... or Nominal, Warning, Critical, N/A
  std::string limit;   ///< upper critical
  bool discrete = false;
  bool judged = false;  ///< FreeIPMI judges the states of discrete sensors too
  std::size_t line = 0;
};

std::string cell(std::string_view text) { return printable(trim(text).substr(0, longest_name)); }

/// "ok", "warning" or "critical"; empty when the sensor gives no reading.
std::optional<std::string_view> health_of(std::string_view state) {
  struct Spelling {
    std::string_view state, health;
  };
  constexpr std::array spellings{
      Spelling{"ok", "ok"},
      Spelling{"nc", "warning"},
      Spelling{"lnc", "warning"},
      Spelling{"unc", "warning"},
      Spelling{"cr", "critical"},
      Spelling{"lcr", "critical"},
      Spelling{"ucr", "critical"},
      Spelling{"nr", "critical"},
      Spelling{"lnr", "critical"},
      Spelling{"unr", "critical"},
      Spelling{"ns", ""},
      Spelling{"us", ""},
      Spelling{"na", ""},
      Spelling{"nominal", "ok"},
      Spelling{"warning", "warning"},
      Spelling{"critical", "critical"},
      Spelling{"n/a", ""},
  };
  const std::string low = lower(state.substr(0, 20));
  const auto found = std::ranges::find(spellings, low, &Spelling::state);
  return found == spellings.end() ? std::nullopt : std::optional(found->health);
}

bool is_sensor_number(std::string_view s) {
  return s.size() == 3 && s[2] == 'h' && parse_integer(s.substr(0, 2), 16).has_value();
}

bool is_discrete(std::string_view value) { return value.starts_with("0x"); }

/// "25 degrees C" -> figure and unit; words stay as they are. HPE puts a state behind the figure:
/// "110 Watts, Presence detected".
void split_value(std::string_view text, Row& row) {
  const auto comma = text.find(", ");
  const auto figure = trim(text.substr(0, comma));
  const auto blank = figure.find(' ');
  if (blank != std::string_view::npos && parse_number(figure.substr(0, blank))) {
    row.value = cell(figure.substr(0, blank));
    row.unit = cell(figure.substr(blank));
    if (comma != std::string_view::npos) row.value += " " + cell(text.substr(comma + 1));
    return;
  }
  row.value = cell(text);
  row.discrete = is_discrete(text);
}

/// A row of ipmitool, whose shapes differ in their number of columns.
std::optional<Row> ipmitool_row(std::string_view line) {
  std::vector<std::string_view> f;
  const bool comma_separated = line.find('|') == std::string_view::npos;
  for (const auto field : split(line.substr(0, 2000), comma_separated ? ',' : '|'))
    f.push_back(trim(field));
  if (f.size() < 3 || f[0].empty()) return {};
  Row row;
  row.name = cell(f[0]);
  if (f.size() >= 5 && is_sensor_number(f[1]) && health_of(f[2])) {  // elist
    row.number = cell(f[1]);
    row.state = cell(f[2]);
    row.entity = cell(f[3]);
    // With -c the unit is a field of its own.
    split_value(
        comma_separated && f.size() > 5 ? fmt::format("{} {}", f[4], f[5]) : std::string(f[4]),
        row);
    return row;
  }
  if (!comma_separated && f.size() == 10) {  // sensor
    row.value = cell(f[1]);
    row.unit = cell(f[2]);
    row.discrete = row.unit == "discrete";
    row.state = cell(f[3]);
    row.limit = cell(f[8]);
    const bool valid = row.discrete ? is_discrete(row.state) || row.state == "na"
                                    : health_of(row.state).has_value();
    return valid ? std::optional(row) : std::nullopt;
  }
  if (comma_separated && f.size() == 4 && health_of(f[3])) {  // -c sdr
    row.value = cell(f[1]);
    row.unit = cell(f[2]);
    row.state = cell(f[3]);
    row.discrete = is_discrete(row.value);
    return row;
  }
  if (comma_separated || f.size() != 3 || !health_of(f[2])) return {};  // sdr
  row.state = cell(f[2]);
  split_value(f[1], row);
  return row;
}

/// FreeIPMI's table, which has a header and comes with '|' or ','.
class Header {
 public:
  static std::optional<Header> in(std::string_view line) {
    Header out;
    out.separator_ = line.find('|') == std::string_view::npos ? ',' : '|';
    for (const auto field : split(line.substr(0, 2000), out.separator_))
      out.columns_.push_back(lower(trim(field)));
    const bool ours = out.columns_.size() >= 6 && out.columns_[0] == "id" && out.has("name") &&
                      out.has("type") && out.has("reading");
    return ours ? std::optional(std::move(out)) : std::nullopt;
  }

  [[nodiscard]] std::optional<Row> row(std::string_view line) const {
    const auto f = split(line.substr(0, 2000), separator_);
    if (f.size() < columns_.size() || !parse_integer(trim(f[0]))) return {};
    const auto at = [&](std::string_view column) -> std::string {
      const auto found = std::ranges::find(columns_, column);
      return found == columns_.end() ? std::string()
                                     : cell(f[static_cast<std::size_t>(found - columns_.begin())]);
    };
    Row row;
    row.number = at("id");
    row.name = at("name");
    row.value = at("reading");
    row.unit = at("units");
    row.limit = at("upper c");
    // Plain ipmi-sensors has no verdict of its own, only the sensor's event.
    row.state = has("state") ? at("state") : at("event") == "'OK'" ? "ok" : "N/A";
    row.discrete = row.value == "N/A";
    row.judged = has("state");
    if (row.discrete && at("event") != "N/A") row.value = at("event");
    return row.name.empty() ? std::nullopt : std::optional(row);
  }

 private:
  [[nodiscard]] bool has(std::string_view column) const {
    return std::ranges::find(columns_, column) != columns_.end();
  }

  char separator_ = '|';
  std::vector<std::string> columns_;
};

/// "PS1" of "PS1 Status", "Power Supply 2" of "Power Supply 2"; empty for "PS Redundancy" and for
/// what is in a supply ("PS 1 Fan Fault" has its own verdict, which is another thing).
std::string supply_in(std::string_view name) {
  const std::string low = lower(name);
  for (const std::string_view prefix : {"power supply", "psu", "pws", "ps"}) {
    if (!low.starts_with(prefix)) continue;
    std::size_t at = prefix.size();
    while (at < low.size() && (low[at] == ' ' || low[at] == '_')) ++at;
    const std::size_t digits = at;
    while (at < low.size() && low[at] >= '0' && low[at] <= '9') ++at;
    if (at > digits) return std::string(name.substr(0, at));
  }
  return {};
}

bool has(std::string_view text, std::string_view word) {
  return contains_ignoring_case(text, word);
}

/// What a supply's discrete states say, in ipmitool's and FreeIPMI's words.
std::optional<std::string_view> supply_health(std::string_view states) {
  if (has(states, "AC lost") || has(states, "input lost") || has(states, "out-of-range"))
    return "no_input";
  if (has(states, "predictive")) return "warning";
  if (has(states, "failure")) return "critical";
  if (has(states, "config")) return "warning";
  return has(states, "presence") ? std::optional<std::string_view>("ok") : std::nullopt;
}

/// The same in `ipmitool sensor`, which prints the bits: "0x0180" has states in its first byte.
std::optional<std::string_view> supply_health_bits(std::string_view state) {
  if (!state.starts_with("0x") || state.size() != 6) return {};
  const auto bits = parse_integer(state.substr(2, 2), 16);
  if (!bits) return {};
  if ((*bits & 0x18) != 0) return "no_input";
  if ((*bits & 0x02) != 0) return "critical";
  if ((*bits & 0x44) != 0) return "warning";
  return (*bits & 0x01) != 0 ? "ok" : "absent";
}

bool is_decimal_comma(std::string_view figure) {
  const auto comma = figure.find(',');
  return comma != std::string_view::npos && parse_number(figure.substr(0, comma)) &&
         parse_number(figure.substr(comma + 1));
}

class Reader {
 public:
  Reader(ByteSource& source, Recorder& out) : lines_{source}, out_{out} {}

  Result<void> read() {
    bool cut = false;
    while (const auto raw = lines_.next()) {
      const std::string line = strip_escapes(*raw);
      if (!header_ && (header_ = Header::in(line))) continue;
      auto row = header_ ? header_->row(line) : ipmitool_row(line);
      cut = !row && contains(line, "|") && !trim(line).starts_with('$');
      if (!row) continue;
      row->line = lines_.line();
      if (rows_.size() >= most_sensors)
        return fail(Errc::too_large, fmt::format("more than {} sensors", most_sensors),
                    lines_.line());
      rows_.push_back(std::move(*row));
    }
    if (lines_.error()) return tl::make_unexpected(*lines_.error());
    if (rows_.empty()) return fail(Errc::malformed, "no sensor in it", lines_.line());
    // Rows that are missing would read as sensors without an alarm.
    if (cut)
      return fail(Errc::malformed, "the file ends early: its last row is cut", lines_.line());
    out_.tool(header_ ? "ipmimonitoring" : "ipmitool sdr");
    for (const Row& row : rows_) ++names_[row.name];
    for (const Row& row : rows_) GPUVET_CHECK(record(row));
    return {};
  }

 private:
  [[nodiscard]] std::string unique(const Row& row) const {
    if (names_.find(row.name)->second == 1) return row.name;
    return fmt::format("{}#{}", row.name,
                       row.number.empty() ? "line " + std::to_string(row.line) : row.number);
  }

  Result<void> record(const Row& row) {
    out_.line(row.line);
    if (record_supply(row)) return {};
    if (row.discrete) {
      const auto health = health_of(row.state);
      if (row.judged && health && !health->empty())
        out_.text("sensor.health"_id, "sensor:" + unique(row), std::string(*health));
      else if (row.judged)
        record_absence(row);
      return {};
    }
    const std::string_view figure = std::string_view(row.value).substr(0, row.value.find(' '));
    const auto number = parse_number(figure);
    if (!number && is_decimal_comma(figure))
      return fail(Errc::malformed, "number with a decimal comma: rerun with LC_ALL=C", row.line);
    // A state that nobody knows says nothing of the reading beside it.
    if (const auto health = health_of(row.state); number && health && !health->empty())
      record_figure(row, *number, std::string(*health));
    else
      record_absence(row);
    return {};
  }

  /// Whether the row is a supply's own state, which it then records.
  bool record_supply(const Row& row) {
    std::string supply = supply_in(row.name);
    const bool whole = supply == row.name || has(row.name, "status");
    if (supply.empty() && row.entity.starts_with("10.") && row.name == "Status")
      supply = "Status " + row.entity;
    if (supply.empty() || !whole) return false;
    auto health = supply_health(row.value);
    if (!health && row.unit == "discrete") health = supply_health_bits(row.state);
    // A supply without any state is an empty bay; a list without states doesn't tell.
    if (!health && !row.entity.empty() && row.value.empty()) health = "absent";
    if (health) {
      out_.text("psu.health"_id, "psu:" + supply, std::string(*health));
      return true;
    }
    if (!row.discrete && health_of(row.state) != "") return false;
    out_.absent("psu.health"_id, "psu:" + supply, Absence::not_supported,
                row.discrete ? "the list shows no states: send sdr elist" : row.value);
    return true;
  }

  void record_figure(const Row& row, double number, const std::string& health) {
    const std::string name = unique(row);
    const auto unit = lower(row.unit);
    if (unit == "rpm" && number >= 0) {
      out_.number("fan.speed"_id, "fan:" + name, number);
      out_.text("fan.health"_id, "fan:" + name, health);
      return;
    }
    if ((unit == "percent" || unit == "%") && has(row.name, "fan") && number >= 0) {
      out_.number("fan.speed.ratio"_id, "fan:" + name, number / 100);
      out_.text("fan.health"_id, "fan:" + name, health);
      return;
    }
    out_.text("sensor.health"_id, "sensor:" + name, health);
    if (unit == "degrees c" || unit == "c") {
      out_.number("sensor.temperature"_id, "sensor:" + name, number);
      if (const auto limit = parse_number(row.limit))
        out_.number("sensor.temperature.critical"_id, "sensor:" + name, *limit);
      if (names_inlet(row.name)) out_.number("node.temperature.inlet"_id, "node", number);
    } else if ((unit == "watts" || unit == "w") && number >= 0) {
      record_power(row.name, number);
    }
  }

  void record_power(std::string_view name, double watts) {
    if (names_node_power(name)) return out_.number("node.power.consumed"_id, "node", watts);
    const std::string supply = supply_in(name);
    if (supply.empty()) return;
    if (has(name, "input") || has(name, "pin") || has(name, " in "))
      out_.number("psu.input"_id, "psu:" + supply, watts);
    else if (has(name, "output") || has(name, "pout") || has(name, " out "))
      out_.number("psu.output"_id, "psu:" + supply, watts);
  }

  /// What the sensor would have measured, as far as its name tells.
  void record_absence(const Row& row) {
    const bool read = health_of(row.state) != "";
    // "Fan Redundancy" and its like have words where others have a figure.
    if (has(row.name, "redundancy") || (read && row.value.find_first_of("0123456789") != 0)) return;
    const std::string name = unique(row);
    const std::string words = row.value.empty() ? row.state : row.value;
    const Absence why = read ? Absence::malformed : Absence::not_supported;
    if (has(row.name, "fan") || row.entity.starts_with("29."))
      out_.absent("fan.speed"_id, "fan:" + name, why, words);
    else if (has(row.name, "temp") || lower(row.unit) == "degrees c" || lower(row.unit) == "c")
      out_.absent("sensor.temperature"_id, "sensor:" + name, why, words);
  }

  LineReader lines_;
  Recorder& out_;
  std::optional<Header> header_;
  std::vector<Row> rows_;
  std::map<std::string, int> names_;
};

/// Whether `row` could only be a sensor's: other tables have bars and commas too.
bool is_certain(const Row& row) {
  if (!row.number.empty()) return true;
  const auto unit = lower(row.unit);
  return row.discrete || unit == "volts" || unit == "rpm" || unit == "watts" || unit == "amps" ||
         unit == "degrees c" || row.value == "Not Readable" || lower(row.value) == "no reading" ||
         row.value == "disabled" || unit == "discrete";
}

bool recognises(std::string_view head) {
  for (std::size_t n = 0; n < 200 && !head.empty(); ++n) {
    const auto end = std::min(head.find('\n'), head.size());
    const std::string line = strip_escapes(head.substr(0, std::min<std::size_t>(end, 2000)));
    head.remove_prefix(std::min(end + 1, head.size()));
    if (Header::in(line)) return true;
    if (const auto row = ipmitool_row(line); row && is_certain(*row)) return true;
  }
  return false;
}

Result<void> read(ByteSource& source, Recorder& out) { return Reader(source, out).read(); }

}  // namespace

Importer ipmi_sensors() {
  return {"ipmi_sensors", "ipmitool sdr elist", "ipmitool sdr elist > sdr.txt", recognises, read};
}

}  // namespace gpuvet::ingest
