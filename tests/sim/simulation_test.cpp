// SPDX-License-Identifier: Apache-2.0
#include "sim/simulation.hpp"

#include <gtest/gtest.h>

#include "core/nvml_abi.hpp"

namespace gpuvet::sim {
namespace {

Simulation started(std::string_view scenario, const std::vector<std::string>& faults = {}) {
  std::vector<Injected> injected;
  for (const auto& fault : faults) injected.push_back(*parse_injected(fault));
  auto out = Simulation::start(*scenario_named(scenario), injected);
  EXPECT_TRUE(out) << out.error().message();
  return *out;
}

TEST(Simulation, AnIdleServerIsCoolAndStaysSo) {
  auto simulation = started("dgx-a100");
  const double before = simulation.at(0).gpus[0].temperature;
  const auto& gpu = simulation.at(3600).gpus[0];
  EXPECT_NEAR(gpu.temperature, before, 0.1);
  // Balance: what flows off is what it takes in.
  EXPECT_NEAR(gpu.temperature, simulation.at(3600).ambient + gpu.power * gpu.thermal.resistance,
              0.1);
  EXPECT_EQ(gpu.reasons, nvml::reason_idle);
  EXPECT_TRUE(gpu.processes.empty());
}

TEST(Simulation, WorkHeatsUpToWhatTheHeatSinkCarries) {
  auto simulation = started("dgx-a100");
  simulation.set_load(1);
  const auto early = simulation.at(30).gpus[0].temperature;
  const auto& world = simulation.at(3600);
  const auto& gpu = world.gpus[0];
  EXPECT_GT(gpu.temperature, early + 5);
  EXPECT_NEAR(gpu.temperature, world.ambient + gpu.power * gpu.thermal.resistance, 0.5);
  EXPECT_NEAR(gpu.power, 400, 0.1) << "the power limit holds";
  EXPECT_NE(gpu.reasons & nvml::reason_sw_power_cap, 0U);
  EXPECT_LT(gpu.clock, gpu.clock_max);
  EXPECT_GT(gpu.reason_seconds.at(nvml::reason_sw_power_cap), 3000);
  EXPECT_GT(gpu.temperature + 1, world.gpus[1].temperature);
  EXPECT_GT(world.gpus[2].temperature, world.gpus[1].temperature) << "the worse heat sink";
}

TEST(Simulation, HeatThrottlesAtTheGpusOwnLimit) {
  auto simulation = started("dgx-a100", {"airflow-blocked@4h"});
  simulation.set_load(1);
  EXPECT_EQ(simulation.at(4 * 3600 - 1).gpus[0].reasons & nvml::reason_sw_thermal, 0U);
  const auto& gpu = simulation.at(5 * 3600).gpus[0];
  EXPECT_NE(gpu.reasons & (nvml::reason_sw_thermal | nvml::reason_hw_thermal), 0U);
  EXPECT_LT(gpu.clock, 0.8 * gpu.clock_max);
  EXPECT_GE(gpu.temperature, gpu.limits.max_operating);
}

TEST(Simulation, ACapAndAStuckClockHold) {
  auto capped = started("dgx-a100", {"power-capped:0", "clock-stuck:1"});
  capped.set_load(1);
  const auto& world = capped.at(600);
  EXPECT_NEAR(world.gpus[0].power, world.gpus[0].power_min, 0.1);
  EXPECT_LE(world.gpus[1].clock, 345e6);
  EXPECT_GT(world.gpus[2].clock, 1.2e9);
}

TEST(Simulation, TimeNeverRunsBackwards) {
  auto simulation = started("dgx-a100");
  simulation.set_load(1);
  const double energy = simulation.at(100).gpus[0].energy;
  EXPECT_DOUBLE_EQ(simulation.at(50).gpus[0].energy, energy);
}

TEST(Simulation, OneLongStepIsManyShortOnes) {
  auto once = started("dgx-a100");
  auto often = started("dgx-a100");
  once.set_load(1);
  often.set_load(1);
  for (int second = 0; second < 300; ++second) often.at(second);
  EXPECT_NEAR(once.at(300).gpus[3].temperature, often.at(300).gpus[3].temperature, 0.5);
}

TEST(Simulation, TheProfileIsFollowed) {
  auto scenario = *scenario_named("dgx-a100");
  scenario.profile = {{60, 1}, {120, 0}};
  auto simulation = Simulation::start(scenario, {});
  ASSERT_TRUE(simulation);
  EXPECT_EQ(simulation->at(30).gpus[0].load, 0);
  EXPECT_EQ(simulation->at(90).gpus[0].load, 1);
  const auto& after = simulation->at(121);
  EXPECT_EQ(after.gpus[0].load, 0);
  EXPECT_GT(after.gpus[0].temperature, started("dgx-a100").at(0).gpus[0].temperature + 3);
}

}  // namespace
}  // namespace gpuvet::sim
