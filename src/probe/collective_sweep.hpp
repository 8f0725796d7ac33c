// SPDX-License-Identifier: Apache-2.0
// One sweep over all collective operations and sizes of a communicator
// (docs/method/collectives.md).
#pragma once

#include <cstdint>
#include <string>

#include "device/communicator.hpp"
#include "probe/probe.hpp"

namespace gpuvet::probe {

/// Bytes of the largest buffer that every device of `context` has room for, several times over:
/// what is sent, what is received, what is due, and some to spare.
Result<std::uint64_t> largest_buffer(const Context& context);

/// Measures and checks each operation, 8 B and up to `most`; records rates, wrong words, and times
/// of ranks. With a job all its processes call it alike, and the first one records.
Result<void> sweep_collectives(Context& context, device::Communicator& communicator,
                               std::uint64_t most);

/// Records why nobody looked for the GPU that makes collectives slow or wrong.
void culprits_not_sought(Context& context, Absence why, const std::string& detail,
                         const Where& where);

}  // namespace gpuvet::probe
