// SPDX-License-Identifier: Apache-2.0
#include "ingest/kernel_log_line.hpp"

#include "core/text.hpp"

namespace gpuvet::ingest {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }

bool is_time_of_day(std::string_view s) {  // "10:59:09", perhaps with a fraction
  return s.size() >= 8 && leading_digits(s) == 2 && s[2] == ':' &&
         leading_digits(s.substr(3)) == 2 && s[5] == ':' && leading_digits(s.substr(6)) == 2;
}

/// "[    2.906732] ": six decimals, which tells it from Xorg's log with three.
bool has_uptime(std::string_view line) {
  if (!line.starts_with('[')) return false;
  line.remove_prefix(std::min(line.find_first_not_of(' ', 1), line.size()));
  const std::size_t seconds = leading_digits(line);
  line.remove_prefix(seconds);
  return seconds > 0 && line.starts_with('.') && leading_digits(line.substr(1)) == 6 &&
         line.substr(7).starts_with(']');
}

/// "[Sun Feb 23 16:24:18 2025] ", as `dmesg -T` prints it. Other logs have no weekday.
bool has_date(std::string_view line) {
  const auto word = first_words<5>(line);
  return word[0].size() == 4 && word[0][0] == '[' && !is_digit(word[0][1]) && word[1].size() == 3 &&
         is_time_of_day(word[3]) && word[4].size() == 5 && word[4].back() == ']';
}

/// "6,3964,206764307,-;text", as /dev/kmsg gives it.
bool has_kmsg_header(std::string_view line) {
  for (int field = 0; field < 3; ++field) {
    const std::size_t digits = leading_digits(line);
    if (digits == 0 || !line.substr(digits).starts_with(',')) return false;
    line.remove_prefix(digits + 1);
  }
  return line.starts_with("-;") || line.starts_with("-,") || line.starts_with("c;");
}

/// "nvidia-nvswitch2: ...": with its number, since lspci names the driver without one.
bool names_switch(std::string_view line) {
  constexpr std::string_view driver = "nvidia-nvswitch";
  const auto begin = line.find(driver);
  if (begin == std::string_view::npos) return false;
  line.remove_prefix(begin + driver.size());
  const std::size_t digits = leading_digits(line);
  return digits > 0 && line.substr(digits).starts_with(':');
}

/// "[ T1946] ", "[C12] ": the thread or processor that printed, with CONFIG_PRINTK_CALLER.
bool has_caller(std::string_view line) {
  if (!line.starts_with('[')) return false;
  line.remove_prefix(std::min(line.find_first_not_of(' ', 1), line.size()));
  if (!line.starts_with('T') && !line.starts_with('C')) return false;
  const std::size_t digits = leading_digits(line.substr(1));
  return digits > 0 && line.substr(1 + digits).starts_with("] ");
}

std::string_view after(std::string_view line, std::string_view mark) {
  const auto at = line.find(mark);
  return at == std::string_view::npos ? line : line.substr(at + mark.size());
}

/// `line` without its outermost prefix; unchanged when it has none.
std::string_view undressed(std::string_view line) {
  constexpr std::string_view kernel = " kernel: ";
  constexpr std::size_t longest_prefix = 320;  // of it, a host name may take 253
  if (line.starts_with('<') && leading_digits(line.substr(1)) > 0) {
    const auto rest = line.substr(1 + leading_digits(line.substr(1)));
    return rest.starts_with('>') ? rest.substr(1) : line;
  }
  if (has_uptime(line) || has_date(line) || has_caller(line)) return after(line, "]");
  if (has_kmsg_header(line)) return after(line, ";");
  if (line.starts_with("kernel: ")) return after(line, ": ");
  if (line.starts_with("kern ")) {  // "kern  :warn  : 2025-01-21T04:41:44,283302+00:00 ..."
    const auto rest = after(line, ": ");
    const bool dated = leading_digits(rest) == 4 && rest.substr(4).starts_with('-');
    return dated ? after(rest, " ") : rest;
  }
  const auto at = line.substr(0, longest_prefix).find(kernel);
  return at == std::string_view::npos ? line : line.substr(at + kernel.size());
}

}  // namespace

bool has_log_prefix(std::string_view line) {
  if (line.starts_with('<') && leading_digits(line.substr(1)) > 0) {  // pstore: "<4>[   12.345678]"
    line.remove_prefix(1 + leading_digits(line.substr(1)));
    return line.starts_with(">[");
  }
  return has_uptime(line) || has_date(line) || has_kmsg_header(line) ||
         contains(line, " kernel: ") || (line.starts_with("kern ") && contains(line, " : "));
}

bool names_driver(std::string_view line) {
  return contains(line, "NVRM:") || contains(line, "SXid (") || names_switch(line);
}

std::optional<std::string_view> host_of(std::string_view line) {
  const auto word = first_words<5>(line);
  std::string_view host;
  if (word[4] == "kernel:" && is_time_of_day(word[2]))
    host = word[3];
  else if (word[2] == "kernel:" && leading_digits(word[0]) == 4 && contains(word[0], "T"))
    host = word[1];
  constexpr std::size_t longest_name = 253;  // RFC 1035
  // Anything else in a host's place is not a name, and would go into reports.
  const bool sound = std::ranges::all_of(host, [](char c) {
    return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' ||
           c == '.' || c == '_';
  });
  if (host.empty() || host.size() > longest_name || !sound) return {};
  return host;
}

std::string_view message_of(std::string_view line) {
  line = trim(line);
  constexpr int most_layers = 5;  // syslog around uptime around a caller, and some to spare
  for (int layer = 0; layer < most_layers; ++layer) {
    const auto inner = undressed(line);
    if (inner.size() == line.size()) break;
    line = inner;
    line.remove_prefix(std::min(line.find_first_not_of(' '), line.size()));
  }
  return line;
}

std::string shortened(std::string_view message) {
  constexpr std::size_t longest = 200;
  std::string text = strip_escapes(message.substr(0, longest * 2));
  if (text.size() <= longest) return text;
  std::size_t end = longest;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;  // inside UTF-8
  text.resize(end);
  return text;
}

}  // namespace gpuvet::ingest
