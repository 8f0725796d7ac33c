// SPDX-License-Identifier: Apache-2.0
// Fills ranges before a copy and looks at them after it, wherever they lie.
#pragma once

#include <string>

#include "probe/probe.hpp"

namespace gpuvet::probe {

/// Writes `pattern` all over `to`; where kernels may not write, the host does.
Result<void> put(device::Device& device, device::Stream& stream, device::Range to,
                 device::Pattern pattern);
/// Adds to `out` what differs. Both want the stream to be synchronized before and after.
Result<void> inspect(device::Device& device, device::Stream& stream, device::Range of,
                     device::Pattern pattern, device::CheckResult& out);
/// "3 of 1024 words wrong, bits 0x10; first at 0x7f…: expected 0x…, found 0x…"
std::string words(const device::CheckResult& found);

}  // namespace gpuvet::probe
