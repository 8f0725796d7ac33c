// SPDX-License-Identifier: Apache-2.0
// `lsblk -P -b`: a row of KEY="value" pairs for each block device. Only whole disks count;
// partitions and volumes lie on them. With -b sizes are bytes; rounded ones ("2.9T") are not read.
#include <fmt/format.h>

#include "core/text.hpp"
#include "ingest/drive_name.hpp"
#include "ingest/importer.hpp"

namespace gpuvet::ingest {
namespace {

/// The value of `key` in `NAME="/dev/sda" TYPE="disk" ...`; nothing when the row lacks it.
std::optional<std::string_view> value_of(std::string_view row, std::string_view key) {
  const std::string mark = fmt::format("{}=\"", key);
  auto at = row.find(mark);
  while (at != std::string_view::npos && at > 0 && row[at - 1] != ' ') at = row.find(mark, at + 1);
  if (at == std::string_view::npos) return {};
  row.remove_prefix(at + mark.size());
  const auto end = row.find('"');
  if (end == std::string_view::npos) return {};
  return trim(row.substr(0, end));
}

bool is_row(std::string_view line) {
  return (line.starts_with("NAME=\"") || line.starts_with("KNAME=\"")) &&
         contains(line, " TYPE=\"");
}

bool recognises(std::string_view head) {
  while (!head.empty()) {
    const auto end = std::min(head.find('\n'), head.size());
    if (is_row(trim(head.substr(0, end)))) return true;
    head.remove_prefix(std::min(end + 1, head.size()));
  }
  return false;
}

Result<void> read_disk(std::string_view row, Recorder& out, std::size_t line) {
  constexpr std::size_t longest_text = 80;
  const auto name = value_of(row, "NAME");
  const auto drive = drive_subject(name.value_or(""));
  if (!drive) return fail(Errc::malformed, "the row of a disk lacks its name", line);
  out.line(line);
  const auto text = [&](Id id, std::string_view key) {
    const auto value = value_of(row, key);
    if (value && !value->empty()) out.text(id, *drive, printable(value->substr(0, longest_text)));
    // An empty REV only means that the kernel does not tell NVMe's firmware this way.
  };
  text("drive.model"_id, "MODEL");
  text("drive.serial"_id, "SERIAL");
  text("drive.firmware"_id, "REV");
  const auto transport = value_of(row, "TRAN");
  if (transport && !transport->empty())
    out.text("drive.bus"_id, *drive, printable(transport->substr(0, longest_text)));
  else if (name->find("nvme") != std::string_view::npos)
    out.text("drive.bus"_id, *drive, "nvme");
  const auto size = value_of(row, "SIZE");
  if (!size) return {};
  const auto bytes = size->size() > 20 ? std::nullopt : parse_number(*size);
  if (!bytes)
    out.absent("drive.capacity"_id, *drive, Absence::malformed, "no size in bytes: run lsblk -b");
  else if (*bytes <= 0 || *bytes > most_drive_bytes)
    out.absent("drive.capacity"_id, *drive, Absence::malformed,
               fmt::format("{} bytes cannot be", format_number(*bytes)));
  else
    out.number("drive.capacity"_id, *drive, *bytes);
  return {};
}

Result<void> read(ByteSource& source, Recorder& out) {
  constexpr std::size_t most_disks = 4096;
  out.tool("lsblk");
  LineReader lines{source};
  std::size_t rows = 0, disks = 0;
  while (const auto raw = lines.next()) {
    const auto line = trim(*raw);
    if (!is_row(line)) continue;
    ++rows;
    // Every value is quoted: a row with an odd number of quotes was cut, perhaps inside a size.
    if (std::count(line.begin(), line.end(), '"') % 2 != 0)
      return fail(Errc::malformed, "the row is cut off", lines.line());
    if (value_of(line, "TYPE") != "disk") continue;
    if (++disks > most_disks)
      return fail(Errc::too_large, fmt::format("more than {} disks", most_disks), lines.line());
    GPUVET_CHECK(read_disk(line, out, lines.line()));
  }
  if (lines.error()) return tl::make_unexpected(*lines.error());
  if (rows == 0) return fail(Errc::malformed, "no row of a block device", lines.line());
  return {};
}

}  // namespace

Importer lsblk() {
  return {"lsblk", "lsblk -P -b", "lsblk -P -b -o NAME,TYPE,SIZE,SERIAL,MODEL,REV,TRAN > lsblk.txt",
          recognises, read};
}

}  // namespace gpuvet::ingest
