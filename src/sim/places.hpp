// SPDX-License-Identifier: Apache-2.0
// Inside sim: the PCI tree. Buses are dealt out as firmware does, so that no two places share one.
#pragma once

#include <vector>

#include "sim/world.hpp"

namespace gpuvet::sim {

/// Gives every GPU, adapter, drive and NVSwitch of `world` its place, and lists the bridges above.
void place_devices(World& world);

/// "0-15,128-143": processors of NUMA node `node`.
std::string cpus_of_node(const HostShape& host, int node);

}  // namespace gpuvet::sim
