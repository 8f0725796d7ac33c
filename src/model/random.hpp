// SPDX-License-Identifier: Apache-2.0
// Random numbers without a state: the same for the same three numbers on any machine and in any
// order, so that two offers share the draws of what they share.
#pragma once

#include <cstdint>
#include <string_view>

namespace gpuvet::model {

/// Uniform in (0, 1) from a seed, a stream and a counter.
double uniform(std::uint64_t seed, std::uint64_t stream, std::uint64_t counter);

/// A stream from a name (FNV-1a).
std::uint64_t key_of(std::string_view name);

}  // namespace gpuvet::model
