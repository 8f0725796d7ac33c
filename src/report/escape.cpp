// SPDX-License-Identifier: Apache-2.0
// Every escape starts from visible(), so that none can forget control characters or broken UTF-8.
#include "report/escape.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "core/text.hpp"

namespace gpuvet::report {
namespace {

bool starts_character(char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }

/// The code point that valid UTF-8 starts with.
char32_t first_code_point(std::string_view s) {
  const auto lead = static_cast<unsigned char>(s[0]);
  if (lead < 0x80) return lead;
  char32_t c = lead < 0xE0 ? lead & 0x1Fu : lead < 0xF0 ? lead & 0x0Fu : lead & 0x07u;
  for (std::size_t i = 1; i < s.size() && !starts_character(s[i]); ++i)
    c = (c << 6) | (static_cast<unsigned char>(s[i]) & 0x3Fu);
  return c;
}

/// Valid UTF-8 that printable() lets through and that can still deceive a reader ("Trojan source"),
/// or that XML 1.0 forbids (U+FFFE, U+FFFF).
bool misleading(char32_t c) {
  return c == 0x00AD || c == 0x061C || c == 0x180E || (c >= 0xE0000 && c <= 0xE007F) ||
         (c >= 0x200B && c <= 0x200F) || (c >= 0x2028 && c <= 0x202E) ||
         (c >= 0x2060 && c <= 0x206F) || c == 0xFEFF || (c >= 0xFFF9 && c <= 0xFFFB) ||
         c == 0xFFFE || c == 0xFFFF;
}

}  // namespace

std::size_t columns(std::string_view text) {
  return static_cast<std::size_t>(std::ranges::count_if(text, starts_character));
}

std::size_t bytes_of(std::string_view text, std::size_t count) {
  std::size_t i = 0;
  for (; i < text.size(); ++i)
    if (starts_character(text[i]) && count-- == 0) break;
  return i;
}

std::string visible(std::string_view text) {
  // Catalogue texts may span lines, so a line end is a blank like any other and no \x0a.
  std::string blanks(text);
  std::ranges::replace_if(
      blanks, [](char c) { return c == '\n' || c == '\r' || c == '\t'; }, ' ');
  const std::string safe = printable(blanks);
  std::string out;
  out.reserve(safe.size());
  for (std::string_view rest = safe; !rest.empty();) {
    const std::size_t length = bytes_of(rest, 1);
    if (const char32_t c = first_code_point(rest); misleading(c))
      out += fmt::format("\\u{:04x}", static_cast<unsigned>(c));
    else
      out += rest.substr(0, length);
    rest.remove_prefix(length);
  }
  return out;
}

std::string escape_xml(std::string_view text) {
  std::string out;
  for (const char c : visible(text)) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      // Quotes too, so that one function serves text and attributes.
      case '"':
        out += "&quot;";
        break;
      case '\'':
        out += "&#39;";
        break;
      default:
        out += c;
    }
  }
  return out;
}

std::string escape_markdown(std::string_view text) {
  // Every character that CommonMark, tables, strike-through or GitHub's mathematics give a meaning.
  constexpr std::string_view special = "\\`*_[]|~#$";
  std::string out;
  for (const char c : visible(text)) {
    if (c == '&')
      out += "&amp;";
    else if (c == '<')
      out += "&lt;";
    else if (c == '>')
      out += "&gt;";
    else if (special.find(c) != std::string_view::npos)
      (out += '\\') += c;
    else
      out += c;
  }
  // These open a list only at the start, and are everywhere in names.
  if (!out.empty() && (out[0] == '-' || out[0] == '+')) out.insert(0, 1, '\\');
  return out;
}

std::string escape_label(std::string_view text) {
  std::string out;
  bool first = true;
  for (const auto line : split(text, '\n')) {
    if (!first) out += "\\n";
    first = false;
    // visible() may have put backslashes in; they are doubled like any other.
    for (const char c : visible(line)) {
      if (c == '\\' || c == '"') out += '\\';
      out += c;
    }
  }
  return out;
}

}  // namespace gpuvet::report
