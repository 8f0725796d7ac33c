// SPDX-License-Identifier: Apache-2.0
// How GPUs are joined, inside a server and between servers, as collectives feel it.
#pragma once

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
  BytesPerSecond nvlink_each;  ///< one link, one way; nvswitch: times links is what a GPU has
  int nvlinks = 0;             ///< links of one GPU
  BytesPerSecond pcie;         ///< one GPU's slot, one way
  std::string cpu_vendor;      ///< "AMD", "Intel" or empty

  int servers = 1;
  BytesPerSecond network;  ///< all adapters of one server together, one way; 0: unknown
  bool rdma = true;

  [[nodiscard]] int ranks() const { return gpus * servers; }
};

/// "single", "nvswitch", "nvlink-all", "nvlink-partial", "pcie", as `topology.class`; "nodes" for
/// more than one server.
std::string_view topology_class(const Fabric&);

/// The fabric of `gpus` such GPUs in a usual server: a switch for eight modules, direct links for
/// up to four, PCIe for cards.
Fabric usual_fabric(const Gpu&, int gpus, int servers = 1);

}  // namespace gpuvet::model
