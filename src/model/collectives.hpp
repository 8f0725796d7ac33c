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

class Collectives {
 public:
  explicit Collectives(const Constants&);

  /// Seconds for `bytes`, which is nccl-tests' size: the whole of the larger buffer of one rank.
  /// Refuses fabrics whose speed it can't know.
  [[nodiscard]] Answer<Seconds> time(Collective, Bytes bytes, const Fabric&) const;

 private:
  double step_latency_, share_;
};

}  // namespace gpuvet::model
