// SPDX-License-Identifier: Apache-2.0
// What lspci's listings and its tree have in common: how they name devices, and what the ports
// above a GPU tell.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "evidence/evidence.hpp"

namespace gpuvet::ingest {

/// More than any machine has; keeps a hostile file from filling memory.
inline constexpr std::size_t most_pci_devices = 4096;

/// "NVIDIA Corporation GA100 [A100 SXM4 80GB] [10de:20b2] (rev a1)", taken apart.
struct PciName {
  std::string text;            ///< vendor and device without ids and revision
  std::string vendor, device;  ///< four hex digits each; empty where the listing has names only
  bool gone = false;           ///< revision ff: the device answers with ones, it left the bus
};

PciName read_pci_name(std::string_view text);

bool is_nvidia(const PciName& name);

/// "0000:0f:00.0"; with a domain beyond four digits (VMD) as lspci writes it. Empty for other text.
std::string read_pci_address(std::string_view text);

/// The bridges above a device, nearest first, and the bus on which they end.
struct PciPath {
  std::string root;  ///< "0000:40": domain and bus
  std::vector<std::string> bridges;
};

/// Root, shared port and switches of a GPU.
void record_gpu_path(Recorder& out, const std::string& gpu, const PciPath& path);

}  // namespace gpuvet::ingest
