// SPDX-License-Identifier: Apache-2.0
// How GPUs are joined, inside a server and between servers, as collectives feel it.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/quantity.hpp"
#include "model/gpu.hpp"

namespace gpuvet::model {

/// What joins two GPUs of one server, nearest first; as `link.kind` has it.
enum class Path { nvlink, pix, pxb, phb, node, sys };

struct Fabric {
  enum class Kind { single, nvswitch, nvlink_all, nvlink_partial, pcie };

  Kind kind = Kind::single;
  int gpus = 1;  ///< in one server
  /// By pair, row-major gpus x gpus, for kinds without a switch; empty: a typical server of its
  /// kind.
  struct Pair {
    Path path = Path::sys;
    int nvlinks = 0;
  };
  std::vector<Pair> pairs;
  /// What the best set of rings through `pairs` carries, where that was searched beforehand
  /// (with_rings() of ring.hpp): data-sheet rates, one way.
  struct Rings {
    BytesPerSecond rate;
    bool nvlink = true;  ///< every hop is a bridge or a link; else PCIe sets the rate
  };
  std::optional<Rings> rings;
  BytesPerSecond nvlink_each;  ///< one link, one way; nvswitch: times links is what a GPU has
  int nvlinks = 0;             ///< links of one GPU
  BytesPerSecond pcie;         ///< one GPU's slot, one way
  std::string cpu_vendor;      ///< "AMD", "Intel" or empty
  bool hopper = false;         ///< Hopper or later: shorter latencies, reduction in the NVSwitch
  /// Cards that hang from the CPUs, and more than two have no peer access: their data goes through
  /// buffers in host memory.
  bool staged = false;
  /// Between two sockets, one way. Three UPI links of 10.4 GT/s (Intel's figures for Xeon Scalable)
  /// carry 20.8 GB/s each; two EPYCs have as much or more.
  BytesPerSecond socket_link = BytesPerSecond::base(62.4e9);

  int servers = 1;
  BytesPerSecond network;  ///< all adapters of one server together, one way; 0: unknown
  bool rdma = true;
  bool efa = false;  ///< AWS's adapter: a hop takes longer than on InfiniBand

  [[nodiscard]] int ranks() const { return gpus * servers; }
};

/// "single", "nvswitch", "nvlink-all", "nvlink-partial", "pcie", as `topology.class`; "nodes" for
/// more than one server.
std::string_view topology_class(const Fabric&);

/// The fabric of `gpus` such GPUs in a usual server: a switch for eight modules, direct links for
/// up to four, PCIe for cards. Eight V100 modules are wired as in a DGX-1. The network is unknown.
Fabric usual_fabric(const Gpu&, int gpus, int servers = 1);

/// What servers of such GPUs usually have for a network, one way: one adapter a module at the rate
/// of its PCIe slot (200 Gb/s beside A100, 400 Gb/s beside H100), one for four cards.
BytesPerSecond usual_network(const Gpu&, int gpus);

/// Cards with bridges between neighbours (0-1, 2-3, ...), PCIe between the pairs.
Fabric bridged_fabric(const Gpu&, int gpus, int servers = 1);

}  // namespace gpuvet::model
