// SPDX-License-Identifier: Apache-2.0
#include "sim/faults.hpp"

#include <algorithm>
#include <array>

#include "core/text.hpp"
#include "sim/faults_common.hpp"

namespace gpuvet::sim {
namespace {

/// Sorted by id. `also` lists what the same cause may set off beside its own criterion.
constexpr std::array all = {
    Fault{"acs-on", "PCIe ACS sends traffic between peers through the root", Seen::tree,
          "topology.acs", "node", "", acs_on},
    Fault{"airflow-blocked", "Air no longer reaches the GPUs (begin it with @4h)", Seen::nvml,
          "gpu.temperature.core", "gpu",
          "gpu.clock_event.sw_thermal gpu.clock_event.hw_thermal gpu.clock_event.hw_slowdown "
          "gpu.temperature.memory thermal.core thermal.memory thermal.throttle.hardware "
          "thermal.throttle.software thermal.clock thermal.drift gpu.clock_event.hw_thermal.time "
          "bmc.sensors bmc.sensors.warning",
          airflow_blocked},
    Fault{"call-hangs", "A driver call about one GPU never returns", Seen::nvml, "gpu.responds",
          "gpu", "", call_hangs},
    Fault{"clock-offset", "The system clock is 2 s off", Seen::environment, "host.clock.offset",
          "node", "host.clock", clock_offset},
    Fault{"clock-stuck", "One GPU's clock does not rise, held by hardware", Seen::nvml,
          "gpu.clock_event.hw_slowdown", "gpu", "thermal.clock", clock_stuck},
    Fault{"dimm-missing", "One memory module is not there", Seen::tree, "host.memory.population",
          "node", "host.numa host.memory", dimm_missing},
    Fault{"drive-missing", "One NVMe drive is not there", Seen::tree, "host.drives.due", "node", "",
          drive_missing},
    Fault{"ecc-contained", "An uncorrected memory error ended one process (Xid 94)", Seen::nvml,
          "gpu.ecc.uncorrected.dram", "gpu",
          "gpu.xid gpu.xid.warning gpu.ecc.uncorrected gpu.remap.pending gpu.remap.uncorrectable "
          "gpu.recovery_action",
          ecc_contained},
    Fault{"ecc-off", "ECC is switched off", Seen::nvml, "gpu.ecc.mode", "gpu", "", ecc_off},
    Fault{"ecc-uncontained", "An uncorrected memory error reached all processes (Xid 95)",
          Seen::nvml, "gpu.ecc.uncorrected.dram", "gpu",
          "gpu.xid gpu.ecc.uncorrected gpu.recovery_action", ecc_uncontained},
    Fault{"fabric-manager-down", "The fabric manager has ended", Seen::tree,
          "software.fabric_manager", "node", "", fabric_manager_down},
    Fault{"fan-failed", "One fan stands still", Seen::controller, "fans", "node",
          "bmc.sel bmc.sensors bmc.health", fan_failed},
    Fault{"gpu-busy", "Somebody's process uses one GPU", Seen::nvml, "gpu.busy", "gpu", "",
          gpu_busy},
    Fault{"gpu-hot", "One GPU's heat sink has come off", Seen::nvml, "gpu.temperature.core", "gpu",
          "gpu.clock_event.sw_thermal gpu.clock_event.hw_thermal gpu.clock_event.hw_slowdown "
          "gpu.clock_event.hw_thermal.time gpu.temperature.memory thermal.core thermal.memory "
          "thermal.siblings thermal.throttle.hardware thermal.throttle.software thermal.clock "
          "bmc.sensors bmc.sensors.warning",
          gpu_hot},
    Fault{"gpu-lost", "One GPU has fallen off the bus (Xid 79)", Seen::nvml, "gpu.lost", "gpu",
          "gpu.xid topology.nvlink.complete topology.matrix", gpu_lost},
    Fault{"gsp-timeout", "The GPU's system processor does not answer (Xid 119)", Seen::log,
          "gpu.xid", "gpu", "gpu.xid.warning", gsp_timeout},
    Fault{"inforom-corrupt", "The InfoROM's checksum is wrong", Seen::nvml, "gpu.inforom", "gpu",
          "", inforom_corrupt},
    Fault{"memory-hot", "One GPU's memory is above its limit", Seen::nvml, "gpu.temperature.memory",
          "gpu", "thermal.memory", memory_hot},
    Fault{"mig-on", "One GPU was left divided (MIG)", Seen::nvml, "gpu.mig", "gpu", "", mig_on},
    Fault{"mixed-sku", "One GPU is of another kind", Seen::nvml, "uniformity.sku", "node",
          "uniformity.memory uniformity.vbios uniformity.power_limit host.memory gpu.power.limit",
          mixed_sku},
    Fault{"mixed-vbios", "One GPU has an older VBIOS", Seen::nvml, "uniformity.vbios", "node", "",
          mixed_vbios},
    Fault{"nccl-variable", "NCCL_P2P_DISABLE=1 is set", Seen::environment, "nccl.environment",
          "node", "", nccl_variable},
    Fault{"nic-down", "One adapter's port is down", Seen::tree, "network.ports", "node",
          "network.rdma", nic_down},
    Fault{"nic-flapping", "One adapter's link comes and goes", Seen::tree, "network.link_downed",
          "nic", "network.flaps", nic_flapping},
    Fault{"nic-half-rate", "One adapter's port runs at half its rate", Seen::tree, "network.rate",
          "node", "", nic_half_rate},
    Fault{"nvlink-down", "One NVLink is down", Seen::nvml, "gpu.nvlink.inactive", "gpu",
          "topology.nvlink.complete kernel_log.nvlink", nvlink_down},
    Fault{"nvlink-errors", "One NVLink replays more and more", Seen::nvml, "gpu.nvlink.errors",
          "gpu", "", nvlink_errors},
    Fault{"nvlinks-down", "All NVLinks of one GPU are down", Seen::nvml, "gpu.nvlink.inactive",
          "gpu",
          "topology.nvlink.complete topology.nvlink.present topology.crosses_numa "
          "topology.crosses_socket kernel_log.nvlink",
          nvlinks_down},
    Fault{"nvswitch-error", "An NVSwitch reports a fatal error", Seen::log, "nvswitch.sxid.fatal",
          "nvswitch", "", nvswitch_error},
    Fault{"pcie-generation", "One GPU's slot runs two PCIe generations below", Seen::nvml,
          "gpu.pcie.generation.slot", "gpu", "", pcie_generation},
    Fault{"pcie-width", "One GPU has half of its PCIe lanes", Seen::nvml, "gpu.pcie.width.slot",
          "gpu", "gpu.pcie.width", pcie_width},
    Fault{"persistence-off", "Persistence mode is off", Seen::nvml, "gpu.persistence", "gpu", "",
          persistence_off},
    Fault{"power-capped", "One GPU's power limit is at its lowest", Seen::nvml, "gpu.power.limit",
          "gpu", "uniformity.power_limit thermal.clock", power_capped},
    Fault{"remap-failure", "A row could not be remapped", Seen::nvml, "gpu.remap.failure", "gpu",
          "gpu.remap.uncorrectable gpu.xid gpu.remap.banks.none gpu.xid.warning", remap_failure},
    Fault{"remap-pending", "A row waits to be remapped", Seen::nvml, "gpu.remap.pending", "gpu",
          "gpu.remap.uncorrectable gpu.xid.warning gpu.recovery_action", remap_pending},
    Fault{"sel-entries", "The controller has logged critical events", Seen::controller, "bmc.sel",
          "bmc", "bmc.health", sel_entries},
    Fault{"supply-lost", "A power supply fails and the power brake holds the GPUs", Seen::nvml,
          "gpu.clock_event.hw_power_brake", "gpu",
          "power.supplies gpu.clock_event.hw_slowdown gpu.clock_event.hw_power_brake.time bmc.sel "
          "bmc.sensors bmc.health thermal.clock thermal.throttle.hardware",
          supply_lost},
    Fault{"swap-on", "The machine swaps", Seen::tree, "host.swap", "node", "", swap_on},
    Fault{"symbol-missing", "The driver lacks nvmlDeviceGetRemappedRows: no evidence, not a pass",
          Seen::nvml, "gpu.remap.pending", "gpu", "gpu.remap.failure gpu.remap.uncorrectable",
          symbol_missing},
};

}  // namespace

std::span<const Fault> faults() { return all; }

const Fault* fault_named(std::string_view id) {
  const auto found =
      std::find_if(all.begin(), all.end(), [&](const Fault& fault) { return fault.id == id; });
  return found == all.end() ? nullptr : &*found;
}

Result<Injected> parse_injected(std::string_view text) {
  Injected out;
  auto name = text;
  if (const auto at = name.find('@'); at != std::string_view::npos) {
    const auto time = parse_measure(name.substr(at + 1));
    if (!time || (time->unit != Unit::second && time->unit != Unit::none) || time->value < 0)
      return fail(Errc::usage, printable(text) + ": after @ stands a time, as 4h or 90 s");
    out.at = time->value;
    name = name.substr(0, at);
  }
  if (const auto colon = name.find(':'); colon != std::string_view::npos) {
    const auto target = parse_integer(name.substr(colon + 1));
    if (!target || *target < 0 || *target > 1000)
      return fail(Errc::usage, printable(text) + ": after : stands the number of a GPU or part");
    out.target = static_cast<int>(*target);
    name = name.substr(0, colon);
  }
  out.fault = fault_named(name);
  if (out.fault == nullptr)
    return fail(Errc::usage, printable(name) + ": no such fault (gpuvet sim list)");
  return out;
}

Result<Gpu*> gpu_meant(World& world, int target) {
  constexpr int usual = 5;
  if (world.gpus.empty()) return fail(Errc::usage, "this server has no GPU");
  const int last = static_cast<int>(world.gpus.size()) - 1;
  const int index = target < 0 ? std::min(usual, last) : target;
  if (index > last) return fail(Errc::usage, "this server has no GPU " + std::to_string(index));
  return &world.gpus[static_cast<std::size_t>(index)];
}

void log(World& world, double seconds, int level, std::string text) {
  world.log.push_back({world.booted + world.time - seconds, level, std::move(text)});
}

void log_event(World& world, double seconds, std::string sensor, std::string event) {
  if (!world.made.host.bmc_firmware.empty())
    world.sel.push_back(
        {world.booted + world.time - seconds, std::move(sensor), std::move(event), true});
}

}  // namespace gpuvet::sim
