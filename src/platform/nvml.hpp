// SPDX-License-Identifier: Apache-2.0
// NVIDIA's management library, opened where the driver has put it. Every function may be missing:
// drivers from R450 to today's differ.
#pragma once

#include <string>

#include "core/nvml_abi.hpp"
#include "core/result.hpp"
#include "platform/library.hpp"

namespace gpuvet::platform {

class Nvml {
 public:
  /// `library` names it ("libnvidia-ml.so.1"). Does not start it: call start().
  static Result<Nvml> open(const std::string& library);

#define GPUVET_NVML_POINTER(name, arguments) nvml::function::name* name = nullptr;
  GPUVET_NVML_FUNCTIONS(GPUVET_NVML_POINTER)
#undef GPUVET_NVML_POINTER

  /// nvmlInit; the error says what is wrong with the driver and what to do.
  [[nodiscard]] Result<void> start() const;
  void stop() const;

 private:
  explicit Nvml(Library library) : library_{std::move(library)} {}
  Library library_;
};

/// What a call said, as an error; `what` names the call.
Error error_of(nvml::Return result, std::string what);

/// Calls `function` where the library has it.
template <class... Parameters, class... Arguments>
nvml::Return call(nvml::Return (*function)(Parameters...), Arguments... arguments) {
  return function == nullptr ? nvml::Return::function_not_found : function(arguments...);
}

}  // namespace gpuvet::platform
