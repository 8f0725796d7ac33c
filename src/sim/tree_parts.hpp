// SPDX-License-Identifier: Apache-2.0
// Inside sim: the files of the tree, part by part.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "sim/tree.hpp"

namespace gpuvet::sim {

/// Collects files; the last word on a path counts.
class TreeWriter {
 public:
  void file(const std::string& path, std::string bytes) { put({path, std::move(bytes), {}, {}}); }
  /// An attribute: one line.
  void line(const std::string& path, std::string_view text) {
    file(path, std::string(text) + "\n");
  }
  void folder(const std::string& path) { put({path, {}, {}, true}); }
  /// A link from `path` to `to`, both of the tree, written relative as the kernel does.
  void link(const std::string& path, std::string_view to);
  [[nodiscard]] std::vector<TreeFile> take();

 private:
  void put(TreeFile file) { files_.insert_or_assign(file.path, std::move(file)); }
  std::map<std::string, TreeFile> files_;
};

/// "/sys/devices/pci0000:40/0000:40:01.1/0000:41:00.0"
std::string device_folder(const Place&);

/// A PCI device of the simulated machine.
struct PciFunction {
  Place place;
  unsigned class_code = 0, vendor = 0, device = 0, subsystem_vendor = 0, subsystem = 0;
  PcieLink link;
  bool acs = false;                      ///< of a bridge: redirects
  unsigned first_bus = 0, last_bus = 0;  ///< of a bridge: those below it
  std::uint64_t bar1 = 0;
  std::string cpus, driver;
  [[nodiscard]] bool is_bridge() const { return class_code == 0x060400; }
};
std::vector<PciFunction> pci_functions(const World&);

void write_pci(const World&, TreeWriter&);         ///< the PCI tree and the IOMMU's groups
void write_processors(const World&, TreeWriter&);  ///< CPUs, NUMA nodes, memory, kernel
void write_adapters(const World&, TreeWriter&);    ///< RDMA and network interfaces
void write_drives(const World&, TreeWriter&);
void write_driver(const World&, TreeWriter&);  ///< modules, /proc/driver/nvidia, devices, services
void write_firmware(const World&, TreeWriter&);

/// As firmware tells them: 10 itself, 12 the same socket, 32 another.
int numa_distance(const World&, std::size_t a, std::size_t b);

/// 3, 4, 5, 8 of "3-5,8".
std::vector<int> numbers_in(std::string_view list);

}  // namespace gpuvet::sim
