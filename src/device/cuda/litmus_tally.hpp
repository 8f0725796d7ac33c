// SPDX-License-Identifier: Apache-2.0
// Outcomes counted from the registers of all instances.
#pragma once

#include <span>

#include "device/cuda/litmus_roles.hpp"

namespace gpuvet::device::cuda {

/// `registers` has litmus_registers bytes for each instance. Without a fence, an outcome out of
/// order is weak where several words are involved; of one word it is forbidden always.
void tally(Litmus shape, Fence fence, std::span<const std::uint8_t> registers, LitmusCounts& out);

}  // namespace gpuvet::device::cuda
