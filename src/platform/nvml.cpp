// SPDX-License-Identifier: Apache-2.0
#include "platform/nvml.hpp"

namespace gpuvet::platform {

using nvml::Return;

Result<Nvml> Nvml::open(const std::string& library) {
  auto opened = Library::open({library});
  if (!opened)
    return fail(Errc::not_found,
                "the NVIDIA driver's library is not here (" + opened.error().what + ")");
  Nvml out(std::move(*opened));
#define GPUVET_NVML_LOAD(name, arguments) \
  out.name = out.library_.symbol<nvml::function::name>(#name);
  GPUVET_NVML_FUNCTIONS(GPUVET_NVML_LOAD)
#undef GPUVET_NVML_LOAD
  if (out.nvmlInit_v2 == nullptr || out.nvmlDeviceGetCount_v2 == nullptr ||
      out.nvmlDeviceGetHandleByIndex_v2 == nullptr)
    return fail(Errc::not_supported, library + " is no NVML, or older than driver R450");
  return out;
}

Result<void> Nvml::start() const {
  const Return result = nvmlInit_v2();
  if (result == Return::success) return {};
  if (result == Return::driver_not_loaded)
    return fail(Errc::not_found,
                "the NVIDIA kernel driver is not loaded: modprobe nvidia, then dmesg says why");
  if (result == Return::version_mismatch)
    return fail(Errc::vendor_failure,
                "driver and library are of different versions: reboot, or reload the driver");
  return tl::make_unexpected(error_of(result, "nvmlInit"));
}

void Nvml::stop() const { call(nvmlShutdown); }

Error error_of(Return result, std::string what) {
  switch (result) {
    case Return::not_supported:
    case Return::function_not_found:
    case Return::argument_version_mismatch:
      return {Errc::not_supported, what + ": this driver does not offer it", 0, {}, {}};
    case Return::no_permission:
      return {Errc::permission, what + " needs root", 0, {}, {}};
    case Return::timeout:
      return {Errc::timeout, what + ": the driver gave up waiting", 0, {}, {}};
    case Return::gpu_is_lost:
      return {Errc::vendor_failure, what + ": the GPU has fallen off the bus", 0, {}, {}};
    case Return::reset_required:
      return {Errc::vendor_failure, what + ": the GPU needs a reset", 0, {}, {}};
    default:
      return {Errc::vendor_failure,
              what + " returned " + std::to_string(static_cast<int>(result)),
              0,
              {},
              {}};
  }
}

}  // namespace gpuvet::platform
