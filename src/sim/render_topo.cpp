// SPDX-License-Identifier: Apache-2.0
// `nvidia-smi topo -m`, and the lists of NVLinks.
#include <fmt/format.h>

#include <algorithm>

#include "core/nvml_abi.hpp"
#include "sim/render.hpp"

namespace gpuvet::sim {
namespace {

struct Column {
  std::string name;
  const Place* place;
  const Gpu* gpu;
};

/// Links from one GPU to another: direct ones, and through switches as many as both have.
int links_between(const Gpu& a, const Gpu& b) {
  const auto switched = [](const Gpu& gpu) {
    return std::count_if(gpu.links.begin(), gpu.links.end(),
                         [](const NvLink& link) { return link.up && link.to_switch; });
  };
  const auto direct = std::count_if(a.links.begin(), a.links.end(), [&](const NvLink& link) {
    return link.up && !link.to_switch && link.remote == b.place.address();
  });
  return static_cast<int>(direct + std::min(switched(a), switched(b)));
}

std::string path_name(unsigned ancestor) {
  // Of nvml::Topology: one bridge, several, a host bridge, a NUMA node, the whole system.
  if (ancestor <= 10) return "PIX";
  if (ancestor <= 20) return "PXB";
  if (ancestor <= 30) return "PHB";
  return ancestor <= 40 ? "NODE" : "SYS";
}

std::string cell(const Column& a, const Column& b) {
  if (a.place == b.place) return " X ";
  if (a.gpu != nullptr && b.gpu != nullptr)
    if (const int links = links_between(*a.gpu, *b.gpu); links > 0)
      return fmt::format("NV{}", links);
  return path_name(common_ancestor(*a.place, *b.place));
}

constexpr std::string_view legend = R"(
Legend:

  X    = Self
  SYS  = Connection traversing PCIe as well as the SMP interconnect between NUMA nodes (e.g., QPI/UPI)
  NODE = Connection traversing PCIe as well as the interconnect between PCIe Host Bridges within a NUMA node
  PHB  = Connection traversing PCIe as well as a PCIe Host Bridge (typically the CPU)
  PXB  = Connection traversing multiple PCIe bridges (without traversing the PCIe Host Bridge)
  PIX  = Connection traversing at most a single PCIe bridge
  NV#  = Connection traversing a bonded set of # NVLinks
)";

}  // namespace

std::string render_topo(const World& world) {
  std::vector<Column> columns;
  for (const auto& gpu : world.gpus)
    columns.push_back({fmt::format("GPU{}", gpu.index), &gpu.place, &gpu});
  std::string names;
  for (const auto& nic : world.nics) {
    if (!nic.made.rdma) continue;
    const auto name = fmt::format("NIC{}", columns.size() - world.gpus.size());
    names += fmt::format("  {}: {}\n", name, nic.made.name);
    columns.push_back({name, &nic.place, nullptr});
  }
  std::string out;
  for (const auto& column : columns) out += "\t" + column.name;
  out += "\tCPU Affinity\tNUMA Affinity\tGPU NUMA ID\n";
  for (const auto& row : columns) {
    out += row.name;
    for (const auto& column : columns) out += "\t" + cell(row, column);
    out += row.gpu == nullptr ? "\t\t\t\t"
                              : fmt::format("\t{}\t{}\t\tN/A", row.gpu->cpus, row.place->numa);
    out += "\n";
  }
  out += legend;
  return names.empty() ? out : out + "\nNIC Legend:\n\n" + names;
}

std::string render_link_states(const World& world) {
  std::string out;
  for (const auto& gpu : world.gpus) {
    if (gpu.lost) continue;
    out += fmt::format("GPU {}: {} (UUID: {})\n", gpu.index, gpu.name, gpu.uuid);
    const bool any =
        std::any_of(gpu.links.begin(), gpu.links.end(), [](const NvLink& link) { return link.up; });
    if (!gpu.links.empty() && !any)
      out += "NVML: Unable to retrieve NVLink information as all links are inActive\n";
    for (std::size_t i = 0; any && i < gpu.links.size(); ++i)
      out += gpu.links[i].up ? fmt::format("\t Link {}: {:.6g} GB/s\n", i, gpu.link_speed / 1e9)
                             : fmt::format("\t Link {}: <inactive>\n", i);
  }
  return out;
}

std::string render_link_errors(const World& world) {
  std::string out;
  for (const auto& gpu : world.gpus) {
    if (gpu.lost) continue;
    out += fmt::format("GPU {}: {} (UUID: {})\n", gpu.index, gpu.name, gpu.uuid);
    for (std::size_t i = 0; i < gpu.links.size(); ++i) {
      const auto& link = gpu.links[i];
      out += fmt::format(
          "\t Link {0}: Replay Errors: {1}\n\t Link {0}: Recovery Errors: {2}\n"
          "\t Link {0}: CRC FLIT Errors: {3}\n\t Link {0}: CRC DATA Errors: {4}\n"
          "\t Link {0}: ECC Errors: {5}\n\n",
          i, link.replay, link.recovery, link.crc_flit, link.crc_data, link.ecc);
    }
  }
  return out;
}

}  // namespace gpuvet::sim
