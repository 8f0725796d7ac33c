// SPDX-License-Identifier: Apache-2.0
// The simulated server as its kernel would show it: /sys, /proc and /dev as a list of files, the
// same for every reader. Written to a folder, it is what `--root` takes; lspci, lscpu and hwloc
// read it too, each by its own option for a captured tree.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/result.hpp"
#include "sim/world.hpp"

namespace gpuvet::sim {

struct TreeFile {
  std::string path;   ///< "/sys/bus/pci/devices/0000:01:00.0"
  std::string bytes;  ///< of a file
  std::string link;   ///< where a link points; empty: a file or a folder
  bool folder = false;
};

/// Sorted by path, each once; folders above a file are not listed.
Result<std::vector<TreeFile>> tree_of(const World&);

/// What firmware and kernel hand out as /sys/firmware/dmi/tables/DMI. Layout: DMTF DSP0134.
std::string smbios_table(const World&);
/// ... and as smbios_entry_point beside it.
std::string smbios_entry_point(const World&);

/// Where a captured tree keeps what tools printed on that machine: this folder, by the names that
/// collectors give to their sources ("chronyc.txt").
inline constexpr std::string_view tool_outputs = "/run/gpuvet/tools/";

}  // namespace gpuvet::sim
