// SPDX-License-Identifier: Apache-2.0
#include "core/units.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "core/text.hpp"

namespace gpuvet {
namespace {

struct Spelling {
  std::string_view text;
  double factor;
  Unit unit;
};

constexpr double ki = 1024.0, mi = ki * ki, gi = mi * ki, ti = gi * ki;
constexpr std::array spellings = {
    Spelling{"", 1, Unit::none},
    Spelling{"%", 0.01, Unit::ratio},
    Spelling{"B", 1, Unit::byte},
    Spelling{"kB", 1e3, Unit::byte},
    Spelling{"MB", 1e6, Unit::byte},
    Spelling{"GB", 1e9, Unit::byte},
    Spelling{"TB", 1e12, Unit::byte},
    Spelling{"KiB", ki, Unit::byte},
    Spelling{"MiB", mi, Unit::byte},
    Spelling{"GiB", gi, Unit::byte},
    Spelling{"TiB", ti, Unit::byte},
    Spelling{"B/s", 1, Unit::byte_per_second},
    Spelling{"KB/s", 1e3, Unit::byte_per_second},
    Spelling{"MB/s", 1e6, Unit::byte_per_second},
    Spelling{"GB/s", 1e9, Unit::byte_per_second},
    Spelling{"TB/s", 1e12, Unit::byte_per_second},
    Spelling{"GiB/s", gi, Unit::byte_per_second},
    Spelling{"Gb/s", 1e9 / 8, Unit::byte_per_second},
    Spelling{"Gbit/s", 1e9 / 8, Unit::byte_per_second},
    Spelling{"ns", 1e-9, Unit::second},
    Spelling{"us", 1e-6, Unit::second},
    Spelling{"µs", 1e-6, Unit::second},
    Spelling{"ms", 1e-3, Unit::second},
    Spelling{"s", 1, Unit::second},
    Spelling{"min", 60, Unit::second},
    Spelling{"h", 3600, Unit::second},
    Spelling{"d", 86400, Unit::second},
    Spelling{"W", 1, Unit::watt},
    Spelling{"mW", 1e-3, Unit::watt},
    Spelling{"kW", 1e3, Unit::watt},
    Spelling{"J", 1, Unit::joule},
    Spelling{"kWh", 3.6e6, Unit::joule},
    Spelling{"Hz", 1, Unit::hertz},
    Spelling{"MHz", 1e6, Unit::hertz},
    Spelling{"GHz", 1e9, Unit::hertz},
    Spelling{"C", 1, Unit::celsius},
    Spelling{"°C", 1, Unit::celsius},
    Spelling{"K", 1, Unit::kelvin},
    Spelling{"TFLOPS", 1e12, Unit::flop_per_second},
    Spelling{"USD", 1, Unit::usd},
};

/// Two to four significant digits: enough to compare, few enough to read.
std::string short_number(double v) {
  if (std::nearbyint(v) == v && std::abs(v) < 1e6) return fmt::format("{:.0f}", v);
  std::string out = fmt::format("{:.{}f}", v, std::abs(v) >= 1000 ? 0 : std::abs(v) >= 10 ? 1 : 2);
  if (contains(out, ".")) {
    out.erase(out.find_last_not_of('0') + 1);
    if (out.back() == '.') out.pop_back();
  }
  return out == "-0" ? "0" : out;
}

struct Step {
  double factor;
  std::string_view symbol;
};

/// In the largest step that leaves at least one whole unit.
std::string scaled(double v, std::initializer_list<Step> largest_first) {
  for (const auto& step : largest_first)
    if (std::abs(v) >= step.factor * 0.9995)
      return fmt::format("{} {}", short_number(v / step.factor), step.symbol);
  const auto& last = *(largest_first.end() - 1);
  return fmt::format("{} {}", short_number(v / last.factor), last.symbol);
}

}  // namespace

std::string_view symbol(Unit unit) {
  switch (unit) {
    case Unit::none:
      return "";
    case Unit::ratio:
      return "1";
    case Unit::byte:
      return "B";
    case Unit::second:
      return "s";
    case Unit::byte_per_second:
      return "B/s";
    case Unit::watt:
      return "W";
    case Unit::joule:
      return "J";
    case Unit::hertz:
      return "Hz";
    case Unit::celsius:
      return "°C";
    case Unit::kelvin:
      return "K";
    case Unit::flop_per_second:
      return "FLOP/s";
    case Unit::usd:
      return "USD";
  }
  return "";
}

Result<Measure> parse_measure(std::string_view text) {
  text = trim(text);
  const auto digits = text.substr(0, text.find_first_not_of("0123456789.+-eE"));
  const auto number = parse_number(digits);
  if (!number)
    return fail(Errc::malformed, fmt::format("'{}' is not a number with a unit", printable(text)));
  const auto unit = trim(text.substr(digits.size()));
  const auto found = std::find_if(spellings.begin(), spellings.end(),
                                  [&](const Spelling& s) { return s.text == unit; });
  if (found == spellings.end())
    return fail(Errc::malformed, fmt::format("'{}' is not a unit gpuvet knows", printable(unit)));
  const double value = *number * found->factor;
  if (!std::isfinite(value))
    return fail(Errc::malformed, fmt::format("'{}' is too large", printable(text)));
  return Measure{value, found->unit};
}

std::string format_value(double v, Unit unit) {
  switch (unit) {
    case Unit::none:
      return short_number(v);
    case Unit::ratio:
      return short_number(v * 100) + " %";
    case Unit::byte:
      return scaled(v, {{ti, "TiB"}, {gi, "GiB"}, {mi, "MiB"}, {ki, "KiB"}, {1, "B"}});
    case Unit::second:
      if (v == 0) return "0 s";
      return scaled(v, {{3600, "h"}, {60, "min"}, {1, "s"}, {1e-3, "ms"}, {1e-6, "µs"}});
    case Unit::byte_per_second:
      return scaled(v, {{1e12, "TB/s"}, {1e9, "GB/s"}, {1e6, "MB/s"}, {1, "B/s"}});
    case Unit::watt:
      return std::abs(v) < 10e3 ? scaled(v, {{1, "W"}}) : scaled(v, {{1e3, "kW"}});
    case Unit::joule:
      return scaled(v, {{3.6e6, "kWh"}, {1, "J"}});
    case Unit::hertz:
      return scaled(v, {{1e6, "MHz"}, {1, "Hz"}});
    case Unit::celsius:
      return short_number(v) + " °C";
    case Unit::kelvin:
      return short_number(v) + " K";
    case Unit::flop_per_second:
      return scaled(v, {{1e12, "TFLOPS"}, {1, "FLOP/s"}});
    case Unit::usd:
      return "$" + short_number(v);
  }
  return format_number(v);
}

}  // namespace gpuvet
