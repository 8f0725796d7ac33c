// SPDX-License-Identifier: Apache-2.0
#include "device/host/matrix_tile.hpp"

namespace gpuvet::device::host {

const MatrixKernels avx512_kernels = kernels_of<64, 12, 2>("avx512");

}  // namespace gpuvet::device::host
