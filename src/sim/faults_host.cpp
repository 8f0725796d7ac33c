// SPDX-License-Identifier: Apache-2.0
// Faults of the machine around the GPUs.
#include <fmt/format.h>

#include <algorithm>

#include "core/nvml_abi.hpp"
#include "sim/faults_common.hpp"

namespace gpuvet::sim {
namespace {

Result<Nic*> fast_adapter(World& world, int target) {
  constexpr int usual = 2;
  std::vector<Nic*> fast;
  for (auto& nic : world.nics)
    if (nic.made.rdma) fast.push_back(&nic);
  if (fast.empty()) return fail(Errc::usage, "this server has no RDMA adapter");
  const int last = static_cast<int>(fast.size()) - 1;
  const int index = target < 0 ? std::min(usual, last) : target;
  if (index > last) return fail(Errc::usage, "this server has no adapter " + std::to_string(index));
  return fast[static_cast<std::size_t>(index)];
}

/// The `number`th sensor of a kind that has one for each part.
Result<Sensor*> sensor_meant(World& world, SensorKind kind, int target) {
  constexpr int usual = 1;
  std::vector<Sensor*> all;
  for (auto& sensor : world.sensors)
    if (sensor.kind == kind) all.push_back(&sensor);
  if (all.empty()) return fail(Errc::usage, "this server has no management controller");
  const int last = static_cast<int>(all.size()) - 1;
  const int index = target < 0 ? std::min(usual, last) : target;
  if (index > last) return fail(Errc::usage, "this server has no part " + std::to_string(index));
  return all[static_cast<std::size_t>(index)];
}

}  // namespace

Applied airflow_blocked(World& world, int, double) {
  if (world.gpus.empty()) return fail(Errc::usage, "this server has no GPU");
  constexpr double left = 0.05;  // of the air: what natural convection moves
  for (auto& gpu : world.gpus) gpu.thermal.fan_share = left;
  return {};
}

Applied fan_failed(World& world, int target, double seconds) {
  GPUVET_TRY(auto* fan, sensor_meant(world, SensorKind::fan, target));
  fan->reading = 0;
  fan->state = "cr";
  log_event(world, seconds, "Fan " + fan->name, "Lower Critical going low");
  return {};
}

Applied supply_lost(World& world, int target, double seconds) {
  for (auto& gpu : world.gpus)
    gpu.held_reasons |= nvml::reason_hw_power_brake | nvml::reason_hw_slowdown;
  if (world.made.host.bmc_firmware.empty()) return {};
  GPUVET_TRY(auto* supply, sensor_meant(world, SensorKind::supply, target));
  supply->state = "cr";
  supply->present = false;
  const auto name = supply->name.substr(0, supply->name.find(' '));
  for (auto& sensor : world.sensors)
    if (sensor.name == name + " Input Power") sensor.reading = 0;
  log_event(world, seconds, "Power Supply " + supply->name, "Failure detected");
  return {};
}

Applied fabric_manager_down(World& world, int, double) {
  if (!world.needs_fabric_manager) return fail(Errc::usage, "this server needs no fabric manager");
  world.fabric_manager = false;
  return {};
}

Applied nvswitch_error(World& world, int target, double seconds) {
  if (world.switches.empty()) return fail(Errc::usage, "this server has no NVSwitch");
  const auto index = static_cast<std::size_t>(std::max(0, target));
  if (index >= world.switches.size()) return fail(Errc::usage, "this server has fewer NVSwitches");
  auto& nvswitch = world.switches[index];
  nvswitch.errors = true;
  log(world, seconds, 3,
      fmt::format("nvidia-nvswitch{}: SXid (PCI:{}): 20034, Fatal, Link 28 LTSSM Fault Up", index,
                  nvswitch.place.address()));
  return {};
}

Applied nic_down(World& world, int target, double) {
  GPUVET_TRY(auto* nic, fast_adapter(world, target));
  nic->state = "1: DOWN";
  nic->physical = "3: Disabled";
  return {};
}

Applied nic_half_rate(World& world, int target, double) {
  GPUVET_TRY(auto* nic, fast_adapter(world, target));
  nic->rate = nic->made.rate / 2;
  return {};
}

Applied nic_flapping(World& world, int target, double seconds) {
  GPUVET_TRY(auto* nic, fast_adapter(world, target));
  constexpr std::uint64_t at_once = 14;
  nic->link_downed += at_once + static_cast<std::uint64_t>(seconds / 60);
  nic->carrier_downs = nic->link_downed;
  for (int i = 0; i < 6; ++i)
    log(world, seconds, 6,
        fmt::format("mlx5_core {} {}: Link {}", nic->place.address(), nic->interface,
                    i % 2 == 0 ? "down" : "up"));
  return {};
}

Applied sel_entries(World& world, int, double seconds) {
  if (world.made.host.bmc_firmware.empty())
    return fail(Errc::usage, "this server has no management controller");
  log_event(world, seconds, "Critical Interrupt PCIe Bus", "Bus Fatal Error");
  log_event(world, seconds, "Memory P0_DIMM_A1", "Uncorrectable ECC");
  return {};
}

Applied dimm_missing(World& world, int target, double) {
  const auto index = static_cast<std::size_t>(target < 0 ? 3 : target);
  std::size_t seen = 0;
  for (auto& dimm : world.dimms) {
    if (dimm.size == 0 || seen++ != index) continue;
    const auto lost = dimm.size;
    Dimm empty;
    empty.locator = dimm.locator;
    empty.type = dimm.type;
    dimm = std::move(empty);
    // The node that it belonged to has less; the others do not notice.
    const auto number = static_cast<std::size_t>(&dimm - world.dimms.data());
    auto& node = world.numa[number * world.numa.size() / world.dimms.size()];
    node.memory -= std::min(node.memory, lost);
    node.free = std::min(node.free, node.memory / 10 * 9);
    world.memory -= std::min(world.memory, lost);
    world.memory_free = std::min(world.memory_free, world.memory / 10 * 9);
    return {};
  }
  return fail(Errc::usage, "this server has no such memory module");
}

Applied swap_on(World& world, int, double) {
  world.swap = std::uint64_t{8} << 30U;
  world.swap_used = std::uint64_t{2} << 30U;
  return {};
}

Applied clock_offset(World& world, int, double) {
  world.clock_offset = 2;
  return {};
}

Applied acs_on(World& world, int, double) {
  if (world.bridges.empty()) return fail(Errc::usage, "this server has no PCIe bridge");
  for (auto& bridge : world.bridges) bridge.acs = true;
  return {};
}

Applied nccl_variable(World& world, int, double) {
  world.environment["NCCL_P2P_DISABLE"] = "1";
  return {};
}

Applied drive_missing(World& world, int target, double) {
  if (world.drives.empty()) return fail(Errc::usage, "this server has no NVMe drive");
  const auto index = target < 0 ? world.drives.size() - 1 : static_cast<std::size_t>(target);
  if (index >= world.drives.size()) return fail(Errc::usage, "this server has fewer drives");
  world.drives.erase(world.drives.begin() + static_cast<std::ptrdiff_t>(index));
  return {};
}

}  // namespace gpuvet::sim
