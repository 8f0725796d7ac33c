// SPDX-License-Identifier: Apache-2.0
// Units of run-time data: what an observation is measured in, and how people write it. Code that
// computes uses Quantity (quantity.hpp); data that is read, judged and printed uses Unit.
#pragma once

#include <string>
#include <string_view>

#include "core/result.hpp"

namespace gpuvet {

/// Base units only; prefixes exist at the edges, in parse_value() and format_value().
enum class Unit {
  none,   ///< a count, an index, a generation
  ratio,  ///< 1 = 100 %
  byte,
  second,
  byte_per_second,
  watt,
  joule,
  hertz,
  celsius,  ///< a point on the scale
  kelvin,   ///< a difference of temperatures
  flop_per_second,
  usd,
};

/// "B/s", "°C", "" for none: as JSON and Prometheus carry it.
std::string_view symbol(Unit unit);

struct Measure {
  double value{};  ///< in base units
  Unit unit{};
};

/// "228 GB/s", "4 GiB", "81559 MiB", "95 %", "10 s", "48 h", "3 K", "512". A bare number is a
/// count. Decimal prefixes are powers of ten, Ki/Mi/Gi/Ti powers of two; "bit" and "b/s" are
/// eighths of a byte.
Result<Measure> parse_measure(std::string_view text);

/// For people: "234.9 GB/s", "80 GiB", "48 h", "62 °C", "99.2 %".
std::string format_value(double value, Unit unit);

}  // namespace gpuvet
