// SPDX-License-Identifier: Apache-2.0
// The time that NCCL's own tuner expects of a collective, as a predictor to be beaten. NCCL uses it
// to rank algorithms, not as an absolute figure.
#pragma once

#include "model/collectives.hpp"
#include "model/fabric.hpp"
#include "model/gpu.hpp"

namespace gpuvet::accuracy {

/// By the constants of src/graph/tuning.cc and topo.h of NVIDIA/nccl@5067397: the best of ring and
/// tree in LL, LL128 and Simple, and of NVLS. Refuses sends, which it doesn't model.
model::Answer<Seconds> nccl_tuner_time(model::Collective, Bytes, const model::Gpu&,
                                       const model::Fabric&);

}  // namespace gpuvet::accuracy
