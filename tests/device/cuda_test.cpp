// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "device/litmus_contract.hpp"
#include "device/matrix_contract.hpp"

namespace gpuvet::device {
namespace {

struct CudaBackend {
  static Result<std::vector<std::unique_ptr<Device>>> devices() { return cuda_devices(); }
};
INSTANTIATE_TYPED_TEST_SUITE_P(Cuda, DeviceContract, CudaBackend);
INSTANTIATE_TYPED_TEST_SUITE_P(Cuda, MatrixContract, CudaBackend);
INSTANTIATE_TYPED_TEST_SUITE_P(Cuda, LitmusContract, CudaBackend);

}  // namespace
}  // namespace gpuvet::device
