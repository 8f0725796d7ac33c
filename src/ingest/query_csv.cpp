// SPDX-License-Identifier: Apache-2.0
// `nvidia-smi --query-gpu=... --format=csv [-l 1]`: one sample of each GPU, or a log of days. The
// last row of each GPU becomes facts; a log also becomes a table of bins (query_log.hpp).
#include <algorithm>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "core/text.hpp"
#include "ingest/importer.hpp"
#include "ingest/nvidia_smi_fields.hpp"
#include "ingest/query_fields.hpp"
#include "ingest/query_log.hpp"
#include "ingest/watched_source.hpp"

namespace gpuvet::ingest {

Importer nvidia_smi_query_csv();

namespace {

/// A GPU as the whole file names it.
struct Named {
  QueryGpu* gpu = nullptr;
  std::string uuid, pci;  // empty: none, or another GPU of the file has it too
  std::optional<std::size_t> index;
  std::string subject;
};

/// As in the XML: a UUID or an address names a GPU only if no other GPU of the file has it too.
Result<std::vector<Named>> name_gpus(QueryLog& log) {
  std::map<std::string, std::size_t> uses, taken;
  for (const auto& gpu : log.gpus()) ++uses[gpu->names[0]], ++uses[gpu->names[1]];
  std::vector<Named> out;
  for (const auto& gpu : log.gpus()) {
    const auto& [uuid, bus_id, index] = gpu->names;
    Named named{gpu.get(), {}, {}, {}, {}};
    if (uses[uuid] == 1) named.uuid = uuid;
    if (uses[bus_id] == 1) named.pci = pci_address(bus_id).value_or("");
    if (const auto number = parse_integer(index)) named.index = static_cast<std::size_t>(*number);
    const bool alone = gpu->nameless && log.gpus().size() == 1;
    named.subject =
        gpu_subject({named.uuid, named.pci, alone ? std::optional<std::size_t>{0} : named.index});
    if (named.subject.empty())
      return fail(Errc::malformed, "row doesn't say which GPU it is about", gpu->last_line);
    if (++taken[named.subject] > 1)
      return fail(Errc::malformed,
                  named.subject + " changes its other names within the log: split the file",
                  gpu->last_line);
    out.push_back(std::move(named));
  }
  return out;
}

std::vector<std::string_view> last_cells(const QueryGpu& gpu) {
  auto cells = split(gpu.last_row, ',');
  for (auto& cell : cells) cell = query_cell(cell);
  return cells;
}

/// Why an identity column gives no identity.
void record_no_name(Recorder& out, Id id, const Named& named, std::size_t position) {
  const std::string& name = named.gpu->names[position];
  const std::string& cell = named.gpu->cells[position];
  if (!name.empty()) {
    out.absent(id, named.subject, Absence::malformed, "shared with another GPU: " + name);
  } else if (const auto why = absence_in(cell)) {
    out.absent(id, named.subject, *why);
  } else {
    out.absent(id, named.subject, Absence::malformed, printable(cell.substr(0, 80)));
  }
}

void record_identity(Recorder& out, const QueryLog& log, const Named& named) {
  out.line(named.gpu->last_line);
  if (named.index) out.number("gpu.index"_id, named.subject, static_cast<double>(*named.index));
  if (!named.pci.empty())
    out.text("gpu.pci.address"_id, named.subject, named.pci);
  else if (log.has(Role::bus_id))
    record_no_name(out, "gpu.pci.address"_id, named, 1);
  if (!named.uuid.empty())
    out.text("gpu.uuid"_id, named.subject, named.uuid);
  else if (log.has(Role::uuid))
    record_no_name(out, "gpu.uuid"_id, named, 0);
}

void record_pages(Recorder& out, const Named& named) {
  double sum = 0;
  std::size_t counted = 0;
  for (const auto& [cause, pages] : named.gpu->pages) {
    const bool single = contains(cause, "Single Bit");
    if (!single && !contains(cause, "Double Bit")) continue;
    const Id id = single ? "gpu.retired_pages.single_bit"_id : "gpu.retired_pages.double_bit"_id;
    if (pages.count == 0 && pages.absent) {
      out.absent(id, named.subject, *pages.absent);
      continue;
    }
    out.number(id, named.subject, static_cast<double>(pages.count));
    sum += static_cast<double>(pages.count);
    ++counted;
  }
  if (counted == 2) out.number("gpu.retired_pages"_id, named.subject, sum);
}

Result<void> record_gpu(Recorder& out, const QueryLog& log, const Named& named) {
  const QueryGpu& gpu = *named.gpu;
  const auto cells = last_cells(gpu);
  const FindCell find = [&](std::string_view name) -> std::optional<Cell> {
    const auto at = log.header().find(name);
    if (!at || *at >= cells.size()) return {};
    return Cell{cells[*at], log.header().units[*at], gpu.last_line};
  };
  if (&gpu == log.last()) {
    if (const auto time = find("timestamp")) out.when(printable(time->text.substr(0, 80)));
    GPUVET_CHECK(record_query_node(out, find));
  }
  record_identity(out, log, named);
  GPUVET_CHECK(record_query_gpu(out, named.subject, find));
  record_pages(out, named);
  out.line(gpu.last_line);
  out.flag("gpu.lost"_id, named.subject, gpu.lost || std::ranges::any_of(cells, says_lost));
  if (gpu.jumps > 0)
    out.detail("the log's clock was set back " + std::to_string(gpu.jumps) +
               " times; each counts as a gap of that length");
  return {};
}

std::string_view without_bom(std::string_view line) {
  return line.substr(0, 3) == "\xef\xbb\xbf" ? line.substr(3) : line;
}

Result<void> read(ByteSource& source, Recorder& out) {
  WatchedSource watched{source};
  LineReader lines{watched};
  auto line = lines.next();
  if (lines.error()) return tl::make_unexpected(*lines.error());
  const std::string header(line ? trim(without_bom(*line)) : std::string_view());
  if (!looks_like_query_header(header))
    return fail(Errc::malformed, "no header of nvidia-smi --query-gpu", 1);
  QueryLog log{parse_query_header(header)};
  const auto columns = static_cast<std::ptrdiff_t>(log.header().names.size());

  bool cut_off = false;
  while ((line = lines.next())) {
    // A logger that was started again prints its header again.
    if (line->empty() || (line->front() == header.front() && trim(*line) == header)) continue;
    auto read = log.row(*line, lines.line());
    if (read) continue;
    // A logger that was killed leaves half a row.
    const bool too_few = std::count(line->begin(), line->end(), ',') + 1 < columns;
    cut_off = too_few && !lines.next() && !lines.error() && watched.ends_inside_line();
    if (!cut_off) return read;
    break;
  }
  if (lines.error()) return tl::make_unexpected(*lines.error());
  if (log.last() == nullptr)
    return fail(Errc::malformed, "no data row below the header", lines.line());

  GPUVET_TRY(const auto gpus, name_gpus(log));
  out.tool("nvidia-smi --query-gpu");
  for (const Named& named : gpus) {
    GPUVET_CHECK(record_gpu(out, log, named));
    if (cut_off && &named == &gpus.back()) {
      const std::string& said = out.evidence().observations.back().detail;
      out.detail((said.empty() ? "" : said + "; ") + "the log's last line is cut off and left out");
    }
    SeriesBinner& series = named.gpu->series;
    if (series.samples() > 1) out.table(series.table("thermal.log", named.subject));
    series = SeriesBinner{};
  }
  return {};
}

bool recognises(std::string_view head) {
  return looks_like_query_header(without_bom(head.substr(0, head.find('\n'))));
}

}  // namespace

Importer nvidia_smi_query_csv() {
  return {"nvidia_smi_query_csv", "nvidia-smi --query-gpu",
          "nvidia-smi --query-gpu=timestamp,index,uuid,pci.bus_id,name,temperature.gpu,"
          "temperature.memory,utilization.gpu,power.draw,clocks.current.sm,"
          "clocks_event_reasons.active --format=csv -l 1 > thermal.csv",
          recognises, read};
}

}  // namespace gpuvet::ingest
