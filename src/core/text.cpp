// SPDX-License-Identifier: Apache-2.0
#include "core/text.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>

namespace gpuvet {
namespace {

constexpr std::string_view blanks = " \t\r\n\f\v";

char lower_char(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }
bool is_hex(char c) {
  return (c >= '0' && c <= '9') || (lower_char(c) >= 'a' && lower_char(c) <= 'f');
}
bool all_hex(std::string_view s) { return !s.empty() && std::all_of(s.begin(), s.end(), is_hex); }

/// Length of the valid UTF-8 sequence at the start of `s`; 0 when it is none.
std::size_t utf8_length(std::string_view s) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(s[i]); };
  const unsigned char lead = byte(0);
  const std::size_t n = lead < 0x80                   ? 1
                        : lead >= 0xC2 && lead < 0xE0 ? 2
                        : lead >= 0xE0 && lead < 0xF0 ? 3
                        : lead >= 0xF0 && lead < 0xF5 ? 4
                                                      : 0;
  if (n == 0 || n > s.size()) return 0;
  for (std::size_t i = 1; i < n; ++i)
    if ((byte(i) & 0xC0) != 0x80) return 0;
  if (lead == 0xE0 && byte(1) < 0xA0) return 0;   // overlong
  if (lead == 0xED && byte(1) >= 0xA0) return 0;  // surrogate
  if (lead == 0xF0 && byte(1) < 0x90) return 0;   // overlong
  if (lead == 0xF4 && byte(1) >= 0x90) return 0;  // beyond U+10FFFF
  if (lead == 0xC2 && byte(1) < 0xA0) return 0;   // C1 controls
  return n;
}

}  // namespace

std::string_view trim(std::string_view s) {
  const auto first = s.find_first_not_of(blanks);
  if (first == std::string_view::npos) return {};
  return s.substr(first, s.find_last_not_of(blanks) - first + 1);
}

std::vector<std::string_view> split(std::string_view s, char separator) {
  std::vector<std::string_view> out;
  for (;;) {
    const auto end = s.find(separator);
    out.push_back(s.substr(0, end));
    if (end == std::string_view::npos) return out;
    s.remove_prefix(end + 1);
  }
}

std::vector<std::string_view> words(std::string_view s) {
  std::vector<std::string_view> out;
  for (auto begin = s.find_first_not_of(blanks); begin != std::string_view::npos;) {
    const auto end = s.find_first_of(blanks, begin);
    out.push_back(s.substr(begin, end == std::string_view::npos ? end : end - begin));
    begin = end == std::string_view::npos ? end : s.find_first_not_of(blanks, end);
  }
  return out;
}

std::string lower(std::string_view s) {
  std::string out(s);
  std::transform(out.begin(), out.end(), out.begin(), lower_char);
  return out;
}

bool contains(std::string_view haystack, std::string_view needle) {
  return haystack.find(needle) != std::string_view::npos;
}

bool equal_ignoring_case(std::string_view a, std::string_view b) {
  const auto small = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [&](char x, char y) { return small(x) == small(y); });
}

bool contains_ignoring_case(std::string_view haystack, std::string_view needle) {
  return std::search(haystack.begin(), haystack.end(), needle.begin(), needle.end(),
                     [](char a, char b) { return lower_char(a) == lower_char(b); }) !=
             haystack.end() ||
         needle.empty();
}

std::optional<double> parse_number(std::string_view s) {
  s = trim(s);
  double v = 0;
  const auto [end, error] = std::from_chars(s.data(), s.data() + s.size(), v);
  if (error != std::errc{} || end != s.data() + s.size() || !std::isfinite(v)) return {};
  return v;
}

std::optional<std::int64_t> parse_integer(std::string_view s, int base) {
  s = trim(s);
  std::int64_t v = 0;
  const auto [end, error] = std::from_chars(s.data(), s.data() + s.size(), v, base);
  if (error != std::errc{} || end != s.data() + s.size()) return {};
  return v;
}

std::string format_number(double v) {
  char buffer[64];
  constexpr double exact = 9007199254740992.0;  // 2^53: integers up to here are exact
  if (std::nearbyint(v) == v && std::abs(v) < exact) {
    const auto end =
        std::to_chars(buffer, buffer + sizeof buffer, static_cast<std::int64_t>(v)).ptr;
    return {buffer, end};
  }
  return {buffer, std::to_chars(buffer, buffer + sizeof buffer, v).ptr};
}

std::string strip_escapes(std::string_view s) {
  bool controls = false;  // no early way out: most lines hold none, and so this is vectorised
  for (const char c : s) controls = controls | (static_cast<unsigned char>(c) < 0x20 && c != '\t');
  if (!controls) return std::string(s);
  std::string out;
  out.reserve(s.size());
  for (std::size_t i = 0; i < s.size(); ++i) {
    const char c = s[i];
    if (c != '\x1b') {
      if (static_cast<unsigned char>(c) >= 0x20 || c == '\t') out += c;
      continue;
    }
    if (i + 1 >= s.size()) break;
    if (s[i + 1] == '[') {  // CSI: parameters, then one final byte in @..~
      i += 2;
      while (i < s.size() && (s[i] < '@' || s[i] > '~')) ++i;
    } else if (s[i + 1] == ']') {  // OSC: up to BEL or ESC backslash
      i += 2;
      while (i < s.size() && s[i] != '\a' && s[i] != '\x1b') ++i;
      if (i + 1 < s.size() && s[i] == '\x1b') ++i;
    } else {
      ++i;
    }
  }
  return out;
}

std::string printable(std::string_view s) {
  constexpr std::string_view hex = "0123456789abcdef";
  std::string out;
  out.reserve(s.size());
  while (!s.empty()) {
    const auto lead = static_cast<unsigned char>(s[0]);
    const std::size_t n = utf8_length(s);
    if (n == 0 || (n == 1 && (lead < 0x20 || lead == 0x7f))) {
      out += {'\\', 'x', hex[lead >> 4], hex[lead & 15]};
      s.remove_prefix(1);
    } else {
      out += s.substr(0, n);
      s.remove_prefix(n);
    }
  }
  return out;
}

std::optional<std::string> pci_address(std::string_view s) {
  s = trim(s);
  if (s.substr(0, 4) == "PCI:") s.remove_prefix(4);
  std::string function = "0";
  if (const auto dot = s.find('.'); dot != std::string_view::npos) {
    function = lower(s.substr(dot + 1));
    s = s.substr(0, dot);
    if (function.size() != 1 || !is_hex(function[0])) return {};
  }
  auto parts = split(s, ':');
  if (parts.size() < 2 || parts.size() > 3) return {};
  if (parts.size() == 2) parts.insert(parts.begin(), "0000");
  std::string domain = lower(parts[0]);
  if (domain.size() == 8 && domain.substr(0, 4) == "0000") domain.erase(0, 4);
  if ((domain.size() != 4 && domain.size() != 8) || parts[1].size() != 2 || parts[2].size() != 2)
    return {};
  if (!all_hex(domain) || !all_hex(parts[1]) || !all_hex(parts[2])) return {};
  return domain + ":" + lower(parts[1]) + ":" + lower(parts[2]) + "." + function;
}

std::string wrap(std::string_view text, std::size_t width, std::size_t indent) {
  std::string out;
  std::size_t column = indent;
  for (const auto word : words(text)) {
    // Columns, not bytes: UTF-8 continuation bytes take no room.
    const auto columns =
        static_cast<std::size_t>(std::count_if(word.begin(), word.end(), [](char c) {
          return (static_cast<unsigned char>(c) & 0xC0) != 0x80;
        }));
    if (column > indent && column + 1 + columns > width) {
      out += '\n' + std::string(indent, ' ');
      column = indent;
    } else if (column > indent) {
      out += ' ';
      ++column;
    }
    out += word;
    column += columns;
  }
  return out;
}

std::vector<std::int64_t> version_parts(std::string_view s) {
  std::vector<std::int64_t> out;
  for (const auto part : split(trim(s), '.')) {
    const auto digits = part.substr(0, part.find_first_not_of("0123456789"));
    const auto value = parse_integer(digits);
    if (!value) break;
    out.push_back(*value);
    if (digits.size() != part.size()) break;
  }
  return out;
}

std::string join(const std::vector<std::string>& parts, std::string_view separator) {
  std::string out;
  for (const auto& part : parts) {
    if (!out.empty()) out += separator;
    out += part;
  }
  return out;
}

std::size_t leading_digits(std::string_view s) {
  const auto end = std::ranges::find_if_not(s, [](char c) { return c >= '0' && c <= '9'; });
  return static_cast<std::size_t>(end - s.begin());
}

std::optional<std::string_view> between(std::string_view s, std::string_view before,
                                        std::string_view after) {
  const auto begin = s.find(before);
  if (begin == std::string_view::npos) return {};
  s.remove_prefix(begin + before.size());
  const auto end = s.find(after);
  if (end == std::string_view::npos) return {};
  return s.substr(0, end);
}

}  // namespace gpuvet
