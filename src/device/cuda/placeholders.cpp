// SPDX-License-Identifier: Apache-2.0
#include "device/cuda/cuda.hpp"

namespace gpuvet::device {

Result<LitmusCounts> CudaDevice::litmus(const LitmusSetup&, Device*) {
  return fail(Errc::not_supported, "no litmus tests on GPUs yet");
}

}  // namespace gpuvet::device
