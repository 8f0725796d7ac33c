// SPDX-License-Identifier: Apache-2.0
// The parts of the network probe.
#pragma once

#include <string>
#include <vector>

#include "probe/probe.hpp"

namespace gpuvet::probe {

struct RdmaPort {
  std::string device;  ///< "mlx5_0"
  int port = 1;
  int numa = -1;
};
/// Ports that are active, sorted.
std::vector<RdmaPort> active_ports(const platform::Root& root);

/// Everything that perftest measures, within `seconds`.
void measure_rdma(Context& context, const std::vector<RdmaPort>& ports, double seconds);
void measure_tcp(Context& context, double seconds);

}  // namespace gpuvet::probe
