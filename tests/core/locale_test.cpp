// SPDX-License-Identifier: Apache-2.0
// Numbers are read and written with a point wherever gpuvet runs: under a locale with decimal
// commas nothing changes.
#include <gtest/gtest.h>

#include <clocale>
#include <locale>
#include <string>

#include "core/text.hpp"
#include "core/units.hpp"

namespace gpuvet {
namespace {

void expect_points() {
  EXPECT_EQ(parse_number("1.5"), 1.5);
  EXPECT_FALSE(parse_number("1,5"));
  EXPECT_EQ(format_number(1234567.25), "1234567.25");
  EXPECT_EQ(format_value(0.25, Unit::none), "0.25");
  EXPECT_EQ(format_value(234.9e9, Unit::byte_per_second), "234.9 GB/s");
  EXPECT_EQ(format_value(123456, Unit::none), "123456");
  ASSERT_TRUE(parse_measure("6.3 kW"));
  EXPECT_DOUBLE_EQ(parse_measure("6.3 kW")->value, 6300);
  EXPECT_FALSE(parse_measure("6,3 kW"));
}

struct Commas : std::numpunct<char> {
  char do_decimal_point() const override { return ','; }
  char do_thousands_sep() const override { return '.'; }
  std::string do_grouping() const override { return "\3"; }
};

TEST(Locale, OfCppWithDecimalCommasChangesNothing) {
  const std::locale before = std::locale::global(std::locale(std::locale::classic(), new Commas));
  expect_points();
  std::locale::global(before);
}

TEST(Locale, OfCWithDecimalCommasChangesNothing) {
  const std::string before = std::setlocale(LC_ALL, nullptr);
  if (std::setlocale(LC_ALL, "de_DE.UTF-8") == nullptr &&
      std::setlocale(LC_ALL, "de_DE.utf8") == nullptr)
    GTEST_SKIP() << "de_DE.UTF-8 is not installed here: localedef -i de_DE -f UTF-8 de_DE.UTF-8";
  ASSERT_STREQ(std::localeconv()->decimal_point, ",");
  expect_points();
  std::setlocale(LC_ALL, before.c_str());
}

}  // namespace
}  // namespace gpuvet
