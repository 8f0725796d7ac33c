// SPDX-License-Identifier: Apache-2.0
#include "ingest/companion.hpp"

#include <algorithm>
#include <array>

#include "core/text.hpp"
#include "ingest/importer.hpp"
#include "ingest/nvidia_smi_fields.hpp"
#include "ingest/query_fields.hpp"
#include "ingest/query_time.hpp"

namespace gpuvet::ingest {
namespace {

constexpr std::size_t most_commands = 64, most_fields = 256, rows_checked = 64;

/// The unit that nvidia-smi prints with a field; nothing for fields whose form is not known here.
std::optional<std::string_view> unit_of(std::string_view field) {
  const auto in = [&](std::string_view family) { return field.starts_with(family); };
  if (in("utilization.") || field == "fan.speed") return "%";
  if (field == "memory.total" || field == "memory.used" || field == "memory.free" ||
      field == "memory.reserved")
    return "MiB";
  if (in("power.") || field == "enforced.power.limit") return "W";
  if (in("clocks.")) return "MHz";
  if (in("temperature.") || field == "index" || field == "count") return "";
  return {};
}

bool has_form(std::string_view field, std::string_view cell, bool units) {
  if (absence_in(cell)) return true;
  if (field == "timestamp") return QueryTime().read(cell).has_value();
  if (field == "uuid") return usable_uuid(cell);
  if (field == "pci.bus_id") return pci_address(cell).has_value();
  if (field == "pstate") return cell.size() >= 2 && cell[0] == 'P';
  const auto unit = unit_of(field);
  if (!unit) return !cell.empty();
  if (units && !unit->empty()) {
    if (!cell.ends_with(*unit) || cell.size() == unit->size()) return false;
    cell = trim(cell.substr(0, cell.size() - unit->size()));
  }
  const auto number = parse_number(cell);
  // nvidia-smi prints decimals with power alone.
  return number && (unit == "W" || cell.find('.') == cell.npos);
}

bool fits(const QueryCommand& command, std::string_view head) {
  // Rows without time cannot be told apart, whatever they are called.
  if (std::ranges::find(command.fields, "timestamp") == command.fields.end()) return false;
  std::size_t rows = 0;
  while (!head.empty() && rows < rows_checked) {
    const auto end = head.find('\n');
    if (end == head.npos && rows > 0) break;  // cut off
    const auto line = trim(head.substr(0, end));
    head.remove_prefix(end == head.npos ? head.size() : end + 1);
    if (line.empty()) continue;
    const auto cells = split(line, ',');
    if (cells.size() != command.fields.size()) return false;
    for (std::size_t i = 0; i < cells.size(); ++i)
      if (!has_form(command.fields[i], query_cell(cells[i]), command.units)) return false;
    ++rows;
  }
  return rows > 0;
}

bool is_field(std::string_view name) {
  return !name.empty() && std::ranges::all_of(name, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '_';
  });
}

/// What `option` says: behind "=" or a blank, up to the next blank or quote.
std::string_view said(std::string_view line, std::string_view option) {
  const auto at = line.find(option);
  if (at == line.npos) return {};
  auto rest = line.substr(at + option.size());
  if (rest.empty() || (rest[0] != '=' && rest[0] != ' ')) return {};
  rest = rest.substr(std::min(rest.find_first_not_of("= \"'"), rest.size()));
  return rest.substr(0, rest.find_first_of(" \t\"'`)|;>\\"));
}

void add_command(std::string_view line, std::size_t at, std::vector<QueryCommand>& out) {
  const auto format = said(line, "--format");
  if (!contains(format, "noheader")) return;
  QueryCommand command;
  command.units = !contains(format, "nounits");
  command.line = at;
  const auto list = said(line, "--query-gpu");
  for (const auto field : split(list, ','))
    if (!is_field(field)) return;
  command.fields = parse_query_header(list).names;  // in today's spelling
  if (command.fields.size() > most_fields) return;
  out.push_back(std::move(command));
}

}  // namespace

std::vector<QueryCommand> query_commands(std::string_view text) {
  std::vector<QueryCommand> out;
  std::string joined;
  std::size_t line = 0, first = 0;
  while (!text.empty() && out.size() < most_commands) {
    const auto end = std::min(text.find('\n'), text.size());
    auto part = trim(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
    ++line;
    if (joined.empty()) first = line;
    const bool goes_on = part.ends_with('\\') && joined.size() < 4096;
    if (goes_on) part.remove_suffix(1);
    joined += part;
    if (goes_on) {
      joined += ' ';
      continue;
    }
    if (contains(joined, "--query-gpu")) add_command(joined, first, out);
    joined.clear();
  }
  return out;
}

std::optional<QueryCommand> command_of(std::string_view head,
                                       const std::vector<QueryCommand>& commands) {
  std::optional<QueryCommand> out;
  for (const auto& command : commands) {
    if (!fits(command, head)) continue;
    if (out && out->fields != command.fields) return {};
    if (!out) out = command;
  }
  return out;
}

std::string header_of(const QueryCommand& command) {
  std::string out;
  for (const auto& field : command.fields) {
    if (!out.empty()) out += ", ";
    out += field;
    if (const auto unit = unit_of(field); unit && !unit->empty())
      out += " [" + std::string(*unit) + "]";
  }
  return out;
}

}  // namespace gpuvet::ingest
