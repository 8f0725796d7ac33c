// SPDX-License-Identifier: Apache-2.0
// The rounds of CUDA's litmus tests, played by host threads alone: the same code as in the kernel.
#include <gtest/gtest.h>

#include <atomic>
#include <barrier>
#include <deque>
#include <thread>
#include <vector>

#include "device/cuda/litmus_host.hpp"

namespace gpuvet::device::cuda {
namespace {

constexpr Litmus shapes[] = {Litmus::message_passing, Litmus::store_buffering,
                             Litmus::load_buffering,  Litmus::iriw,
                             Litmus::coherence,       Litmus::atomic_add,
                             Litmus::atomic_cas,      Litmus::atomic_exchange};

/// A lane of a warp: waits for the others where a warp would.
class LaneAgent : public HostAgent {
 public:
  struct Warp {
    std::barrier<> barrier;
    std::atomic<bool> all = true;
    explicit Warp(int lanes) : barrier{lanes} {}
  };
  LaneAgent(Warp& warp, int lane) : HostAgent{Fence::system, 60}, warp_{warp}, lane_{lane} {}
  [[nodiscard]] int lane() const { return lane_; }
  void meet_lanes() { warp_.barrier.arrive_and_wait(); }
  bool all_lanes(bool here) {
    if (!here) warp_.all = false;
    meet_lanes();
    return warp_.all;
  }

 private:
  Warp& warp_;
  int lane_;
};

struct Played {
  LitmusCounts counts;
  bool complete = true;
};

/// All roles but `absent` on threads of their own.
Played played(Litmus shape, Fence fence, std::uint32_t rounds, double limit, int absent = -1) {
  LitmusJob job;
  job.shape = shape;
  job.roles = threads(shape);
  job.groups = 1;
  job.rounds = rounds;
  std::vector<std::uint32_t> words(LitmusJob::words_of_group), flags(LitmusJob::flags_of_group);
  std::uint32_t stop = 0;
  job.words = words.data();
  job.arrived = flags.data();
  job.stop = &stop;
  std::vector<std::uint8_t> results(rounds * litmus_bytes);
  Played out;
  std::vector<char> complete(static_cast<std::size_t>(job.roles), 1);
  {
    std::vector<std::thread> agents;
    for (int role = 0; role < job.roles; ++role)
      if (role != absent)
        agents.emplace_back([&, role] {
          HostAgent agent(fence, limit);
          complete[static_cast<std::size_t>(role)] =
              play_rounds(job, role, 0, results.data(), agent) ? 1 : 0;
        });
    for (auto& agent : agents) agent.join();
  }
  for (const char c : complete) out.complete = out.complete && c != 0;
  LitmusSetup setup;
  setup.shape = shape;
  setup.fence = fence;
  setup.agents.assign(static_cast<std::size_t>(job.roles), Agent::host);
  for (std::size_t i = 0; i < results.size(); i += litmus_bytes) {
    LitmusOutcome outcome;
    for (std::uint32_t field = 0; field < LitmusOutcome::fields; ++field)
      outcome.set(field, results[i + field]);
    add_outcome(setup, outcome, 1, out.counts);
  }
  return out;
}

TEST(LitmusRoles, FencedRoundsAreNeverOutOfOrder) {
  for (const auto shape : shapes) {
    const auto run = played(shape, Fence::system, 500, 60);
    EXPECT_TRUE(run.complete) << name(shape);
    EXPECT_EQ(run.counts.iterations, 500U);
    EXPECT_EQ(run.counts.forbidden, 0U) << name(shape);
    EXPECT_EQ(run.counts.weak, 0U) << name(shape);
  }
}

TEST(LitmusRoles, UnfencedRoundsAreWeakAtWorst) {
  for (const auto shape : shapes) {
    const auto run = played(shape, Fence::none, 500, 60);
    EXPECT_TRUE(run.complete);
    EXPECT_EQ(run.counts.forbidden, 0U) << name(shape);
  }
}

/// Several lanes and groups: every instance has its own words and registers in every round.
TEST(LitmusRoles, LanesPlayInstancesOfTheirOwn) {
  for (const auto shape : {Litmus::atomic_add, Litmus::coherence, Litmus::store_buffering}) {
    LitmusJob job;
    job.shape = shape;
    job.roles = 2;
    job.groups = 2;
    job.lanes = 3;
    job.rounds = 40;
    std::vector<std::uint32_t> words(2 * LitmusJob::words_of_group),
        flags(2 * LitmusJob::flags_of_group);
    std::uint32_t stop = 0;
    job.words = words.data();
    job.arrived = flags.data();
    job.stop = &stop;
    constexpr std::uint8_t unwritten = 6;
    std::vector<std::uint8_t> results(40 * 2 * 3 * litmus_bytes, unwritten);
    std::deque<LaneAgent::Warp> warps;
    std::vector<std::thread> lanes;
    for (int group = 0; group < job.groups; ++group)
      for (int role = 0; role < job.roles; ++role) {
        auto& warp = warps.emplace_back(job.lanes);
        for (int lane = 0; lane < job.lanes; ++lane)
          lanes.emplace_back([&, group, role, lane] {
            LaneAgent agent(warp, lane);
            EXPECT_TRUE(play_rounds(job, role, group, results.data(), agent));
          });
      }
    for (auto& lane : lanes) lane.join();
    const auto registers = litmus_shape(shape).registers;
    for (std::size_t i = 0; i < results.size(); i += litmus_bytes) {
      LitmusOutcome outcome;
      for (std::uint32_t field = 0; field < LitmusOutcome::fields; ++field) {
        const bool used = field < registers || field >= LitmusOutcome::x;
        ASSERT_EQ(results[i + field] == unwritten, !used)
            << name(shape) << ' ' << i << ' ' << field;
        if (used) outcome.set(field, results[i + field]);
      }
      ASSERT_EQ(litmus_class(shape, outcome), LitmusClass::sequential)
          << name(shape) << ' ' << litmus_text(shape, outcome);
    }
  }
}

TEST(LitmusRoles, GivesUpOnAnAbsentAgent) {
  EXPECT_FALSE(played(Litmus::message_passing, Fence::system, 10, 0.01, 1).complete);
  EXPECT_FALSE(played(Litmus::message_passing, Fence::system, 10, 0.01, 0).complete);
}

}  // namespace
}  // namespace gpuvet::device::cuda
