// SPDX-License-Identifier: Apache-2.0
#include "core/statistics.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <stdexcept>
#include <vector>

namespace gpuvet {
namespace {

TEST(Median, IsTheMiddleOrTheMeanOfTheTwoMiddleValues) {
  EXPECT_EQ(median({5}), 5);
  EXPECT_EQ(median({9, 1, 5}), 5);
  EXPECT_EQ(median({4, 1, 9, 2}), 3);
  EXPECT_EQ(median({7, 7, 7, 7}), 7);
}

TEST(Median, OfNothingIsABug) { EXPECT_THROW(median({}), std::invalid_argument); }

TEST(MedianInterval, LeavesTheRanksThatTheBinomialGives) {
  // Of 6 values the whole range covers 96.9 %; of 9, ranks 2 to 8 cover 96.1 % (Conover, table A3).
  EXPECT_EQ(median_interval({6, 1, 5, 2, 4, 3}).low, 1);
  const auto of_nine = median_interval({1, 2, 3, 4, 5, 6, 7, 8, 9});
  EXPECT_EQ(of_nine.low, 2);
  EXPECT_EQ(of_nine.high, 8);
  EXPECT_EQ(median_interval({7}).low, 7);
}

TEST(MedianInterval, CoversAsOftenAsItSays) {
  // The median of uniform numbers is 1/2: at least 95 % of the intervals must hold it.
  std::uint64_t state = 1;
  const auto next = [&] {
    state = state * 6364136223846793005U + 1442695040888963407U;
    return static_cast<double>(state >> 11U) / 9007199254740992.0;
  };
  int covered = 0;
  for (int round = 0; round < 2000; ++round) {
    std::vector<double> values(25);
    for (auto& v : values) v = next();
    const auto interval = median_interval(values);
    covered += interval.low <= 0.5 && 0.5 <= interval.high ? 1 : 0;
  }
  EXPECT_GE(covered, 1886);  // 1913 are due (95.7 % of ranks 8 to 18), less three deviations
  EXPECT_LT(covered, 2000);
}

}  // namespace
}  // namespace gpuvet
