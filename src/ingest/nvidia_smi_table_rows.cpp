// SPDX-License-Identifier: Apache-2.0
// Widths changed with every driver generation, so cells are told apart by '|' and by their order.
#include "ingest/nvidia_smi_table_rows.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <utility>

#include "core/text.hpp"
#include "ingest/importer.hpp"

namespace gpuvet::ingest {
namespace {

constexpr std::size_t most_gpus = 1024;
constexpr std::size_t longest_cell = 120;

/// What follows `label` up to the next two blanks: "CUDA Version: 13.0     |" -> "13.0".
std::optional<std::string_view> labelled(std::string_view line, std::string_view label) {
  const auto at = line.find(label);
  if (at == line.npos) return {};
  const auto tokens = words(line.substr(at + label.size()).substr(0, longest_cell));
  if (tokens.empty() || tokens[0] == "|") return std::string_view{};
  return tokens[0];
}

/// The text from the first to before the last of some words of one line.
std::string_view spanning(const std::vector<std::string_view>& tokens, std::size_t from,
                          std::size_t to) {
  if (from >= to || to > tokens.size()) return {};
  const char* end = tokens[to - 1].data() + tokens[to - 1].size();
  return {tokens[from].data(), static_cast<std::size_t>(end - tokens[from].data())};
}

/// "Enabled*": a change that waits for a reset.
std::string_view without_star(std::string_view text) {
  if (text.ends_with('*')) text.remove_suffix(1);
  return trim(text);
}

bool is_error(std::string_view text) { return text == "ERR!"; }

}  // namespace

bool starts_smi_table(std::string_view line) {
  line = trim(line);
  return line.starts_with("| NVIDIA-SMI ") &&
         (contains(line, "Driver Version:") || contains(line, "KMD Version:"));
}

Result<void> SmiTable::line(std::string_view text, std::size_t number) {
  if (starts_smi_table(text)) return begin(text, number);
  if (part_ == Part::none && !(text.starts_with("| GPU ") && contains(text, "Bus-Id"))) {
    if (seen()) title(text, number);
    return {};
  }
  if (text.starts_with('+') || text.starts_with("|-") || text.starts_with("|=")) {
    if (part_ == Part::gpus) {
      GPUVET_CHECK(whole_block(number));
    }
    rule(text, number);
    return {};
  }
  if (!text.starts_with('|')) {
    if (part_ == Part::gpus) return whole_block(number);
    return {};
  }
  if (part_ == Part::gpus && !text.starts_with("| Processes:") && !text.starts_with("| MIG ") &&
      !text.starts_with("| GPU "))
    return gpu_row(text, number);
  title(text, number);
  return {};
}

Result<void> SmiTable::begin(std::string_view text, std::size_t number) {
  if (part_ == Part::gpus) {
    GPUVET_CHECK(whole_block(number));
  }
  // `watch` and `-l` print table after table; the last counts.
  std::vector<std::string> addresses;
  for (const Gpu& gpu : gpus_) addresses.push_back(gpu.pci);
  if (!addresses.empty()) earlier_ = std::move(addresses);
  gpus_.clear();
  node_.clear();
  mig_ = processes_ = {};
  part_ = Part::none;
  header_line_ = number;
  version_ = printable(labelled(text, "| NVIDIA-SMI ").value_or(""));
  for (const auto& [name, label] :
       {std::pair{"driver_version", "Driver Version:"}, std::pair{"kmd_version", "KMD Version:"},
        std::pair{"cuda_version", "CUDA Version:"},
        std::pair{"cuda_umd_version", "CUDA UMD Version:"}})
    if (const auto value = labelled(text, label)) node_[name] = {std::string(*value), number};
  if (!text.ends_with('|'))
    return fail(Errc::malformed, "the first line of the table breaks off", number);
  return {};
}

/// Title rows, and rows of the lists below the GPUs.
void SmiTable::title(std::string_view text, std::size_t number) {
  if (text.starts_with("| GPU ") && contains(text, "Bus-Id")) {
    part_ = Part::titles;
    rows_due_ = 1;
  } else if (text.starts_with("| MIG devices:")) {
    part_ = Part::mig;
    mig_ = {number, 0};
  } else if (text.starts_with("| Processes:")) {
    part_ = Part::processes;
    processes_ = {number, 0};
    mig_ids_ = false;
  } else if (part_ == Part::titles) {
    ++rows_due_;
  } else if (part_ == Part::mig) {
    mig_device(text);
  } else if (part_ == Part::processes) {
    mig_ids_ = mig_ids_ || (contains(text, " GPU ") && contains(text, " CI "));
    process(text);
  }
}

void SmiTable::rule(std::string_view text, std::size_t number) {
  if (part_ == Part::titles && text.starts_with("|=")) {
    part_ = Part::gpus;
    rows_ = 0;
  }
  if (!text.starts_with('+')) return;
  if (part_ == Part::mig) mig_.closed = number;
  if (part_ == Part::processes) processes_.closed = number;
}

Result<void> SmiTable::whole_block(std::size_t number) const {
  if (rows_ % rows_due_ == 0) return {};
  return fail(Errc::malformed,
              fmt::format("the table breaks off in the rows of GPU {}", gpus_.back().index),
              number);
}

Result<void> SmiTable::gpu_row(std::string_view text, std::size_t number) {
  auto cells = split(text, '|');
  if (cells.size() != 5 || !cells.front().empty() || !cells.back().empty())
    return fail(Errc::malformed, "a row of the table has not three cells", number);
  cells = {trim(cells[1]), trim(cells[2]), trim(cells[3])};
  const std::size_t row = rows_++ % rows_due_;
  if (row == 0) return first_row(cells, number);
  if (row == 1) second_row(cells, number);
  if (row == 2) put("mig_mode/current_mig", without_star(cells[2]), number);
  return {};
}

/// "0  NVIDIA A100 80G...  Off | 00000000:41:00.0 Off | 0"
Result<void> SmiTable::first_row(const std::vector<std::string_view>& cells, std::size_t number) {
  if (gpus_.size() == most_gpus) return fail(Errc::too_large, "more than 1024 GPUs", number);
  const auto who = words(cells[0]), where = words(cells[1]);
  const auto index = who.empty() ? std::nullopt : parse_integer(who[0]);
  if (!index || *index < 0 || *index > 99'999 || who.size() < 3 || where.empty())
    return fail(Errc::malformed, "the first row of a GPU lacks index, name or address", number);
  Gpu gpu;
  gpu.index = static_cast<std::size_t>(*index);
  gpu.line = number;
  gpu.pci = pci_address(where[0]).value_or("");
  gpu.name = printable(spanning(who, 1, who.size() - 1).substr(0, longest_cell));
  gpus_.push_back(std::move(gpu));
  // Names are cut to the column's width; a cut name would contradict the whole one.
  if (!gpus_.back().name.ends_with("...")) put("product_name", gpus_.back().name, number);
  // On Windows this column holds the driver's model: WDDM, TCC, MCDM.
  const std::string_view persistence = who.back();
  if (persistence == "On" || persistence == "Off")
    put("persistence_mode", persistence == "On" ? "Enabled" : "Disabled", number);
  else if (absence_in(persistence))
    put("persistence_mode", persistence, number);
  if (where.size() > 1) {
    const std::string_view display = where[1];
    put("display_active",
        display == "On"    ? "Enabled"
        : display == "Off" ? "Disabled"
                           : display,
        number);
  }
  // A count, or "On" where MIG hides it: either way ECC is on.
  const std::string_view ecc = without_star(cells[2]);
  const bool counted = parse_integer(ecc).value_or(-1) >= 0;
  if (counted) put("uncorrected", ecc, number);
  put("ecc_mode/current_ecc",
      counted || ecc == "On" ? "Enabled"
      : ecc == "Off"         ? "Disabled"
                             : ecc,
      number);
  return {};
}

/// "N/A  25C  P0   59W / 500W | 1MiB / 81920MiB | 0%  Default"
void SmiTable::second_row(const std::vector<std::string_view>& cells, std::size_t number) {
  const auto now = words(cells[0]);
  const auto slash = static_cast<std::size_t>(std::ranges::find(now, "/") - now.begin());
  put("temperature/gpu_temp", now.size() > 1 ? now[1] : "ERR!", number);
  put("performance_state", now.size() > 2 ? now[2] : "ERR!", number);
  const bool power = slash > 3 && slash + 1 < now.size();
  put("power/power_draw", power ? spanning(now, 3, slash) : "ERR!", number);
  put("power/power_limit", power ? spanning(now, slash + 1, now.size()) : "ERR!", number);

  const auto half = cells[1].find(" / ");  // "Not Supported" alone where CPU and GPU share memory
  put("fb_memory_usage/used", cells[1].substr(0, half), number);
  put("fb_memory_usage/total", half == cells[1].npos ? cells[1] : trim(cells[1].substr(half + 3)),
      number);

  const auto use = words(cells[2]);
  put("utilization/gpu_util", use.empty() ? "ERR!" : use[0], number);
  const std::string_view mode = spanning(use, 1, use.size());
  put("compute_mode",
      mode == "E. Process"  ? "Exclusive_Process"
      : mode == "E. Thread" ? "Exclusive_Thread"
                            : mode,
      number);
}

void SmiTable::put(std::string_view name, std::string_view text, std::size_t number) {
  gpus_.back().cells.insert_or_assign(
      std::string(name), Text{std::string(trim(text).substr(0, longest_cell)), number});
}

SmiTable::Gpu* SmiTable::find(std::string_view index) {
  const auto number = parse_integer(index);
  if (!number || *number < 0) return nullptr;
  const auto wanted = static_cast<std::size_t>(*number);
  // Nearly always the position.
  if (wanted < gpus_.size() && gpus_[wanted].index == wanted) return &gpus_[wanted];
  const auto found = std::ranges::find(gpus_, wanted, &Gpu::index);
  return found == gpus_.end() ? nullptr : &*found;
}

/// "|    0   N/A  N/A   11345   C   ./gpu_burn   15690MiB |"; GI and CI are missing in old drivers.
void SmiTable::process(std::string_view text) {
  const auto tokens = words(text.substr(0, 4 * longest_cell));
  if (tokens.size() < 3) return;
  Gpu* gpu = find(tokens[1]);
  if (gpu == nullptr) return;
  const std::size_t type = mig_ids_ ? 5 : 3;
  if (contains(text, "Not Supported"))
    gpu->processes_unknown = true;
  else if (tokens.size() > type)
    gpu->processes += type_computes(tokens[type]) ? 1U : 0U;
}

/// "|  0    7   0   0  |  5MiB / 4864MiB | …": the row below it has an empty first cell.
void SmiTable::mig_device(std::string_view text) {
  const auto cells = split(text.substr(0, 4 * longest_cell), '|');
  const auto ids = words(cells.size() > 1 ? cells[1] : std::string_view{});
  if (ids.size() != 4 || std::ranges::any_of(ids, [](auto id) { return !parse_integer(id); }))
    return;
  if (Gpu* gpu = find(ids[0])) ++gpu->mig_devices;
}

Result<void> SmiTable::finish(std::size_t number) {
  if (!seen()) return {};
  if (part_ == Part::gpus) {
    GPUVET_CHECK(whole_block(number));
  }
  if (gpus_.empty()) return fail(Errc::malformed, "the table shows no GPU", number);
  // Tables of other machines in the same file would pass for this one's; a GPU may get lost.
  const bool same = earlier_.empty() || std::ranges::all_of(gpus_, [&](const Gpu& gpu) {
                      return std::ranges::find(earlier_, gpu.pci) != earlier_.end();
                    });
  if (!same)
    return fail(Errc::malformed,
                "the last table shows other GPUs than the one before: give one machine a file",
                header_line_);
  return {};
}

/// All GPUs, not those of `-i`: ordinals without a hole, or with holes that are explained.
bool SmiTable::complete(const std::vector<ReportNote>& notes) const {
  const bool explained = std::ranges::any_of(
      notes, [](const ReportNote& note) { return note.says == ReportNote::Says::lost; });
  for (std::size_t i = 0; i < gpus_.size(); ++i)
    if (gpus_[i].index != i && !explained) return false;
  return processes_.begun > 0 || mig_.begun > 0;
}

ReportGpu SmiTable::report(const Gpu& gpu, bool ordinals) const {
  ReportGpu out;
  out.pci = gpu.pci;
  out.line = gpu.line;
  if (ordinals) out.index = gpu.index;
  const auto text = [&](std::string_view name) {
    const auto found = gpu.cells.find(name);
    return found == gpu.cells.end() ? std::string_view{} : std::string_view(found->second.text);
  };
  // Not one sensor but all: the driver can't talk to it any more.
  out.lost = is_error(text("temperature/gpu_temp")) && is_error(text("performance_state")) &&
             is_error(text("utilization/gpu_util"));
  if (mig_.closed > 0)
    out.mig_instances = {gpu.mig_devices, mig_.begun};
  else if (mig_.begun == 0 && text("mig_mode/current_mig") == "Disabled")
    out.mig_instances = {0, gpu.line};
  if (processes_.closed > 0 && !gpu.processes_unknown)
    out.compute_processes = {gpu.processes, processes_.begun};
  const auto cells = std::make_shared<decltype(gpu.cells)>(gpu.cells);
  out.find = [cells](std::string_view name) -> std::optional<Cell> {
    const auto found = cells->find(name);
    if (found == cells->end()) return {};
    return Cell{found->second.text, {}, found->second.line};
  };
  return out;
}

std::string SmiTable::subject(const Gpu& gpu, std::size_t position) const {
  GpuNames names{{}, {}, position};
  if (std::ranges::count(gpus_, gpu.pci, &Gpu::pci) == 1) names.pci = gpu.pci;
  return gpu_subject(names);
}

Result<void> SmiTable::record(Recorder& out, const std::vector<ReportNote>& notes) const {
  GPUVET_CHECK(record_report_node(out, [&](std::string_view name) -> std::optional<Cell> {
    const auto found = node_.find(name);
    if (found == node_.end()) return {};
    return Cell{found->second.text, {}, found->second.line};
  }));
  const bool all = complete(notes);
  if (all) {
    out.line(gpus_.front().line);
    out.number("node.gpu.attached"_id, "node", static_cast<double>(gpus_.size()));
  }
  std::vector<ReportGpu> reports;
  for (const Gpu& gpu : gpus_) reports.push_back(report(gpu, all));
  GPUVET_CHECK(record_report_gpus(out, reports, notes));
  for (std::size_t i = 0; i < gpus_.size(); ++i) record_rest(out, gpus_[i], subject(gpus_[i], i));
  return {};
}

/// What the XML has no like of.
void SmiTable::record_rest(Recorder& out, const Gpu& gpu, const std::string& who) const {
  out.line(gpu.line);
  if (gpu.name.ends_with("..."))
    out.absent("gpu.name"_id, who, Absence::malformed, "cut off in the table: " + gpu.name);
  if (const auto total = gpu.cells.find("uncorrected"); total != gpu.cells.end())
    out.number("gpu.ecc.volatile.uncorrected"_id, who,
               static_cast<double>(parse_integer(total->second.text).value_or(0)));
  out.line(processes_.begun);
  if (gpu.processes_unknown)
    out.absent("gpu.processes"_id, who, Absence::not_supported);
  else if (processes_.begun > 0 && processes_.closed == 0)
    out.absent("gpu.processes"_id, who, Absence::malformed, "the list of processes is cut off");
}

}  // namespace gpuvet::ingest
