// SPDX-License-Identifier: Apache-2.0
// The machine around the GPUs: processors, memory, slots, adapters, drives, sensors.
#include <fmt/format.h>

#include <algorithm>

#include "sim/parts.hpp"
#include "sim/places.hpp"

namespace gpuvet::sim {
namespace {

constexpr double total_overhead = 0.985;  // what firmware and kernel leave of the memory fitted

std::string guid_of(const std::string& seed) {
  const auto n = stable_number(seed);
  return fmt::format("b8ce:f603:{:04x}:{:04x}", n >> 16U & 0xffffU, n & 0xffffU);
}

void add_memory(World& world) {
  const auto& host = world.made.host;
  for (int i = 0; i < host.dimm_slots; ++i) {
    const int per_socket = std::max(1, host.dimm_slots / host.sockets);
    Dimm dimm;
    dimm.locator = fmt::format("P{}_DIMM_{}{}", i / per_socket,
                               static_cast<char>('A' + i % per_socket / 2 % 26), i % 2 + 1);
    dimm.type = host.dimm_type;
    // With half of the places filled, the first of each channel is.
    const bool filled = host.dimms >= host.dimm_slots ||
                        (host.dimms * 2 == host.dimm_slots ? i % 2 == 0 : i < host.dimms);
    if (filled) {
      dimm.size = static_cast<std::uint64_t>(host.dimm_size);
      dimm.manufacturer = "Samsung";
      dimm.part = "M393A8G40AB2-CWE";
      dimm.serial =
          fmt::format("{:08X}", stable_number(world.made.id + dimm.locator) & 0xffffffffU);
      dimm.rate = dimm.configured_rate = host.dimm_rate;
    }
    world.dimms.push_back(std::move(dimm));
  }
}

void add_slots(World& world) {
  const auto& host = world.made.host;
  int number = 0;
  const auto add = [&](bool used, const std::string& address) {
    world.slots.push_back(
        {fmt::format("PCIE_SLOT{}", ++number), host.slot_generation, 16, used, address});
  };
  // Cards sit in slots; modules and drives do not.
  if (world.made.fabric == Fabric::none || world.made.fabric == Fabric::bridged)
    for (const auto& gpu : world.gpus) add(true, gpu.place.address());
  for (const auto& nic : world.nics)
    if (nic.made.rdma && !nic.place.path.empty()) add(true, nic.place.address());
  for (int i = 0; i < host.free_slots; ++i) add(false, {});
}

}  // namespace

void add_host(World& world) {
  const auto& made = world.made;
  const auto& host = made.host;
  world.hostname = "sim-" + made.id;
  world.kernel = host.kernel;
  world.cpu = {host.cpu, host.sockets, host.cores, host.threads};
  add_memory(world);
  add_slots(world);
  double fitted = 0;
  for (const auto& dimm : world.dimms) fitted += static_cast<double>(dimm.size);
  world.memory = static_cast<std::uint64_t>(fitted * total_overhead);
  world.memory_free = world.memory / 10 * 9;
  for (int node = 0; node < host.numa_nodes; ++node) {
    const auto share = world.memory / static_cast<std::uint64_t>(host.numa_nodes);
    world.numa.push_back({cpus_of_node(host, node), share, share / 10 * 9});
  }
  for (auto& gpu : world.gpus) gpu.cpus = cpus_of_node(host, gpu.place.numa);
}

/// Before places are dealt out: what there is to be placed.
void add_devices(World& world) {
  const auto& made = world.made;
  int ib = 0, plain = 0;
  for (const auto& adapter : made.adapters) {
    Nic nic;
    nic.made = adapter;
    nic.rate = adapter.rate;
    nic.guid = guid_of(made.id + adapter.name);
    nic.interface = adapter.layer == "InfiniBand" ? fmt::format("ib{}", ib++)
                    : adapter.rdma                ? fmt::format("ens{}f0np0", ++plain)
                                                  : adapter.name;
    nic.generation_max = adapter.rate > 30e9 ? 5 : 4;
    world.nics.push_back(std::move(nic));
  }
  for (int i = 0; i < made.drives.count; ++i)
    world.drives.push_back(
        {fmt::format("nvme{}", i),
         made.drives.model,
         fmt::format("S{:010d}",
                     stable_number(fmt::format("{} drive {}", made.id, i)) % 10'000'000'000U),
         made.drives.firmware,
         static_cast<std::uint64_t>(made.drives.capacity),
         {}});
  if (made.fabric == Fabric::nvswitch)
    world.switches.resize(static_cast<std::size_t>(made.switches));
}

void add_controller(World& world) {
  const auto& host = world.made.host;
  if (host.bmc_firmware.empty()) return;
  world.sensors.push_back(
      {"Inlet Temp", SensorKind::temperature, world.ambient, 38, 43, {}, "ok", true});
  for (int i = 0; i < host.sockets; ++i)
    world.sensors.push_back(
        {fmt::format("CPU{} Temp", i), SensorKind::temperature, 48, 90, 95, {}, "ok", true});
  for (const auto& gpu : world.gpus)
    world.sensors.push_back({fmt::format("GPU{} Temp", gpu.index),
                             SensorKind::temperature,
                             gpu.temperature,
                             gpu.limits.max_operating,
                             gpu.limits.shutdown,
                             {},
                             "ok",
                             true});
  for (int i = 1; i <= host.fans; ++i)
    world.sensors.push_back(
        {fmt::format("FAN{}", i), SensorKind::fan, 8400, {}, {}, 1200, "ok", true});
  for (int i = 1; i <= host.supplies; ++i) {
    world.sensors.push_back({fmt::format("PSU{} Input Power", i),
                             SensorKind::power,
                             400,
                             {},
                             host.supply_power * 1.1,
                             {},
                             "ok",
                             true});
    world.sensors.push_back(
        {fmt::format("PSU{} Status", i), SensorKind::supply, 0, {}, {}, {}, "ok", true});
  }
}

void add_boot_log(World& world) {
  const auto say = [&](double at, std::string text) {
    world.log.push_back({at, 6, std::move(text)});
  };
  say(0, fmt::format("Linux version {} (buildd@sim) (gcc 11.4.0) #132-Ubuntu SMP", world.kernel));
  say(0.01, fmt::format("DMI: {} {}, BIOS {} 01/15/2024", world.made.host.vendor,
                        world.made.host.product, world.made.host.bios));
  say(0.02, "Command line: BOOT_IMAGE=/vmlinuz-" + world.kernel + " root=/dev/md0 ro");
  if (world.gpus.empty()) return;
  say(21.4, "nvidia-nvlink: Nvlink Core is being initialized, major device number 511");
  say(22.1,
      fmt::format(
          "NVRM: loading NVIDIA UNIX {}x86_64 Kernel Module  {}  Tue Mar  5 22:23:56 UTC 2024",
          world.made.open_modules ? "Open Kernel Module for " : "", world.driver));
  say(22.9, fmt::format(
                "nvidia-modeset: Loading NVIDIA Kernel Mode Setting Driver for UNIX platforms  {}",
                world.driver));
}

}  // namespace gpuvet::sim
