// SPDX-License-Identifier: Apache-2.0
// Text helpers that never allocate more than they return and never consult the locale.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace gpuvet {

/// Without leading and trailing blanks, tabs, CR and LF.
std::string_view trim(std::string_view s);

/// Fields between `separator`s, empty ones included.
std::vector<std::string_view> split(std::string_view s, char separator);

/// Runs of non-blank characters.
std::vector<std::string_view> words(std::string_view s);

/// ASCII lower case; bytes above 127 are left alone.
std::string lower(std::string_view s);

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

bool contains(std::string_view haystack, std::string_view needle);
bool equal_ignoring_case(std::string_view a, std::string_view b);
bool contains_ignoring_case(std::string_view haystack, std::string_view needle);

/// The whole of `s` as a finite decimal number ("1", "-2.5e3"); nothing for anything else: no
/// leading '+', no hex, no inf or nan, no decimal comma.
std::optional<double> parse_number(std::string_view s);
std::optional<std::int64_t> parse_integer(std::string_view s, int base = 10);

/// Shortest text that reads back as the same double; integers without a decimal point.
std::string format_number(double v);

/// `s` with terminal escape sequences (CSI, OSC) and lone control characters removed; tabs stay.
std::string strip_escapes(std::string_view s);

/// `s` made safe to print on a terminal: control characters and invalid UTF-8 shown as \xNN.
std::string printable(std::string_view s);

/// "0000:0f:00.0" from any of "00000000:0F:00.0", "0000:0f:00", "PCI:0000:0f:00", "0f:00.0".
/// Nothing when `s` is no PCI address.
std::optional<std::string> pci_address(std::string_view s);

/// Words of `text` on lines of at most `width` columns, continuation lines indented by `indent`.
std::string wrap(std::string_view text, std::size_t width, std::size_t indent = 0);

/// Dotted version "580.105.08" -> {580, 105, 8}; stops at the first non-numeric part.
std::vector<std::int64_t> version_parts(std::string_view s);

/// Joins with `separator`.
std::string join(const std::vector<std::string>& parts, std::string_view separator);

}  // namespace gpuvet
