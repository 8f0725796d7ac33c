// SPDX-License-Identifier: Apache-2.0
#include "core/statistics.hpp"

#include <gtest/gtest.h>

#include <stdexcept>

namespace gpuvet {
namespace {

TEST(Median, IsTheMiddleOrTheMeanOfTheTwoMiddleValues) {
  EXPECT_EQ(median({5}), 5);
  EXPECT_EQ(median({9, 1, 5}), 5);
  EXPECT_EQ(median({4, 1, 9, 2}), 3);
  EXPECT_EQ(median({7, 7, 7, 7}), 7);
}

TEST(Median, OfNothingIsABug) { EXPECT_THROW(median({}), std::invalid_argument); }

}  // namespace
}  // namespace gpuvet
