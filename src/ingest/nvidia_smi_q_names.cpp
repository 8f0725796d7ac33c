// SPDX-License-Identifier: Apache-2.0
// Labels that don't spell the XML's name, from drivers 440 to 610.
#include "ingest/nvidia_smi_q_names.hpp"

#include <algorithm>
#include <array>

#include "core/text.hpp"

namespace gpuvet::ingest {
namespace {

struct Renamed {
  std::string_view label, name;
};

// clang-format off
/// Groups come before their cells: the left side holds the XML's name of the group, too. Labels of
/// margins ("GPU Slowdown T.Limit Temp") stay out, as do the limits of memory and module.
constexpr std::array renamed{
    Renamed{"serial_number", "serial"},
    Renamed{"gpu_uuid", "uuid"},
    Renamed{"gpu_part_number", "board_part_number"},
    Renamed{"mig_mode/current", "mig_mode/current_mig"},
    Renamed{"inforom_version/image_version", "inforom_version/img_version"},
    Renamed{"pci/device_id", "pci/pci_device_id"},
    Renamed{"pci/bus_id", "pci/pci_bus_id"},
    Renamed{"pci/replays_since_reset", "pci/replay_counter"},
    Renamed{"pci/gpu_link_info", "pci/pci_gpu_link_info"},
    Renamed{"pci/pci_gpu_link_info/pcie_generation", "pci/pci_gpu_link_info/pcie_gen"},
    Renamed{"pci/pci_gpu_link_info/pcie_gen/max", "pci/pci_gpu_link_info/pcie_gen/max_link_gen"},
    Renamed{"pci/pci_gpu_link_info/pcie_gen/current", "pci/pci_gpu_link_info/pcie_gen/current_link_gen"},
    Renamed{"pci/pci_gpu_link_info/link_width", "pci/pci_gpu_link_info/link_widths"},
    Renamed{"pci/pci_gpu_link_info/link_widths/max", "pci/pci_gpu_link_info/link_widths/max_link_width"},
    Renamed{"pci/pci_gpu_link_info/link_widths/current", "pci/pci_gpu_link_info/link_widths/current_link_width"},
    Renamed{"clocks_throttle_reasons", "reasons"},
    Renamed{"clocks_event_reasons", "reasons"},
    Renamed{"reasons/idle", "reasons/gpu_idle"},
    Renamed{"reasons/hw_slowdown/hw_thermal_slowdown", "reasons/hw_thermal_slowdown"},
    Renamed{"reasons/hw_slowdown/hw_power_brake_slowdown", "reasons/hw_power_brake_slowdown"},
    Renamed{"clocks_event_reasons_counters", "counters"},
    Renamed{"counters/sw_power_capping", "counters/sw_power_cap"},
    Renamed{"counters/sw_thermal_slowdown", "counters/sw_therm_slowdown"},
    Renamed{"counters/hw_thermal_slowdown", "counters/hw_therm_slowdown"},
    Renamed{"counters/hw_power_braking", "counters/hw_power_brake"},
    Renamed{"utilization/gpu", "utilization/gpu_util"},
    Renamed{"utilization/memory", "utilization/memory_util"},
    Renamed{"ecc_mode/current", "ecc_mode/current_ecc"},
    Renamed{"ecc_mode/pending", "ecc_mode/pending_ecc"},
    Renamed{"ecc_errors", "ecc"},
    Renamed{"ecc/volatile/sram_uncorrectable_sec_ded", "ecc/volatile/sram_uncorrectable_secded"},
    Renamed{"ecc/aggregate/sram_uncorrectable_sec_ded", "ecc/aggregate/sram_uncorrectable_secded"},
    Renamed{"ecc/volatile/single_bit/texture_shared", "ecc/volatile/single_bit/texture_shm"},
    Renamed{"ecc/volatile/double_bit/texture_shared", "ecc/volatile/double_bit/texture_shm"},
    Renamed{"ecc/aggregate/single_bit/texture_shared", "ecc/aggregate/single_bit/texture_shm"},
    Renamed{"ecc/aggregate/double_bit/texture_shared", "ecc/aggregate/double_bit/texture_shm"},
    Renamed{"retired_pages/single_bit_ecc", "retired_pages/multiple_single_bit_retirement/retired_count"},
    Renamed{"retired_pages/double_bit_ecc", "retired_pages/double_bit_retirement/retired_count"},
    Renamed{"retired_pages/pending_page_blacklist", "retired_pages/pending_blacklist"},
    Renamed{"retired_pages/pending_page_retirement", "retired_pages/pending_retirement"},
    Renamed{"retired_pages/pending", "retired_pages/pending_retirement"},
    Renamed{"remapped_rows/correctable_error", "remapped_rows/remapped_row_corr"},
    Renamed{"remapped_rows/uncorrectable_error", "remapped_rows/remapped_row_unc"},
    Renamed{"remapped_rows/pending", "remapped_rows/remapped_row_pending"},
    Renamed{"remapped_rows/remapping_failure_occurred", "remapped_rows/remapped_row_failure"},
    Renamed{"remapped_rows/bank_remap_availability_histogram", "remapped_rows/row_remapper_histogram"},
    Renamed{"remapped_rows/row_remapper_histogram/max", "remapped_rows/row_remapper_histogram/row_remapper_histogram_max"},
    Renamed{"remapped_rows/row_remapper_histogram/high", "remapped_rows/row_remapper_histogram/row_remapper_histogram_high"},
    Renamed{"remapped_rows/row_remapper_histogram/partial", "remapped_rows/row_remapper_histogram/row_remapper_histogram_partial"},
    Renamed{"remapped_rows/row_remapper_histogram/low", "remapped_rows/row_remapper_histogram/row_remapper_histogram_low"},
    Renamed{"remapped_rows/row_remapper_histogram/none", "remapped_rows/row_remapper_histogram/row_remapper_histogram_none"},
    Renamed{"temperature/gpu_current_temp", "temperature/gpu_temp"},
    Renamed{"temperature/gpu_t_limit_temp", "temperature/gpu_temp_tlimit"},
    Renamed{"temperature/gpu_current_t_limit_temp", "temperature/gpu_temp_tlimit"},
    Renamed{"temperature/gpu_shutdown_temp", "temperature/gpu_temp_max_threshold"},
    Renamed{"temperature/gpu_slowdown_temp", "temperature/gpu_temp_slow_threshold"},
    Renamed{"temperature/gpu_max_operating_temp", "temperature/gpu_temp_max_gpu_threshold"},
    Renamed{"temperature/memory_current_temp", "temperature/memory_temp"},
    Renamed{"temperature/memory_max_operating_temp", "temperature/gpu_temp_max_mem_threshold"},
    Renamed{"power_readings", "power"},
    Renamed{"gpu_power_readings", "power"},
    Renamed{"power/gpu_ceiling_power_limit", "power"},
    Renamed{"power/instantaneous_power_draw", "power/instant_power_draw"},
    Renamed{"clocks/sm", "clocks/sm_clock"},
    Renamed{"clocks/memory", "clocks/mem_clock"},
    Renamed{"max_clocks/sm", "max_clocks/sm_clock"},
    Renamed{"max_clocks/memory", "max_clocks/mem_clock"},
};
// clang-format on

}  // namespace

std::string report_name(std::string_view above, std::string_view label) {
  std::string name(above);
  if (!name.empty()) name += '/';
  name += lower(label);
  for (char& c : name)
    if (c == ' ' || c == '.' || c == '-') c = '_';
  const auto found = std::ranges::find(renamed, name, &Renamed::label);
  return found == renamed.end() ? name : std::string(found->name);
}

}  // namespace gpuvet::ingest
