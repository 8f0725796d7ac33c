// SPDX-License-Identifier: Apache-2.0
// Adapters and drives below their PCI devices, with the classes that point there.
#include <fmt/format.h>

#include <algorithm>

#include "core/text.hpp"
#include "sim/render.hpp"
#include "sim/tree_parts.hpp"

namespace gpuvet::sim {
namespace {

void write_port(const Nic& nic, const std::string& at, TreeWriter& out) {
  const std::string port = at + "ports/1/";
  out.line(port + "state", nic.state);
  out.line(port + "phys_state", nic.physical);
  out.line(port + "rate", render_rate(nic));
  out.line(port + "link_layer", nic.made.layer);
  out.line(port + "lid", nic.made.layer == "InfiniBand" ? "0x11" : "0x0");
  out.line(port + "gids/0", "fe80:0000:0000:0000:" + nic.guid);
  out.line(port + "gid_attrs/types/0", nic.made.layer == "InfiniBand" ? "IB/RoCE v1" : "RoCE v2");
  const auto counter = [&](const char* name, std::uint64_t value) {
    out.line(port + "counters/" + name, std::to_string(value));
  };
  counter("link_downed", nic.link_downed);
  counter("symbol_error", nic.symbol_errors);
  counter("link_error_recovery", 0);
  counter("port_rcv_errors", 0);
  counter("port_xmit_discards", 0);
  counter("port_xmit_wait", 0);
}

void write_interface(const Nic& nic, TreeWriter& out) {
  if (nic.interface.empty()) return;
  const std::string device = device_folder(nic.place);
  const std::string at = device + "/net/" + nic.interface + "/";
  const bool up = nic.physical.starts_with("5");
  out.line(at + "operstate", up ? "up" : "down");
  out.line(at + "carrier", up ? "1" : "0");
  out.line(at + "carrier_down_count", std::to_string(nic.carrier_downs));
  out.line(at + "carrier_up_count", std::to_string(nic.carrier_downs + 1));
  out.line(at + "carrier_changes", std::to_string(2 * nic.carrier_downs + 1));
  out.line(at + "speed", fmt::format("{:.0f}", nic.rate * 8 / 1e6));
  out.line(at + "mtu", "4200");
  out.line(at + "type", nic.made.layer == "InfiniBand" ? "32" : "1");
  out.line(at + "address", "08:c0:eb:00:00:" + nic.place.address().substr(5, 2));
  out.link(at + "device", device);
  out.link("/sys/class/net/" + nic.interface, device + "/net/" + nic.interface);
}

}  // namespace

void write_adapters(const World& world, TreeWriter& out) {
  for (const auto& nic : world.nics) {
    write_interface(nic, out);
    if (!nic.made.rdma) continue;
    const std::string device = device_folder(nic.place);
    const std::string at = device + "/infiniband/" + nic.made.name + "/";
    out.line(at + "fw_ver", nic.made.firmware);
    out.line(at + "hca_type", nic.made.model);
    out.line(at + "node_guid", nic.guid);
    out.line(at + "node_type", "1: CA");
    out.link(at + "device", device);
    write_port(nic, at, out);
    out.link("/sys/class/infiniband/" + nic.made.name, device + "/infiniband/" + nic.made.name);
  }
}

void write_drives(const World& world, TreeWriter& out) {
  constexpr std::uint64_t sector = 512;
  for (const auto& drive : world.drives) {
    const std::string device = device_folder(drive.place);
    const std::string at = device + "/nvme/" + drive.name + "/";
    out.line(at + "transport", "pcie");
    out.line(at + "state", "live");
    out.line(at + "model", drive.model);
    out.line(at + "serial", drive.serial);
    out.line(at + "firmware_rev", drive.firmware);
    out.line(at + "numa_node", std::to_string(drive.place.numa));
    out.line(at + "address", drive.place.address());
    out.link(at + "device", device);
    out.link("/sys/class/nvme/" + drive.name, device + "/nvme/" + drive.name);
    const std::string block = at + drive.name + "n1/";
    out.line(block + "size", std::to_string(drive.capacity / sector));
    out.line(block + "queue/rotational", "0");
    out.link(block + "device", device + "/nvme/" + drive.name);
    out.link("/sys/block/" + drive.name + "n1",
             device + "/nvme/" + drive.name + "/" + drive.name + "n1");
  }
}

}  // namespace gpuvet::sim
