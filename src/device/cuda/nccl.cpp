// SPDX-License-Identifier: Apache-2.0
#include "device/communicator.hpp"

namespace gpuvet::device {

Result<std::unique_ptr<Communicator>> nccl_communicator(std::span<Device* const>) {
  return fail(Errc::not_supported, "no NCCL yet");
}

}  // namespace gpuvet::device
