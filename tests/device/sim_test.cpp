// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "device/contract.hpp"
#include "device/sim/machine.hpp"

namespace gpuvet::device {
namespace {

constexpr std::uint64_t memory = std::uint64_t{64} << 20;

Result<std::vector<std::unique_ptr<Device>>> devices_of(std::string_view scenario,
                                                        std::vector<Plant> plants = {},
                                                        std::uint64_t bytes = memory) {
  GPUVET_TRY(const auto made, sim::scenario_named(scenario));
  GPUVET_TRY(auto machine, Machine::start(made, {}, std::move(plants)));
  return simulated_devices(std::move(machine), bytes);
}

struct SimulatedBackend {
  static Result<std::vector<std::unique_ptr<Device>>> devices() { return devices_of("hgx-a100-4"); }
};
INSTANTIATE_TYPED_TEST_SUITE_P(Simulated, DeviceContract, SimulatedBackend);

/// Bytes per second of copying between devices, or -1 for the host.
double rate(Device& from, Device& to, bool host_source = false, bool host_target = false) {
  constexpr std::uint64_t bytes = std::uint64_t{1} << 20;
  const auto a = from.allocate(bytes, host_source ? Placement::pinned : Placement::device).value();
  const auto b = to.allocate(bytes, host_target ? Placement::pinned : Placement::device).value();
  const auto stream = from.stream().value();
  const auto begin = stream->record().value();
  EXPECT_TRUE(stream->copy(b.all(), a.all(), Engine::copy_engine));
  const auto end = stream->record().value();
  EXPECT_TRUE(stream->synchronize(10));
  return static_cast<double>(bytes) / end->since(*begin).value();
}

TEST(SimulatedTime, IsThatOfTheScenario) {
  const auto dgx = devices_of("dgx-a100").value();
  EXPECT_NEAR(rate(*dgx[0], *dgx[7]) / 1e9, 278, 3);                  // 12 links
  EXPECT_NEAR(rate(*dgx[0], *dgx[0], true, false) / 1e9, 26.4, 0.5);  // PCIe 4.0 x16
  const auto hgx = devices_of("hgx-a100-4").value();
  EXPECT_NEAR(rate(*hgx[0], *hgx[1]) / 1e9, 92.8, 1);  // 4 of 12 links
  const auto pcie = devices_of("ocp-2u-8pcie").value();
  EXPECT_NEAR(rate(*pcie[0], *pcie[7]) / 1e9, 25, 1.5);
}

TEST(SimulatedTime, WorkThatMeetsInOnePartSharesIt) {
  const auto devices = devices_of("dgx-a100").value();  // GPUs 0 and 1 are below one switch
  constexpr std::uint64_t bytes = std::uint64_t{1} << 20;
  const auto together = [&](std::size_t a, std::size_t b) {
    double slowest = 0;
    std::vector<std::unique_ptr<Stream>> streams;
    std::vector<std::unique_ptr<Event>> begins, ends;
    std::vector<Buffer> buffers;
    for (const auto i : {a, b}) {
      buffers.push_back(devices[i]->allocate(bytes).value());
      buffers.push_back(devices[i]->allocate(bytes, Placement::pinned).value());
      streams.push_back(devices[i]->stream().value());
      begins.push_back(streams.back()->record().value());
      EXPECT_TRUE(streams.back()->copy(buffers[buffers.size() - 2].all(), buffers.back().all(),
                                       Engine::copy_engine));
      ends.push_back(streams.back()->record().value());
    }
    for (std::size_t i = 0; i < 2; ++i) {
      EXPECT_TRUE(streams[i]->synchronize(10));
      slowest = std::max(slowest, ends[i]->since(*begins[i]).value());
    }
    return static_cast<double>(bytes) / slowest / 1e9;
  };
  EXPECT_NEAR(together(0, 1), 13.2, 0.4);  // one uplink
  EXPECT_NEAR(together(0, 2), 26.4, 0.6);  // two
}

TEST(SimulatedTime, AStreamWaitsForAnothersEvent) {
  const auto devices = devices_of("dgx-a100").value();
  const auto a = devices[0]->allocate(1 << 20).value(), b = devices[1]->allocate(1 << 20).value();
  const auto first = devices[0]->stream().value(), second = devices[1]->stream().value();
  const auto begin = second->record().value();
  for (int i = 0; i < 10; ++i) ASSERT_TRUE(first->fill(a.all(), {}));
  const auto done = first->record().value();
  ASSERT_TRUE(second->wait(*done));
  ASSERT_TRUE(second->fill(b.all(), {}));
  const auto end = second->record().value();
  ASSERT_TRUE(second->synchronize(10));
  EXPECT_GT(end->since(*begin).value(), 10 * double(1 << 20) / 2039e9);
}

/// How many words a fill and a check find wrong on GPU 1.
std::uint64_t wrong_words(PlantKind kind, std::uint64_t seed) {
  const auto devices = devices_of("hgx-a100-4", {{kind, 1, 0, seed, 0}}, 1 << 20).value();
  auto& device = *devices[1];
  const auto memory_of = device.allocate(device.free_memory().value() / 8 * 8 - 5 * 4096).value();
  const auto stream = device.stream().value();
  CheckResult out;
  for (const std::uint64_t value : {0U, 1U, 2U, 3U}) {
    const Pattern pattern{PatternKind::random, value}, next{PatternKind::random, value, 0, true};
    EXPECT_TRUE(stream->fill(memory_of.all(), pattern));
    EXPECT_TRUE(stream->exchange(memory_of.all(), pattern, next, Order::ascending, out));
    EXPECT_TRUE(stream->exchange(memory_of.all(), next, pattern, Order::descending, out));
    EXPECT_TRUE(stream->synchronize(10));
    device.idle(2);
    EXPECT_TRUE(stream->hammer(memory_of.all(), 2000));
    EXPECT_TRUE(stream->check(memory_of.all(), pattern, out));
    EXPECT_TRUE(stream->synchronize(10));
  }
  return out.wrong;
}

TEST(PlantedCells, ShowInChecksOfTheirDeviceAlone) {
  for (const auto& kind : plant_kinds()) {
    if (kind.kind > PlantKind::read_disturbed) break;
    int found = 0;
    for (std::uint64_t seed = 1; seed <= 20; ++seed) found += wrong_words(kind.kind, seed) > 0;
    EXPECT_GE(found, 18) << kind.name;  // the rest lies outside of the buffer
  }
  EXPECT_EQ(wrong_words(PlantKind::link_slow, 1), 0U);
}

TEST(PlantedLoss, EndsAllWorkWithAnError) {
  const auto devices = devices_of("hgx-a100-4", {{PlantKind::lost, 1}}).value();
  const auto buffer = devices[1]->allocate(1 << 20).value();
  const auto stream = devices[1]->stream().value();
  Result<void> last;
  for (int i = 0; i < 50 && last; ++i) last = stream->fill(buffer.all(), {});
  EXPECT_FALSE(last);
  EXPECT_FALSE(devices[1]->telemetry());
  EXPECT_TRUE(devices[0]->telemetry());
}

TEST(PlantedHang, EndsInATimeout) {
  const auto devices = devices_of("hgx-a100-4", {{PlantKind::hangs, 0}}).value();
  const auto buffer = devices[0]->allocate(1 << 20).value();
  const auto stream = devices[0]->stream().value();
  for (int i = 0; i < 30; ++i) ASSERT_TRUE(stream->fill(buffer.all(), {}));
  const double before = devices[0]->now();
  EXPECT_EQ(stream->synchronize(5).error().code, Errc::timeout);
  EXPECT_NEAR(devices[0]->now() - before, 5, 0.1);
}

TEST(Plants, ParseAndRefuse) {
  EXPECT_EQ(parse_plant("link-slow:0-5").value().peer, 5);
  EXPECT_EQ(parse_plant("memory-row:3").value().gpu, 3);
  for (const auto* bad : {"nonsense", "link-slow:x", "link-slow:1-1", "memory-row:-1", ""})
    EXPECT_FALSE(parse_plant(bad)) << bad;
  for (std::size_t i = 0; i < plant_kinds().size(); ++i) {
    EXPECT_EQ(static_cast<std::size_t>(plant_kinds()[i].kind), i);
    EXPECT_EQ(plant_named(plant_kinds()[i].name), &plant_kinds()[i]);
  }
}

}  // namespace
}  // namespace gpuvet::device
