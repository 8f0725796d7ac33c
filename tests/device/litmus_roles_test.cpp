// SPDX-License-Identifier: Apache-2.0
// The rounds of CUDA's litmus tests, played by host threads alone: the same code as in the kernel.
#include <gtest/gtest.h>

#include <thread>
#include <vector>

#include "device/cuda/litmus_host.hpp"

namespace gpuvet::device::cuda {
namespace {

constexpr Litmus shapes[] = {Litmus::message_passing, Litmus::store_buffering,
                             Litmus::load_buffering,  Litmus::iriw,
                             Litmus::coherence,       Litmus::atomic_add,
                             Litmus::atomic_cas,      Litmus::atomic_exchange};

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

TEST(LitmusRoles, GivesUpOnAnAbsentAgent) {
  EXPECT_FALSE(played(Litmus::message_passing, Fence::system, 10, 0.01, 1).complete);
  EXPECT_FALSE(played(Litmus::message_passing, Fence::system, 10, 0.01, 0).complete);
}

}  // namespace
}  // namespace gpuvet::device::cuda
