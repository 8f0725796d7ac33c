// SPDX-License-Identifier: Apache-2.0
// Products of matrices by the host's own engine, and their check.
#pragma once

#include "device/device.hpp"
#include "device/host/matrix_kernels.hpp"
#include "device/host/team.hpp"

namespace gpuvet::device::host {

/// c = a bᵀ by blocks that fit the caches. Each element is summed in the same order whatever the
/// team and so has the same bits on every run; `kernels` decides that order.
void multiply(const Product& product, Team& team, const MatrixKernels& kernels);

/// Freivalds' check (matrix_check.hpp); adds to `out`.
void verify(const Product& product, std::uint64_t seed, Team& team, const MatrixKernels& kernels,
            ProductCheck& out);

/// OpenBLAS, where the machine has it: fp64, and fp32 for fp32 and tf32.
Result<void> multiply_by_library(const Product& product, int threads);
bool has_matrix_library();

}  // namespace gpuvet::device::host
