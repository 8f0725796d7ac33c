// SPDX-License-Identifier: Apache-2.0
#include "device/cuda/cuda.hpp"

namespace gpuvet::device {

Result<double> CudaDevice::latency(Device*, int) {
  return fail(Errc::not_supported, "no latency between GPUs yet");
}

}  // namespace gpuvet::device
