// SPDX-License-Identifier: Apache-2.0
// RDMA adapters: /sys/class/infiniband as one text, which the importer of such texts reads.
#include <fmt/format.h>

#include <array>
#include <optional>

#include "collect/collector.hpp"
#include "core/text.hpp"

namespace gpuvet::collect {
namespace {

constexpr std::string_view root_folder = "/sys/class/infiniband";
constexpr std::array<std::string_view, 4> device_files = {"fw_ver", "hca_type", "node_guid",
                                                          "device/numa_node"};
constexpr std::array<std::string_view, 4> port_files = {"state", "phys_state", "rate",
                                                        "link_layer"};

void append(const platform::Root& root, const std::string& path, std::string& text) {
  if (const auto line = root.line(fmt::format("{}/{}", root_folder, path)))
    text += fmt::format("{}: {}\n", path, *line);
}

/// Address of the card: the adapter's own, or for RDMA in software that of its network device.
std::optional<std::string> address_of(const platform::Root& root, const std::string& name) {
  if (const auto device = root.link_name(fmt::format("{}/{}/device", root_folder, name)))
    return pci_address(*device);
  const auto netdev = root.line(fmt::format("{}/{}/ports/1/gid_attrs/ndevs/0", root_folder, name));
  if (!netdev || contains(*netdev, "/")) return {};
  const auto link = root.link("/sys/class/net/" + *netdev);
  if (!link) return {};
  std::optional<std::string> last;  // "…/0000:43:00.0/virtio1/net/eth1"
  for (const auto part : split(*link, '/'))
    if (auto address = pci_address(part)) last = std::move(address);
  return last;
}

}  // namespace

Result<void> collect_rdma(const Machine& machine, Collected& out) {
  const auto adapters = machine.root.list(root_folder);
  Recorder recorder(out.evidence,
                    provenance_of(machine, std::string(root_folder), std::string(root_folder)));
  if (!adapters || adapters->empty()) {
    recorder.number("node.nic.rdma.ports"_id, "node", 0);
    return {};
  }
  std::string text;
  for (const auto& name : *adapters) {
    for (const auto file : device_files)
      append(machine.root, fmt::format("{}/{}", name, file), text);
    const auto ports = machine.root.list(fmt::format("{}/{}/ports", root_folder, name));
    for (const auto& port : ports.value_or(std::vector<std::string>{})) {
      for (const auto file : port_files)
        append(machine.root, fmt::format("{}/ports/{}/{}", name, port, file), text);
      const auto counters = fmt::format("{}/ports/{}/counters", name, port);
      const auto files = machine.root.list(fmt::format("{}/{}", root_folder, counters));
      for (const auto& file : files.value_or(std::vector<std::string>{}))
        append(machine.root, counters + "/" + file, text);
    }
    // Its place in the PCI tree, so that the adapter meets what the tree says of the same address.
    if (const auto address = address_of(machine.root, name))
      recorder.text("nic.pci.address"_id, "nic:" + printable(name), *address);
  }
  out.sources.push_back({"infiniband.txt", "infiniband_sysfs", std::move(text)});
  return {};
}

}  // namespace gpuvet::collect
