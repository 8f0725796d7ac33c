// SPDX-License-Identifier: Apache-2.0
#include "device/host/matrix_tile.hpp"

namespace gpuvet::device::host {

const MatrixKernels avx2_kernels = kernels_of<32, 6, 2>("avx2");

}  // namespace gpuvet::device::host
