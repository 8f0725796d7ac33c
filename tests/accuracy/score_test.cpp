// SPDX-License-Identifier: Apache-2.0
#include "accuracy/score.hpp"

#include <gtest/gtest.h>

namespace gpuvet::accuracy {
namespace {

TEST(Score, CountsErrorsRefusalsAndCoverage) {
  const std::vector<Scored> rows = {
      {"a", 110, 100, false, 95, 120},  // covered
      {"a", 80, 100, false, 70, 90},    // not covered
      {"b", 0, 100, true, 0, 0},        // refused
      {"b", 100, 100, false, 0, 0},     // without an interval
  };
  const Score s = score(rows);
  EXPECT_EQ(s.rows, 4U);
  EXPECT_EQ(s.groups, 2U);
  EXPECT_EQ(s.refused, 1U);
  EXPECT_NEAR(s.median, 0.1, 1e-12);
  EXPECT_NEAR(s.worst, 0.2, 1e-12);
  ASSERT_TRUE(s.covered);
  EXPECT_DOUBLE_EQ(*s.covered, 0.5);
}

TEST(Score, QuantilesInterpolate) {
  EXPECT_DOUBLE_EQ(quantile({4, 1, 3, 2}, 0.5), 2.5);
  EXPECT_DOUBLE_EQ(quantile({1, 2}, 0.9), 1.9);
  EXPECT_DOUBLE_EQ(quantile({}, 0.5), 0);
}

TEST(Score, TheBandOfCoverageNarrowsWithRows) {
  const auto few = coverage_band(30), many = coverage_band(3000);
  EXPECT_NEAR(few.first, 0.793, 1e-3);
  EXPECT_NEAR(many.second, 0.911, 1e-3);
}

}  // namespace
}  // namespace gpuvet::accuracy
