// SPDX-License-Identifier: Apache-2.0
#include "model/fabric.hpp"

namespace gpuvet::model {

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
  if (gpus == 1)
    out.kind = Fabric::Kind::single;
  else if (gpu.module && gpu.nvlink_links > 0)
    out.kind = gpus > 4 ? Fabric::Kind::nvswitch : Fabric::Kind::nvlink_all;
  else
    out.kind = Fabric::Kind::pcie;
  return out;
}

}  // namespace gpuvet::model
