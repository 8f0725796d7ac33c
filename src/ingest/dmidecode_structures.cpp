// SPDX-License-Identifier: Apache-2.0
#include "ingest/dmidecode_structures.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <set>
#include <utility>

#include "core/text.hpp"

namespace gpuvet::ingest {
namespace {

constexpr std::size_t most_structures = 4096, most_fields = 64, longest_value = 120;

constexpr std::array<std::string_view, 9> kept{
    "BIOS Information",      "System Information",      "Base Board Information",
    "Processor Information", "System Slot Information", "Physical Memory Array",
    "Memory Device",         "IPMI Device Information", "System Power Supply"};

bool is_error(std::string_view line) {
  return line.ends_with("Permission denied") || line.ends_with("command not found") ||
         contains(line, "No SMBIOS nor DMI entry point found") ||
         contains(line, "Operation not permitted") || line.starts_with("Usage: dmidecode");
}

class Parser {
 public:
  explicit Parser(ByteSource& source) : lines_{source} {}

  Result<DmiTable> parse() {
    while (const auto line = lines_.next()) GPUVET_CHECK(take(*line));
    if (lines_.error()) return tl::make_unexpected(*lines_.error());
    GPUVET_CHECK(finish_structure());
    if (titles_.empty())
      return fail(Errc::malformed, "no structure: dmidecode printed nothing", lines_.line());
    // With -t the location of the table isn't printed, and there is no end marker.
    constexpr std::size_t many = 8;
    if ((all_ || (handles_ && titles_.size() >= many)) && titles_.count("End Of Table") == 0)
      return fail(Errc::malformed, "the file ends early: its last structure is not End Of Table",
                  lines_.line());
    return std::move(table_);
  }

 private:
  Result<void> take(std::string_view line) {
    const auto text = trim(line);
    if (text.empty()) return {};
    const bool indented = line[0] == '\t' || line[0] == ' ';
    if (indented && open_) return field(line, text);
    if (text.starts_with("Table at 0x")) all_ = true;
    if (text.starts_with("# dmidecode ")) table_.version = printable(text.substr(12).substr(0, 40));
    if (titles_.empty() && is_error(text))
      return fail(Errc::permission,
                  fmt::format("dmidecode printed an error, run it as root on the server itself: {}",
                              printable(text.substr(0, 120))),
                  lines_.line());
    if (text.starts_with("Handle 0x")) {
      GPUVET_CHECK(finish_structure());
      handles_ = true;
      next_handle_ = text.substr(7, text.find(',') - 7).substr(0, 16);
      return {};
    }
    if (text.front() == '#' || indented) return {};
    if (!next_handle_.empty() || is_title(text)) return begin(text);
    return {};
  }

  /// With -q titles stand alone.
  static bool is_title(std::string_view text) {
    return std::ranges::find(kept, text) != kept.end();
  }

  Result<void> begin(std::string_view title) {
    GPUVET_CHECK(finish_structure());
    titles_.insert(std::string(title.substr(0, 64)));
    if (titles_.size() > most_structures)
      return fail(Errc::too_large, fmt::format("more than {} types", most_structures),
                  lines_.line());
    structure_ = {
        std::string(title.substr(0, 64)), std::exchange(next_handle_, {}), lines_.line(), {}};
    open_ = true;
    return {};
  }

  Result<void> field(std::string_view line, std::string_view text) {
    if (text == "System is a virtual machine") table_.virtual_machine = true;
    if (line.starts_with("\t\t") || line.starts_with("                ")) return {};  // list items
    const auto colon = text.find(':');
    if (colon == std::string_view::npos || structure_.fields.size() == most_fields) return {};
    structure_.fields.push_back(
        {std::string(text.substr(0, std::min<std::size_t>(colon, longest_value))),
         printable(trim(text.substr(colon + 1)).substr(0, longest_value)), lines_.line()});
    return {};
  }

  Result<void> finish_structure() {
    if (!open_) return {};
    open_ = false;
    if (!is_title(structure_.title)) return {};
    if (!structure_.handle.empty()) {
      const auto [found, fresh] =
          by_handle_.try_emplace(structure_.handle, table_.structures.size());
      if (!fresh) {  // the output stands twice in the file
        const DmiStructure& first = table_.structures[found->second];
        if (first.title == structure_.title && first.fields == structure_.fields) return {};
        return fail(
            Errc::malformed,
            fmt::format("handle {} was another structure in line {}: give one output a file",
                        printable(structure_.handle), first.line),
            structure_.line);
      }
    }
    if (table_.structures.size() == most_structures)
      return fail(Errc::too_large, fmt::format("more than {} structures", most_structures),
                  structure_.line);
    table_.structures.push_back(std::move(structure_));
    return {};
  }

  LineReader lines_;
  DmiTable table_;
  DmiStructure structure_;
  std::string next_handle_;
  std::set<std::string> titles_;
  std::map<std::string, std::size_t> by_handle_;
  bool open_ = false, handles_ = false, all_ = false;
};

}  // namespace

const DmiField* DmiStructure::find(std::string_view name) const {
  const auto found = std::ranges::find(fields, name, &DmiField::name);
  return found == fields.end() ? nullptr : &*found;
}

std::string_view DmiStructure::value(std::string_view name) const {
  const DmiField* const field = find(name);
  return field == nullptr ? std::string_view{} : std::string_view(field->value);
}

std::vector<const DmiStructure*> DmiTable::all(std::string_view title) const {
  std::vector<const DmiStructure*> out;
  for (const auto& structure : structures)
    if (structure.title == title) out.push_back(&structure);
  return out;
}

Result<DmiTable> read_dmi_table(ByteSource& source) { return Parser(source).parse(); }

std::string iso_date(std::string_view text) {
  const auto parts = split(text, '/');
  if (parts.size() != 3 || parts[0].size() != 2 || parts[1].size() != 2 || parts[2].size() != 4)
    return std::string(text);
  return fmt::format("{}-{}-{}", parts[2], parts[0], parts[1]);
}

}  // namespace gpuvet::ingest
