// SPDX-License-Identifier: Apache-2.0
// What must not reach the TOML parser from a file that somebody else wrote: it asserts on some of
// it instead of refusing.
#pragma once

#include <string_view>

#include "core/result.hpp"

namespace gpuvet {

/// Refuses, with the line, control characters, texts over several lines, more than 100 dots in a
/// line, and names that are not ASCII.
Result<void> check_toml(std::string_view text);

}  // namespace gpuvet
