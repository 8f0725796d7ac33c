// SPDX-License-Identifier: Apache-2.0
// What the user's terminal can do.
#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <string>

namespace gpuvet::platform {

bool output_is_terminal();  ///< standard output
bool error_is_terminal();   ///< standard error

/// Columns of the terminal; 80 where output is none.
std::size_t terminal_width();

/// Empty when the variable is unset.
std::string environment(const char* name);

/// All variables of this process.
std::map<std::string, std::string, std::less<>> environment_variables();

std::string host_name();

/// "2026-11-22T14:03:33Z"
std::string utc_now();

/// Seconds on a clock that never jumps.
double monotonic_seconds();

}  // namespace gpuvet::platform
