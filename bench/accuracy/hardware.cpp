// SPDX-License-Identifier: Apache-2.0
// Which GPU and which fabric a row speaks of.
#include <array>
#include <utility>

#include "accuracy/kind.hpp"
#include "core/text.hpp"

namespace gpuvet::accuracy {
namespace {

constexpr std::array<std::pair<std::string_view, std::string_view>, 24> ids = {{
    {"A100-SXM-40", "a100-sxm4-40gb"},  {"A100-SXM-80", "a100-sxm4-80gb"},
    {"A100-SXM-?", "a100-sxm4-80gb"},   {"A100-PCIe-40", "a100-pcie-40gb"},
    {"A100-PCIe-80", "a100-pcie-80gb"}, {"A100-PCIe-?", "a100-pcie-80gb"},
    {"A10-PCIe-24", "a10-24gb"},        {"A30-PCIe-24", "a30-24gb"},
    {"A30-PCIe-?", "a30-24gb"},         {"A40-PCIe-48", "a40-48gb"},
    {"H100-SXM-80", "h100-sxm5-80gb"},  {"H100-PCIe-80", "h100-pcie-80gb"},
    {"H100-NVL-94", "h100-nvl-94gb"},   {"H200-SXM-141", "h200-sxm-141gb"},
    {"B200-SXM-180", "b200-sxm-180gb"}, {"L4-PCIe-24", "l4-24gb"},
    {"L40-PCIe-48", "l40-48gb"},        {"L40-PCIe-?", "l40-48gb"},
    {"L40S-PCIe-48", "l40s-48gb"},      {"L40S-PCIe-?", "l40s-48gb"},
    {"T4-PCIe-16", "t4-16gb"},          {"V100-SXM-16", "v100-sxm2-16gb"},
    {"V100-SXM-32", "v100-sxm2-32gb"},  {"GH200-SXM-96", "gh200-96gb-480gb-lpddr"},
}};

}  // namespace

model::Answer<model::Gpu> gpu_of(const Row& row, const World& world) {
  for (const auto& [norm, id] : ids)
    if (norm == row.gpu_norm)
      if (const auto* gpu = world.catalogue.gpu(id)) return model::gpu_from(*gpu);
  if (const auto* gpu = world.catalogue.gpu(lower(row.gpu_norm) + "gb"))  // "V100-PCIe-32"
    return model::gpu_from(*gpu);
  return model::refuse(row.gpu_norm + " is not in the catalogue");
}

model::Answer<model::Fabric> fabric_of(const Row& row, const model::Gpu& gpu) {
  const int nodes = row.nodes < 1 ? 1 : row.nodes;
  auto fabric = model::usual_fabric(gpu, row.gpus / nodes, nodes);
  if (contains_ignoring_case(row.topology, "nvswitch")) fabric.kind = model::Fabric::Kind::nvswitch;
  return fabric;
}

}  // namespace gpuvet::accuracy
