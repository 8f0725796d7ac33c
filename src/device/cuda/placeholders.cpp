// SPDX-License-Identifier: Apache-2.0
#include "device/cuda/cuda.hpp"

namespace gpuvet::device {

Result<LitmusCounts> CudaDevice::litmus(const LitmusSetup&, Device*) {
  return fail(Errc::not_supported, "no litmus tests on GPUs yet");
}

std::vector<Precision> CudaDevice::precisions(MatrixEngine) const { return {}; }

Result<void> CudaStream::fill_matrix(Range, Precision, Values, std::uint64_t) {
  return fail(Errc::not_supported, "no matrices on GPUs yet");
}

Result<void> CudaStream::multiply(const Product&) {
  return fail(Errc::not_supported, "no matrices on GPUs yet");
}

Result<void> CudaStream::verify(const Product&, std::uint64_t, ProductCheck&) {
  return fail(Errc::not_supported, "no matrices on GPUs yet");
}

}  // namespace gpuvet::device
