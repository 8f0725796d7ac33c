// SPDX-License-Identifier: Apache-2.0
// What a thread of a litmus test does, the same on GPU and host: `Agent` is how it reads, writes,
// fences and waits. A warp plays one role of 32 instances at a time, a host thread of one.
#pragma once

#include <cstdint>

#include "device/litmus_outcomes.hpp"

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

/// Bytes of an instance: the fields of its outcome. What nobody writes stays 0.
inline constexpr std::uint32_t litmus_bytes = 8;

GPUVET_HD constexpr std::uint8_t litmus_byte(std::uint32_t value) {
  return static_cast<std::uint8_t>(value < 7 ? value : 7);
}

template <class Agent>
GPUVET_HD std::uint32_t access(Agent& agent, LitmusAccess what, std::uint32_t* x,
                               std::uint32_t* y) {
  std::uint32_t* const word = what.word == 0 ? x : y;
  switch (what.op) {
    case LitmusOp::load:
      return agent.load(word);
    case LitmusOp::store:
      agent.store(word, what.value);
      return 0;
    case LitmusOp::add:
      return agent.add(word, what.value);
    case LitmusOp::exchange:
      return agent.exchange(word, what.value);
    case LitmusOp::cas:
      return agent.cas(word, 0, what.value);
  }
  return 0;
}

/// One thread's part of one instance, known to the compiler, so that nothing stands between the
/// accesses but the fence: a GPU that had to store what it read would wait for it.
template <Litmus shape, int role, class Agent>
GPUVET_HD void play_role(Agent& agent, std::uint32_t* x, std::uint32_t* y, std::uint8_t* out) {
  constexpr LitmusShape all = litmus_shape(shape);
  constexpr LitmusThread thread = all.thread[role];
  constexpr LitmusAccess first = thread.access[0], second = thread.access[1],
                         third = thread.access[2];
  std::uint32_t a = 0, b = 0, c = 0;
  a = access(agent, first, x, y);
  if (thread.count > 1) {
    agent.fence();
    b = access(agent, second, x, y);
  }
  if (thread.count > 2) {
    agent.fence();
    c = access(agent, third, x, y);
  }
  if (first.op != LitmusOp::store) out[first.reg] = litmus_byte(a);
  if (thread.count > 1 && second.op != LitmusOp::store) out[second.reg] = litmus_byte(b);
  if (thread.count > 2 && third.op != LitmusOp::store) out[third.reg] = litmus_byte(c);
}

template <Litmus shape, class Agent>
GPUVET_HD void play_shape(int role, Agent& agent, std::uint32_t* x, std::uint32_t* y,
                          std::uint8_t* out) {
  if (role == 0) play_role<shape, 0>(agent, x, y, out);
  if (role == 1) play_role<shape, 1>(agent, x, y, out);
  if constexpr (shape == Litmus::iriw) {
    if (role == 2) play_role<shape, 2>(agent, x, y, out);
    if (role == 3) play_role<shape, 3>(agent, x, y, out);
  }
}

template <class Agent>
GPUVET_HD void play(Litmus shape, int role, Agent& agent, std::uint32_t* x, std::uint32_t* y,
                    std::uint8_t* out) {
  switch (shape) {
    case Litmus::message_passing:
      return play_shape<Litmus::message_passing>(role, agent, x, y, out);
    case Litmus::store_buffering:
      return play_shape<Litmus::store_buffering>(role, agent, x, y, out);
    case Litmus::load_buffering:
      return play_shape<Litmus::load_buffering>(role, agent, x, y, out);
    case Litmus::iriw:
      return play_shape<Litmus::iriw>(role, agent, x, y, out);
    case Litmus::coherence:
      return play_shape<Litmus::coherence>(role, agent, x, y, out);
    case Litmus::atomic_add:
      return play_shape<Litmus::atomic_add>(role, agent, x, y, out);
    case Litmus::atomic_cas:
      return play_shape<Litmus::atomic_cas>(role, agent, x, y, out);
    case Litmus::atomic_exchange:
      return play_shape<Litmus::atomic_exchange>(role, agent, x, y, out);
  }
}

/// Waits until all roles of a group have come to `round`. False: gave up.
template <class Agent>
GPUVET_HD bool meet(const LitmusJob& job, int role, std::uint32_t* flags, std::uint32_t round,
                    Agent& agent) {
  agent.full_fence();
  agent.meet_lanes();
  bool here = true;
  if (agent.lane() == 0) {
    agent.signal(flags + static_cast<std::uint32_t>(role) * LitmusJob::line, round);
    for (std::uint32_t other = 0; here && other < static_cast<std::uint32_t>(job.roles); ++other)
      while (here && agent.look(flags + other * LitmusJob::line) < round)
        here = agent.patient(job.stop);
  }
  here = agent.all_lanes(here);
  agent.full_fence();
  return here;
}

/// Plays `role` of `group` in every round, writing to results[round][group][instance][field]. Role
/// 0 also writes how the words ended. False: gave up waiting.
template <class Agent>
GPUVET_HD bool play_rounds(const LitmusJob& job, int role, int group, std::uint8_t* results,
                           Agent& agent) {
  std::uint32_t* const words = job.words + group * LitmusJob::words_of_group;
  std::uint32_t* const flags = job.arrived + group * LitmusJob::flags_of_group;
  const auto lanes = static_cast<std::uint32_t>(job.lanes);
  const auto mine = static_cast<std::uint32_t>(agent.lane());
  const auto place = [&](std::uint32_t round, std::uint32_t instance) {
    const std::uint64_t of_round =
        static_cast<std::uint64_t>(round - 1) * static_cast<std::uint64_t>(job.groups);
    return results +
           ((of_round + static_cast<std::uint64_t>(group)) * lanes + instance) * litmus_bytes;
  };
  const auto word = [&](std::uint32_t round, std::uint32_t which, std::uint32_t instance) {
    return words + (round % 2 * 2 + which) * LitmusJob::line + instance;
  };
  // One round more, to see how the last one ended.
  for (std::uint32_t round = 1; round <= job.rounds + 1; ++round) {
    if (role == 0) {  // nobody is at this set since all came to the round before
      agent.store(word(round, 0, mine), 0);
      agent.store(word(round, 1, mine), 0);
    }
    if (!meet(job, role, flags, round, agent)) return false;
    if (round <= job.rounds) {
      const std::uint64_t dice =
          Pattern::mix(job.seed + Pattern::mix((static_cast<std::uint64_t>(round) * 1024 +
                                                static_cast<std::uint64_t>(group)) *
                                                   LitmusJob::most_roles +
                                               static_cast<std::uint64_t>(role)));
      // Which lanes of two warps meet, and when, changes from round to round.
      const std::uint32_t instance = (mine + static_cast<std::uint32_t>(dice)) % lanes;
      agent.delay(static_cast<std::uint32_t>(dice >> 32U) & 255U);
      play(job.shape, role, agent, word(round, 0, instance), word(round, 1, instance),
           place(round, instance));
    }
    if (role == 0 && round > 1) {  // before it clears them
      std::uint8_t* const to = place(round - 1, mine);
      to[LitmusOutcome::x] = litmus_byte(agent.load(word(round - 1, 0, mine)));
      to[LitmusOutcome::y] = litmus_byte(agent.load(word(round - 1, 1, mine)));
    }
  }
  return true;
}

}  // namespace gpuvet::device::cuda
