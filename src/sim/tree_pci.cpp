// SPDX-License-Identifier: Apache-2.0
// /sys/bus/pci and /sys/devices/pci*: every device with its configuration space, as far as anybody
// reads it: identity, bus numbers, the PCI Express capability, ACS.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <set>
#include <tuple>

#include "core/text.hpp"
#include "sim/tree_parts.hpp"

namespace gpuvet::sim {
namespace {

using Function = PciFunction;

constexpr std::size_t config_size = 4096, capability = 0x40, acs_capability = 0x100;
constexpr unsigned bridge_class = 0x060400, switch_class = 0x068000;

unsigned hex(std::string_view text) {
  return static_cast<unsigned>(parse_integer(text, 16).value_or(0));
}

/// "0000:41:00.0" -> 0x41; the bus of a root complex, "0000:40".
unsigned bus_of(std::string_view address) { return hex(address.substr(5, 2)); }

class Config {
 public:
  void byte(std::size_t at, unsigned value) { bytes_[at] = static_cast<char>(value & 0xffU); }
  void word(std::size_t at, unsigned value) {
    byte(at, value);
    byte(at + 1, value >> 8U);
  }
  void number(std::size_t at, unsigned value) {
    word(at, value & 0xffffU);
    word(at + 2, value >> 16U);
  }
  [[nodiscard]] const std::string& bytes() const { return bytes_; }

 private:
  std::string bytes_ = std::string(config_size, '\0');
};

/// Buses below a bridge: from the next device's to the highest of all below.
std::pair<unsigned, unsigned> buses_below(const std::string& address,
                                          const std::vector<Function>& all) {
  unsigned first = 0, last = 0;
  for (const auto& other : all) {
    const auto& path = other.place.path;
    const auto at = std::find(path.begin(), path.end(), address);
    if (at == path.end() || at + 1 == path.end()) continue;
    first = bus_of(*(at + 1));
    last = std::max(last, bus_of(path.back()));
  }
  return {first, last};
}

std::string config_of(const Function& f) {
  Config out;
  out.word(0, f.vendor);
  out.word(2, f.device);
  out.word(4, 0x0406);  // memory, bus master, no legacy interrupts
  out.word(6, 0x0010);  // has capabilities
  out.byte(9, f.class_code);
  out.word(10, f.class_code >> 8U);
  out.byte(0x34, capability);
  const bool bridge = f.is_bridge();
  if (bridge) {
    out.byte(0x0e, 1);
    out.byte(0x18, bus_of(f.place.address()));
    out.byte(0x19, f.first_bus);
    out.byte(0x1a, f.last_bus);
  } else {
    out.word(0x2c, f.subsystem_vendor);
    out.word(0x2e, f.subsystem);
  }
  // PCI Express: endpoint, root port, or a switch's upstream or downstream port.
  const std::size_t depth = f.place.path.size();
  const unsigned kind = !bridge ? 0U : depth == 1 ? 4U : depth % 2 == 0 ? 5U : 6U;
  out.byte(capability, 0x10);
  out.word(capability + 2, 2U | kind << 4U);
  const auto link = [](int generation, int width) {
    return static_cast<unsigned>(generation) | static_cast<unsigned>(width) << 4U;
  };
  out.number(capability + 0x0c, link(f.link.generation_max, f.link.width_max));
  out.word(capability + 0x12, link(f.link.generation, f.link.width));
  if (bridge) {
    out.number(acs_capability, 0x0001000dU);                  // ACS, version 1, the last capability
    out.word(acs_capability + 4, 0x007fU);                    // can do all
    out.word(acs_capability + 6, f.acs ? 0x001dU : 0x0000U);  // validation, redirects, forwards
  }
  return out.bytes();
}

std::string speed(int generation) {
  constexpr std::array<std::string_view, 7> rates = {"",     "2.5",  "5.0", "8.0",
                                                     "16.0", "32.0", "64.0"};
  return fmt::format("{} GT/s PCIe", rates[static_cast<std::size_t>(std::clamp(generation, 1, 6))]);
}

void write_function(const Function& f, TreeWriter& out) {
  const std::string at = device_folder(f.place) + "/";
  out.line(at + "class", fmt::format("0x{:06x}", f.class_code));
  out.line(at + "vendor", fmt::format("0x{:04x}", f.vendor));
  out.line(at + "device", fmt::format("0x{:04x}", f.device));
  out.line(at + "subsystem_vendor", fmt::format("0x{:04x}", f.subsystem_vendor));
  out.line(at + "subsystem_device", fmt::format("0x{:04x}", f.subsystem));
  out.line(at + "revision", "0xa1");
  out.line(at + "irq", "0");
  out.line(at + "enable", "1");
  out.line(at + "numa_node", std::to_string(f.place.numa));
  out.line(at + "local_cpulist", f.cpus);
  out.line(at + "current_link_speed", speed(f.link.generation));
  out.line(at + "max_link_speed", speed(f.link.generation_max));
  out.line(at + "current_link_width", std::to_string(f.link.width));
  out.line(at + "max_link_width", std::to_string(f.link.width_max));
  std::string resources;  // six regions, the ROM; a bridge's windows: none is mapped here
  for (int i = 0; i < 13; ++i)
    resources += "0x0000000000000000 0x0000000000000000 0x0000000000000000\n";
  out.file(at + "resource", std::move(resources));
  out.file(at + "config", config_of(f));
  if (!f.driver.empty()) {
    out.folder("/sys/bus/pci/drivers/" + f.driver);
    out.link(at + "driver", "/sys/bus/pci/drivers/" + f.driver);
  }
  out.link("/sys/bus/pci/devices/" + f.place.address(), device_folder(f.place));
}

/// One group for each device and its way up, where bridges keep peers apart; all translate.
void write_groups(const std::vector<Function>& all, TreeWriter& out) {
  for (std::size_t i = 0; i < all.size(); ++i) {
    const std::string group = fmt::format("/sys/kernel/iommu_groups/{}", i);
    out.line(group + "/type", "DMA-FQ");
    out.link(group + "/devices/" + all[i].place.address(), device_folder(all[i].place));
    out.link(device_folder(all[i].place) + "/iommu_group", group);
  }
}

PcieLink link_of(int generation, int width) { return {generation, generation, width, width, 0}; }

Function plain(const Place& place, unsigned class_code, unsigned vendor, unsigned device,
               const PcieLink& link, std::string cpus, std::string driver) {
  Function out;
  out.place = place;
  out.class_code = class_code;
  out.vendor = vendor;
  out.device = device;
  out.link = link;
  out.cpus = std::move(cpus);
  out.driver = std::move(driver);
  return out;
}

/// The bridges that devices name on their way without the world listing them.
void add_unlisted(std::vector<Function>& all, const PcieLink& link) {
  std::set<std::string> known;
  for (const auto& f : all) known.insert(f.place.address());
  std::vector<Function> more;
  for (const auto& f : all)
    for (std::size_t n = 1; n < f.place.path.size(); ++n) {
      if (!known.insert(f.place.path[n - 1]).second) continue;
      Function bridge = plain(f.place, bridge_class, 0x1022, 0x1483, link, f.cpus, "pcieport");
      bridge.place.path.resize(n);
      more.push_back(std::move(bridge));
    }
  all.insert(all.end(), more.begin(), more.end());
}

}  // namespace

std::string device_folder(const Place& place) {
  std::string out = "/sys/devices/pci" + place.root;
  for (const auto& address : place.path) out += "/" + address;
  return out;
}

std::vector<PciFunction> pci_functions(const World& world) {
  const auto cpus = [&](const Place& place) {
    const auto node = static_cast<std::size_t>(std::max(0, place.numa));
    return node < world.numa.size() ? world.numa[node].cpus : std::string();
  };
  const auto add = [&](std::vector<Function>& to, const Place& place, unsigned code,
                       unsigned vendor, unsigned device, unsigned subsystem, const PcieLink& link,
                       const char* driver) -> Function& {
    to.push_back(plain(place, code, vendor, device, link, cpus(place), driver));
    to.back().subsystem_vendor = vendor;
    to.back().subsystem = subsystem;
    return to.back();
  };
  const int generation = world.made.host.slot_generation;
  std::vector<Function> out;
  for (const auto& bridge : world.bridges) {
    const bool root = bridge.place.path.size() == 1;
    add(out, bridge.place, bridge_class, root ? 0x1022 : 0x1000, root ? 0x1483 : 0xc010, 0,
        link_of(generation, 16), "pcieport")
        .acs = bridge.acs;
  }
  for (const auto& gpu : world.gpus)
    if (!gpu.lost)
      add(out, gpu.place, 0x030200, 0x10de, hex(gpu.device_id), hex(gpu.subsystem_id), gpu.pcie,
          world.driver_loaded ? "nvidia" : "")
          .bar1 = gpu.bar1;
  const bool hopper = std::any_of(world.gpus.begin(), world.gpus.end(),
                                  [](const Gpu& g) { return g.architecture == "Hopper"; });
  for (const auto& chip : world.switches)
    add(out, chip.place, switch_class, 0x10de, hopper ? 0x22a3 : 0x1af1, 0x1463, link_of(2, 1),
        "nvidia-nvswitch");
  for (const auto& nic : world.nics)
    add(out, nic.place, nic.made.layer == "InfiniBand" ? 0x020700 : 0x020000, 0x15b3,
        hex(nic.made.device_id), 0x0007, link_of(nic.generation_max, nic.width_max), "mlx5_core");
  for (const auto& drive : world.drives)
    add(out, drive.place, 0x010802, 0x144d, 0xa824, 0xa801, link_of(4, 4), "nvme");
  add_unlisted(out, link_of(generation, 16));
  for (auto& f : out)
    if (f.is_bridge()) std::tie(f.first_bus, f.last_bus) = buses_below(f.place.address(), out);
  return out;
}

void write_pci(const World& world, TreeWriter& out) {
  out.folder("/sys/bus/pci/devices");
  const auto all = pci_functions(world);
  for (const auto& function : all) write_function(function, out);
  if (world.iommu) write_groups(all, out);
}

}  // namespace gpuvet::sim
