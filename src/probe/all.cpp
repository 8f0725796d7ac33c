// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>

#include "probe/probe.hpp"

namespace gpuvet::probe {

Result<void> coherency(Context&);
Result<void> collectives(Context&);
Result<void> compute(Context&);
Result<void> host(Context&);
Result<void> host_link(Context&);
Result<void> memory_bandwidth(Context&);
Result<void> memory_integrity(Context&);
Result<void> network(Context&);
Result<void> peer(Context&);
Result<void> storage(Context&);

/// Sorted by name.
std::span<const Probe> all() {
  static constexpr std::array probes = {
      Probe{"coherency", "Whether memory keeps the order that fences ask for", Needs::device, 2, 10,
            60, coherency},
      Probe{"collectives", "How fast and how right collective operations are", Needs::two_devices,
            2, 20, 120, collectives},
      Probe{"compute", "How fast a device multiplies matrices, and whether the products are right",
            Needs::device, 2, 20, 120, compute},
      Probe{"host", "How fast the server's own processors and memory are", Needs::host, 2, 6, 30,
            host},
      Probe{"host-link", "How fast bytes go between host memory and devices", Needs::device, 2, 10,
            60, host_link},
      Probe{"memory.bandwidth", "How fast a device reads, writes and copies its own memory",
            Needs::device, 2, 6, 30, memory_bandwidth},
      Probe{"memory.integrity", "Whether a device's memory holds what was written", Needs::device,
            2, 20, 240, memory_integrity},
      Probe{"network", "What the network moves: RDMA by perftest, TCP by our own ends", Needs::host,
            2, 15, 60, network},
      Probe{"peer", "How fast and how right bytes go between each two devices", Needs::two_devices,
            2, 20, 120, peer},
      Probe{"storage", "How fast files are read, into host memory and into GPUs", Needs::host, 2,
            12, 60, storage},
  };
  return probes;
}

const Probe* probe_named(std::string_view name) {
  const auto found = std::find_if(all().begin(), all().end(),
                                  [&](const Probe& probe) { return probe.name == name; });
  return found == all().end() ? nullptr : &*found;
}

std::string method_file(const Probe& probe) {
  std::string out(probe.name);
  std::replace(out.begin(), out.end(), '.', '-');
  return out + ".md";
}

double Context::left() const {
  return devices.empty() ? 0 : std::max(0.0, until - devices.front()->now());
}

}  // namespace gpuvet::probe
