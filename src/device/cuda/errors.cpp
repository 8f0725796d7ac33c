// SPDX-License-Identifier: Apache-2.0
#include "device/cuda/errors.hpp"

#include <cuda_runtime_api.h>

#include <string>

namespace gpuvet::device::cuda {
namespace {

/// What an operator should know; empty: CUDA's own words do.
std::string_view advice(cudaError_t status) {
  switch (status) {
    case cudaErrorECCUncorrectable:
      return "uncorrectable memory error (ECC): data was lost; dmesg shows Xid 48, 94 or 95";
    case cudaErrorNvlinkUncorrectable:
      return "uncorrectable NVLink error; dmesg shows Xid 74";
    case cudaErrorDevicesUnavailable:
      return "the GPU is taken in exclusive mode, prohibited, or lost (nvidia-smi -q -d COMPUTE; "
             "dmesg shows Xid 79 when it has fallen off the bus)";
    case cudaErrorUnknown:
      return "the driver does not say why; a GPU that has fallen off the bus looks so (dmesg, Xid "
             "79), and a missing nvidia_uvm module does";
    case cudaErrorNoKernelImageForDevice:
      return "gpuvet's kernels need compute capability 8.0 or newer";
    case cudaErrorSystemNotReady:
      return "the NVLink fabric is not ready: is nvidia-fabricmanager running?";
    case cudaErrorSystemDriverMismatch:
      return "kernel driver and user-mode driver are of different versions: reboot, or reload it";
    case cudaErrorIllegalAddress:
    case cudaErrorMisalignedAddress:
    case cudaErrorIllegalInstruction:
    case cudaErrorInvalidPc:
    case cudaErrorInvalidAddressSpace:
    case cudaErrorHardwareStackError:
    case cudaErrorLaunchFailure:
    case cudaErrorAssert:
      return "a kernel failed; no memory of this process on the GPU can be trusted";
    case cudaErrorLaunchTimeout:
      return "the driver ended a kernel that took too long";
    case cudaErrorMemoryAllocation:
      return "not so much memory is free";
    default:
      return {};
  }
}

Errc code_of(cudaError_t status) {
  switch (status) {
    case cudaErrorMemoryAllocation:
      return Errc::too_large;
    case cudaErrorNotSupported:
    case cudaErrorNoKernelImageForDevice:
    case cudaErrorPeerAccessUnsupported:
      return Errc::not_supported;
    case cudaErrorNotPermitted:
      return Errc::permission;
    case cudaErrorInvalidValue:
    case cudaErrorInvalidDevice:
    case cudaErrorInvalidResourceHandle:
      return Errc::usage;
    case cudaErrorLaunchTimeout:
      return Errc::timeout;
    default:
      return Errc::vendor_failure;
  }
}

}  // namespace

Error error_of(int status, std::string_view what) {
  const auto error = static_cast<cudaError_t>(status);
  std::string text(what);
  text += ": ";
  if (const auto known = advice(error); !known.empty())
    text += known;
  else
    text += cudaGetErrorString(error);
  text += std::string(" (") + cudaGetErrorName(error) + ")";
  return {code_of(error), std::move(text), 0, {}, {}};
}

Result<void> said(int status, std::string_view what) {
  if (status == cudaSuccess) return {};
  cudaGetLastError();
  return tl::make_unexpected(error_of(status, what));
}

}  // namespace gpuvet::device::cuda
