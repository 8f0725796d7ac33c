// SPDX-License-Identifier: Apache-2.0
#include "device/host/matrix_tile.hpp"

namespace gpuvet::device::host {

const MatrixKernels plain_kernels = kernels_of<16, 4, 2>("plain");

}  // namespace gpuvet::device::host
