// SPDX-License-Identifier: Apache-2.0
// Every public name, so that any client loads: what another file answers replaces these, which say
// NOT_SUPPORTED whatever their arguments.
#include "core/nvml_abi.hpp"
#include "sim/nvml/state.hpp"

namespace {

gpuvet::nvml::Return refuse(const char* function) {
  return gpuvet::sim::ask(
      function, [](const gpuvet::sim::World&) { return gpuvet::nvml::Return::not_supported; });
}

}  // namespace

#define X(name)                                                                     \
  extern "C" [[gnu::weak, gnu::visibility("default")]] gpuvet::nvml::Return name(); \
  gpuvet::nvml::Return name() { return refuse(#name); }
#include "sim/nvml/names.inc"
#undef X
