// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "device/contract.hpp"

namespace gpuvet::device {
namespace {

struct CudaBackend {
  static Result<std::vector<std::unique_ptr<Device>>> devices() { return cuda_devices(); }
};
INSTANTIATE_TYPED_TEST_SUITE_P(Cuda, DeviceContract, CudaBackend);

}  // namespace
}  // namespace gpuvet::device
