// SPDX-License-Identifier: Apache-2.0
// The small language of limits, line by line.
#include <gtest/gtest.h>

#include <optional>
#include <string>

#include "catalogue/catalogue.hpp"

namespace gpuvet::catalogue {
namespace {

using Op = Condition::Op;

TEST(ParseCondition, ReadsFiguresWithTheirUnits) {
  struct Row {
    const char* text;
    Op op;
    double number;
    Unit unit;
  };
  const Row table[] = {
      {">= 228 GB/s", Op::greater_equal, 228e9, Unit::byte_per_second},
      {"< 185 GB/s", Op::less, 185e9, Unit::byte_per_second},
      {"<= 87 °C", Op::less_equal, 87, Unit::celsius},
      {"> 4", Op::greater, 4, Unit::none},
      {"== 0", Op::equal, 0, Unit::none},
      {"!= 8", Op::not_equal, 8, Unit::none},
      {">=95 %", Op::greater_equal, 0.95, Unit::ratio},
      {"  >= 48 h ", Op::greater_equal, 172800, Unit::second},
      {"== -3 K", Op::equal, -3, Unit::kelvin},
  };
  for (const auto& [text, op, number, unit] : table) {
    const auto c = parse_condition(text);
    ASSERT_TRUE(c) << text << ": " << c.error().message();
    EXPECT_EQ(c->op, op) << text;
    EXPECT_DOUBLE_EQ(c->number, number) << text;
    EXPECT_EQ(c->unit, unit) << text;
    EXPECT_FALSE(c->relative || c->count || c->text) << text;
  }
}

TEST(ParseCondition, ReadsReferencesWithFactorAndOffset) {
  struct Row {
    const char* text;
    double factor, number;
    Unit unit;
  };
  const Row table[] = {
      {"<= ref", 1, 0, Unit::none},
      {"> ref", 1, 0, Unit::none},
      {"<= ref - 3 K", 1, -3, Unit::kelvin},
      {"<= ref + 5 W", 1, 5, Unit::watt},
      {">= 0.8 ref", 0.8, 0, Unit::none},
      {">= 0.8 ref - 1 GB/s", 0.8, -1e9, Unit::byte_per_second},
  };
  for (const auto& [text, factor, number, unit] : table) {
    const auto c = parse_condition(text);
    ASSERT_TRUE(c) << text << ": " << c.error().message();
    EXPECT_TRUE(c->relative) << text;
    EXPECT_DOUBLE_EQ(c->factor, factor) << text;
    EXPECT_DOUBLE_EQ(c->number, number) << text;
    EXPECT_EQ(c->unit, unit) << text;
  }
}

TEST(ParseCondition, ReadsWhatNeedsNoFigure) {
  EXPECT_EQ(parse_condition("any")->op, Op::any);
  EXPECT_EQ(parse_condition("empty")->op, Op::empty);
  EXPECT_EQ(parse_condition("not empty")->op, Op::not_empty);
}

TEST(ParseCondition, CountsEntriesWhenAsked) {
  const auto c = parse_condition("count == 1");
  ASSERT_TRUE(c);
  EXPECT_TRUE(c->count);
  EXPECT_EQ(c->op, Op::equal);
  EXPECT_EQ(c->number, 1);
}

TEST(ParseCondition, ComparesTextForEqualityOnly) {
  EXPECT_EQ(parse_condition("== true")->text, "true");
  EXPECT_EQ(parse_condition("!= Exclusive Process")->text, "Exclusive Process");
  EXPECT_FALSE(parse_condition(">= nvswitch"));
}

TEST(ParseCondition, TakesATextThatStartsWithRefAsText) {
  EXPECT_EQ(parse_condition("== reference")->text, "reference");
}

TEST(ParseCondition, KeepsWhatWasWritten) {
  EXPECT_EQ(parse_condition("  >= 0.8 ref ")->written, ">= 0.8 ref");
}

TEST(ParseCondition, RefusesWhatItCannotMean) {
  for (const char* text : {"", "228 GB/s", "=> 3", "= 3", ">=", "count", "count 3",
                           "count ==", ">= ref * 2", ">= ref -", ">= ref - 3 furlongs", ">= x ref",
                           ">= 1e308 TB/s", "<= nan", "> inf", "not  empty"})
    EXPECT_FALSE(parse_condition(text)) << text;
}

}  // namespace
}  // namespace gpuvet::catalogue
