// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <set>

#include "device/host/speed.hpp"
#include "probe/testing.hpp"

namespace gpuvet::probe {
namespace {

using testing::Bench;

const Probe& host_probe() { return *probe_named("host"); }

TEST(HostSpeed, LinksGoThroughEveryLineOnce) {
  constexpr std::size_t lines = 1000;
  std::vector<std::uint64_t> memory(8 * lines, 7);
  device::host::link_cycle(memory, 3);
  std::set<std::uint64_t> seen;
  std::uint64_t at = 0;
  for (std::size_t i = 0; i < lines; ++i) {
    seen.insert(at);
    at = memory[8 * at];
    ASSERT_LT(at, lines);
  }
  EXPECT_EQ(at, 0U);
  EXPECT_EQ(seen.size(), lines);

  // Neither near each other nor the same for another seed.
  std::size_t next = 0;
  for (std::size_t i = 0; i < lines; ++i) next += memory[8 * i] == i + 1 ? 1 : 0;
  EXPECT_LT(next, lines / 20);
  auto other = memory;
  device::host::link_cycle(other, 4);
  EXPECT_NE(other, memory);
}

TEST(HostSpeed, AChaseTakesAsManyStepsAsAsked) {
  std::vector<std::uint64_t> memory(8 * 64);
  device::host::link_cycle(memory, 1);
  std::uint64_t at = 5;
  EXPECT_GT(device::host::chase(memory, at, 63), 0);
  EXPECT_EQ(memory[8 * at], 5U);  // one step before the beginning
}

TEST(HostSpeed, EveryProcessorHasItsRate) {
  const auto processors = device::host::usable_processors();
  const auto rates = device::host::rates(processors, 0.01);
  ASSERT_EQ(rates.size(), processors.size());
  for (std::size_t i = 0; i < rates.size(); ++i) {
    EXPECT_EQ(rates[i].processor, processors[i]);
    EXPECT_GT(rates[i].rate, 0);
    EXPECT_GT(rates[i].share, 0);
  }
}

TEST(HostSpeed, MemoryThatMayNotBeLockedIsAMatterOfPermission) {
  const auto refused = device::host::lock_pages(std::uint64_t{1} << 60);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Errc::permission);
}

TEST(HostProbe, GivesEveryFigure) {
  Bench bench(20);  // seconds: many, for a busy machine
  ASSERT_TRUE(host_probe().run(bench.context));
  for (const auto* id :
       {"host.cores.rate", "host.cores.slowest_share", "host.memory.bandwidth.read",
        "host.memory.bandwidth.write", "host.memory.bandwidth.copy", "host.memory.bandwidth.triad",
        "host.memory.latency", "host.page_fault.rate"}) {
    const auto* found = bench.find(id);
    ASSERT_NE(found, nullptr) << id;
    ASSERT_NE(found->number(), nullptr) << id;
    EXPECT_GT(*found->number(), 0) << id;
  }
  EXPECT_LE(*bench.find("host.cores.slowest_share")->number(), 1);
  EXPECT_NE(bench.find("host.cores.slowest_share")->detail.find("processor "), std::string::npos);
  ASSERT_NE(bench.find("host.pinned.rate"), nullptr);  // a figure, or that it was forbidden
}

TEST(HostProbe, EachNodesMemoryIsReadByEachNode) {
  Bench bench(1);
  auto first = testing::host_properties(), second = first;
  first.numa = 0;
  second.numa = 1;
  device::HostDevice a(first, {-1}, std::uint64_t{4} << 20),
      b(second, {-1}, std::uint64_t{4} << 20);
  const std::array<device::Device*, 2> hosts{&a, &b};
  bench.context.hosts = hosts;
  ASSERT_TRUE(host_probe().run(bench.context));
  for (const auto* id : {"host.memory.bandwidth.read", "host.memory.latency"}) {
    std::set<std::pair<double, double>> ways;
    for (const auto& o : bench.evidence.observations)
      if (o.id.name() == id)
        ways.emplace(std::get<double>(o.where.at("numa")), std::get<double>(o.where.at("from")));
    EXPECT_EQ(ways, (std::set<std::pair<double, double>>{{0, 0}, {0, 1}, {1, 0}, {1, 1}})) << id;
  }
}

TEST(HostProbe, TooLittleMemoryIsSaid) {
  Bench bench(0.5);
  auto properties = testing::host_properties();
  properties.cache = std::uint64_t{64} << 20;
  device::HostDevice small(properties, {-1}, std::uint64_t{16} << 20);
  bench.context.host = &small;
  ASSERT_TRUE(host_probe().run(bench.context));
  for (const auto* id : {"host.memory.bandwidth.copy", "host.memory.latency"}) {
    ASSERT_NE(bench.find(id), nullptr);
    EXPECT_EQ(bench.find(id)->number(), nullptr);
    EXPECT_NE(bench.find(id)->detail.find("past the cache"), std::string::npos);
  }
}

TEST(HostProbe, SaysNothingOfSimulatedServers) {
  Bench bench(0.5, device::Backend::sim);
  EXPECT_FALSE(host_probe().run(bench.context));
  EXPECT_TRUE(bench.evidence.observations.empty());
}

}  // namespace
}  // namespace gpuvet::probe
