// SPDX-License-Identifier: Apache-2.0
// `nvidia-smi -q` and `-q -x`: one report, of which each cell knows its label and its element.
#include <fmt/format.h>

#include <array>

#include "core/nvml_abi.hpp"
#include "sim/render.hpp"

namespace gpuvet::sim {
namespace {

/// A cell, a group of cells, or both: "Process ID : 12" with what follows indented below it.
struct Entry {
  std::string label, element, value;
  std::vector<Entry> below;
};
using Entries = std::vector<Entry>;

const std::string none = "N/A";

Entry cell(std::string label, std::string element, std::string value) {
  return {std::move(label), std::move(element), std::move(value), {}};
}
Entry count(std::string label, std::string element, std::uint64_t n) {
  return cell(std::move(label), std::move(element), std::to_string(n));
}
Entry group(std::string label, std::string element, Entries below) {
  return {std::move(label), std::move(element), "", std::move(below)};
}

std::string enabled(bool on) { return on ? "Enabled" : "Disabled"; }
std::string yes(bool on) { return on ? "Yes" : "No"; }
std::string megahertz(double hertz) { return fmt::format("{:.0f} MHz", hertz / 1e6); }
std::string watts(double watts) { return fmt::format("{:.2f} W", watts); }
std::string mebibytes(std::uint64_t bytes) { return fmt::format("{} MiB", bytes >> 20U); }
std::string degrees(double celsius) { return fmt::format("{:.0f} C", celsius); }
std::string degrees_or_none(double celsius) { return celsius > 0 ? degrees(celsius) : none; }
std::string percent(double ratio) { return fmt::format("{:.0f} %", ratio * 100); }

/// "00000000:1B:00.0", as NVIDIA writes addresses.
std::string long_address(const std::string& address) {
  std::string out = "0000" + address;
  for (char& c : out)
    if (c >= 'a' && c <= 'f') c = static_cast<char>(c - 'a' + 'A');
  return out;
}

std::string upper_hex(const std::string& id) { return long_address(id).substr(4); }

Entry identity_tail(const Gpu& g) {
  return group(
      "PCI", "pci",
      {cell("Bus", "pci_bus", "0x" + upper_hex(g.place.address().substr(5, 2))),
       cell("Device Id", "pci_device_id", "0x" + upper_hex(g.device_id) + "10DE"),
       cell("Bus Id", "pci_bus_id", long_address(g.place.address())),
       cell("Sub System Id", "pci_sub_system_id", "0x" + upper_hex(g.subsystem_id) + "10DE"),
       group("GPU Link Info", "pci_gpu_link_info",
             {group("PCIe Generation", "pcie_gen",
                    {cell("Max", "max_link_gen", std::to_string(g.pcie.generation_max)),
                     cell("Current", "current_link_gen", std::to_string(g.pcie.generation))}),
              group("Link Width", "link_widths",
                    {cell("Max", "max_link_width", fmt::format("{}x", g.pcie.width_max)),
                     cell("Current", "current_link_width", fmt::format("{}x", g.pcie.width))})}),
       count("Replays Since Reset", "replay_counter", g.pcie.replays)});
}

Entry clock_events(const Gpu& g) {
  const auto active = [&](unsigned long long bit) {
    return std::string((g.reasons & bit) != 0 ? "Active" : "Not Active");
  };
  const std::string e = "clocks_event_reason_";
  Entry slowdown = cell("HW Slowdown", e + "hw_slowdown", active(nvml::reason_hw_slowdown));
  slowdown.below = {
      cell("HW Thermal Slowdown", e + "hw_thermal_slowdown", active(nvml::reason_hw_thermal)),
      cell("HW Power Brake Slowdown", e + "hw_power_brake_slowdown",
           active(nvml::reason_hw_power_brake))};
  return group(
      "Clocks Event Reasons", "clocks_event_reasons",
      {cell("Idle", e + "gpu_idle", active(nvml::reason_idle)),
       cell("Applications Clocks Setting", e + "applications_clocks_setting",
            active(nvml::reason_applications_clocks)),
       cell("SW Power Cap", e + "sw_power_cap", active(nvml::reason_sw_power_cap)), slowdown,
       cell("Sync Boost", e + "sync_boost", active(nvml::reason_sync_boost)),
       cell("SW Thermal Slowdown", e + "sw_thermal_slowdown", active(nvml::reason_sw_thermal))});
}

Entry clock_event_times(const Gpu& g) {
  const auto time = [&](unsigned long long bit) {
    const auto found = g.reason_seconds.find(static_cast<unsigned>(bit));
    return fmt::format("{:.0f} us", found == g.reason_seconds.end() ? 0 : found->second * 1e6);
  };
  const std::string e = "clocks_event_reasons_counters_";
  return group("Clocks Event Reasons Counters", "clocks_event_reasons_counters",
               {cell("SW Power Capping", e + "sw_power_cap", time(nvml::reason_sw_power_cap)),
                cell("Sync Boost", e + "sync_boost", time(nvml::reason_sync_boost)),
                cell("SW Thermal Slowdown", e + "sw_therm_slowdown", time(nvml::reason_sw_thermal)),
                cell("HW Thermal Slowdown", e + "hw_therm_slowdown", time(nvml::reason_hw_thermal)),
                cell("HW Power Braking", e + "hw_power_brake", time(nvml::reason_hw_power_brake))});
}

Entry memory(const Gpu& g) {
  const auto used = std::min(g.memory, g.memory_used + g.memory_reserved);
  return group("FB Memory Usage", "fb_memory_usage",
               {cell("Total", "total", mebibytes(g.memory)),
                cell("Reserved", "reserved", mebibytes(g.memory_reserved)),
                cell("Used", "used", mebibytes(g.memory_used)),
                cell("Free", "free", mebibytes(g.memory - used))});
}

Entry ecc_counts(const Gpu& g, std::string label, std::string element, const EccCounts& counts) {
  if (!g.ecc_supported || !g.ecc) return cell(std::move(label), std::move(element), none);
  Entry out = group(
      std::move(label), std::move(element),
      {count("SRAM Correctable", "sram_correctable", counts.corrected_sram),
       count("SRAM Uncorrectable Parity", "sram_uncorrectable_parity", 0),
       count("SRAM Uncorrectable SEC-DED", "sram_uncorrectable_secded", counts.uncorrected_sram),
       count("DRAM Correctable", "dram_correctable", counts.corrected_dram),
       count("DRAM Uncorrectable", "dram_uncorrectable", counts.uncorrected_dram)});
  return out;
}

Entries health(const Gpu& g) {
  const auto pages = [&](unsigned n) { return g.remaps_rows ? none : std::to_string(n); };
  Entries out = {
      group("ECC Mode", "ecc_mode",
            {cell("Current", "current_ecc", g.ecc_supported ? enabled(g.ecc) : none),
             cell("Pending", "pending_ecc", g.ecc_supported ? enabled(g.ecc_pending) : none)}),
      group("ECC Errors", "ecc_errors",
            {ecc_counts(g, "Volatile", "volatile", g.volatile_ecc),
             ecc_counts(g, "Aggregate", "aggregate", g.aggregate_ecc)})};
  // The text names both counts beside each other, the XML gives each a list of pages too.
  Entry single = group("", "multiple_single_bit_retirement",
                       {cell("Single Bit ECC", "retired_count", pages(g.retired_single))});
  Entry twice = group("", "double_bit_retirement",
                      {cell("Double Bit ECC", "retired_count", pages(g.retired_double))});
  out.push_back(
      group("Retired Pages", "retired_pages",
            {single, twice,
             cell("Pending Page Blacklist", "pending_blacklist",
                  g.remaps_rows ? none : yes(g.retired_pending)),
             cell("", "pending_retirement", g.remaps_rows ? none : yes(g.retired_pending))}));
  if (!g.remaps_rows) {
    out.push_back(cell("Remapped Rows", "remapped_rows", none));
    return out;
  }
  constexpr std::array<const char*, 5> names = {"Max", "High", "Partial", "Low", "None"};
  constexpr std::array<const char*, 5> elements = {"max", "high", "partial", "low", "none"};
  Entries banks;
  for (std::size_t i = 0; i < names.size(); ++i)
    banks.push_back(cell(names[i], std::string("row_remapper_histogram_") + elements[i],
                         fmt::format("{} bank(s)", g.remap_banks[i])));
  out.push_back(group(
      "Remapped Rows", "remapped_rows",
      {count("Correctable Error", "remapped_row_corr", g.remap_corrected),
       count("Uncorrectable Error", "remapped_row_unc", g.remap_uncorrected),
       cell("Pending", "remapped_row_pending", yes(g.remap_pending)),
       cell("Remapping Failure Occurred", "remapped_row_failure", yes(g.remap_failure)),
       group("Bank Remap Availability Histogram", "row_remapper_histogram", std::move(banks))}));
  return out;
}

Entry temperatures(const Gpu& g) {
  const auto& l = g.limits;
  Entries out = {cell("GPU Current Temp", "gpu_temp", degrees(g.temperature))};
  if (l.margins) {
    out.push_back(
        cell("GPU T.Limit Temp", "gpu_temp_tlimit", degrees(l.max_operating - g.temperature)));
  } else {
    out.push_back(cell("GPU Shutdown Temp", "gpu_temp_max_threshold", degrees_or_none(l.shutdown)));
    out.push_back(
        cell("GPU Slowdown Temp", "gpu_temp_slow_threshold", degrees_or_none(l.slowdown)));
    out.push_back(cell("GPU Max Operating Temp", "gpu_temp_max_gpu_threshold",
                       degrees_or_none(l.max_operating)));
    out.push_back(
        cell("Memory Max Operating Temp", "gpu_temp_max_mem_threshold", degrees_or_none(l.memory)));
  }
  out.push_back(cell("Memory Current Temp", "memory_temp", degrees_or_none(g.memory_temperature)));
  return group("Temperature", "temperature", std::move(out));
}

Entries rates(const Gpu& g) {
  return {group("GPU Power Readings", "gpu_power_readings",
                {cell("Power Draw", "power_draw", watts(g.power)),
                 cell("Current Power Limit", "current_power_limit", watts(g.power_limit)),
                 cell("Default Power Limit", "default_power_limit", watts(g.power_default)),
                 cell("Min Power Limit", "min_power_limit", watts(g.power_min)),
                 cell("Max Power Limit", "max_power_limit", watts(g.power_max))}),
          group("Clocks", "clocks",
                {cell("Graphics", "graphics_clock", megahertz(g.clock)),
                 cell("SM", "sm_clock", megahertz(g.clock)),
                 cell("Memory", "mem_clock", megahertz(g.memory_clock))}),
          group("Max Clocks", "max_clocks",
                {cell("Graphics", "graphics_clock", megahertz(g.clock_max)),
                 cell("SM", "sm_clock", megahertz(g.clock_max)),
                 cell("Memory", "mem_clock", megahertz(g.memory_clock_max))})};
}

Entry fabric(const Gpu& g) {
  constexpr std::array<const char*, 4> states = {"N/A", "Not Started", "In Progress", "Completed"};
  constexpr std::array<const char*, 4> healths = {"N/A", "Healthy", "Unhealthy",
                                                  "Limited Capacity"};
  if (g.fabric_state == 0)
    return group("Fabric", "fabric",
                 {cell("State", "state", none), cell("Status", "status", none)});
  return group(
      "Fabric", "fabric",
      {cell("State", "state", states[static_cast<std::size_t>(g.fabric_state & 3)]),
       cell("Status", "status",
            g.fabric_status == 0 ? "Success" : fmt::format("Failure ({})", g.fabric_status)),
       group(
           "Health", "health",
           {cell("Summary", "summary", healths[static_cast<std::size_t>(g.fabric_health & 3)])})});
}

Entry processes(const Gpu& g) {
  if (g.processes.empty()) return cell("Processes", "processes", "None");
  Entries out;
  for (const auto& process : g.processes) {
    Entry one = cell("Process ID", "process_info", std::to_string(process.pid));
    one.below = {cell("Type", "type", "C"), cell("Name", "process_name", process.name),
                 cell("Used GPU Memory", "used_memory", mebibytes(process.memory))};
    out.push_back(std::move(one));
  }
  return group("Processes", "processes", std::move(out));
}

Entries report(const World& world, const Gpu& g) {
  constexpr std::array<const char*, 6> actions = {
      "None", "GPU Reset", "Node Reboot", "Drain P2P", "Drain and Reset", "Recover IMEX Domain"};
  Entries out = {
      cell("Product Name", "product_name", g.name),
      cell("Product Architecture", "product_architecture", g.architecture),
      cell("Display Active", "display_active", "Disabled"),
      cell("Persistence Mode", "persistence_mode", enabled(g.persistence)),
      cell("Addressing Mode", "addressing_mode", "None"),
      group("MIG Mode", "mig_mode",
            {cell("Current", "current_mig", g.mig_supported ? enabled(g.mig) : none),
             cell("Pending", "pending_mig", g.mig_supported ? enabled(g.mig) : none)}),
      cell("", "mig_devices", "None"),
      cell("Accounting Mode", "accounting_mode", enabled(g.accounting)),
      cell("Serial Number", "serial", g.serial.empty() ? none : g.serial),
      cell("GPU UUID", "uuid", g.uuid),
      cell("Minor Number", "minor_number", std::to_string(g.minor)),
      cell("VBIOS Version", "vbios_version", g.vbios),
      cell("Board Part Number", "board_part_number", g.part_number.empty() ? none : g.part_number),
      group("Inforom Version", "inforom_version",
            {cell("Image Version", "img_version", g.inforom.empty() ? none : g.inforom)}),
      group("GPU Virtualization Mode", "gpu_virtualization_mode",
            {cell("Virtualization Mode", "virtualization_mode",
                  world.made.host.bmc_firmware.empty() ? "Pass-Through" : "None")}),
      cell("GSP Firmware Version", "gsp_firmware_version",
           g.gsp_firmware.empty() ? none : g.gsp_firmware)};
  if (g.recovery_supported)
    out.push_back(cell("GPU Recovery Action", "gpu_recovery_action",
                       actions[static_cast<std::size_t>(g.recovery_action) % actions.size()]));
  out.push_back(identity_tail(g));
  const auto state =
      (g.reasons & nvml::reason_idle) != 0 && g.architecture == "Turing" ? "P8" : "P0";
  out.push_back(cell("Performance State", "performance_state", state));
  out.push_back(clock_events(g));
  out.push_back(clock_event_times(g));
  out.push_back(memory(g));
  out.push_back(group(
      "BAR1 Memory Usage", "bar1_memory_usage",
      {cell("Total", "total", mebibytes(g.bar1)), cell("Used", "used", mebibytes(g.bar1_used)),
       cell("Free", "free", mebibytes(g.bar1 - std::min(g.bar1, g.bar1_used)))}));
  out.push_back(cell("Compute Mode", "compute_mode", "Default"));
  out.push_back(group("Utilization", "utilization",
                      {cell("Gpu", "gpu_util", percent(g.utilization)),
                       cell("Memory", "memory_util", percent(g.memory_utilization))}));
  for (auto& entry : health(g)) out.push_back(std::move(entry));
  out.push_back(temperatures(g));
  for (auto& entry : rates(g)) out.push_back(std::move(entry));
  out.push_back(fabric(g));
  out.push_back(processes(g));
  return out;
}

void write_text(const Entries& entries, std::size_t indent, std::string& out) {
  constexpr std::size_t column = 50;
  for (const auto& entry : entries) {
    if (entry.label.empty()) {  // the XML's alone: its cells stand one level higher
      write_text(entry.below, indent, out);
      continue;
    }
    const std::string label = std::string(indent, ' ') + entry.label;
    if (entry.value.empty())
      out += label + "\n";
    else
      out += fmt::format("{:<{}}: {}\n", label, column, entry.value);
    write_text(entry.below, indent + 4, out);
  }
}

std::string escaped(const std::string& text) {
  std::string out;
  for (const char c : text)
    out += c == '&' ? "&amp;" : c == '<' ? "&lt;" : c == '>' ? "&gt;" : std::string(1, c);
  return out;
}

void write_xml(const Entries& entries, std::size_t indent, std::string& out) {
  const std::string tabs(indent, '\t');
  for (const auto& entry : entries) {
    if (entry.below.empty()) {
      out += fmt::format("{0}<{1}>{2}</{1}>\n", tabs, entry.element, escaped(entry.value));
      continue;
    }
    // A cell with others below it holds its own value as the first of them, or beside them.
    const bool process = entry.element == "process_info";
    if (!process && !entry.value.empty())
      out += fmt::format("{0}<{1}>{2}</{1}>\n", tabs, entry.element, escaped(entry.value));
    const bool nested = process || entry.value.empty();
    if (nested) out += fmt::format("{}<{}>\n", tabs, entry.element);
    if (process) out += fmt::format("{}\t<pid>{}</pid>\n", tabs, entry.value);
    write_xml(entry.below, nested ? indent + 1 : indent, out);
    if (nested) out += fmt::format("{}</{}>\n", tabs, entry.element);
  }
}

std::string lost_line(const Gpu& g) {
  return fmt::format(
      "Unable to determine the device handle for GPU {}: GPU is lost.  Reboot the system to "
      "recover "
      "this GPU\n",
      long_address(g.place.address()).substr(4));
}

}  // namespace

std::string render_report(const World& world) {
  std::string out = fmt::format(
      "\n==============NVSMI LOG==============\n\n{:<50}: {}\n{:<50}: {}\n{:<50}: {}\n\n"
      "{:<50}: {}\n",
      "Timestamp", render_time(world, world.booted + world.time, "%a %b %d %H:%M:%S %Y"),
      "Driver Version", world.driver, "CUDA Version", world.cuda_text, "Attached GPUs",
      world.gpus.size());
  for (const auto& gpu : world.gpus) {
    if (gpu.lost) continue;
    out += fmt::format("GPU {}\n", long_address(gpu.place.address()));
    write_text(report(world, gpu), 4, out);
    out += "\n";
  }
  for (const auto& gpu : world.gpus)
    if (gpu.lost) out += lost_line(gpu);
  return out;
}

std::string render_report_xml(const World& world) {
  std::string out = fmt::format(
      "<?xml version=\"1.0\" ?>\n<!DOCTYPE nvidia_smi_log SYSTEM \"nvsmi_device_v12.dtd\">\n"
      "<nvidia_smi_log>\n\t<timestamp>{}</timestamp>\n\t<driver_version>{}</driver_version>\n"
      "\t<cuda_version>{}</cuda_version>\n\t<attached_gpus>{}</attached_gpus>\n",
      render_time(world, world.booted + world.time, "%a %b %d %H:%M:%S %Y"), world.driver,
      world.cuda_text, world.gpus.size());
  for (const auto& gpu : world.gpus) {
    if (gpu.lost) continue;
    out += fmt::format("\t<gpu id=\"{}\">\n", long_address(gpu.place.address()));
    write_xml(report(world, gpu), 2, out);
    out += "\t</gpu>\n";
  }
  out += "</nvidia_smi_log>\n";
  for (const auto& gpu : world.gpus)
    if (gpu.lost) out += lost_line(gpu);
  return out;
}

}  // namespace gpuvet::sim
