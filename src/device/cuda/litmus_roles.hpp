// SPDX-License-Identifier: Apache-2.0
// What a thread of a litmus test does, the same on GPU and host: `Agent` is how it reads, writes,
// fences and waits. A warp plays one role of 32 instances at a time, a host thread of one.
#pragma once

#include <cstdint>

#include "device/litmus.hpp"

namespace gpuvet::device::cuda {

/// One run, as all its threads see it. Addresses are valid for every agent.
struct LitmusJob {
  Litmus shape = Litmus::message_passing;
  int roles = 2, groups = 1, lanes = 1;  ///< a group plays `lanes` instances at once
  std::uint32_t rounds = 1;
  std::uint64_t seed = 1;
  std::uint32_t* words = nullptr;    ///< words_of_group for each group, begun with 0
  std::uint32_t* arrived = nullptr;  ///< flags_of_group for each group, begun with 0
  std::uint32_t* stop = nullptr;     ///< not 0: somebody waited too long

  // Two sets of two lines of 32 words: while one is played on, the other is cleared.
  static constexpr std::uint32_t line = 32, words_of_group = 4 * line;
  static constexpr std::uint32_t most_roles = 4, flags_of_group = most_roles * line;
};

/// Registers of an instance, as bytes: where no role writes them they stay 0.
inline constexpr std::uint32_t litmus_registers = 4;

/// The only register of a role of two. Plain indices keep r in registers: memory would make the GPU
/// wait for each load.
GPUVET_HD inline unsigned keep(int role, std::uint32_t seen, std::uint32_t (&r)[litmus_registers]) {
  if (role == 0) {
    r[0] = seen;
    return 1;
  }
  r[1] = seen;
  return 2;
}

/// One instance's part. Returns which registers were written, as bits.
template <class Agent>
GPUVET_HD unsigned play(Litmus shape, int role, Agent& agent, std::uint32_t* x, std::uint32_t* y,
                        std::uint32_t (&r)[litmus_registers]) {
  switch (shape) {
    case Litmus::message_passing:
      if (role == 0) {
        agent.store(x, 1);
        agent.fence();
        agent.store(y, 1);
        return 0;
      }
      r[0] = agent.load(y);
      agent.fence();
      r[1] = agent.load(x);
      return 3;
    case Litmus::store_buffering: {
      agent.store(role == 0 ? x : y, 1);
      agent.fence();
      const std::uint32_t seen = agent.load(role == 0 ? y : x);
      return keep(role, seen, r);
    }
    case Litmus::load_buffering: {
      const std::uint32_t seen = agent.load(role == 0 ? y : x);
      agent.fence();
      agent.store(role == 0 ? x : y, 1);
      return keep(role, seen, r);
    }
    case Litmus::iriw:
      if (role < 2) {
        agent.store(role == 0 ? x : y, 1);
        return 0;
      }
      if (role == 2) {
        r[0] = agent.load(x);
        agent.fence();
        r[1] = agent.load(y);
        return 3;
      }
      r[2] = agent.load(y);
      agent.fence();
      r[3] = agent.load(x);
      return 12;
    case Litmus::coherence:
      if (role == 0) {
        agent.store(x, 1);
        agent.store(x, 2);
        return 0;
      }
      r[0] = agent.load(x);
      r[1] = agent.load(x);
      return 3;
    case Litmus::atomic_add:
    case Litmus::atomic_cas:
    case Litmus::atomic_exchange: {
      const std::uint32_t own = role == 0 ? 1 : 2;
      const std::uint32_t seen = shape == Litmus::atomic_add   ? agent.add(x, 1)
                                 : shape == Litmus::atomic_cas ? agent.cas(x, 0, own)
                                                               : agent.exchange(x, own);
      return keep(role, seen, r);
    }
  }
  return 0;
}

/// Plays `role` of `group` in every round, writing registers to
/// results[round][group][lane][register]. False: gave up waiting.
template <class Agent>
GPUVET_HD bool play_rounds(const LitmusJob& job, int role, int group, std::uint8_t* results,
                           Agent& agent) {
  std::uint32_t* const words = job.words + group * LitmusJob::words_of_group;
  std::uint32_t* const flags = job.arrived + group * LitmusJob::flags_of_group;
  for (std::uint32_t round = 1; round <= job.rounds; ++round) {
    const std::uint64_t dice =
        Pattern::mix(job.seed + Pattern::mix((static_cast<std::uint64_t>(round) * 1024 +
                                              static_cast<std::uint64_t>(group)) *
                                                 LitmusJob::most_roles +
                                             static_cast<std::uint64_t>(role)));
    // Which lanes of two warps meet changes from round to round.
    const auto lanes = static_cast<std::uint32_t>(job.lanes);
    const std::uint32_t instance =
        (static_cast<std::uint32_t>(agent.lane()) + static_cast<std::uint32_t>(dice)) % lanes;
    std::uint32_t* const x = words + (round & 1U) * 2 * LitmusJob::line + instance;
    std::uint32_t* const y = x + LitmusJob::line;
    if (role == 0) {  // nobody is at this set since all came to the round before
      agent.store(x, 0);
      agent.store(y, 0);
    }
    agent.full_fence();
    agent.meet_lanes();
    bool here = true;
    if (agent.lane() == 0) {
      agent.signal(flags + static_cast<std::uint32_t>(role) * LitmusJob::line, round);
      for (std::uint32_t other = 0; here && other < static_cast<std::uint32_t>(job.roles); ++other)
        while (here && agent.look(flags + other * LitmusJob::line) < round)
          here = agent.patient(job.stop);
    }
    if (!agent.all_lanes(here)) return false;
    agent.full_fence();
    agent.delay(static_cast<std::uint32_t>(dice >> 32U) & 255U);
    std::uint32_t r[litmus_registers] = {};
    const unsigned written = play(job.shape, role, agent, x, y, r);
    std::uint8_t* const to =
        results + ((static_cast<std::uint64_t>(round - 1) * static_cast<std::uint64_t>(job.groups) +
                    static_cast<std::uint64_t>(group)) *
                       lanes +
                   instance) *
                      litmus_registers;
    if ((written & 1U) != 0) to[0] = static_cast<std::uint8_t>(r[0]);
    if ((written & 2U) != 0) to[1] = static_cast<std::uint8_t>(r[1]);
    if ((written & 4U) != 0) to[2] = static_cast<std::uint8_t>(r[2]);
    if ((written & 8U) != 0) to[3] = static_cast<std::uint8_t>(r[3]);
  }
  return true;
}

/// Whether registers hold what must not be where fences (or, of one word, coherence and atomicity)
/// order the accesses.
constexpr bool out_of_order(Litmus shape, const std::uint8_t* r) {
  switch (shape) {
    case Litmus::message_passing:
      return r[0] == 1 && r[1] == 0;
    case Litmus::store_buffering:
      return r[0] == 0 && r[1] == 0;
    case Litmus::load_buffering:
      return r[0] == 1 && r[1] == 1;
    case Litmus::iriw:
      return r[0] == 1 && r[1] == 0 && r[2] == 1 && r[3] == 0;
    case Litmus::coherence:
      return r[0] > r[1];
    case Litmus::atomic_add:
      return !((r[0] == 0 && r[1] == 1) || (r[0] == 1 && r[1] == 0));
    case Litmus::atomic_cas:
    case Litmus::atomic_exchange:
      return !((r[0] == 0 && r[1] == 1) || (r[0] == 2 && r[1] == 0));
  }
  return false;
}

/// Holds without any fence.
constexpr bool of_one_word(Litmus shape) {
  return shape == Litmus::coherence || shape == Litmus::atomic_add || shape == Litmus::atomic_cas ||
         shape == Litmus::atomic_exchange;
}

/// Registers that a shape has.
constexpr int registers(Litmus shape) { return shape == Litmus::iriw ? 4 : 2; }

}  // namespace gpuvet::device::cuda
