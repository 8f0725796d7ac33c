// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "judge/index.hpp"
#include "judge/verdict.hpp"

namespace gpuvet::judge {

/// Whether the server can carry `workload`, by its needs alone.
Fit judge_fit(const catalogue::Workload& workload, const Index& index);

}  // namespace gpuvet::judge
