// SPDX-License-Identifier: Apache-2.0
// ibstat, dmesg, lscpu, nvme list, chronyc.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "core/text.hpp"
#include "sim/render.hpp"
#include "sim/tree_parts.hpp"

namespace gpuvet::sim {
namespace {

double gigabits(const Nic& nic) { return nic.rate * 8 / 1e9; }

/// "4: ACTIVE" -> "Active", as ibstat spells it.
std::string state_name(std::string_view sysfs) {
  struct Name {
    std::string_view sysfs, ibstat;
  };
  constexpr std::array names = {Name{"1: DOWN", "Down"}, Name{"2: INIT", "Initializing"},
                                Name{"3: ARMED", "Armed"}, Name{"4: ACTIVE", "Active"}};
  for (const auto& name : names)
    if (name.sysfs == sysfs) return std::string(name.ibstat);
  return "Down";
}

std::string without_number(std::string_view sysfs) {
  const auto colon = sysfs.find(": ");
  return std::string(colon == std::string_view::npos ? sysfs : sysfs.substr(colon + 2));
}

}  // namespace

std::string render_rate(const Nic& nic) {
  struct Rate {
    double gigabits;
    std::string_view name;
  };
  constexpr std::array rates = {Rate{800, "4X XDR"}, Rate{400, "4X NDR"}, Rate{200, "4X HDR"},
                                Rate{100, "4X EDR"}, Rate{56, "4X FDR"},  Rate{50, "2X EDR"},
                                Rate{40, "4X QDR"},  Rate{25, "1X EDR"},  Rate{10, "1X FDR10"}};
  for (const auto& rate : rates)
    if (std::abs(gigabits(nic) - rate.gigabits) < 0.5)
      return fmt::format("{} Gb/sec ({})", rate.gigabits, rate.name);
  if (gigabits(nic) <= 0) return "2.5 Gb/sec (1X SDR)";  // what a port without a link says
  return fmt::format("{} Gb/sec (4X)", format_number(gigabits(nic)));
}

std::string render_ibstat(const World& world) {
  std::string out;
  for (const auto& nic : world.nics) {
    if (!nic.made.rdma) continue;
    std::string guid = "0x";
    for (const char c : nic.guid)
      if (c != ':') guid += c;
    const auto rate = render_rate(nic);
    out += fmt::format(
        "CA '{}'\n\tCA type: {}\n\tNumber of ports: 1\n\tFirmware version: {}\n"
        "\tHardware version: 0\n\tNode GUID: {}\n\tSystem image GUID: {}\n\tPort 1:\n"
        "\t\tState: {}\n\t\tPhysical state: {}\n\t\tRate: {}\n\t\tBase lid: {}\n\t\tLMC: 0\n"
        "\t\tSM lid: 1\n\t\tCapability mask: 0x2651e84a\n\t\tPort GUID: {}\n"
        "\t\tLink layer: {}\n",
        nic.made.name, nic.made.model, nic.made.firmware, guid, guid, state_name(nic.state),
        without_number(nic.physical), rate.substr(0, rate.find(' ')),
        nic.made.layer == "InfiniBand" ? 17 : 0, guid, nic.made.layer);
  }
  return out;
}

std::string render_dmesg(const World& world) {
  std::string out;
  for (const auto& line : world.log) out += fmt::format("[{:12.6f}] {}\n", line.at, line.text);
  return out;
}

std::string render_lscpu(const World& world) {
  const auto& cpu = world.cpu;
  const auto row = [](std::string_view name, std::string_view value) {
    return fmt::format("{:<33}{}\n", std::string(name) + ":", value);
  };
  const int all = cpu.sockets * cpu.cores * cpu.threads;
  const bool virtual_machine = world.made.host.bmc_firmware.empty();
  std::string out =
      row("Architecture", "x86_64") + row("CPU op-mode(s)", "32-bit, 64-bit") +
      row("CPU(s)", std::to_string(all)) +
      row("On-line CPU(s) list", fmt::format("0-{}", all - 1)) + row("Model name", cpu.model) +
      row("Thread(s) per core", std::to_string(cpu.threads)) +
      row("Core(s) per socket", std::to_string(cpu.cores)) +
      row("Socket(s)", std::to_string(cpu.sockets)) +
      row("Flags",
          fmt::format("fpu vme sse sse2 ht lm avx avx2{}", virtual_machine ? " hypervisor" : "")) +
      row("NUMA node(s)", std::to_string(world.numa.size()));
  for (std::size_t i = 0; i < world.numa.size(); ++i)
    out += row(fmt::format("NUMA node{} CPU(s)", i), world.numa[i].cpus);
  return out;
}

std::string render_numactl(const World& world) {
  constexpr std::uint64_t megabyte = std::uint64_t{1} << 20U;
  const auto nodes = world.numa.size();
  std::string out = fmt::format("available: {} nodes ({})\n", nodes,
                                nodes == 1 ? "0" : fmt::format("0-{}", nodes - 1));
  for (std::size_t i = 0; i < nodes; ++i) {
    out += fmt::format("node {} cpus:", i);
    for (const int cpu : numbers_in(world.numa[i].cpus)) out += fmt::format(" {}", cpu);
    out += fmt::format("\nnode {0} size: {1} MB\nnode {0} free: {2} MB\n", i,
                       world.numa[i].memory / megabyte, world.numa[i].free / megabyte);
  }
  out += "node distances:\nnode ";
  for (std::size_t i = 0; i < nodes; ++i) out += fmt::format("{:4}", i);
  out += "\n";
  for (std::size_t i = 0; i < nodes; ++i) {
    out += fmt::format("{:4}:", i);
    for (std::size_t j = 0; j < nodes; ++j) out += fmt::format("{:4}", numa_distance(world, i, j));
    out += "\n";
  }
  return out;
}

std::string render_ports(const World& world) {
  constexpr std::string_view folder = "/infiniband/";
  TreeWriter tree;
  write_adapters(world, tree);
  std::string out;
  for (const auto& file : tree.take())
    if (const auto at = file.path.find(folder); file.link.empty() && at != std::string::npos)
      out += fmt::format("/sys/class/infiniband/{}:{}", file.path.substr(at + folder.size()),
                         file.bytes);
  return out;
}

std::string render_drives(const World& world) {
  std::string out = fmt::format("{:<21} {:<20} {:<40} {:<9} {:<26} {:<16} {:<8}\n", "Node", "SN",
                                "Model", "Namespace", "Usage", "Format", "FW Rev");
  out += fmt::format("{:-<21} {:-<20} {:-<40} {:-<9} {:-<26} {:-<16} {:-<8}\n", "", "", "", "", "",
                     "", "");
  for (const auto& drive : world.drives) {
    const auto size = fmt::format("{:6.2f}  TB", static_cast<double>(drive.capacity) / 1e12);
    out += fmt::format("{:<21} {:<20} {:<40} {:<9} {:<26} {:<16} {:<8}\n",
                       "/dev/" + drive.name + "n1", drive.serial, drive.model, 1,
                       size + " / " + size, "512   B +  0 B", drive.firmware);
  }
  return out;
}

std::string render_chronyc(const World& world) {
  const bool follows = world.clock_synchronised;
  return fmt::format(
      "Reference ID    : {}\nStratum         : {}\nRef time (UTC)  : {}\n"
      "System time     : {:.9f} seconds {} of NTP time\nLast offset     : +0.000001320 seconds\n"
      "RMS offset      : 0.000004012 seconds\nFrequency       : 12.345 ppm slow\n"
      "Residual freq   : +0.001 ppm\nSkew            : 0.012 ppm\n"
      "Root delay      : 0.000512000 seconds\nRoot dispersion : 0.000210000 seconds\n"
      "Update interval : 64.2 seconds\nLeap status     : {}\n",
      follows ? "0A000001 (10.0.0.1)" : "00000000 ()", follows ? 3 : 0,
      render_time(world, world.booted + world.time, "%a %b %d %H:%M:%S %Y"),
      std::abs(world.clock_offset), world.clock_offset < 0 ? "slow" : "fast",
      follows ? "Normal" : "Not synchronised");
}

}  // namespace gpuvet::sim
