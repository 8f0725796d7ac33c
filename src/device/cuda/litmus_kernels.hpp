// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "device/cuda/litmus_roles.hpp"

struct CUstream_st;

namespace gpuvet::device::cuda {

/// The roles that one device plays.
struct LitmusRoles {
  int role[LitmusJob::most_roles] = {};
  int count = 0;
};

/// Which threads the accesses are made for: as wide as the agents lie apart.
enum class Reach { block, device, system };

/// Starts a warp for each group and role, all of them running at once; those of a group are in one
/// block where `reach` is a block, else in several. Returns a cudaError_t.
int launch_litmus(const LitmusJob& job, Fence fence, Reach reach, LitmusRoles roles,
                  std::uint8_t* results, double limit, CUstream_st* stream);

}  // namespace gpuvet::device::cuda
