// SPDX-License-Identifier: Apache-2.0
// `nvidia-smi -q`: the report as indented text, whole or in excerpts: one section of each GPU (-d),
// parts cut out by hand, sections that lost the line that names their GPU. Nothing marks its end.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <memory>
#include <unordered_map>
#include <utility>

#include "core/text.hpp"
#include "ingest/importer.hpp"
#include "ingest/nvidia_smi_q_names.hpp"
#include "ingest/nvidia_smi_report.hpp"

namespace gpuvet::ingest {

Importer nvidia_smi_q();

namespace {

constexpr std::size_t most_gpus = 1024;
constexpr std::size_t deepest = 16;        // nvidia-smi needs 5
constexpr std::size_t longest_label = 64;  // nvidia-smi needs 40
constexpr std::size_t longest_value = 300;

/// A GPU whose excerpt doesn't say which one it is.
constexpr const char* unnamed = "gpu:unnamed";

struct Said {
  std::string value;
  std::size_t line = 0;
};
using Cells = std::unordered_map<std::string, Said>;

struct Section {
  std::size_t line = 0;
  std::string pci;
  Cells cells;
  bool lost = false, elided = false;
  std::size_t instances = 0;                        ///< of MIG
  std::vector<std::string> broken;                  ///< groups with lines left out
  std::optional<ReportGpu::Count> processes;        ///< that compute
  std::optional<std::size_t> mig_mode, behind_mig;  ///< lines
};

/// "Label : value". The first colon with a blank or the end on either side: values hold others
/// ("C:\Windows"), and people who retype an excerpt lose blanks.
struct Split {
  std::string_view label;
  std::optional<std::string_view> value;
};
Split split_line(std::string_view line) {
  for (auto at = line.find(':'); at != line.npos; at = line.find(':', at + 1)) {
    const bool before = at > 0 && line[at - 1] == ' ';
    const bool after = at + 1 == line.size() || line[at + 1] == ' ';
    if (before || after) return {trim(line.substr(0, at)), trim(line.substr(at + 1))};
  }
  return {trim(line), {}};
}

/// "...", "[...]", "<snip>": somebody left out lines.
bool is_elision(std::string_view text) {
  return text == "[...]" || text == "\u2026" || text == "[\u2026]" || text == "<snip>" ||
         (text.size() > 1 && text.find_first_not_of('.') == text.npos);
}

/// The address in the line "GPU 00000000:1B:00.0" that begins a GPU.
std::optional<std::string> gpu_heading(std::string_view text) {
  if (text.substr(0, 4) != "GPU " || text.size() > 32) return {};
  const auto address = trim(text.substr(4));
  if (std::ranges::count(address, ':') != 2) return {};
  return gpuvet::pci_address(address);
}

constexpr std::array failures{
    std::string_view("Failed to initialize NVML"),
    std::string_view("NVIDIA-SMI has failed because"),
    std::string_view("No devices were found"),
};

bool is_failure(std::string_view text) {
  return std::ranges::any_of(failures, [&](auto f) { return text.substr(0, f.size()) == f; });
}

bool is_banner(std::string_view text) {
  return text.substr(0, 4) == "====" && contains(text, "==NVSMI LOG==");
}

/// Volta and older count errors by location; "Total" comes last.
bool is_total(std::string_view name) { return name.ends_with("_bit/total"); }

/// Takes out the locations of a group that has lost some, since their sum would be too small.
void drop_partial_sums(Section& gpu) {
  for (const std::string_view group : {"ecc/volatile/single_bit", "ecc/volatile/double_bit",
                                       "ecc/aggregate/single_bit", "ecc/aggregate/double_bit"}) {
    const std::string name(group);
    if (gpu.cells.contains(name + "/total") &&
        std::ranges::find(gpu.broken, name) == gpu.broken.end())
      continue;
    std::erase_if(gpu.cells, [&](const auto& cell) {
      return cell.first.starts_with(name + "/") && cell.first != name + "/device_memory";
    });
  }
}

/// Takes a report line by line.
class Report {
 public:
  Result<void> feed(std::string_view raw, std::size_t line) {
    last_ = nullptr;
    const std::string stripped = strip_escapes(raw);
    std::string_view text = stripped;
    if (line == 1 && text.substr(0, 3) == "\xef\xbb\xbf") text.remove_prefix(3);
    const std::size_t indent = std::min(text.find_first_not_of(" \t"), text.size());
    text = trim(text);
    if (text.empty()) return {};
    if (is_banner(text)) return ++banners, Result<void>{};
    if (is_failure(text) && !failure) failure = {std::string(text), line};
    if (auto note = report_note(text, line); note && notes.size() < most_gpus)
      return notes.push_back(*std::move(note)), Result<void>{};
    if (is_elision(text)) {
      if (!gpus.empty()) leave_out(gpus.back(), indent);
      return {};
    }
    if (auto address = gpu_heading(text)) return begin_gpu(*std::move(address), indent, line);
    return take(split_line(text), indent, line);
  }

  /// The last line has no end and may be cut off: it stands only if its value can't be the
  /// beginning of another.
  void cut_off() {
    constexpr std::array<std::string_view, 6> whole{"Yes",     "N/A",      "None",
                                                    "Enabled", "Disabled", "Active"};
    if (last_ != nullptr && std::ranges::find(whole, last_->value) == whole.end())
      last_cells_->erase(last_name_);
    last_ = nullptr;
  }

  std::vector<Section> gpus;
  Cells node;
  std::optional<Section> nameless;
  std::vector<ReportNote> notes;
  std::optional<Said> failure;
  std::size_t banners = 0;

 private:
  struct Level {
    std::size_t indent;
    std::string name;
  };

  Result<void> begin_gpu(std::string address, std::size_t indent, std::size_t line) {
    if (reports_ > 1 || banners > 1)
      return fail(Errc::malformed, "a second report: give one report a file", line);
    if (gpus.size() == most_gpus) return fail(Errc::too_large, "more than 1024 GPUs", line);
    Section& gpu = gpus.emplace_back();
    gpu.line = line;
    gpu.pci = std::move(address);
    levels_.assign(1, {indent, ""});
    return {};
  }

  /// Lists and sums that lost lines can't be counted any more. People write their dots anywhere, so
  /// they don't end a GPU, whatever their indent.
  void leave_out(Section& gpu, std::size_t indent) {
    gpu.elided = true;
    while (levels_.size() > 1 && levels_.back().indent >= indent) levels_.pop_back();
    for (const Level& level : levels_) {
      if (level.name == "processes" && !gpu.cells.contains("processes")) gpu.processes.reset();
      if (level.name.ends_with("_bit")) gpu.broken.push_back(level.name);
    }
  }

  Result<void> take(Split said, std::size_t indent, std::size_t line) {
    while (!levels_.empty() && levels_.back().indent >= indent) levels_.pop_back();
    if (said.label.empty() || said.label.size() > longest_label || levels_.size() >= deepest)
      return {};
    // Below a GPU's line the outermost level is the GPU's own, with an empty name.
    const bool inside = !levels_.empty() && levels_.front().name.empty();
    const std::string_view above = levels_.empty() ? std::string_view{} : levels_.back().name;
    std::string name = report_name(above, said.label);
    if (inside) {
      GPUVET_CHECK(keep(gpus.back(), name, said.value, line));
    } else if (levels_.empty() && said.value) {
      take_node(name, *said.value, line);
    } else if (gpus.empty() && said.value && report_wants(name)) {
      if (!nameless) nameless.emplace().line = line;
      if (nameless->cells.contains(name))
        return fail(Errc::malformed, "the same section twice, without the line that names its GPU",
                    line);
      GPUVET_CHECK(keep(*nameless, name, said.value, line));
    }
    levels_.push_back({indent, std::move(name)});
    return {};
  }

  void take_node(const std::string& name, std::string_view value, std::size_t line) {
    if (name == "timestamp" && !gpus.empty()) ++reports_;
    // "610.62 [Deprecated; will be removed in CUDA 14.0. Use KMD Version instead]"
    if (const auto remark = value.find(" ["); remark != value.npos) value = value.substr(0, remark);
    for (const std::string_view wanted : {"timestamp", "driver_version", "cuda_version",
                                          "kmd_version", "cuda_umd_version", "attached_gpus"})
      if (name == wanted) put(node, name, value, line);
  }

  static Result<void> twice(std::size_t line) {
    return fail(Errc::malformed, "the same section twice, without the line that names its GPU",
                line);
  }

  Result<void> keep(Section& gpu, const std::string& name, std::optional<std::string_view> value,
                    std::size_t line) {
    if (value) gpu.lost = gpu.lost || says_lost(*value);
    if (gpu.mig_mode && !gpu.behind_mig && name.substr(0, 4) != "mig_") gpu.behind_mig = line;
    if (name == "mig_mode") gpu.mig_mode = line;
    if (name == "mig_device") ++gpu.instances;
    if (name == "processes" && (!value || *value == "None")) gpu.processes = {0, line};
    if (gpu.processes && name == "processes/process_id") ++gpu.processes->number;
    if (gpu.processes && value && name == "processes/process_id/type" && !type_computes(*value))
      gpu.processes->number -= std::min<std::size_t>(gpu.processes->number, 1);
    if (!value || !(report_wants(name) || is_total(name))) return {};
    // Two labels mean the part number; any other cell that comes again is another GPU's.
    if (gpu.elided && gpu.cells.contains(name) && name != "board_part_number") return twice(line);
    put(gpu.cells, name, *value, line);
    return {};
  }

  void put(Cells& cells, const std::string& name, std::string_view value, std::size_t line) {
    const auto [at, added] =
        cells.try_emplace(name, Said{std::string(value.substr(0, longest_value)), line});
    if (!added) return;
    last_ = &at->second;
    last_cells_ = &cells;
    last_name_ = name;
  }

  std::vector<Level> levels_;
  std::size_t reports_ = 1;
  Said* last_ = nullptr;  ///< the cell of the line fed last, if it was one
  Cells* last_cells_ = nullptr;
  std::string last_name_;
};

/// Cells by name; a group that isn't there says so in place of its cells: "Remapped Rows : N/A".
std::optional<Cell> find_in(const Cells& cells, std::string_view name) {
  for (auto end = name.size(); end != name.npos; end = name.substr(0, end).rfind('/')) {
    const auto found = cells.find(std::string(name.substr(0, end)));
    if (found == cells.end()) continue;
    const Said& said = found->second;
    if (end != name.size() && !absence_in(said.value)) return {};
    return Cell{said.value, {}, said.line};
  }
  return {};
}

/// `section` must outlive what is returned.
ReportGpu report_gpu(const Section& section, std::optional<std::size_t> index) {
  ReportGpu gpu;
  gpu.find = [&cells = section.cells](std::string_view name) { return find_in(cells, name); };
  gpu.pci = section.pci;
  if (const auto bus = gpu.find("pci/pci_bus_id"); bus && gpu.pci.empty())
    gpu.pci = gpuvet::pci_address(bus->text).value_or("");
  if (const auto uuid = section.cells.find("uuid"); uuid != section.cells.end()) {
    gpu.uuid = uuid->second.value;
    gpu.uuid_line = uuid->second.line;
  }
  gpu.line = section.line;
  gpu.index = index;
  gpu.lost = section.lost;
  gpu.compute_processes = section.processes;
  // Instances stand right behind the mode. None of them is none only if what follows is there.
  if (section.mig_mode && (section.instances > 0 || (section.behind_mig && !section.elided)))
    gpu.mig_instances = {section.instances, *section.mig_mode};
  return gpu;
}

/// The GPUs attached, as the report counts them; another number when it shows more.
Result<std::optional<double>> record_attached(const Report& report, const FindCell& find,
                                              Recorder& out) {
  std::optional<double> attached;
  if (const auto cell = find("attached_gpus")) {
    GPUVET_TRY(attached, read_number("node.gpu.attached"_id, *cell));
  }
  // Fewer are an excerpt, or one GPU asked for with -i.
  const auto shown = static_cast<double>(report.gpus.size());
  if (!attached || shown <= *attached) return attached;
  out.line(report.gpus.front().line);
  out.number("node.gpu.attached"_id, "node", shown);
  out.detail("GPU lines counted");
  return attached;
}

Result<void> check_content(const Report& report, std::optional<double> attached,
                           std::size_t last_line) {
  if (!report.gpus.empty() || report.nameless || !report.notes.empty() || attached == 0.0)
    return {};
  if (report.failure)
    return fail(Errc::vendor_failure,
                fmt::format("nvidia-smi printed an error instead of a report: {}; run it where the "
                            "driver works",
                            printable(report.failure->value.substr(0, 120))),
                report.failure->line);
  return fail(Errc::malformed,
              attached ? "no GPU follows: the file is cut off, or shows units only"
                       : "no GPU and no section of one",
              last_line);
}

/// Remembers how the source ends.
class EndWatch final : public ByteSource {
 public:
  explicit EndWatch(ByteSource& source) : source_{source} {}
  Result<std::size_t> read(char* to, std::size_t room) override {
    auto got = source_.read(to, room);
    if (got && *got > 0) last_ = to[*got - 1];
    return got;
  }
  [[nodiscard]] bool mid_line() const { return last_ != '\n'; }

 private:
  ByteSource& source_;
  char last_ = '\n';
};

Result<void> read(ByteSource& source, Recorder& out) {
  EndWatch watched{source};
  LineReader lines{watched};
  Report report;
  while (const auto line = lines.next()) GPUVET_CHECK(report.feed(*line, lines.line()));
  if (lines.error()) return tl::make_unexpected(*lines.error());
  if (watched.mid_line()) report.cut_off();
  for (Section& gpu : report.gpus) drop_partial_sums(gpu);
  if (report.nameless) drop_partial_sums(*report.nameless);

  out.tool("nvidia-smi -q");
  const FindCell find = [&](std::string_view name) { return find_in(report.node, name); };
  if (const auto time = find("timestamp")) out.when(printable(time->text.substr(0, 80)));
  GPUVET_CHECK(record_report_node(out, find));
  GPUVET_TRY(const auto attached, record_attached(report, find, out));
  GPUVET_CHECK(check_content(report, attached, lines.line()));

  const bool all = attached == static_cast<double>(report.gpus.size());
  std::vector<ReportGpu> gpus;
  for (const Section& section : report.gpus)
    gpus.push_back(report_gpu(section, all ? std::optional(gpus.size()) : std::nullopt));
  GPUVET_CHECK(record_report_gpus(out, gpus, report.notes));
  if (!report.nameless) return {};
  out.line(report.nameless->line);
  if (report.nameless->lost) out.flag("gpu.lost"_id, unnamed, true);
  return record_report_cells(out, report_gpu(*report.nameless, {}), unnamed);
}

/// The banner, a GPU's line with one of its cells below, a cell of a section that stands alone, or
/// an error message and nothing before it.
bool recognises(std::string_view head) {
  Report report;
  std::size_t line = 0;
  bool first = true;
  while (!head.empty()) {
    const auto end = std::min(head.find('\n'), head.size());
    const auto text = head.substr(0, end);
    if (text.size() <= 8192 && !report.feed(text, ++line)) return false;
    if (report.banners > 0) return true;
    if (!report.gpus.empty() && !report.gpus.back().cells.empty()) return true;
    if (report.nameless)
      for (const auto& [name, said] : report.nameless->cells)
        if (contains(name, "/")) return true;
    if (report.failure && first) return true;
    first = first && (trim(text).empty() || contains(text, "nvidia-smi"));
    head.remove_prefix(std::min(end + 1, head.size()));
  }
  return false;
}

}  // namespace

Importer nvidia_smi_q() {
  return {"nvidia_smi_q", "nvidia-smi -q", "nvidia-smi -q > nvidia-smi.txt", recognises, read};
}

}  // namespace gpuvet::ingest
