// SPDX-License-Identifier: Apache-2.0
// Figures with units: read as people write them, shown so that they read back.
#include "core/units.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <cmath>
#include <string>

namespace gpuvet {
namespace {

constexpr Unit all_units[] = {
    Unit::none,  Unit::ratio, Unit::byte,    Unit::second, Unit::byte_per_second, Unit::watt,
    Unit::joule, Unit::hertz, Unit::celsius, Unit::kelvin, Unit::flop_per_second, Unit::usd};

struct Spelled {
  const char* text;
  double value;
  Unit unit;
};

TEST(ParseMeasure, ReadsFiguresIntoBaseUnits) {
  const Spelled table[] = {
      {"512", 512, Unit::none},
      {"95 %", 0.95, Unit::ratio},
      {"4 GiB", 4294967296.0, Unit::byte},
      {"4GB", 4e9, Unit::byte},
      {"81559 MiB", 81559 * 1048576.0, Unit::byte},
      {"228 GB/s", 228e9, Unit::byte_per_second},
      {"400 Gb/s", 50e9, Unit::byte_per_second},
      {"10 s", 10, Unit::second},
      {"48 h", 172800, Unit::second},
      {"250 us", 250e-6, Unit::second},
      {"400 W", 400, Unit::watt},
      {"6.3 kW", 6300, Unit::watt},
      {"1410 MHz", 1410e6, Unit::hertz},
      {"87 °C", 87, Unit::celsius},
      {"87 C", 87, Unit::celsius},
      {"3 K", 3, Unit::kelvin},
      {"312 TFLOPS", 312e12, Unit::flop_per_second},
      {"-1.5e1 K", -15, Unit::kelvin},
      {" 1 USD ", 1, Unit::usd},
  };
  for (const auto& [text, value, unit] : table) {
    const auto measure = parse_measure(text);
    ASSERT_TRUE(measure) << text << ": " << measure.error().message();
    EXPECT_DOUBLE_EQ(measure->value, value) << text;
    EXPECT_EQ(measure->unit, unit) << text;
  }
}

TEST(ParseMeasure, KeepsBitsAndBytesAndPowersApart) {
  EXPECT_DOUBLE_EQ(parse_measure("8 Gb/s")->value, parse_measure("1 GB/s")->value);
  EXPECT_NE(parse_measure("1 GB")->value, parse_measure("1 GiB")->value);
}

TEST(ParseMeasure, RefusesUnknownUnitsAndWhatIsNoNumber) {
  for (const char* text : {"", "W", "abc", "1 furlong", "1 gb", "1,5 W", "1 W W", "nan W", "inf",
                           "0x10 W", "1..2 W", "--1 W"})
    EXPECT_FALSE(parse_measure(text)) << text;
}

TEST(ParseMeasure, RefusesAFigureThatItsPrefixMakesInfinite) {
  EXPECT_TRUE(parse_measure("1e308 B/s"));
  EXPECT_FALSE(parse_measure("1e308 TB/s"));
}

TEST(ParseMeasure, ShowsHostileUnitsSafely) {
  const auto refused = parse_measure("1 \x1b[31m");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().message().find('\x1b'), std::string::npos);
}

TEST(FormatValue, PicksTheUnitThatReadsBest) {
  const Spelled table[] = {
      {"234.9 GB/s", 234.9e9, Unit::byte_per_second},
      {"80 GiB", 80 * 1073741824.0, Unit::byte},
      {"48 h", 172800, Unit::second},
      {"1.5 min", 90, Unit::second},
      {"62 °C", 62, Unit::celsius},
      {"99.2 %", 0.992, Unit::ratio},
      {"400 W", 400, Unit::watt},
      {"1410 MHz", 1410e6, Unit::hertz},
      {"8", 8, Unit::none},
      {"0 s", 0, Unit::second},
      {"0 °C", -0.0001, Unit::celsius},
  };
  for (const auto& [text, value, unit] : table) EXPECT_EQ(format_value(value, unit), text);
}

TEST(FormatValue, NeverShowsARoundedUpThousand) {
  EXPECT_EQ(format_value(999.96e9, Unit::byte_per_second), "1 TB/s");
}

// What is shown reads back as the same unit and, within the digits shown, as the same value.
RC_GTEST_PROP(FormatValue, ReadsBackWithinItsRounding, ()) {
  const Unit unit =
      *rc::gen::elementOf(std::vector<Unit>(std::begin(all_units), std::end(all_units)));
  const double value = *rc::gen::inRange(1, 1'000'000'000) * 1e-3;
  if (unit == Unit::usd || unit == Unit::flop_per_second) return;  // "$5", "3 FLOP/s": shown only
  const std::string shown = format_value(value, unit);
  const auto read = parse_measure(shown);
  RC_ASSERT(read.has_value());
  RC_ASSERT(read->unit == unit);
  RC_ASSERT(std::abs(read->value - value) <= 0.01 * value + 0.006);
}

TEST(Symbol, IsDifferentForEveryUnit) {
  for (const Unit a : all_units)
    for (const Unit b : all_units) EXPECT_EQ(symbol(a) == symbol(b), a == b) << symbol(a);
}

}  // namespace
}  // namespace gpuvet
