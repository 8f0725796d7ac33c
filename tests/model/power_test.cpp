// SPDX-License-Identifier: Apache-2.0
#include "model/power.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "catalogue/packed.hpp"

namespace gpuvet::model {
namespace {

const catalogue::Catalogue& shipped() {
  static const auto out = catalogue::built_in();
  return out;
}

Power power() { return Power(Constants(shipped())); }

PoweredServer server(const char* gpu, int gpus, bool nvswitch) {
  PoweredServer out;
  out.gpu = *gpu_from(*shipped().gpu(gpu));
  out.gpus = gpus;
  out.nvswitch = nvswitch;
  return out;
}

double watts(const PoweredServer& s, Load load) { return power().parts(s, load)->wall().base(); }

// MLPerf inference v1.1 power logs, whole server at the wall: DGX A100 80GB MaxQ, BERT 3.41 to
// 3.57 kW, ResNet-50 2.93 to 2.95 kW.
TEST(power, a_capped_dgx_a100_draws_what_mlperf_measured) {
  auto dgx = server("a100-sxm4-80gb", 8, true);
  dgx.tuned = true;
  EXPECT_NEAR(watts(dgx, Load::dense), 3400, 200);
  EXPECT_NEAR(watts(dgx, Load::mixed), 2940, 200);
}

// The article says 1.4 kW on average for eight modules at 89 % utilisation (claim C112).
TEST(power, eight_busy_modules_draw_far_more_than_the_article_says) {
  EXPECT_GT(power().average(server("a100-sxm4-80gb", 8, true), Load::mixed, 0.89)->base(),
            1.8 * 1400);
}

TEST(power, parts_sum_to_the_wall_and_supplies_lose_some) {
  const auto p = *power().parts(server("h100-sxm5-80gb", 8, true), Load::dense);
  EXPECT_DOUBLE_EQ(p.wall().base(), (p.gpus + p.host + p.fans + p.supplies).base());
  EXPECT_NEAR(p.supplies.base(), 0.06 * p.wall().base(), 1e-6);
  EXPECT_DOUBLE_EQ(p.gpus.base(), 8 * 700);
}

TEST(power, cooling_by_a_bath_needs_no_fans_and_liquid_few) {
  auto s = server("h100-sxm5-80gb", 8, true);
  const double air = watts(s, Load::dense);
  s.cooling = Cooling::liquid;
  const double liquid = watts(s, Load::dense);
  EXPECT_FALSE(power().wall(s, Load::dense)->notes.empty());
  s.cooling = Cooling::immersion;
  EXPECT_GT(air, liquid);
  EXPECT_GT(liquid, watts(s, Load::dense));
}

TEST(power, loads_are_ordered) {
  for (const char* gpu : {"a100-sxm4-80gb", "a100-pcie-80gb", "h100-sxm5-80gb", "l4-24gb"}) {
    const auto s = server(gpu, 4, false);
    EXPECT_LT(watts(s, Load::idle), watts(s, Load::mixed)) << gpu;
    EXPECT_LT(watts(s, Load::mixed), watts(s, Load::dense)) << gpu;
  }
}

RC_GTEST_PROP(power, more_gpus_and_higher_limits_never_draw_less, ()) {
  auto s = server("a100-sxm4-80gb", *rc::gen::inRange(1, 16), *rc::gen::arbitrary<bool>());
  const int limit = *rc::gen::inRange(100, 500);
  const auto load = *rc::gen::element(Load::mixed, Load::dense);
  s.tuned = *rc::gen::arbitrary<bool>();
  s.limit = Watts::base(limit);
  const double before = watts(s, load);
  s.limit = Watts::base(limit + *rc::gen::inRange(0, 100));
  const double higher = watts(s, load);
  RC_ASSERT(higher >= before);
  s.gpus += 1;
  RC_ASSERT(watts(s, load) > higher);
}

RC_GTEST_PROP(power, busier_servers_draw_more_on_average, ()) {
  const auto s = server("a100-pcie-80gb", 8, false);
  const double busy = *rc::gen::inRange(0, 100) / 100.0;
  RC_ASSERT(*power().average(s, Load::dense, busy) < *power().average(s, Load::dense, busy + 0.01));
}

TEST(power, refuses_what_it_cannot_know) {
  auto s = server("a100-pcie-80gb", 0, false);
  EXPECT_FALSE(power().wall(s, Load::dense));
  s.gpus = 8;
  EXPECT_FALSE(power().average(s, Load::dense, 1.2));
  s.gpu.power = {};
  EXPECT_NE(power().wall(s, Load::dense).error().reason.find("board power"), std::string::npos);
}

// One kilowatt for an hour at a PUE of 1.5.
TEST(power, a_building_draws_pue_times_the_server) {
  EXPECT_DOUBLE_EQ(facility_energy(units::kW, units::h, 1.5).in(units::kWh), 1.5);
}

}  // namespace
}  // namespace gpuvet::model
