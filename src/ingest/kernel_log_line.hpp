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

/// How many digits `s` starts with.
std::size_t leading_digits(std::string_view s);

/// What stands between `before` and the next `after`; nothing when either is missing.
std::optional<std::string_view> between(std::string_view s, std::string_view before,
                                        std::string_view after);

/// The first `N` words, without looking at the rest of a line that may be long.
template <std::size_t N>
std::array<std::string_view, N> first_words(std::string_view s) {
  std::array<std::string_view, N> out;
  for (auto& word : out) {
    s.remove_prefix(std::min(s.find_first_not_of(" \t"), s.size()));
    word = s.substr(0, s.find_first_of(" \t"));
    s.remove_prefix(word.size());
  }
  return out;
}

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
