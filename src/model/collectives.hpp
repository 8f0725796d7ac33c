// SPDX-License-Identifier: Apache-2.0
// How long NCCL's collectives take on a fabric.
#pragma once

#include <string_view>

#include "model/constants.hpp"
#include "model/estimate.hpp"
#include "model/fabric.hpp"

namespace gpuvet::model {

enum class Collective {
  all_reduce,
  all_gather,
  reduce_scatter,
  all_to_all,
  broadcast,
  reduce,
  send_recv
};

std::string_view name(Collective);  ///< as nccl-tests: "all_reduce", "alltoall", ...

/// Bus bandwidth over algorithm bandwidth, as nccl-tests' PERFORMANCE.md defines it.
double bus_factor(Collective, int ranks);

/// Which NCCL runs, and from where it is called.
struct NcclStack {
  bool recent =
      true;  ///< 2.20 or newer; before, a step took longer and large messages started later
  bool framework_call = false;  ///< timed around a framework's call, not by nccl-tests' own loop
};

/// "2.27.3" is recent, "2.10" is not. Nothing stated is not: most published figures without a
/// version are of 2022 and 2023.
NcclStack nccl_stack(std::string_view version);

/// Every collective is the fastest of its protocols (LL, LL128, Simple; NVLS where the switch
/// reduces), each a latency, a latency a step and a rate: the form of NCCL's own tuner with
/// constants that are absolute. Between two protocols the change is gradual.
class Collectives {
 public:
  explicit Collectives(const Constants&);

  /// Seconds for `bytes`, which is nccl-tests' size: the whole of the larger buffer of one rank.
  /// Refuses fabrics whose speed it can't know.
  [[nodiscard]] Answer<Seconds> time(Collective, Bytes bytes, const Fabric&,
                                     const NcclStack& = {}) const;

  /// What a ring inside one server carries of large messages, one way.
  [[nodiscard]] Answer<BytesPerSecond> ring_rate(const Fabric&) const;

  /// A copy from pinned host memory to the GPU or back, by its copy engine, alone on its slot.
  [[nodiscard]] Seconds host_copy(Bytes bytes, bool to_device, BytesPerSecond slot) const;

 private:
  struct Question;
  [[nodiscard]] BytesPerSecond reached(const Fabric::Rings&, const Fabric&) const;
  [[nodiscard]] Seconds over_nvlink(const Question&) const;
  [[nodiscard]] Seconds over_pcie(const Question&) const;
  [[nodiscard]] Seconds over_network(const Question&) const;
  [[nodiscard]] Seconds point_to_point(const Question&) const;
  [[nodiscard]] double ll128_latency(const Question&, double steps) const;
  [[nodiscard]] double network_slowness(const Fabric&) const;

  double ring_share_, copy_ratio_;
  double ll_base_, ll_step_, ll_rate_, ll128_base_, ll128_step_, ll128_share_, simple_base_;
  double hopper_base_, old_step_, old_simple_, call_floor_;
  double alltoall_share_, alltoall_base_, alltoall_hopper_;
  double nvls_base_, nvls_share_;
  double pcie_share_, host_share_, staged_share_, staged_power_;
  double pcie_ll_base_, pcie_ll_step_, pcie_ll_share_, pcie_simple_base_, pcie_simple_step_;
  double network_share_, network_pair_, network_step_, network_ll_share_, network_simple_step_;
  double network_ring_step_, network_not_efa_, network_first_efa_;
  double send_base_, send_share_;
  double to_device_share_, from_device_share_, copy_base_;
};

}  // namespace gpuvet::model
