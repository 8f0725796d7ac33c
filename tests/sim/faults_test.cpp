// SPDX-License-Identifier: Apache-2.0
#include "sim/faults.hpp"

#include <gtest/gtest.h>

#include "catalogue/packed.hpp"

#include <algorithm>

#include "core/text.hpp"
#include "sim/simulation.hpp"

namespace gpuvet::sim {
namespace {

World world_with(std::string_view scenario, const std::string& fault, double at = 0) {
  const auto injected = parse_injected(fault);
  EXPECT_TRUE(injected) << injected.error().message();
  auto simulation = Simulation::start(*scenario_named(scenario), {*injected});
  EXPECT_TRUE(simulation) << simulation.error().message();
  return simulation->at(at);
}

TEST(Faults, AreManySortedAndFoundBySomething) {
  const auto catalogue = catalogue::built_in();
  EXPECT_GE(faults().size(), 35U);
  EXPECT_TRUE(std::is_sorted(faults().begin(), faults().end(),
                             [](const Fault& a, const Fault& b) { return a.id < b.id; }));
  for (const auto& fault : faults()) {
    EXPECT_NE(catalogue.criterion(fault.criterion), nullptr) << fault.id << ' ' << fault.criterion;
    for (const auto id : words(fault.also))
      EXPECT_TRUE(catalogue.criterion(id) != nullptr) << fault.id << ' ' << id;
  }
}

TEST(Faults, AllCanHappenToADgx) {
  for (const auto& fault : faults())
    EXPECT_TRUE(Simulation::start(*scenario_named("dgx-a100"), {{&fault, -1, 0}})) << fault.id;
}

TEST(Faults, NoneOfGpusCanHappenWithoutOne) {
  for (const auto* id :
       {"gpu-lost", "nvlink-down", "gpu-hot", "fabric-manager-down", "mig-on", "nic-down"})
    EXPECT_FALSE(Simulation::start(*scenario_named("gpu-less"), {{fault_named(id), -1, 0}})) << id;
}

TEST(Faults, HitThePartThatWasNamed) {
  const auto world = world_with("dgx-a100", "pcie-width:3");
  for (const auto& gpu : world.gpus) EXPECT_EQ(gpu.pcie.width_max, gpu.index == 3 ? 8 : 16);
}

TEST(Faults, BeginWhenTheyWereTold) {
  auto simulation =
      Simulation::start(*scenario_named("dgx-a100"), {*parse_injected("gpu-lost:2@4h")});
  ASSERT_TRUE(simulation);
  EXPECT_FALSE(simulation->at(4 * 3600 - 1).gpus[2].lost);
  const auto& later = simulation->at(4 * 3600 + 1);
  EXPECT_TRUE(later.gpus[2].lost);
  ASSERT_FALSE(later.log.empty());
  EXPECT_NE(later.log.back().text.find("): 79,"), std::string::npos);
  EXPECT_DOUBLE_EQ(later.log.back().at, later.booted + 4 * 3600);
}

TEST(Faults, CountersClimb) {
  auto simulation =
      Simulation::start(*scenario_named("dgx-a100"), {*parse_injected("nvlink-errors:1")});
  ASSERT_TRUE(simulation);
  const auto early = simulation->at(1).gpus[1].links[0].replay;
  EXPECT_GT(early, 0U);
  EXPECT_GT(simulation->at(3600).gpus[1].links[0].replay, early);
}

TEST(Faults, ALinkHasTwoEnds) {
  const auto world = world_with("hgx-a100-4", "nvlink-down:0");
  const auto down = [](const Gpu& gpu) {
    return std::count_if(gpu.links.begin(), gpu.links.end(), [](const NvLink& l) { return !l.up; });
  };
  EXPECT_EQ(down(world.gpus[0]), 1);
  EXPECT_EQ(down(world.gpus[1]), 1);
  EXPECT_EQ(down(world.gpus[2]), 0);
}

TEST(Faults, AnotherKindTakesThePlace) {
  const auto world = world_with("dgx-a100", "mixed-sku:5");
  EXPECT_EQ(world.gpus[5].sku, "a100-sxm4-40gb");
  EXPECT_EQ(world.gpus[5].place.address(),
            world_with("dgx-a100", "mig-on").gpus[5].place.address());
  EXPECT_EQ(world.gpus[5].links.size(), 12U);
}

TEST(ParseInjected, ReadsPartAndTime) {
  const auto both = parse_injected("gpu-hot:5@90min");
  ASSERT_TRUE(both);
  EXPECT_EQ(both->fault->id, "gpu-hot");
  EXPECT_EQ(both->target, 5);
  EXPECT_DOUBLE_EQ(both->at, 5400);
  EXPECT_EQ(parse_injected("gpu-hot")->target, -1);
  for (const auto* wrong : {"", "gpu-hit", "gpu-hot:", "gpu-hot:x", "gpu-hot:-1", "gpu-hot@",
                            "gpu-hot@3 W", "gpu-hot@-1"})
    EXPECT_FALSE(parse_injected(wrong)) << wrong;
}

}  // namespace
}  // namespace gpuvet::sim
