// SPDX-License-Identifier: Apache-2.0
// `nvidia-smi -q -x`: one report of every GPU, in the schemas nvsmi_device v10 to v13 and in logs
// that lost their DOCTYPE. Schemas are not told apart: each id names all the places it ever had.
#include <algorithm>
#include <array>
#include <map>
#include <pugixml.hpp>
#include <set>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "core/text.hpp"
#include "ingest/importer.hpp"
#include "ingest/nvidia_smi_fields.hpp"

namespace gpuvet::ingest {

Importer nvidia_smi_xml();

namespace {

constexpr std::size_t largest_file = std::size_t{32} << 20;
constexpr std::size_t most_gpus = 1024;
constexpr std::size_t deepest = 64;            // nvidia-smi needs 7
constexpr std::size_t most_nodes = 1'000'000;  // 8 GPUs need 10,000

using enum CellKind;

/// Below <nvidia_smi_log>.
constexpr std::array node_fields{
    Field{"node.driver.version"_id, text, "driver_version"},
    Field{"node.cuda.version"_id, text, "cuda_version"},
    Field{"node.gpu.attached"_id, number, "attached_gpus"},
};

// clang-format off
/// Below <gpu>. Never the module_power_readings (GPU and Grace together), and never the
/// *_tlimit_threshold elements, which are margins and not temperatures.
constexpr std::array gpu_fields{
    Field{"gpu.name"_id, text, "product_name"},
    Field{"gpu.architecture"_id, text, "product_architecture"},
    Field{"gpu.serial"_id, text, "serial"},
    Field{"gpu.vbios.version"_id, text, "vbios_version"},
    Field{"gpu.part_number"_id, text, "board_part_number"},
    Field{"gpu.persistence"_id, flag, "persistence_mode"},
    Field{"gpu.mig.mode"_id, flag, "mig_mode/current_mig"},
    Field{"gpu.recovery_action"_id, text, "gpu_recovery_action"},
    Field{"gpu.pci.device_id"_id, device_id, "pci/pci_device_id"},
    Field{"gpu.pcie.generation"_id, number, "pci/pci_gpu_link_info/pcie_gen/current_link_gen"},
    Field{"gpu.pcie.generation.max"_id, number, "pci/pci_gpu_link_info/pcie_gen/max_link_gen"},
    Field{"gpu.pcie.width"_id, number, "pci/pci_gpu_link_info/link_widths/current_link_width"},
    Field{"gpu.pcie.width.max"_id, number, "pci/pci_gpu_link_info/link_widths/max_link_width"},
    Field{"gpu.pcie.replays"_id, number, "pci/replay_counter"},
    Field{"gpu.performance_state"_id, text, "performance_state"},
    Field{"gpu.clock_event.idle"_id, flag, "reasons/gpu_idle"},
    Field{"gpu.clock_event.applications_clocks"_id, flag, "reasons/applications_clocks_setting"},
    Field{"gpu.clock_event.sw_power_cap"_id, flag, "reasons/sw_power_cap"},
    Field{"gpu.clock_event.hw_slowdown"_id, flag, "reasons/hw_slowdown"},
    Field{"gpu.clock_event.hw_thermal"_id, flag, "reasons/hw_thermal_slowdown"},
    Field{"gpu.clock_event.hw_power_brake"_id, flag, "reasons/hw_power_brake_slowdown"},
    Field{"gpu.clock_event.sync_boost"_id, flag, "reasons/sync_boost"},
    Field{"gpu.clock_event.sw_thermal"_id, flag, "reasons/sw_thermal_slowdown"},
    Field{"gpu.clock_event.sw_power_cap.time"_id, number, "counters/sw_power_cap"},
    Field{"gpu.clock_event.sync_boost.time"_id, number, "counters/sync_boost"},
    Field{"gpu.clock_event.sw_thermal.time"_id, number, "counters/sw_therm_slowdown"},
    Field{"gpu.clock_event.hw_thermal.time"_id, number, "counters/hw_therm_slowdown"},
    Field{"gpu.clock_event.hw_power_brake.time"_id, number, "counters/hw_power_brake"},
    Field{"gpu.memory.total"_id, number, "fb_memory_usage/total"},
    Field{"gpu.memory.used"_id, number, "fb_memory_usage/used"},
    Field{"gpu.utilization"_id, number, "utilization/gpu_util"},
    Field{"gpu.utilization.memory"_id, number, "utilization/memory_util"},
    Field{"gpu.ecc.mode"_id, flag, "ecc_mode/current_ecc"},
    Field{"gpu.ecc.mode.pending"_id, flag, "ecc_mode/pending_ecc"},
    Field{"gpu.ecc.volatile.corrected.dram"_id, number,
          "ecc/volatile/dram_correctable | ecc/volatile/single_bit/device_memory"},
    Field{"gpu.ecc.volatile.uncorrected.dram"_id, number,
          "ecc/volatile/dram_uncorrectable | ecc/volatile/double_bit/device_memory"},
    Field{"gpu.ecc.aggregate.corrected.dram"_id, number,
          "ecc/aggregate/dram_correctable | ecc/aggregate/single_bit/device_memory"},
    Field{"gpu.ecc.aggregate.uncorrected.dram"_id, number,
          "ecc/aggregate/dram_uncorrectable | ecc/aggregate/double_bit/device_memory"},
    Field{"gpu.ecc.volatile.corrected.sram"_id, number,
          "ecc/volatile/sram_correctable"
          "| ecc/volatile/single_bit/register_file + ecc/volatile/single_bit/l1_cache"
          "+ ecc/volatile/single_bit/l2_cache + ecc/volatile/single_bit/texture_memory"
          "+ ecc/volatile/single_bit/texture_shm + ecc/volatile/single_bit/cbu"},
    Field{"gpu.ecc.volatile.uncorrected.sram"_id, number,
          "ecc/volatile/sram_uncorrectable"
          "| ecc/volatile/sram_uncorrectable_parity & ecc/volatile/sram_uncorrectable_secded"
          "| ecc/volatile/double_bit/register_file + ecc/volatile/double_bit/l1_cache"
          "+ ecc/volatile/double_bit/l2_cache + ecc/volatile/double_bit/texture_memory"
          "+ ecc/volatile/double_bit/texture_shm + ecc/volatile/double_bit/cbu"},
    Field{"gpu.ecc.aggregate.corrected.sram"_id, number,
          "ecc/aggregate/sram_correctable"
          "| ecc/aggregate/single_bit/register_file + ecc/aggregate/single_bit/l1_cache"
          "+ ecc/aggregate/single_bit/l2_cache + ecc/aggregate/single_bit/texture_memory"
          "+ ecc/aggregate/single_bit/texture_shm + ecc/aggregate/single_bit/cbu"},
    Field{"gpu.ecc.aggregate.uncorrected.sram"_id, number,
          "ecc/aggregate/sram_uncorrectable"
          "| ecc/aggregate/sram_uncorrectable_parity & ecc/aggregate/sram_uncorrectable_secded"
          "| ecc/aggregate/double_bit/register_file + ecc/aggregate/double_bit/l1_cache"
          "+ ecc/aggregate/double_bit/l2_cache + ecc/aggregate/double_bit/texture_memory"
          "+ ecc/aggregate/double_bit/texture_shm + ecc/aggregate/double_bit/cbu"},
    Field{"gpu.ecc.sram_threshold_exceeded"_id, flag, "ecc/aggregate/sram_threshold_exceeded"},
    Field{"gpu.retired_pages.single_bit"_id, number, "retired_pages/multiple_single_bit_retirement/retired_count"},
    Field{"gpu.retired_pages.double_bit"_id, number, "retired_pages/double_bit_retirement/retired_count"},
    Field{"gpu.retired_pages"_id, number,
          "retired_pages/multiple_single_bit_retirement/retired_count"
          "& retired_pages/double_bit_retirement/retired_count"},
    Field{"gpu.retired_pages.pending"_id, flag, "retired_pages/pending_retirement | retired_pages/pending_blacklist"},
    Field{"gpu.remap.correctable"_id, number, "remapped_rows/remapped_row_corr"},
    Field{"gpu.remap.uncorrectable"_id, number, "remapped_rows/remapped_row_unc"},
    Field{"gpu.remap.pending"_id, flag, "remapped_rows/remapped_row_pending"},
    Field{"gpu.remap.failure"_id, flag, "remapped_rows/remapped_row_failure"},
    Field{"gpu.remap.banks.max"_id, number, "remapped_rows/row_remapper_histogram/row_remapper_histogram_max"},
    Field{"gpu.remap.banks.high"_id, number, "remapped_rows/row_remapper_histogram/row_remapper_histogram_high"},
    Field{"gpu.remap.banks.partial"_id, number, "remapped_rows/row_remapper_histogram/row_remapper_histogram_partial"},
    Field{"gpu.remap.banks.low"_id, number, "remapped_rows/row_remapper_histogram/row_remapper_histogram_low"},
    Field{"gpu.remap.banks.none"_id, number, "remapped_rows/row_remapper_histogram/row_remapper_histogram_none"},
    Field{"gpu.temperature.core"_id, number, "temperature/gpu_temp"},
    Field{"gpu.temperature.memory"_id, number, "temperature/memory_temp"},
    Field{"gpu.temperature.margin"_id, number, "temperature/gpu_temp_tlimit"},
    Field{"gpu.temperature.limit.max_operating"_id, number, "temperature/gpu_temp_max_gpu_threshold"},
    Field{"gpu.temperature.limit.slowdown"_id, number, "temperature/gpu_temp_slow_threshold"},
    Field{"gpu.temperature.limit.shutdown"_id, number, "temperature/gpu_temp_max_threshold"},
    Field{"gpu.temperature.limit.memory"_id, number, "temperature/gpu_temp_max_mem_threshold"},
    Field{"gpu.power.draw"_id, number, "power/instant_power_draw | power/power_draw | power/average_power_draw"},
    Field{"gpu.power.limit"_id, number, "power/enforced_power_limit | power/current_power_limit | power/power_limit"},
    Field{"gpu.power.limit.default"_id, number, "power/default_power_limit"},
    Field{"gpu.power.limit.min"_id, number, "power/min_power_limit"},
    Field{"gpu.power.limit.max"_id, number, "power/max_power_limit"},
    Field{"gpu.clock.sm"_id, number, "clocks/sm_clock"},
    Field{"gpu.clock.memory"_id, number, "clocks/mem_clock"},
    Field{"gpu.clock.sm.max"_id, number, "max_clocks/sm_clock"},
    Field{"gpu.clock.memory.max"_id, number, "max_clocks/mem_clock"},
    Field{"gpu.fabric.state"_id, text, "fabric/state"},
    Field{"gpu.fabric.status"_id, text, "fabric/status"},
    Field{"gpu.fabric.health"_id, text, "fabric/health/summary"},
};
// clang-format on

/// Elements that were renamed from one schema to the next, by the name that the table uses.
std::string_view common_name(std::string_view element) {
  struct Renamed {
    std::string_view prefix, common;
    bool whole;
  };
  constexpr std::array renamed{
      Renamed{"ecc_errors", "ecc", true},
      // v10's board number; from v11 on the chip's, which comes second and so doesn't count.
      Renamed{"gpu_part_number", "board_part_number", true},
      Renamed{"gpu_power_readings", "power", true},
      Renamed{"power_readings", "power", true},
      Renamed{"clocks_event_reasons_counters", "counters", true},
      Renamed{"clocks_event_reasons", "reasons", true},
      Renamed{"clocks_throttle_reasons", "reasons", true},
      Renamed{"clocks_event_reasons_counters_", "", false},
      Renamed{"clocks_event_reason_", "", false},
      Renamed{"clocks_throttle_reason_", "", false},
  };
  for (const auto& r : renamed) {
    if (r.whole && element == r.prefix) return r.common;
    if (!r.whole && element.substr(0, r.prefix.size()) == r.prefix)
      return element.substr(r.prefix.size());
  }
  return element;
}

/// Byte offset -> line, over the text as it was before pugixml wrote into it.
class Lines {
 public:
  explicit Lines(std::string_view text) {
    for (auto at = text.find('\n'); at != text.npos; at = text.find('\n', at + 1))
      ends_.push_back(at);
  }
  [[nodiscard]] std::size_t at(std::ptrdiff_t offset) const {
    const auto found = std::ranges::lower_bound(
        ends_, static_cast<std::size_t>(std::max<std::ptrdiff_t>(offset, 0)));
    return static_cast<std::size_t>(found - ends_.begin()) + 1;
  }
  [[nodiscard]] std::size_t of(pugi::xml_node node) const { return at(node.offset_debug()); }

 private:
  std::vector<std::size_t> ends_;
};

/// The offset behind `token` from `from` on; the end when it never comes.
std::size_t behind(std::string_view text, std::string_view token, std::size_t from) {
  const auto at = text.find(token, from);
  return at == text.npos ? text.size() : at + token.size();
}

/// Refuses a tree that would be too deep or too big before there is one. What isn't XML passes
/// here and fails in the parser.
Result<void> check_shape(std::string_view text, const Lines& lines) {
  std::size_t open = 0, nodes = 0;
  for (auto at = text.find('<'); at < text.size(); at = text.find('<', at)) {
    const auto here = text.substr(at, 9);
    if (here.substr(0, 4) == "<!--")
      at = behind(text, "-->", at + 4);
    else if (here == "<![CDATA[")
      at = behind(text, "]]>", at + 9);
    else if (here.substr(0, 2) == "<?")
      at = behind(text, "?>", at + 2);
    else if (here.substr(0, 2) == "<!")
      at += 2;
    else if (here.substr(0, 2) == "</") {
      open -= open > 0 ? 1 : 0;
      at += 2;
    } else {
      const auto start = static_cast<std::ptrdiff_t>(at);
      char quote = 0;
      for (++at; at < text.size() && (quote != 0 || text[at] != '>'); ++at) {
        if (quote != 0)
          quote = text[at] == quote ? '\0' : quote;
        else if (text[at] == '"' || text[at] == '\'')
          quote = text[at];
        else if (text[at] == '=')
          ++nodes;
      }
      if (text[at - 1] != '/') ++open;
      if (++nodes > most_nodes)
        return fail(Errc::too_large, "more than a million elements and attributes",
                    lines.at(start));
      if (open > deepest)
        return fail(Errc::malformed, "more than 64 elements inside each other", lines.at(start));
    }
  }
  return {};
}

/// Every name in the tables' `from`, and every group that such a name goes through.
const std::unordered_set<std::string>& wanted_paths() {
  static const auto paths = [] {
    std::unordered_set<std::string> out{"uuid", "pci", "pci/pci_bus_id"};
    for (const Field& field : gpu_fields) {
      std::string names(field.from);
      std::ranges::replace_if(
          names, [](char c) { return c == '|' || c == '&' || c == '+'; }, ' ');
      for (const auto name : words(names))
        for (std::size_t end = 0; end != name.npos;)
          out.emplace(name.substr(0, end = name.find('/', end + 1)));
    }
    return out;
  }();
  return paths;
}

/// One walk over a <gpu>: keeps the cells that the table asks for, and looks at all for a lost GPU.
class GpuCells final : public pugi::xml_tree_walker {
 public:
  explicit GpuCells(const Lines& lines) : lines_{lines} {}

  bool for_each(pugi::xml_node& node) override {
    if (node.type() != pugi::node_element) {
      lost_ = lost_ || says_lost(node.value());
      return true;
    }
    const auto level = static_cast<std::size_t>(depth());
    ends_.resize(level + 1);
    path_.resize(level == 0 ? 0 : ends_[level - 1]);
    if (level > 0) path_ += '/';
    path_ += common_name(node.name());
    ends_[level] = path_.size();
    if (wanted_paths().contains(path_)) cells_.try_emplace(path_, node);
    return true;
  }

  [[nodiscard]] std::optional<Cell> find(std::string_view name) const {
    const auto found = cells_.find(std::string(name));
    if (found != cells_.end())
      return Cell{found->second.text().get(), {}, lines_.of(found->second)};
    // <remapped_rows>N/A</remapped_rows>: a group that isn't there says so in place of its
    // elements.
    for (auto end = name.rfind('/'); end != name.npos; end = name.substr(0, end).rfind('/')) {
      const auto group = cells_.find(std::string(name.substr(0, end)));
      if (group == cells_.end()) continue;
      const std::string_view said = trim(group->second.text().get());
      if (said.empty() || !absence_in(said)) return {};
      return Cell{said, {}, lines_.of(group->second)};
    }
    return {};
  }

  [[nodiscard]] bool lost() const { return lost_; }

 private:
  const Lines& lines_;
  std::string path_;
  std::vector<std::size_t> ends_;  // of the path, by depth
  std::unordered_map<std::string, pugi::xml_node> cells_;
  bool lost_ = false;
};

struct Gpu {
  pugi::xml_node node;
  std::string uuid, pci;  // as this file identifies it; empty when it doesn't
};

std::vector<Gpu> list_gpus(pugi::xml_node root) {
  std::vector<Gpu> out;
  for (const auto node : root.children("gpu")) {
    const auto said = node.child("pci").child("pci_bus_id").text();
    const auto address = gpuvet::pci_address(said ? said.get() : node.attribute("id").value());
    out.push_back({node, std::string(trim(node.child("uuid").text().get())), address.value_or("")});
  }
  return out;
}

/// gpu.uuid and gpu.pci.address, unless blanked out or shared: such a name would join GPUs that
/// differ.
void record_identity(const Gpu& gpu, const GpuNames& names, const std::string& subject,
                     const Lines& lines, Recorder& out) {
  out.line(lines.of(gpu.node));
  if (!names.pci.empty())
    out.text("gpu.pci.address"_id, subject, gpu.pci);
  else if (!gpu.pci.empty())
    out.absent("gpu.pci.address"_id, subject, Absence::malformed,
               "shared with another GPU: " + gpu.pci);
  const auto element = gpu.node.child("uuid");
  if (!element) return;
  out.line(lines.of(element));
  if (!names.uuid.empty())
    out.text("gpu.uuid"_id, subject, gpu.uuid);
  else if (usable_uuid(gpu.uuid))
    out.absent("gpu.uuid"_id, subject, Absence::malformed, "shared with another GPU: " + gpu.uuid);
  else if (const auto why = absence_in(gpu.uuid))
    out.absent("gpu.uuid"_id, subject, *why);
  else
    out.absent("gpu.uuid"_id, subject, Absence::malformed, printable(gpu.uuid.substr(0, 80)));
}

Result<void> record_gpus(const std::vector<Gpu>& gpus, const Lines& lines, Recorder& out) {
  std::map<std::string_view, std::size_t> uses;
  for (const Gpu& gpu : gpus) ++uses[gpu.uuid], ++uses[gpu.pci];
  for (std::size_t index = 0; index < gpus.size(); ++index) {
    const Gpu& gpu = gpus[index];
    GpuCells cells{lines};
    pugi::xml_node node = gpu.node;
    node.traverse(cells);

    GpuNames names{{}, {}, index};
    if (usable_uuid(gpu.uuid) && uses[gpu.uuid] == 1) names.uuid = gpu.uuid;
    if (uses[gpu.pci] == 1) names.pci = gpu.pci;
    const std::string subject = gpu_subject(names);

    out.line(lines.of(gpu.node));
    out.flag("gpu.lost"_id, subject, cells.lost());
    out.number("gpu.index"_id, subject, static_cast<double>(index));
    record_identity(gpu, names, subject, lines, out);
    const FindCell find = [&](std::string_view name) { return cells.find(name); };
    for (const Field& field : gpu_fields) GPUVET_CHECK(record_field(out, field, subject, find));
  }
  return {};
}

Result<void> record_node(pugi::xml_node root, std::size_t gpus, const Lines& lines, Recorder& out) {
  out.tool("nvidia-smi -q -x");
  out.when(printable(trim(root.child("timestamp").text().get()).substr(0, 80)));
  const FindCell find = [&](std::string_view name) -> std::optional<Cell> {
    const auto node = root.child(std::string(name).c_str());
    if (!node) return {};
    return Cell{node.text().get(), {}, lines.of(node)};
  };
  for (const Field& field : node_fields) GPUVET_CHECK(record_field(out, field, "node", find));

  std::optional<double> attached;
  if (const auto cell = find("attached_gpus")) {
    GPUVET_TRY(attached, read_number("node.gpu.attached"_id, *cell));
  }
  const auto shown = static_cast<double>(gpus);
  if (gpus == 0 && attached != 0.0)
    return fail(Errc::malformed, "no <gpu> element", lines.of(root));
  if (attached == shown) return {};
  out.line(lines.of(root));
  out.number("node.gpu.attached"_id, "node", shown);
  out.detail("<gpu> elements counted");
  return {};
}

Result<void> read(ByteSource& source, Recorder& out) {
  GPUVET_TRY(std::string text, read_all(source, largest_file));
  const auto bom = text.substr(0, 2);
  if (bom == "\xff\xfe" || bom == "\xfe\xff")
    return fail(Errc::malformed, "UTF-16 text (written by PowerShell?): save it as UTF-8", 1);
  const Lines lines{text};
  if (const auto nul = text.find('\0'); nul != text.npos)
    return fail(Errc::malformed, "holds a NUL byte: a binary or UTF-16 file, not text",
                lines.at(static_cast<std::ptrdiff_t>(nul)));
  GPUVET_CHECK(check_shape(text, lines));

  pugi::xml_document document;
  const auto parsed = document.load_buffer_inplace(text.data(), text.size(), pugi::parse_default,
                                                   pugi::encoding_utf8);
  if (!parsed) return fail(Errc::malformed, parsed.description(), lines.at(parsed.offset));
  const auto root = document.document_element();
  if (std::string_view(root.name()) != "nvidia_smi_log")
    return fail(Errc::malformed, "the root element is not <nvidia_smi_log>", lines.of(root));
  if (const auto second = root.next_sibling("nvidia_smi_log"))
    return fail(Errc::malformed, "a second <nvidia_smi_log>: give one report a file",
                lines.of(second));

  const auto gpus = list_gpus(root);
  if (gpus.size() > most_gpus)
    return fail(Errc::too_large, "more than 1024 GPUs", lines.of(gpus[most_gpus].node));
  GPUVET_CHECK(record_node(root, gpus.size(), lines, out));
  return record_gpus(gpus, lines, out);
}

/// The root element's name comes first, after BOM, prolog, comments and DOCTYPE.
bool recognises(std::string_view head) {
  if (head.substr(0, 3) == "\xef\xbb\xbf") head.remove_prefix(3);
  for (;;) {
    head.remove_prefix(std::min(head.find_first_not_of(" \t\r\n"), head.size()));
    if (head.substr(0, 4) == "<!--")
      head.remove_prefix(behind(head, "-->", 4));
    else if (head.substr(0, 2) == "<?")
      head.remove_prefix(behind(head, "?>", 2));
    else if (head.substr(0, 9) == "<!DOCTYPE") {
      const auto subset = head.find('[');
      const bool has_subset = subset < head.find('>');
      head.remove_prefix(has_subset ? behind(head, "]", subset) : 0);
      head.remove_prefix(behind(head, ">", 0));
    } else
      break;
  }
  constexpr std::string_view root = "<nvidia_smi_log";
  return head.substr(0, root.size()) == root && head.size() > root.size() &&
         std::string_view(" \t\r\n/>").find(head[root.size()]) != std::string_view::npos;
}

}  // namespace

Importer nvidia_smi_xml() {
  return {"nvidia_smi_xml", "nvidia-smi -q -x", "nvidia-smi -q -x > nvidia-smi.xml", recognises,
          read};
}

}  // namespace gpuvet::ingest
