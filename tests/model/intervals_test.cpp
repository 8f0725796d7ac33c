// SPDX-License-Identifier: Apache-2.0
#include "model/intervals.hpp"

#include <gtest/gtest.h>

#include <cmath>

namespace gpuvet::model {
namespace {

catalogue::Catalogue one_family() {
  catalogue::IntervalFamily f;
  f.id = "gemm";
  f.gpus = {"a100"};
  f.frameworks = {"torch"};
  f.topologies = {"single"};
  f.smallest = 1e6;
  f.largest = 1e12;
  f.same_gpu = 0.1;
  f.new_gpu = 0.2;
  f.new_framework = 0.05;  // narrower than for what is known: never believed
  catalogue::Catalogue c;
  c.intervals.push_back(f);
  return c;
}

Estimate asked(Setting setting, double difficulty = 1) {
  return {"gemm", 10, std::move(setting), difficulty, {}};
}

double half_width(const Prediction& p) { return std::log(p.high / p.value); }

TEST(Intervals, AreTheFamilysQuantileOnBothSides) {
  const auto p = Intervals(one_family()).around(asked({"a100", "torch", "single", 1e9}));
  ASSERT_TRUE(p);
  EXPECT_EQ(p->transfer, Transfer::same_gpu);
  EXPECT_NEAR(p->low, 10 * std::exp(-0.1), 1e-12);
  EXPECT_NEAR(p->high, 10 * std::exp(0.1), 1e-12);
}

TEST(Intervals, WidenWithWhatIsNew) {
  const Intervals intervals(one_family());
  const auto gpu = intervals.around(asked({"h100", "torch", "single", 1e9}));
  const auto framework = intervals.around(asked({"a100", "jax", "single", 1e9}));
  const auto topology = intervals.around(asked({"a100", "torch", "pcie", 1e9}));
  ASSERT_TRUE(gpu && framework && topology);
  EXPECT_NEAR(half_width(*gpu), 0.2, 1e-12);
  EXPECT_NEAR(half_width(*framework), 0.1, 1e-12) << "never narrower than for the same GPU";
  EXPECT_NEAR(half_width(*topology), 0.3, 1e-12) << "no measurement: half more than the widest";
  EXPECT_EQ(topology->transfer, Transfer::new_topology);
}

TEST(Intervals, WidenWithDistanceAndDifficulty) {
  const Intervals intervals(one_family());
  const auto near = intervals.around(asked({"a100", "torch", "single", 1e12}));
  const auto far = intervals.around(asked({"a100", "torch", "single", std::exp(2) * 1e12}));
  const auto hard = intervals.around(asked({"a100", "torch", "single", 1e12}, 2));
  ASSERT_TRUE(near && far && hard);
  EXPECT_NEAR(half_width(*far) / half_width(*near), 1.5, 1e-9);
  EXPECT_NEAR(half_width(*hard) / half_width(*near), 2, 1e-9);
}

TEST(Intervals, RefuseWhatNoMeasurementIsNear) {
  const Intervals intervals(one_family());
  const auto far = intervals.around(asked({"a100", "torch", "single", 1e14}));
  ASSERT_FALSE(far);
  EXPECT_NE(far.error().reason.find("far outside the measurements of gemm"), std::string::npos);
  Estimate other = asked({});
  other.family = "poetry";
  EXPECT_FALSE(intervals.around(other));
}

TEST(Intervals, DecisionsPassWithoutOne) {
  Estimate yes = asked({});
  yes.family = "memory.fits";
  yes.value = 1;
  EXPECT_FALSE(Intervals(one_family()).around(yes)) << "a figure of a family that nobody measured";
  yes.decision = true;
  const auto p = Intervals(one_family()).around(yes);
  ASSERT_TRUE(p);
  EXPECT_EQ(p->low, 1);
  EXPECT_EQ(p->high, 1);
}

TEST(Intervals, WhatAQuestionLeavesOpenIsNotNew) {
  EXPECT_EQ(transfer_of(one_family().intervals.front(), {"a100", "", "", 0}), Transfer::same_gpu);
  EXPECT_EQ(distance_of(one_family().intervals.front(), 0), 0);
}

}  // namespace
}  // namespace gpuvet::model
