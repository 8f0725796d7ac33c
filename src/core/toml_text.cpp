// SPDX-License-Identifier: Apache-2.0
#include "core/toml_text.hpp"

#include <algorithm>
#include <cstddef>
#include <optional>
#include <string>

#include "core/text.hpp"

namespace gpuvet {
namespace {

constexpr std::ptrdiff_t most_dots = 100;  // in a line

/// The parser goes one call deeper for each dot of a key, without a bound of its own.
std::optional<std::size_t> line_with_many_dots(std::string_view text) {
  std::size_t line = 1;
  for (const auto part : split(text, '\n')) {
    if (std::ranges::count(part, '.') > most_dots) return line;
    ++line;
  }
  return {};
}

/// TOML has no control characters, and toml++ 3.3 asserts on some of them instead of refusing.
std::optional<std::size_t> line_with_control(std::string_view text) {
  std::size_t line = 1;
  for (const char c : text) {
    if (c == '\n') ++line;
    const auto byte = static_cast<unsigned char>(c);
    if ((byte < ' ' && c != '\n' && c != '\r' && c != '\t') || byte == 0x7f) return line;
  }
  return {};
}

/// toml++ 3.3 asserts where a line's opening bracket is followed by what can start neither a name
/// nor a value of the form's matrix.
std::optional<std::size_t> line_with_odd_bracket(std::string_view text) {
  std::size_t line = 0;
  for (const auto raw : split(text, '\n')) {
    ++line;
    const auto written = trim(raw);
    if (!written.starts_with('[')) continue;
    const auto name = trim(written.substr(written.starts_with("[[") ? 2 : 1));
    const auto first = name.empty() ? '\0' : name.front();
    const bool letter = (first >= 'a' && first <= 'z') || (first >= 'A' && first <= 'Z');
    const bool digit = first >= '0' && first <= '9';
    if (!letter && !digit && !contains("_-\"'", std::string_view(&first, 1))) return line;
  }
  return {};
}

/// Names, brackets and figures are ASCII; only texts in quotes and comments hold anything else.
/// toml++ 3.3 asserts on a combining character where a name starts.
std::optional<std::size_t> line_with_odd_name(std::string_view text) {
  std::size_t line = 0;
  for (const auto written : split(text, '\n')) {
    ++line;
    char quote = '\0';
    for (std::size_t at = 0; at < written.size(); ++at) {
      const char c = written[at];
      if (quote != '\0') {
        if (c == '\\' && quote == '"') ++at;
        if (c == quote) quote = '\0';
      } else if (c == '"' || c == '\'') {
        quote = c;
      } else if (c == '#') {
        break;
      } else if (static_cast<unsigned char>(c) >= 0x80) {
        return line;
      }
    }
  }
  return {};
}

}  // namespace

Result<void> check_toml(std::string_view text) {
  if (const auto line = line_with_many_dots(text))
    return fail(Errc::too_large, "more than " + std::to_string(most_dots) + " dots in a line",
                *line);
  if (const auto line = line_with_control(text))
    return fail(Errc::malformed, "not TOML: it holds a control character", *line);
  if (contains(text, "\"\"\"") || contains(text, "'''"))
    return fail(Errc::malformed, "texts over several lines are not read: write them in one line");
  if (const auto line = line_with_odd_name(text))
    return fail(Errc::malformed, "not TOML: a character that only stands in quotes", *line);
  if (const auto line = line_with_odd_bracket(text))
    return fail(Errc::malformed, "not TOML: no name stands behind the bracket", *line);
  return {};
}

}  // namespace gpuvet
