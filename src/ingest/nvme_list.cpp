// SPDX-License-Identifier: Apache-2.0
// `nvme list`, as a table (its columns are as wide as the dashes below the header) or as JSON, flat
// up to nvme-cli 1 and with -v nested since 2. Under many locales the table has decimal commas.
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "core/text.hpp"
#include "ingest/drive_name.hpp"
#include "ingest/importer.hpp"

namespace gpuvet::ingest {
namespace {

using Json = nlohmann::json;

constexpr std::size_t most_drives = 1024, longest_text = 80;

struct Drive {
  std::string node, model, serial, firmware;
  std::optional<double> bytes;
  bool rounded = false;
};

void record(const Drive& drive, const std::string& subject, Recorder& out) {
  const auto text = [&](Id id, const std::string& value) {
    if (value.empty())
      out.absent(id, subject, Absence::not_supported);
    else
      out.text(id, subject, printable(std::string_view(value).substr(0, longest_text)));
  };
  text("drive.model"_id, drive.model);
  text("drive.serial"_id, drive.serial);
  text("drive.firmware"_id, drive.firmware);
  if (is_software_drive(drive.model))
    out.absent("drive.bus"_id, subject, Absence::not_supported,
               "a software target, emulated or over a network");
  else
    out.text("drive.bus"_id, subject, "nvme");
  if (!drive.bytes || *drive.bytes <= 0 || *drive.bytes > most_drive_bytes) {
    out.absent("drive.capacity"_id, subject, Absence::malformed,
               drive.bytes ? fmt::format("{} bytes cannot be", format_number(*drive.bytes)) : "");
    return;
  }
  out.number("drive.capacity"_id, subject, *drive.bytes);
  if (drive.rounded) out.detail("rounded by the tool to three digits");
}

Result<void> record_checked(const Drive& drive, Recorder& out, std::size_t& drives,
                            std::size_t line) {
  const auto subject = drive_subject(drive.node);
  if (!subject)
    return fail(
        Errc::malformed,
        fmt::format("\"{}\" is no device", printable(std::string_view(drive.node).substr(0, 40))),
        line);
  if (++drives > most_drives)
    return fail(Errc::too_large, fmt::format("more than {} drives", most_drives), line);
  out.line(line);
  record(drive, *subject, out);
  return {};
}

void record_empty(Recorder& out) {
  out.absent("node.drive.nvme.count"_id, "node", Absence::not_asked,
             "an empty list: no NVMe drive, or no right to open them (run as root)");
}

/// Where each column of the table begins, by the runs of dashes below the header.
struct Column {
  std::string_view name;
  std::size_t begin, size;
};

class Table {
 public:
  explicit Table(Recorder& out) : out_{out} {}

  Result<void> line(std::string_view line, std::size_t number) {
    constexpr std::size_t longest_row = 1024;
    if (line.size() > longest_row) return {};
    const auto text = trim(line);
    if (columns_.empty()) {
      if (text.starts_with("Node ")) header_ = line;
      if (!header_.empty() && text.starts_with("----")) dashes(line);
      return {};
    }
    if (text.starts_with("/dev/")) return row(line, number);
    return {};
  }

  Result<void> finish(std::size_t line) const {
    if (columns_.empty()) return fail(Errc::malformed, "no table of drives", line);
    if (drives_ == 0) record_empty(out_);
    return {};
  }

 private:
  void dashes(std::string_view line) {
    for (std::size_t i = line.find('-'); i < line.size(); i = line.find('-', i)) {
      const auto end = std::min(line.find_first_not_of('-', i), line.size());
      columns_.push_back(
          {trim(std::string_view(header_).substr(std::min(i, header_.size()), end - i)), i,
           end - i});
      i = end;
    }
  }

  [[nodiscard]] std::string_view cell(std::string_view line, std::string_view name) const {
    for (const auto& column : columns_)
      if (column.name == name && column.begin < line.size())
        return trim(line.substr(column.begin, column.size));
    return {};
  }

  Result<void> row(std::string_view line, std::size_t number) {
    Drive drive;
    drive.node = cell(line, "Node");
    drive.serial = cell(line, "SN");
    drive.model = cell(line, "Model");
    drive.firmware = cell(line, "FW Rev");
    drive.rounded = true;
    // "  2.00  TB /   2.00  TB": used, then size.
    const auto usage = cell(line, "Usage");
    if (contains(usage, ","))
      return fail(Errc::malformed,
                  "a decimal comma: list the drives again under LC_ALL=C, or with -o json", number);
    const auto slash = usage.find('/');
    if (slash == std::string_view::npos || cell(line, "Format").empty())
      return fail(Errc::malformed, "the row of a drive is cut off", number);
    const auto word = words(usage.substr(slash + 1));
    if (word.size() == 2) {
      const auto size = parse_measure(fmt::format("{} {}", word[0], word[1]));
      if (size && size->unit == Unit::byte) drive.bytes = size->value;
    }
    return record_checked(drive, out_, drives_, number);
  }

  Recorder& out_;
  std::string header_;
  std::vector<Column> columns_;
  std::size_t drives_ = 0;
};

std::string text_of(const Json& object, const char* key) {
  const auto found = object.find(key);
  if (found == object.end() || !found->is_string()) return {};
  return std::string(trim(found->get_ref<const std::string&>()));
}

std::optional<double> number_of(const Json& object, const char* key) {
  const auto found = object.find(key);
  if (found == object.end() || !found->is_number()) return {};
  return found->get<double>();
}

const Json& list_in(const Json& object, const char* key) {
  static const Json none = Json::array();
  if (!object.is_object()) return none;
  const auto found = object.find(key);
  return found == object.end() || !found->is_array() ? none : *found;
}

Drive drive_in(const Json& object) {
  return {text_of(object, "DevicePath"), text_of(object, "ModelNumber"),
          text_of(object, "SerialNumber"), text_of(object, "Firmware"),
          number_of(object, "PhysicalSize")};
}

Result<void> read_json(std::string_view text, Recorder& out) {
  const Json all = Json::parse(text, nullptr, false);
  if (all.is_discarded() || !all.is_object() || !all.contains("Devices"))
    return fail(Errc::malformed, "no whole JSON document with Devices: the file is cut off", 1);
  std::size_t drives = 0;
  for (const Json& device : list_in(all, "Devices")) {
    if (!device.is_object()) return fail(Errc::malformed, "a device is no JSON object", 1);
    if (device.contains("DevicePath"))
      GPUVET_CHECK(record_checked(drive_in(device), out, drives, 1));
    for (const Json& subsystem : list_in(device, "Subsystems")) {
      for (const Json& controller : list_in(subsystem, "Controllers")) {
        if (!controller.is_object()) continue;
        Drive drive = drive_in(controller);
        drive.node = text_of(controller, "Controller");
        // With multipath, the namespaces stand beside the controllers.
        for (const Json* owner : {&controller, &subsystem})
          for (const Json& space : list_in(*owner, "Namespaces"))
            if (!drive.bytes && space.is_object()) drive.bytes = number_of(space, "PhysicalSize");
        GPUVET_CHECK(record_checked(drive, out, drives, 1));
      }
    }
  }
  if (drives == 0) record_empty(out);
  return {};
}

bool is_json(std::string_view head) {
  const auto start = head.find('{');
  return start != std::string_view::npos && trim(head.substr(0, start)).empty();
}

bool recognises(std::string_view head) {
  if (is_json(head)) {
    const auto key = trim(head.substr(head.find('{') + 1, 64));
    return key.starts_with("\"Devices\"") && (contains(head, "\"DevicePath\"") ||
                                              contains(head, "\"Subsystems\"") || head.size() < 64);
  }
  const auto at = head.find("Node ");
  if (at == std::string_view::npos) return false;
  const auto header = head.substr(at, 512);
  return contains(header, " SN ") && contains(header, "Namespace") && contains(header, "FW Rev");
}

Result<void> read(ByteSource& source, Recorder& out) {
  constexpr std::size_t largest_file = std::size_t{16} << 20;
  GPUVET_TRY(const std::string text, read_all(source, largest_file));
  out.tool("nvme list");
  if (is_json(text)) return read_json(text, out);
  MemorySource again{text};
  LineReader lines{again};
  Table table{out};
  while (const auto line = lines.next()) GPUVET_CHECK(table.line(*line, lines.line()));
  if (lines.error()) return tl::make_unexpected(*lines.error());
  return table.finish(lines.line());
}

}  // namespace

Importer nvme_list() {
  return {"nvme_list", "nvme list", "nvme list -o json > nvme.json", recognises, read};
}

}  // namespace gpuvet::ingest
