// SPDX-License-Identifier: Apache-2.0
// One line of a kernel log: the dress that a tool or a daemon put around a message, and the
// message.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace gpuvet::ingest {

// No machine has near as many; the bound keeps a hostile log from filling memory.
inline constexpr std::size_t most_log_devices = 4096;

/// Whether `line` begins as only a kernel log's lines begin.
bool has_log_prefix(std::string_view line);

/// What NVIDIA's drivers print, enough by itself: people send single lines without prefix.
bool names_driver(std::string_view line);

/// The host in "Nov 15 10:59:09 host kernel: ..." or "2024-11-15T10:59:09+00:00 host kernel: ...".
std::optional<std::string_view> host_of(std::string_view line);

/// `line` without time, level, facility, host and caller; the whole line when it has none of them.
std::string_view message_of(std::string_view line);

/// A driver's message can be long and hold anything; people read this one in a report.
std::string shortened(std::string_view message);

}  // namespace gpuvet::ingest
