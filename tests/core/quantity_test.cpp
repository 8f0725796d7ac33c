// SPDX-License-Identifier: Apache-2.0
// Dimensions are checked by the compiler; what is left to test are the factors.
#include "core/quantity.hpp"

#include <gtest/gtest.h>

#include <type_traits>

namespace gpuvet {
namespace {

using namespace units;

template <class A, class B>
concept Addable = requires(A a, B b) {
  a + b;
};

static_assert(!Addable<Watts, Bytes>, "watts and bytes do not add");
static_assert(!Addable<Celsius, Celsius>, "points on a scale do not add");
static_assert(Addable<Watts, Watts>);
static_assert(std::is_same_v<decltype(W * s), Joules>);
static_assert(std::is_same_v<decltype(GB / s), BytesPerSecond>);
static_assert(std::is_same_v<decltype(GB / GB), Ratio>);

TEST(Quantity, KeepsItsBaseUnit) {
  EXPECT_DOUBLE_EQ((1 * kWh).in(kW * h), 1);
  EXPECT_DOUBLE_EQ((8 * Gbit).in(GB), 1);
  EXPECT_DOUBLE_EQ((1 * GiB).base(), 1073741824.0);
  EXPECT_DOUBLE_EQ((300 * GB / (2 * s)).in(GB / s), 150);
}

TEST(Quantity, ComparesByValue) {
  EXPECT_LT(1 * GB, 1 * GiB);
  EXPECT_EQ(1000 * W, 1 * kW);
}

TEST(Celsius, SubtractsToADifference) { EXPECT_DOUBLE_EQ((Celsius{90} - Celsius{87}).in(K), 3); }

}  // namespace
}  // namespace gpuvet
