// SPDX-License-Identifier: Apache-2.0
// `smartctl -x` of one drive, as text or with -j as JSON. Text figures have thousands separators,
// and NVMe counts data in units of 512,000 bytes.
#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "core/text.hpp"
#include "ingest/drive_name.hpp"
#include "ingest/importer.hpp"

namespace gpuvet::ingest {
namespace {

using Json = nlohmann::json;

constexpr double per_cent = 0.01, data_unit = 512000, hour = 3600;
constexpr std::size_t longest_text = 80;

enum class Kind : std::uint8_t { text, number };

/// The same fact as a path in JSON and as a label in text.
struct Fact {
  Id id;
  Kind kind;
  std::string_view path, label;
  double factor;
};

constexpr std::string_view health = "/nvme_smart_health_information_log/";

constexpr Fact facts[] = {
    {"drive.model"_id, Kind::text, "/model_name", "Model Number", 1},
    {"drive.model"_id, Kind::text, "", "Device Model", 1},
    {"drive.serial"_id, Kind::text, "/serial_number", "Serial Number", 1},
    {"drive.firmware"_id, Kind::text, "/firmware_version", "Firmware Version", 1},
    {"drive.form_factor"_id, Kind::text, "/form_factor/name", "Form Factor", 1},
    {"drive.capacity"_id, Kind::number, "/user_capacity/bytes", "User Capacity", 1},
    {"drive.capacity"_id, Kind::number, "", "Namespace 1 Size/Capacity", 1},
    {"drive.critical_warning"_id, Kind::number,
     "/nvme_smart_health_information_log/critical_warning", "Critical Warning", 1},
    {"drive.temperature"_id, Kind::number, "/temperature/current", "Temperature", 1},
    {"drive.spare"_id, Kind::number, "/nvme_smart_health_information_log/available_spare",
     "Available Spare", per_cent},
    {"drive.wear"_id, Kind::number, "/nvme_smart_health_information_log/percentage_used",
     "Percentage Used", per_cent},
    {"drive.written"_id, Kind::number, "/nvme_smart_health_information_log/data_units_written",
     "Data Units Written", data_unit},
    {"drive.power_on"_id, Kind::number, "/power_on_time/hours", "Power On Hours", hour},
    {"drive.unsafe_shutdowns"_id, Kind::number,
     "/nvme_smart_health_information_log/unsafe_shutdowns", "Unsafe Shutdowns", 1},
    {"drive.media_errors"_id, Kind::number, "/nvme_smart_health_information_log/media_errors",
     "Media and Data Integrity Errors", 1},
};

constexpr std::string_view verdict_label = "SMART overall-health self-assessment test result";

Result<void> record_number(const Fact& fact, const std::string& drive, double value, Recorder& out,
                           std::size_t line) {
  if (value < 0 && fact.id != "drive.temperature"_id)
    return fail(Errc::malformed, fmt::format("{} is negative", fact.id.name()), line);
  if (fact.id == "drive.capacity"_id && (value == 0 || value > most_drive_bytes))
    out.absent(fact.id, drive, Absence::malformed,
               fmt::format("{} bytes cannot be", format_number(value)));
  else
    out.number(fact.id, drive, value * fact.factor);
  return {};
}

/// "/a/b" in nested objects; null when it is not there. Not json_pointer: that throws.
const Json* at(const Json& all, std::string_view path) {
  const Json* node = &all;
  for (const auto key : split(path.substr(1), '/')) {
    if (!node->is_object()) return nullptr;
    const auto found = node->find(std::string(key));
    if (found == node->end()) return nullptr;
    node = &*found;
  }
  return node;
}

std::string text_at(const Json& all, std::string_view path) {
  const Json* const node = at(all, path);
  return node != nullptr && node->is_string() ? node->get<std::string>() : std::string();
}

Result<void> read_json(std::string_view text, Recorder& out) {
  const Json all = Json::parse(text, nullptr, false);
  if (all.is_discarded() || !all.is_object())
    return fail(Errc::malformed, "no whole JSON document: the file is cut off", 1);
  const Json* const messages = at(all, "/smartctl/messages");
  if (messages != nullptr && messages->is_array() && at(all, "/model_name") == nullptr)
    for (const Json& message : *messages)
      if (message.is_object() && text_at(message, "/severity") == "error")
        return fail(Errc::permission,
                    "smartctl could not read the drive (run it as root): " +
                        printable(text_at(message, "/string").substr(0, 120)),
                    1);
  const auto drive = drive_subject(text_at(all, "/device/name"));
  if (!drive) return fail(Errc::malformed, "no name of a drive", 1);
  out.line(1);
  const Json* const major = at(all, "/smartctl/version");
  if (major != nullptr && major->is_array() && major->size() == 2 && (*major)[0].is_number() &&
      (*major)[1].is_number())
    out.tool("smartctl", fmt::format("{}.{}", format_number((*major)[0].get<double>()),
                                     format_number((*major)[1].get<double>())));
  for (const Fact& fact : facts) {
    if (fact.path.empty()) continue;
    const Json* const node = at(all, fact.path);
    const bool due = fact.path.starts_with(health) && text_at(all, "/device/type") == "nvme";
    if (node == nullptr) {
      if (due) out.absent(fact.id, *drive, Absence::not_supported);
    } else if (fact.kind == Kind::text && node->is_string()) {
      out.text(fact.id, *drive, printable(node->get<std::string>().substr(0, longest_text)));
    } else if (fact.kind == Kind::number && node->is_number()) {
      GPUVET_CHECK(record_number(fact, *drive, node->get<double>(), out, 1));
    } else {
      out.absent(fact.id, *drive, Absence::malformed);
    }
  }
  if (text_at(all, "/device/type") == "nvme")
    out.text("drive.bus"_id, *drive, "nvme");
  else if (text_at(all, "/device/protocol") == "ATA")
    out.text("drive.bus"_id, *drive, "sata");
  if (const Json* const passed = at(all, "/smart_status/passed");
      passed != nullptr && passed->is_boolean())
    out.text("drive.health"_id, *drive, passed->get<bool>() ? "PASSED" : "FAILED");
  return {};
}

/// "1,769,281 [905 GB]", "100%", "0x00", "40 Celsius", "256,060,514,304 bytes [256 GB]".
std::optional<double> figure_in(std::string_view value) {
  constexpr std::size_t longest = 40;
  value = value.substr(0, std::min(value.find(' '), longest));
  if (value.ends_with('%')) value.remove_suffix(1);
  if (value.starts_with("0x")) {
    const auto bits = parse_integer(value.substr(2), 16);
    return bits ? std::optional(static_cast<double>(*bits)) : std::nullopt;
  }
  std::string digits;
  const auto groups = split(value, ',');
  for (std::size_t i = 0; i < groups.size(); ++i) {
    if (i > 0 && groups[i].size() != 3) return {};  // a decimal comma
    digits += groups[i];
  }
  return parse_number(digits);
}

class TextReader {
 public:
  explicit TextReader(Recorder& out) : out_{out} {}

  Result<void> line(std::string_view line, std::size_t number) {
    if (contains(line.substr(0, 256), "failed: Permission denied"))
      return fail(Errc::permission, "smartctl could not open the drive: run it as root", number);
    if (line.starts_with("smartctl ")) out_.tool("smartctl", version(line));
    // The prompt or command line, if it was pasted too, is the only place that names the device.
    if (contains(line.substr(0, 256), "smartctl -"))
      for (const auto word : words(line.substr(0, 256)))
        if (word.starts_with("/dev/")) name_ = word;
    if (line.starts_with("SMART/Health Information (NVMe")) {
      has_health_ = true;
      bus_ = {"nvme", number};
    }
    const auto colon = line.find(':');
    if (colon == std::string_view::npos) return {};
    const auto label = line.substr(0, colon), value = trim(line.substr(colon + 1));
    if (label == "SATA Version is") bus_ = {"sata", number};
    if (label == "Serial Number") serial_ = value.substr(0, 32);
    if (label == verdict_label)
      rows_.push_back({nullptr, number, std::string(value.substr(0, 16))});
    for (const Fact& fact : facts)
      if (fact.label == label && rows_.size() < 64)
        rows_.push_back({&fact, number, std::string(value.substr(0, longest_text))});
    return {};
  }

  Result<void> finish(std::size_t line) {
    const auto drive = drive_subject(name_.empty() ? serial_ : name_);
    if (!drive) return fail(Errc::malformed, "neither device nor serial number", line);
    // The figures above the last row may be cut.
    const bool whole = std::any_of(rows_.begin(), rows_.end(), [](const Row& row) {
      return row.fact != nullptr && row.fact->id == "drive.media_errors"_id;
    });
    if (has_health_ && !whole)
      return fail(Errc::malformed, "the health log ends before its media errors: cut off", line);
    if (!bus_.first.empty()) {
      out_.line(bus_.second);
      out_.text("drive.bus"_id, *drive, std::string(bus_.first));
    }
    for (const auto& row : rows_) {
      out_.line(row.line);
      if (row.fact == nullptr) {
        out_.text("drive.health"_id, *drive, printable(row.value));
      } else if (row.fact->kind == Kind::text) {
        out_.text(row.fact->id, *drive, printable(row.value));
      } else {
        const auto figure = figure_in(row.value);
        if (!figure)
          return fail(Errc::malformed,
                      fmt::format("{} cannot be \"{}\"", row.fact->label, printable(row.value)),
                      row.line);
        GPUVET_CHECK(record_number(*row.fact, *drive, *figure, out_, row.line));
      }
    }
    return {};
  }

 private:
  struct Row {
    const Fact* fact;
    std::size_t line;
    std::string value;
  };

  static std::string version(std::string_view line) {
    const auto word = words(line.substr(0, 128));
    return word.size() > 1 ? std::string(word[1]) : std::string();
  }

  Recorder& out_;
  std::string name_, serial_;
  std::vector<Row> rows_;
  std::pair<std::string_view, std::size_t> bus_;  // and the line that says so
  bool has_health_ = false;
};

bool is_json(std::string_view head) {
  const auto start = head.find('{');
  return start != std::string_view::npos && trim(head.substr(0, start)).empty();
}

bool recognises(std::string_view head) {
  if (is_json(head)) return contains(head, "\"smartctl\"") && contains(head, "\"argv\"");
  const auto at = head.find("smartctl ");
  return at != std::string_view::npos && contains(head, "www.smartmontools.org");
}

Result<void> read(ByteSource& source, Recorder& out) {
  constexpr std::size_t largest_file = std::size_t{16} << 20;
  GPUVET_TRY(const std::string text, read_all(source, largest_file));
  out.tool("smartctl");
  if (is_json(text)) return read_json(text, out);
  MemorySource again{text};
  LineReader lines{again};
  TextReader reader{out};
  while (const auto line = lines.next()) GPUVET_CHECK(reader.line(trim(*line), lines.line()));
  if (lines.error()) return tl::make_unexpected(*lines.error());
  return reader.finish(lines.line());
}

}  // namespace

Importer smartctl() {
  return {"smartctl", "smartctl", "smartctl -xj /dev/nvme0 > smart0.json", recognises, read};
}

}  // namespace gpuvet::ingest
