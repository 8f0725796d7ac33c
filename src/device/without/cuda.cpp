// SPDX-License-Identifier: Apache-2.0
// Stands in for device/cuda where gpuvet was built without nvcc.
#include "device/communicator.hpp"
#include "device/device.hpp"

namespace gpuvet::device {

Result<std::vector<std::unique_ptr<Device>>> cuda_devices() {
  return fail(Errc::not_supported,
              "this gpuvet was built without CUDA: build it where nvcc 12 or newer is installed");
}

Result<std::unique_ptr<Communicator>> nccl_communicator(std::span<Device* const>, const World&) {
  return fail(Errc::not_supported, "this gpuvet was built without CUDA");
}

Result<std::string> nccl_unique_id() {
  return fail(Errc::not_supported, "this gpuvet was built without CUDA");
}

}  // namespace gpuvet::device
