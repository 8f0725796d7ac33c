// SPDX-License-Identifier: Apache-2.0
// Processors, NUMA nodes, memory, kernel: /sys/devices/system and /proc.
#include <fmt/format.h>

#include <algorithm>

#include "core/text.hpp"
#include "sim/tree_parts.hpp"

namespace gpuvet::sim {
namespace {

constexpr std::uint64_t kibi = 1024;

/// Linux numbers the first threads of all cores, socket by socket, and then the second ones.
struct Numbering {
  int cores, sockets, threads;
  [[nodiscard]] int all() const { return cores * sockets * threads; }
  [[nodiscard]] int core(int cpu) const { return cpu % (cores * sockets); }
  [[nodiscard]] int socket(int cpu) const { return core(cpu) / cores; }
};

std::string siblings(const Numbering& n, int cpu) {
  std::string out;
  for (int thread = 0; thread < n.threads; ++thread)
    out += (thread == 0 ? "" : ",") + std::to_string(n.core(cpu) + thread * n.cores * n.sockets);
  return out;
}

/// "00000003,ffffffff" as the kernel writes masks.
std::string mask(const std::vector<int>& cpus, int all) {
  std::string out;
  for (int word = (all + 31) / 32; word-- > 0;) {
    unsigned bits = 0;
    for (const int cpu : cpus)
      if (cpu / 32 == word) bits |= 1U << static_cast<unsigned>(cpu % 32);
    out += fmt::format("{}{:08x}", out.empty() ? "" : ",", bits);
  }
  return out;
}

void write_cpus(const World& world, const Numbering& n, TreeWriter& out) {
  const std::string root = "/sys/devices/system/cpu/";
  const auto range = fmt::format("0-{}", n.all() - 1);
  for (const char* list : {"online", "present", "possible"}) out.line(root + list, range);
  out.line(root + "kernel_max", "8191");
  std::string info;
  const auto maker = contains(world.cpu.model, "Intel") ? "GenuineIntel" : "AuthenticAMD";
  for (int cpu = 0; cpu < n.all(); ++cpu) {
    const std::string at = fmt::format("{}cpu{}/", root, cpu);
    const int core = n.core(cpu) % n.cores;
    out.line(at + "topology/physical_package_id", std::to_string(n.socket(cpu)));
    out.line(at + "topology/core_id", std::to_string(core));
    out.line(at + "topology/die_id", "0");
    std::vector<int> threads = numbers_in(siblings(n, cpu)), package;
    for (int other = 0; other < n.all(); ++other)
      if (n.socket(other) == n.socket(cpu)) package.push_back(other);
    out.line(at + "topology/thread_siblings", mask(threads, n.all()));
    out.line(at + "topology/thread_siblings_list", siblings(n, cpu));
    out.line(at + "topology/core_cpus", mask(threads, n.all()));
    out.line(at + "topology/core_siblings", mask(package, n.all()));
    out.line(at + "topology/package_cpus", mask(package, n.all()));
    if (!world.governor.empty()) out.line(at + "cpufreq/scaling_governor", world.governor);
    info += fmt::format(
        "processor\t: {}\nvendor_id\t: {}\ncpu family\t: 25\nmodel\t\t: 1\nmodel name\t: {}\n"
        "stepping\t: 1\nphysical id\t: {}\nsiblings\t: {}\ncore id\t\t: {}\ncpu cores\t: {}\n"
        "flags\t\t: fpu vme sse sse2 ht lm avx avx2{}\n\n",
        cpu, maker, world.cpu.model, n.socket(cpu), n.cores * n.threads, core, n.cores,
        world.made.host.bmc_firmware.empty() ? " hypervisor" : "");
  }
  out.file("/proc/cpuinfo", std::move(info));
}

void write_nodes(const World& world, const Numbering& n, TreeWriter& out) {
  const std::string root = "/sys/devices/system/node/";
  if (world.numa.empty()) return;
  const auto range = world.numa.size() == 1 ? "0" : fmt::format("0-{}", world.numa.size() - 1);
  for (const char* list : {"online", "possible", "has_cpu", "has_memory", "has_normal_memory"})
    out.line(root + list, range);
  for (std::size_t i = 0; i < world.numa.size(); ++i) {
    const auto& node = world.numa[i];
    const std::string at = fmt::format("{}node{}/", root, i);
    out.line(at + "cpulist", node.cpus);
    const auto cpus = numbers_in(node.cpus);
    out.line(at + "cpumap", mask(cpus, n.all()));
    for (const int cpu : cpus)
      out.link(fmt::format("{}cpu{}", at, cpu), fmt::format("/sys/devices/system/cpu/cpu{}", cpu));
    out.file(at + "meminfo",
             fmt::format("Node {0} MemTotal:       {1} kB\nNode {0} MemFree:        {2} kB\n"
                         "Node {0} MemUsed:        {3} kB\n",
                         i, node.memory / kibi, node.free / kibi,
                         (node.memory - std::min(node.memory, node.free)) / kibi));
    std::string distances;
    for (std::size_t j = 0; j < world.numa.size(); ++j)
      distances += fmt::format("{}{}", j == 0 ? "" : " ", numa_distance(world, i, j));
    out.line(at + "distance", distances);
  }
}

void write_memory(const World& world, TreeWriter& out) {
  const auto row = [](std::string_view name, std::uint64_t bytes) {
    return fmt::format("{:<15} {:>8} kB\n", std::string(name) + ":", bytes / kibi);
  };
  out.file("/proc/meminfo",
           row("MemTotal", world.memory) + row("MemFree", world.memory_free) +
               row("MemAvailable", world.memory_free) + row("SwapTotal", world.swap) +
               row("SwapFree", world.swap - std::min(world.swap, world.swap_used)) +
               "HugePages_Total:       0\nHugePages_Free:        0\n"
               "Hugepagesize:       2048 kB\n");
  std::string swaps = "Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n";
  if (world.swap > 0)
    swaps += fmt::format("/swap.img                               file\t\t{}\t{}\t\t-2\n",
                         world.swap / kibi, world.swap_used / kibi);
  out.file("/proc/swaps", std::move(swaps));
}

}  // namespace

int numa_distance(const World& world, std::size_t a, std::size_t b) {
  const auto sockets = static_cast<std::size_t>(std::max(1, world.cpu.sockets));
  const std::size_t per_socket = std::max<std::size_t>(1, world.numa.size() / sockets);
  if (a == b) return 10;
  return a / per_socket == b / per_socket ? 12 : 32;
}

void write_processors(const World& world, TreeWriter& out) {
  const Numbering n{std::max(1, world.cpu.cores), std::max(1, world.cpu.sockets),
                    std::max(1, world.cpu.threads)};
  write_cpus(world, n, out);
  write_nodes(world, n, out);
  write_memory(world, out);
  out.line("/proc/sys/kernel/hostname", world.hostname);
  out.line("/proc/sys/kernel/osrelease", world.kernel);
  out.line("/proc/version", fmt::format("Linux version {} (simulated by gpuvet)", world.kernel));
  out.line("/proc/uptime", fmt::format("{:.2f} 0.00", world.booted + world.time));
}

}  // namespace gpuvet::sim
