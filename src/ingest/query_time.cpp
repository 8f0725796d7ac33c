// SPDX-License-Identifier: Apache-2.0
// Digits by position: the formats are fixed, and a log has a million of them.
#include "ingest/query_time.hpp"

#include <cmath>

#include "core/text.hpp"

namespace gpuvet::ingest {
namespace {

constexpr std::int64_t second = 1'000'000;

/// The number in `length` digits from `at`; -1 when they aren't digits.
int digits(std::string_view text, std::size_t at, std::size_t length) {
  int value = 0;
  for (std::size_t i = at; i < at + length; ++i) {
    if (text[i] < '0' || text[i] > '9') return -1;
    value = value * 10 + (text[i] - '0');
  }
  return value;
}

/// Days from 1970-01-01 to a date of the Gregorian calendar (Howard Hinnant's days_from_civil).
std::int64_t days_from_civil(int year, int month, int day) {
  const int y = year - (month <= 2 ? 1 : 0);
  const int era = (y >= 0 ? y : y - 399) / 400;
  const int year_of_era = y - era * 400;
  const int day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
  const int day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
  return std::int64_t{era} * 146097 + day_of_era - 719468;
}

/// Start of the minute in "2026/07/14 08:12:", in microseconds.
std::optional<std::int64_t> read_minute(std::string_view text) {
  const char dash = text[4];
  if ((dash != '/' && dash != '-') || text[7] != dash || (text[10] != ' ' && text[10] != 'T') ||
      text[13] != ':' || text[16] != ':')
    return {};
  const int year = digits(text, 0, 4), month = digits(text, 5, 2), day = digits(text, 8, 2);
  const int hour = digits(text, 11, 2), minute = digits(text, 14, 2);
  if (year < 0 || month < 1 || month > 12 || day < 1 || day > 31 || hour < 0 || hour > 23 ||
      minute < 0 || minute > 59)
    return {};
  return ((days_from_civil(year, month, day) * 24 + hour) * 60 + minute) * 60 * second;
}

/// "53.353" or "53" (with or without a final Z) in microseconds; digits beyond those are dropped.
std::optional<std::int64_t> read_seconds(std::string_view text) {
  if (!text.empty() && text.back() == 'Z') text.remove_suffix(1);
  if (text.size() < 2) return {};
  const int whole = digits(text, 0, 2);
  if (whole < 0 || whole > 60) return {};
  if (text.size() == 2) return whole * second;
  if (text[2] != '.' || text.size() == 3 || text.size() > 12) return {};
  std::int64_t fraction = 0, scale = second;
  for (std::size_t i = 3; i < text.size(); ++i) {
    if (text[i] < '0' || text[i] > '9') return {};
    if (scale == 1) continue;
    fraction = fraction * 10 + (text[i] - '0');
    scale /= 10;
  }
  return whole * second + fraction * scale;
}

/// Plain seconds; the bound keeps microseconds, and differences of two of them, within 64 bits.
std::optional<std::int64_t> read_plain_seconds(std::string_view text) {
  const auto value = parse_number(text);
  if (!value || std::abs(*value) > 1e12) return {};
  return static_cast<std::int64_t>(std::llround(*value * 1e6));
}

}  // namespace

std::optional<std::int64_t> QueryTime::read(std::string_view text) {
  constexpr std::size_t up_to_seconds = 17, shortest = 19;
  if (text.size() < shortest || text[13] != ':') return read_plain_seconds(text);
  if (text == last_) return last_time_;
  if (text.substr(0, up_to_seconds) != minute_) {
    const auto start = read_minute(text);
    if (!start) return {};
    minute_.assign(text.substr(0, up_to_seconds));
    minute_start_ = *start;
  }
  const auto seconds = read_seconds(text.substr(up_to_seconds));
  if (!seconds) return {};
  last_.assign(text);
  last_time_ = minute_start_ + *seconds;
  return last_time_;
}

}  // namespace gpuvet::ingest
