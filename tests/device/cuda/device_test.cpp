// SPDX-License-Identifier: Apache-2.0
#include <cuda_runtime_api.h>
#include <gmock/gmock.h>

#include <array>

#include "device/communicator.hpp"
#include "device/cuda/cuda.hpp"
#include "device/cuda/errors.hpp"
#include "device/cuda/management.hpp"

namespace gpuvet::device {
namespace {

bool has_driver() {
  int version = 0;
  return cudaDriverGetVersion(&version) == cudaSuccess && version > 0;
}

TEST(Cuda, SaysThatThereIsNoDriver) {
  if (has_driver()) GTEST_SKIP() << "there is one";
  const auto found = cuda_devices();
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error().code, Errc::not_found);
  EXPECT_THAT(found.error().message(), testing::HasSubstr("no NVIDIA driver is installed"));
}

TEST(Cuda, ErrorsSayWhatToDo) {
  const auto lost = cuda::error_of(cudaErrorDevicesUnavailable, "a kernel");
  EXPECT_EQ(lost.code, Errc::vendor_failure);
  EXPECT_THAT(lost.message(), testing::HasSubstr("Xid 79"));
  EXPECT_THAT(cuda::error_of(cudaErrorECCUncorrectable, "x").message(), testing::HasSubstr("ECC"));
  EXPECT_EQ(cuda::error_of(cudaErrorMemoryAllocation, "x").code, Errc::too_large);
  EXPECT_EQ(cuda::error_of(cudaErrorNoKernelImageForDevice, "x").code, Errc::not_supported);
  EXPECT_TRUE(cuda::said(cudaSuccess, "x"));
}

/// A GPU that is not there answers like one that was lost: with errors, and nothing throws or
/// hangs.
TEST(Cuda, ALostDeviceGivesErrors) {
  if (has_driver()) GTEST_SKIP() << "there is a driver";
  Properties properties;
  properties.backend = Backend::cuda;
  properties.subject = "gpu:GPU-0";
  CudaDevice device(properties, std::make_shared<cuda::Management>());
  EXPECT_FALSE(device.allocate(4096));
  EXPECT_FALSE(device.stream());
  EXPECT_FALSE(device.free_memory());
  EXPECT_FALSE(device.latency(nullptr, 10));
  EXPECT_FALSE(device.telemetry().value().clock);
  EXPECT_TRUE(device.reach(device).value());
  std::array<Device*, 1> devices = {&device};
  EXPECT_FALSE(nccl_communicator(devices));
  const auto pageable = device.allocate(4096, Placement::pageable);
  EXPECT_FALSE(pageable) << "every call begins with the device";
}

}  // namespace
}  // namespace gpuvet::device
