// SPDX-License-Identifier: Apache-2.0
#include "model/cost_input.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <vector>

namespace gpuvet::model {
namespace {

Uncertain of(double low, double likely, double high, Shape shape) {
  return {likely, low, high, shape, Known::assumed, ""};
}

TEST(cost_input, a_triangle_has_its_corners_and_its_mean) {
  const auto t = of(1, 2, 5, Shape::triangle);
  EXPECT_NEAR(t.quantile(1e-9), 1, 1e-3);
  EXPECT_NEAR(t.quantile(1 - 1e-9), 5, 1e-3);
  EXPECT_NEAR(t.quantile(0.25), 2, 1e-9);  // (2 - 1) / (5 - 1) lies below the mode
  double sum = 0;
  for (int i = 0; i < 10000; ++i) sum += t.quantile((i + 0.5) / 10000);
  EXPECT_NEAR(sum / 10000, 8.0 / 3, 1e-3);
}

TEST(cost_input, a_lognormal_holds_ninety_percent_between_low_and_high) {
  const auto l = of(80, 100, 150, Shape::lognormal);
  EXPECT_NEAR(l.quantile(0.05), 80, 1e-4);
  EXPECT_NEAR(l.quantile(0.5), 100, 1e-6);
  EXPECT_NEAR(l.quantile(0.95), 150, 1e-4);
}

RC_GTEST_PROP(cost_input, quantiles_rise, ()) {
  const double low = *rc::gen::inRange(1, 100);
  const double likely = low + *rc::gen::inRange(0, 100);
  const double high = likely + *rc::gen::inRange(0, 100);
  const auto f = of(low, likely, high, *rc::gen::element(Shape::triangle, Shape::lognormal));
  const double u = *rc::gen::inRange(1, 998) / 1000.0;
  RC_ASSERT(f.quantile(u) <= f.quantile(u + 0.001) + 1e-9);
}

TEST(cost_input, draws_are_uniform_and_of_different_keys_independent) {
  constexpr int n = 20000;
  const auto a = key_of("price\nA"), b = key_of("price\nB");
  double sum = 0, squares = 0, product = 0;
  for (int i = 0; i < n; ++i) {
    const double x = uniform(1, a, static_cast<std::uint64_t>(i)),
                 y = uniform(1, b, static_cast<std::uint64_t>(i));
    ASSERT_GT(x, 0);
    ASSERT_LT(x, 1);
    sum += x;
    squares += x * x;
    product += (x - 0.5) * (y - 0.5);
  }
  EXPECT_NEAR(sum / n, 0.5, 0.01);
  EXPECT_NEAR(squares / n, 1.0 / 3, 0.01);
  EXPECT_NEAR(product / n * 12, 0, 0.03);  // correlation
  EXPECT_EQ(uniform(1, a, 7), uniform(1, a, 7));
  EXPECT_NE(uniform(1, a, 7), uniform(2, a, 7));
}

TEST(cost_input, what_is_out_of_order_is_not_valid) {
  EXPECT_TRUE(of(1, 2, 3, Shape::triangle).valid());
  EXPECT_FALSE(of(2, 1, 3, Shape::triangle).valid());
  EXPECT_FALSE(of(0, 1, 3, Shape::lognormal).valid());
  EXPECT_FALSE(of(1, 2, 1.0 / 0.0, Shape::triangle).valid());
}

}  // namespace
}  // namespace gpuvet::model
