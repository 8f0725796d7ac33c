// SPDX-License-Identifier: Apache-2.0
// The one table of what a report of nvidia-smi says about GPUs, by the names of its XML. Schemas
// are not told apart: each id names all the places it ever had.
#include "ingest/nvidia_smi_report.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <unordered_set>
#include <utility>

#include "core/text.hpp"
#include "ingest/importer.hpp"

namespace gpuvet::ingest {
namespace {

using enum CellKind;

constexpr std::array node_fields{
    Field{"node.driver.version"_id, text, "kmd_version | driver_version"},
    Field{"node.cuda.version"_id, text, "cuda_umd_version | cuda_version"},
    Field{"node.gpu.attached"_id, number, "attached_gpus"},
};

// clang-format off
/// Never the module_power_readings (GPU and Grace together), and never the *_tlimit_threshold
/// elements, which are margins and not temperatures.
constexpr std::array gpu_fields{
    Field{"gpu.name"_id, text, "product_name"},
    Field{"gpu.architecture"_id, text, "product_architecture"},
    Field{"gpu.serial"_id, text, "serial"},
    Field{"gpu.vbios.version"_id, text, "vbios_version"},
    Field{"gpu.inforom.image"_id, text, "inforom_version/img_version"},
    Field{"gpu.gsp.firmware"_id, text, "gsp_firmware_version"},
    Field{"gpu.part_number"_id, text, "board_part_number"},
    Field{"gpu.persistence"_id, flag, "persistence_mode"},
    Field{"gpu.accounting"_id, flag, "accounting_mode"},
    Field{"gpu.compute_mode"_id, text, "compute_mode"},
    Field{"gpu.addressing_mode"_id, text, "addressing_mode"},
    Field{"gpu.virtualization"_id, text, "gpu_virtualization_mode/virtualization_mode"},
    Field{"gpu.display"_id, flag, "display_active"},
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
    Field{"gpu.memory.free"_id, number, "fb_memory_usage/free"},
    Field{"gpu.memory.reserved"_id, number, "fb_memory_usage/reserved"},
    Field{"gpu.bar1.total"_id, number, "bar1_memory_usage/total"},
    Field{"gpu.bar1.used"_id, number, "bar1_memory_usage/used"},
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
    Field{"gpu.memory.unrepairable"_id, flag, "ecc/unrepairable_memory"},
    Field{"gpu.repair.channel_pending"_id, flag, "ecc/channel_repair_pending"},
    Field{"gpu.repair.tpc_pending"_id, flag, "ecc/tpc_repair_pending"},
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

/// gpu.uuid and gpu.pci.address, or why they are not told.
void record_identity(Recorder& out, const ReportGpu& gpu, const GpuNames& names,
                     const std::string& subject) {
  out.line(gpu.line);
  if (!names.pci.empty())
    out.text("gpu.pci.address"_id, subject, gpu.pci);
  else if (!gpu.pci.empty())
    out.absent("gpu.pci.address"_id, subject, Absence::malformed,
               "shared with another GPU: " + gpu.pci);
  if (gpu.uuid_line == 0) return;
  out.line(gpu.uuid_line);
  if (!names.uuid.empty())
    out.text("gpu.uuid"_id, subject, gpu.uuid);
  else if (usable_uuid(gpu.uuid))
    out.absent("gpu.uuid"_id, subject, Absence::malformed, "shared with another GPU: " + gpu.uuid);
  else if (const auto why = absence_in(gpu.uuid))
    out.absent("gpu.uuid"_id, subject, *why);
  else
    out.absent("gpu.uuid"_id, subject, Absence::malformed, printable(gpu.uuid.substr(0, 80)));
}

/// A list that was counted, or the cell that stands in its place and says why there is none.
Result<void> record_count(Recorder& out, Id id, const ReportGpu& gpu, std::string_view cell,
                          const std::optional<ReportGpu::Count>& count,
                          const std::string& subject) {
  if (!count) {
    const auto said = gpu.find(cell);
    if (!said || !absence_in(said->text)) return {};
    return record_field(out, {id, number, cell}, subject, gpu.find);
  }
  out.line(count->line);
  out.number(id, subject, static_cast<double>(count->number));
  return {};
}

/// GPUs without MIG list no instances either, but say so only in their mode.
Result<void> record_mig_instances(Recorder& out, const ReportGpu& gpu, const std::string& subject) {
  constexpr std::string_view mode = "mig_mode/current_mig";
  const auto said = gpu.find(mode);
  const bool has_mig = said && read_flag(said->text);
  return record_count(out, "gpu.mig.instances"_id, gpu, mode,
                      has_mig ? gpu.mig_instances : std::nullopt, subject);
}

bool needs_reset(const ReportGpu& gpu) {
  const auto said = gpu.find("gpu_reset_status/reset_required");
  return said && read_flag(said->text).value_or(false);
}

/// The first domain:bus:device.function in what follows "GPU": " 0000:3B:00.0:", "0000:3B:00.0:",
/// or "0: 0000:3B:00.0:".
std::optional<std::string> address_in(std::string_view text) {
  for (auto word : words(text)) {
    while (!word.empty() && (word.back() == ':' || word.back() == '.')) word.remove_suffix(1);
    if (word.size() < 12) continue;
    if (auto address = gpuvet::pci_address(word)) return address;
  }
  return {};
}

}  // namespace

std::optional<ReportNote> report_note(std::string_view text, std::size_t line) {
  constexpr std::size_t longest_note = 300;
  if (text.empty() || text.size() > longest_note) return {};
  if (text[0] != 'W' && text[0] != 'U') return {};
  struct Opening {
    std::string_view small;  // some drivers write GPU, some gpu
    ReportNote::Says says;
  };
  constexpr std::array openings{
      Opening{"warning: inforom is corrupted at gpu", ReportNote::Says::corrupt_inforom},
      Opening{"unable to determine the device handle for gpu", ReportNote::Says::lost},
  };
  const std::string small = lower(text);
  for (const Opening& opening : openings) {
    if (!small.starts_with(opening.small)) continue;
    if (auto address = address_in(text.substr(opening.small.size())))
      return ReportNote{opening.says, *std::move(address), line};
  }
  return {};
}

bool report_wants(std::string_view name) {
  static const auto wanted = [] {
    std::unordered_set<std::string> out{"uuid",
                                        "pci",
                                        "pci/pci_bus_id",
                                        "processes",
                                        "gpu_reset_status",
                                        "gpu_reset_status/reset_required"};
    for (const Field& field : gpu_fields) {
      std::string names(field.from);
      std::ranges::replace_if(
          names, [](char c) { return c == '|' || c == '&' || c == '+'; }, ' ');
      for (const auto path : words(names))
        for (std::size_t end = 0; end != path.npos;)
          out.emplace(path.substr(0, end = path.find('/', end + 1)));
    }
    return out;
  }();
  return wanted.contains(std::string(name));
}

bool type_computes(std::string_view type) {
  type = trim(type);
  return type.empty() || contains(type, "C");
}

Result<void> record_report_node(Recorder& out, const FindCell& find) {
  for (const Field& field : node_fields) GPUVET_CHECK(record_field(out, field, "node", find));
  return {};
}

Result<void> record_report_cells(Recorder& out, const ReportGpu& gpu, const std::string& subject) {
  for (const Field& field : gpu_fields) GPUVET_CHECK(record_field(out, field, subject, gpu.find));
  GPUVET_CHECK(record_mig_instances(out, gpu, subject));
  return record_count(out, "gpu.processes"_id, gpu, "processes", gpu.compute_processes, subject);
}

Result<void> record_report_gpus(Recorder& out, const std::vector<ReportGpu>& gpus,
                                const std::vector<ReportNote>& notes) {
  std::map<std::string_view, std::size_t> uses;
  for (const ReportGpu& gpu : gpus) ++uses[gpu.uuid], ++uses[gpu.pci];
  std::map<std::string_view, std::string> subjects;  // by address
  std::map<std::string_view, bool> noted_lost;
  for (const ReportNote& note : notes)
    if (note.says == ReportNote::Says::lost) noted_lost[note.pci] = true;

  for (std::size_t at = 0; at < gpus.size(); ++at) {
    const ReportGpu& gpu = gpus[at];
    GpuNames names{{}, {}, at};
    if (usable_uuid(gpu.uuid) && uses[gpu.uuid] == 1) names.uuid = gpu.uuid;
    if (uses[gpu.pci] == 1) names.pci = gpu.pci;
    const std::string subject = gpu_subject(names);
    if (!names.pci.empty()) subjects.emplace(gpu.pci, subject);

    out.line(gpu.line);
    out.flag("gpu.lost"_id, subject, gpu.lost || needs_reset(gpu) || noted_lost.contains(gpu.pci));
    if (gpu.index) out.number("gpu.index"_id, subject, static_cast<double>(*gpu.index));
    record_identity(out, gpu, names, subject);
    GPUVET_CHECK(record_report_cells(out, gpu, subject));
  }

  for (const ReportNote& note : notes) {
    const auto shown = subjects.find(note.pci);
    const bool lost = note.says == ReportNote::Says::lost;
    if (lost && shown != subjects.end()) continue;
    const std::string subject = shown == subjects.end() ? "gpu:" + note.pci : shown->second;
    out.line(note.line);
    out.flag(lost ? "gpu.lost"_id : "gpu.inforom.valid"_id, subject, lost);
  }
  return {};
}

}  // namespace gpuvet::ingest
