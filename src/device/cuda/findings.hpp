// SPDX-License-Identifier: Apache-2.0
// What kernels that check memory found, on its way from the device to a CheckResult.
#pragma once

#include <cstdint>

#include "device/memory.hpp"

namespace gpuvet::device::cuda {

/// Written by kernels. The first words count; the list is full long before they stop.
struct Findings {
  std::uint64_t wrong;
  std::uint64_t bits;   ///< or-ed
  std::uint64_t taken;  ///< places of `kept` that were asked for
  Mismatch kept[CheckResult::kept];
};

}  // namespace gpuvet::device::cuda
