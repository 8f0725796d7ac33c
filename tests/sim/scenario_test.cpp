// SPDX-License-Identifier: Apache-2.0
#include "sim/scenario.hpp"

#include <gtest/gtest.h>

#include "catalogue/packed.hpp"

#include <algorithm>
#include <set>

#include "core/nvml_abi.hpp"
#include "sim/world.hpp"

namespace gpuvet::sim {
namespace {

World built(std::string_view id) {
  const auto scenario = scenario_named(id);
  EXPECT_TRUE(scenario) << scenario.error().message();
  const auto parts = gpu_parts(scenario->gpus);
  EXPECT_TRUE(parts) << parts.error().message();
  auto world = build(*scenario, *parts);
  EXPECT_TRUE(world) << world.error().message();
  return *world;
}

TEST(Scenarios, AllCanBeBuiltAndNamesMatch) {
  const auto all = scenarios();
  EXPECT_GE(all.size(), 17U);
  for (const auto& named : all) EXPECT_EQ(built(named.id).made.id, named.id);
}

TEST(Scenarios, NameServersOfTheCatalogue) {
  const auto catalogue = catalogue::built_in();
  for (const auto& named : scenarios()) {
    const auto scenario = scenario_named(named.id);
    if (!scenario->server.empty()) {
      EXPECT_NE(catalogue.server(scenario->server), nullptr) << named.id;
    }
    for (const auto& [criterion, reason] : scenario->known) {
      EXPECT_NE(catalogue.criterion(criterion), nullptr) << named.id << ' ' << criterion;
      EXPECT_FALSE(reason.empty());
    }
  }
}

TEST(Scenarios, NoTwoDevicesShareAnAddress) {
  for (const auto& named : scenarios()) {
    const auto world = built(named.id);
    std::set<std::string> seen;
    const auto take = [&](const Place& place) {
      ASSERT_FALSE(place.path.empty()) << named.id;
      EXPECT_TRUE(seen.insert(place.address()).second) << named.id << ' ' << place.address();
    };
    for (const auto& bridge : world.bridges) take(bridge.place);
    for (const auto& gpu : world.gpus) take(gpu.place);
    for (const auto& nic : world.nics) take(nic.place);
    for (const auto& drive : world.drives) take(drive.place);
    for (const auto& nvswitch : world.switches) take(nvswitch.place);
  }
}

TEST(Scenarios, TheDgxHasWhatADgxHas) {
  const auto world = built("dgx-a100");
  ASSERT_EQ(world.gpus.size(), 8U);
  EXPECT_EQ(world.switches.size(), 6U);
  EXPECT_EQ(world.nics.size(), 10U);
  for (const auto& gpu : world.gpus) {
    ASSERT_EQ(gpu.links.size(), 12U);
    EXPECT_TRUE(std::all_of(gpu.links.begin(), gpu.links.end(),
                            [](const NvLink& link) { return link.up && link.to_switch; }));
    EXPECT_EQ(gpu.memory, std::uint64_t{80} << 30U);
  }
  // Pairs share a switch; adapters hang one switch further away; the rest is across sockets.
  EXPECT_EQ(common_ancestor(world.gpus[0].place, world.gpus[1].place), nvml::one_switch);
  EXPECT_EQ(common_ancestor(world.gpus[0].place, world.nics[0].place), nvml::several_switches);
  EXPECT_EQ(common_ancestor(world.gpus[0].place, world.gpus[7].place), nvml::system);
}

TEST(Scenarios, FourModulesShareTheirLinksOut) {
  const auto world = built("hgx-a100-4");
  for (const auto& gpu : world.gpus)
    for (const auto& other : world.gpus)
      if (gpu.index != other.index) {
        EXPECT_EQ(std::count_if(gpu.links.begin(), gpu.links.end(),
                                [&](const NvLink& l) { return l.remote == other.place.address(); }),
                  4);
      }
}

TEST(Scenarios, BridgesJoinPairs) {
  const auto world = built("a100-pcie-bridged");
  for (const auto& link : world.gpus[2].links)
    EXPECT_EQ(link.remote, world.gpus[3].place.address());
}

constexpr std::string_view small = R"(
id = "x"
title = "X"
gpus = ["1x t4-16gb"]
[host]
vendor = "V"
product = "P"
cpu = "C"
dimm_size = "16 GiB"
[[root]]
gpus = [0]
)";

TEST(ParseScenario, TakesASmallOne) {
  const auto scenario = parse_scenario(small);
  ASSERT_TRUE(scenario) << scenario.error().message();
  EXPECT_EQ(scenario->gpus, std::vector<std::string>{"t4-16gb"});
}

TEST(ParseScenario, RefusesWhatMakesNoSense) {
  const auto refused = [](std::string_view from, std::string_view to) {
    std::string text(small);
    const auto at = text.find(from);
    EXPECT_NE(at, std::string::npos) << from;
    text.replace(at, from.size(), to);
    return !parse_scenario(text);
  };
  EXPECT_TRUE(refused("gpus = [0]", "gpus = [1]"));
  EXPECT_TRUE(refused("gpus = [0]", "gpus = [0, 0]"));
  EXPECT_TRUE(refused("gpus = [0]", "gpus = []"));
  EXPECT_TRUE(refused("gpus = [0]", "gpus = [0]\nnuma = 7"));
  EXPECT_TRUE(refused("gpus = [0]", "gpus = [0]\nadapters = [\"mlx5_9\"]"));
  EXPECT_TRUE(refused("1x t4-16gb", "40x t4-16gb"));
  EXPECT_TRUE(refused("title", "titel"));
  EXPECT_TRUE(refused("[host]", "fabric = \"magic\"\n[host]"));
  EXPECT_FALSE(parse_scenario("id = "));
  EXPECT_FALSE(parse_scenario(""));
}

TEST(ParseScenario, AnUnknownGpuIsRefusedWhenItIsBuilt) {
  auto scenario = parse_scenario(small);
  ASSERT_TRUE(scenario);
  scenario->gpus = {"t5"};
  const auto parts = gpu_parts(scenario->gpus);
  ASSERT_TRUE(parts);
  EXPECT_FALSE(build(*scenario, *parts));
}

}  // namespace
}  // namespace gpuvet::sim
