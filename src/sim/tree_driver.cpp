// SPDX-License-Identifier: Apache-2.0
// What tells that NVIDIA's driver is there, and the services beside it.
#include <fmt/format.h>

#include "core/text.hpp"
#include "sim/tree_parts.hpp"

namespace gpuvet::sim {
namespace {

void write_modules(const World& world, TreeWriter& out) {
  out.folder("/sys/module");
  out.folder("/sys/module/nvme");
  if (!world.driver_loaded) return;
  out.line("/sys/module/nvidia/version", world.driver);
  const auto module = [&](const char* name, bool loaded) {
    if (loaded) out.line(fmt::format("/sys/module/{}/initstate", name), "live");
  };
  module("nvidia_uvm", world.uvm);
  module("nvidia_peermem", world.peer_memory);
  if (world.storage) out.line("/sys/module/nvidia_fs/version", "2.19.7");
}

void write_procfs(const World& world, TreeWriter& out) {
  out.file("/proc/driver/nvidia/version",
           fmt::format("NVRM version: NVIDIA UNIX {}x86_64 Kernel Module  {}  Release Build\n"
                       "GCC version:  gcc version 11.4.0\n",
                       world.made.open_modules ? "Open Kernel Module for " : "", world.driver));
  for (const auto& gpu : world.gpus) {
    if (gpu.lost) continue;
    out.file(fmt::format("/proc/driver/nvidia/gpus/{}/information", gpu.place.address()),
             fmt::format("Model: \t\t {}\nIRQ:   \t\t 0\nGPU UUID: \t {}\nVideo BIOS: \t {}\n"
                         "Bus Type: \t PCIe\nBus Location: \t {}\nDevice Minor: \t {}\n"
                         "GPU Excluded:\t No\n",
                         gpu.name, gpu.uuid, gpu.vbios, gpu.place.address(), gpu.minor));
    out.file(fmt::format("/dev/nvidia{}", gpu.minor), "");
  }
  for (const char* node : {"/dev/nvidiactl", "/dev/nvidia-uvm"}) out.file(node, "");
  for (std::size_t i = 0; i < world.switches.size(); ++i) {
    out.file(fmt::format("/dev/nvidia-nvswitch{}", i), "");
    out.file("/dev/nvidia-nvswitchctl", "");
    out.file(fmt::format("/proc/driver/nvidia-nvswitch/devices/{}/information",
                         world.switches[i].place.address()),
             fmt::format("Device Instance: {}\n", i));
  }
}

void write_processes(const World& world, TreeWriter& out) {
  const auto process = [&](unsigned pid, std::string_view name) {
    out.line(fmt::format("/proc/{}/comm", pid), name.substr(0, 15));
  };
  process(1, "systemd");
  process(911, "chronyd");
  if (!world.driver_loaded) return;
  if (world.persistence_daemon) process(1107, "nvidia-persistenced");
  if (world.needs_fabric_manager && world.fabric_manager) process(1201, "nv-fabricmanager");
  for (const auto& gpu : world.gpus)
    for (const auto& one : gpu.processes)
      process(one.pid, std::string_view(one.name).substr(one.name.rfind('/') + 1));
}

}  // namespace

void write_driver(const World& world, TreeWriter& out) {
  write_modules(world, out);
  if (world.driver_loaded) write_procfs(world, out);
  write_processes(world, out);
}

}  // namespace gpuvet::sim
