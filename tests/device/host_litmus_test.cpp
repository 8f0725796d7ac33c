// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <sched.h>

#include "device/host/host.hpp"
#include "device/litmus_outcomes.hpp"

namespace gpuvet::device {
namespace {

constexpr std::uint64_t memory = std::uint64_t{8} << 20;

std::vector<int> usable_processors() {
  cpu_set_t set;
  CPU_ZERO(&set);
  std::vector<int> out;
  if (::sched_getaffinity(0, sizeof set, &set) == 0)
    for (int i = 0; i < CPU_SETSIZE; ++i)
      if (CPU_ISSET(static_cast<std::size_t>(i), &set)) out.push_back(i);
  return out;
}

LitmusSetup setup_of(Litmus shape, Fence fence, std::uint64_t iterations) {
  LitmusSetup out;
  out.shape = shape;
  out.fence = fence;
  out.iterations = iterations;
  out.agents.assign(static_cast<std::size_t>(threads(shape)), Agent::device);
  return out;
}

LitmusCounts run(Device& device, const LitmusSetup& setup, Device* peer = nullptr) {
  auto counts = device.litmus(setup, peer);
  EXPECT_TRUE(counts);
  return counts ? *counts : LitmusCounts{};
}

TEST(HostLitmus, ForbiddenOutcomesNeverOccur) {
  HostDevice device({}, usable_processors(), memory);
  for (const auto shape :
       {Litmus::message_passing, Litmus::store_buffering, Litmus::load_buffering, Litmus::iriw,
        Litmus::coherence, Litmus::atomic_add, Litmus::atomic_cas, Litmus::atomic_exchange})
    for (const auto fence : {Fence::none, Fence::system}) {
      const auto counts = run(device, setup_of(shape, fence, 20'000));
      EXPECT_EQ(counts.iterations, 20'000U) << name(shape);
      EXPECT_EQ(counts.forbidden, 0U) << name(shape);
      EXPECT_TRUE(fence == Fence::none || counts.weak == 0) << name(shape);
      std::uint64_t all = 0;
      for (const auto& [outcome, times] : counts.outcomes) all += times;
      EXPECT_EQ(all, counts.iterations);
    }
}

TEST(HostLitmus, StoresPassLoadsWithoutAFence) {
  const auto processors = usable_processors();
  if (processors.size() < 2) GTEST_SKIP() << "one processor: nothing runs at the same time";
  HostDevice device({}, processors, memory);
  std::uint64_t weak = 0;
  auto setup = setup_of(Litmus::store_buffering, Fence::none, 200'000);
  for (setup.seed = 1; setup.seed < 200 && weak == 0; ++setup.seed) weak = run(device, setup).weak;
  EXPECT_GT(weak, 0U);
}

TEST(HostLitmus, RefusesWhatItCannotRun) {
  const std::vector<int> anywhere(1, -1);
  HostDevice device(Properties{}, anywhere, memory);
  auto setup = setup_of(Litmus::iriw, Fence::system, 100);
  setup.agents.pop_back();
  EXPECT_FALSE(device.litmus(setup, nullptr));
  auto alone = setup_of(Litmus::coherence, Fence::system, 100);
  alone.agents.back() = Agent::peer;
  EXPECT_EQ(device.litmus(alone, nullptr).error().code, Errc::not_supported);
}

TEST(HostLitmus, PeersMeet) {
  const std::vector<int> anywhere(1, -1);
  HostDevice a(Properties{}, anywhere, memory), b(Properties{}, anywhere, memory);
  auto setup = setup_of(Litmus::message_passing, Fence::system, 5'000);
  setup.agents = {Agent::device, Agent::peer};
  EXPECT_EQ(run(a, setup, &b).iterations, 5'000U);
}

TEST(HostLatency, IsThatOfACacheLine) {
  const auto processors = usable_processors();
  if (processors.size() < 2) {
    HostDevice device({}, processors, memory);
    EXPECT_FALSE(device.latency(nullptr, 10));
    return;
  }
  HostDevice a({}, std::vector<int>(1, processors[0]), memory),
      b({}, std::vector<int>(1, processors[1]), memory);
  EXPECT_GT(a.latency(&b, 1000).value(), 1e-9);
  EXPECT_FALSE(a.latency(&a, 1000));
  EXPECT_FALSE(a.latency(&b, 0));
}

}  // namespace
}  // namespace gpuvet::device
