// SPDX-License-Identifier: Apache-2.0
#include "model/fabric.hpp"

#include <array>

#include "model/ring.hpp"

namespace gpuvet::model {
namespace {

/// The hybrid cube mesh of a DGX-1 with V100: links between each pair, 0 where data must cross the
/// sockets. NVIDIA's white paper on the DGX-1 draws it; `nvidia-smi topo -m` shows it.
constexpr std::array<std::array<int, 8>, 8> cube_mesh = {{{0, 1, 1, 2, 2, 0, 0, 0},
                                                          {1, 0, 2, 1, 0, 2, 0, 0},
                                                          {1, 2, 0, 2, 0, 0, 1, 0},
                                                          {2, 1, 2, 0, 0, 0, 0, 1},
                                                          {2, 0, 0, 0, 0, 1, 1, 2},
                                                          {0, 2, 0, 0, 1, 0, 2, 1},
                                                          {0, 0, 1, 0, 1, 2, 0, 2},
                                                          {0, 0, 0, 1, 2, 1, 2, 0}}};

void wire_as_cube_mesh(Fabric& fabric) {
  fabric.kind = Fabric::Kind::nvlink_partial;
  for (const auto& row : cube_mesh)
    for (const int links : row)
      fabric.pairs.push_back({links > 0 ? Path::nvlink : Path::sys, links});
  fabric = with_rings(std::move(fabric));
}

constexpr BytesPerSecond GB_per_s = BytesPerSecond::base(1e9);

bool hopper_or_later(const std::string& architecture) {
  return architecture == "Hopper" || architecture == "Blackwell" || architecture == "Rubin";
}

}  // namespace

std::string_view topology_class(const Fabric& fabric) {
  if (fabric.servers > 1) return "nodes";
  switch (fabric.kind) {
    case Fabric::Kind::single:
      return "single";
    case Fabric::Kind::nvswitch:
      return "nvswitch";
    case Fabric::Kind::nvlink_all:
      return "nvlink-all";
    case Fabric::Kind::nvlink_partial:
      return "nvlink-partial";
    case Fabric::Kind::pcie:
      return "pcie";
  }
  return "";
}

Fabric usual_fabric(const Gpu& gpu, int gpus, int servers) {
  Fabric out;
  out.gpus = gpus;
  out.servers = servers;
  out.pcie = gpu.pcie;
  if (gpu.nvlink_links > 0) {
    out.nvlinks = gpu.nvlink_links;
    out.nvlink_each = gpu.nvlink / static_cast<double>(gpu.nvlink_links);
  }
  out.hopper = hopper_or_later(gpu.architecture);
  if (gpus == 1)
    out.kind = Fabric::Kind::single;
  else if (!gpu.module || gpu.nvlink_links == 0)
    out.kind = Fabric::Kind::pcie;
  else if (gpus == 8 && gpu.id.starts_with("v100-sxm2"))
    wire_as_cube_mesh(out);
  else
    out.kind = gpus > 4 ? Fabric::Kind::nvswitch : Fabric::Kind::nvlink_all;
  return out;
}

BytesPerSecond usual_network(const Gpu& gpu, int gpus) {
  const double slot = gpu.pcie.in(GB_per_s);
  const double adapter = slot > 40 ? 50 : slot > 20 ? 25 : 12.5;  // 400, 200, 100 Gb/s
  const double adapters = gpu.module && gpu.nvlink_links > 0 ? gpus : (gpus + 3) / 4;
  return adapters * adapter * GB_per_s;
}

Fabric bridged_fabric(const Gpu& gpu, int gpus, int servers) {
  auto out = usual_fabric(gpu, gpus, servers);
  if (gpus < 2 || gpu.nvlink_links == 0) return out;
  out.kind = gpus == 2 ? Fabric::Kind::nvlink_all : Fabric::Kind::nvlink_partial;
  for (int a = 0; a < gpus; ++a)
    for (int b = 0; b < gpus; ++b) {
      const bool joined = a != b && a / 2 == b / 2;
      // Between pairs: NODE, which asks nothing of the socket link.
      out.pairs.push_back({joined ? Path::nvlink : Path::node, joined ? gpu.nvlink_links : 0});
    }
  return with_rings(std::move(out));
}

}  // namespace gpuvet::model
