// SPDX-License-Identifier: Apache-2.0
// Collectives of several processes that mpirun or srun started (docs/method/collectives.md).
#pragma once

#include "probe/probe.hpp"

namespace gpuvet::probe {

/// Over the GPUs of all processes by NCCL, or over host memory by MPI where there are none. All
/// processes of the job call it; those that can't take part make it end for all, with an error.
Result<void> collectives_of_job(Context& context);

}  // namespace gpuvet::probe
