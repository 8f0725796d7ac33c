// SPDX-License-Identifier: Apache-2.0
// `lspci -Dnnvvv` over the functions that the tree shows.
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "sim/render.hpp"
#include "sim/tree_parts.hpp"

namespace gpuvet::sim {
namespace {

std::string_view class_name(unsigned code) {
  switch (code >> 8U) {
    case 0x0604:
      return "PCI bridge";
    case 0x0302:
      return "3D controller";
    case 0x0680:
      return "Bridge";
    case 0x0207:
      return "Infiniband controller";
    case 0x0200:
      return "Ethernet controller";
    default:
      return "Non-Volatile memory controller";
  }
}

std::string_view maker(unsigned vendor) {
  switch (vendor) {
    case 0x10de:
      return "NVIDIA Corporation";
    case 0x15b3:
      return "Mellanox Technologies";
    case 0x1000:
      return "Broadcom / LSI";
    case 0x144d:
      return "Samsung Electronics Co Ltd";
    default:
      return "Advanced Micro Devices, Inc. [AMD]";
  }
}

std::string link(int generation, int width) {
  constexpr std::array<std::string_view, 7> rates = {"", "2.5", "5", "8", "16", "32", "64"};
  return fmt::format("Speed {}GT/s, Width x{}",
                     rates[static_cast<std::size_t>(std::clamp(generation, 1, 6))], width);
}

std::string block(const World& world, const PciFunction& f, std::size_t index) {
  std::string out = fmt::format("{} {} [{:04x}]: {} Device [{:04x}:{:04x}] (rev a1)\n",
                                f.place.address(), class_name(f.class_code), f.class_code >> 8U,
                                maker(f.vendor), f.vendor, f.device);
  const bool bridge = f.is_bridge();
  if (!bridge)
    out += fmt::format("\tSubsystem: {} Device [{:04x}:{:04x}]\n", maker(f.subsystem_vendor),
                       f.subsystem_vendor, f.subsystem);
  out += fmt::format("\tNUMA node: {}\n", f.place.numa);
  if (world.iommu) out += fmt::format("\tIOMMU group: {}\n", index);
  if (f.bar1 > 0)
    out += fmt::format("\tRegion 1: Memory at 200000000000 (64-bit, prefetchable) [size={}M]\n",
                       f.bar1 >> 20U);
  if (bridge)
    out += fmt::format("\tBus: primary={}, secondary={:02x}, subordinate={:02x}, sec-latency=0\n",
                       f.place.address().substr(5, 2), f.first_bus, f.last_bus);
  out += fmt::format("\tCapabilities: [40] Express (v2) {}, MSI 00\n",
                     bridge ? "Port (Slot-)" : "Endpoint");
  out += fmt::format("\t\tLnkCap:\tPort #0, {}, ASPM not supported\n",
                     link(f.link.generation_max, f.link.width_max));
  out += fmt::format("\t\tLnkSta:\t{}\n", link(f.link.generation, f.link.width));
  if (bridge) {
    const char mark = f.acs ? '+' : '-';
    out += fmt::format(
        "\tCapabilities: [100 v1] Access Control Services\n"
        "\t\tACSCtl:\tSrcValid{0} TransBlk- ReqRedir{0} CmpltRedir{0} UpstreamFwd{0} "
        "EgressCtrl- DirectTrans-\n",
        mark);
  }
  if (!f.driver.empty()) out += fmt::format("\tKernel driver in use: {}\n", f.driver);
  return out + "\n";
}

}  // namespace

std::string render_lspci(const World& world) {
  const auto all = pci_functions(world);
  std::vector<std::size_t> order(all.size());
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
  std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    return all[a].place.address() < all[b].place.address();
  });
  std::string out;
  for (const auto i : order) out += block(world, all[i], i);
  return out;
}

}  // namespace gpuvet::sim
