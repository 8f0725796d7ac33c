// SPDX-License-Identifier: Apache-2.0
// What outcomes mean, held against all executions of two small machines.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <numeric>
#include <set>
#include <vector>

#include "device/litmus_outcomes.hpp"

namespace gpuvet::device {
namespace {

constexpr std::array shapes = {Litmus::message_passing, Litmus::store_buffering,
                               Litmus::load_buffering,  Litmus::iriw,
                               Litmus::coherence,       Litmus::atomic_add,
                               Litmus::atomic_cas,      Litmus::atomic_exchange};
using Outcomes = std::set<std::uint32_t>;
using Program = std::vector<std::vector<LitmusAccess>>;  // accesses of each thread, as performed

Program program_of(Litmus shape) {
  const auto data = litmus_shape(shape);
  Program out(data.threads);
  for (std::uint32_t t = 0; t < data.threads; ++t)
    out[t].assign(data.thread[t].access, data.thread[t].access + data.thread[t].count);
  return out;
}

struct State {
  std::array<std::uint32_t, 2> memory{};
  LitmusOutcome registers;
  std::array<std::size_t, 4> at{};
};

void perform(const LitmusAccess& a, State& s) {
  auto& word = s.memory.at(a.word);
  if (a.op != LitmusOp::store) s.registers.set(a.reg, word);
  if (a.op == LitmusOp::store || a.op == LitmusOp::exchange) word = a.value;
  if (a.op == LitmusOp::add) word += a.value;
  if (a.op == LitmusOp::cas && word == 0) word = a.value;
}

/// Every interleaving.
void interleave(const Program& program, State state, Outcomes& out) {
  bool over = true;
  for (std::size_t t = 0; t < program.size(); ++t) {
    if (state.at.at(t) == program[t].size()) continue;
    over = false;
    State next = state;
    perform(program[t][next.at.at(t)++], next);
    interleave(program, next, out);
  }
  if (!over) return;
  state.registers.set(LitmusOutcome::x, state.memory[0]);
  state.registers.set(LitmusOutcome::y, state.memory[1]);
  out.insert(state.registers.code);
}

/// Every interleaving of every order of each thread's accesses that keeps those of one word.
void reorder(Program program, std::size_t thread, Outcomes& out) {
  if (thread == program.size()) return interleave(program, {}, out);
  const auto original = program[thread];
  std::vector<std::size_t> order(original.size());
  std::iota(order.begin(), order.end(), 0U);
  do {
    bool coherent = true;
    for (std::size_t i = 0; i < order.size(); ++i)
      for (std::size_t j = i + 1; j < order.size(); ++j)
        coherent =
            coherent && (original[order[i]].word != original[order[j]].word || order[i] < order[j]);
    if (!coherent) continue;
    for (std::size_t i = 0; i < order.size(); ++i) program[thread][i] = original[order[i]];
    reorder(program, thread + 1, out);
  } while (std::next_permutation(order.begin(), order.end()));
}

/// Every execution with a store buffer for each thread, as processors of x86 have; atomics drain
/// it.
void buffered(const Program& program, const State& state,
              const std::array<std::vector<LitmusAccess>, 4>& buffers, Outcomes& out) {
  bool over = true;
  for (std::size_t t = 0; t < program.size(); ++t) {
    if (!buffers.at(t).empty()) {
      over = false;
      auto next = state;
      auto left = buffers;
      perform(left.at(t).front(), next);
      left.at(t).erase(left.at(t).begin());
      buffered(program, next, left, out);
    }
    if (state.at.at(t) == program[t].size()) continue;
    over = false;
    auto next = state;
    auto with = buffers;
    const auto& access = program[t][next.at.at(t)++];
    if (access.op == LitmusOp::store) {
      with.at(t).push_back(access);
    } else if (access.op == LitmusOp::load) {
      perform(access, next);
      for (const auto& own : with.at(t))
        if (own.word == access.word) next.registers.set(access.reg, own.value);
    } else {
      if (!with.at(t).empty()) continue;
      perform(access, next);
    }
    buffered(program, next, with, out);
  }
  if (!over) return;
  auto last = state;
  last.registers.set(LitmusOutcome::x, state.memory[0]);
  last.registers.set(LitmusOutcome::y, state.memory[1]);
  out.insert(last.registers.code);
}

Outcomes classified(Litmus shape, bool with_weak) {
  Outcomes out;
  for (std::uint32_t code = 0; code < LitmusOutcome::codes; ++code) {
    const auto kind = litmus_class(shape, {code});
    if (kind == LitmusClass::sequential || (with_weak && kind == LitmusClass::weak))
      out.insert(code);
  }
  return out;
}

TEST(LitmusOutcomes, SequentialAreThoseOfAllInterleavings) {
  for (const auto shape : shapes) {
    Outcomes reached;
    interleave(program_of(shape), {}, reached);
    EXPECT_EQ(reached, classified(shape, false)) << name(shape);
  }
}

TEST(LitmusOutcomes, WeakAreThoseThatReorderingAdds) {
  for (const auto shape : shapes) {
    Outcomes reached;
    reorder(program_of(shape), 0, reached);
    EXPECT_EQ(reached, classified(shape, true)) << name(shape);
  }
}

TEST(LitmusOutcomes, OfStoreBuffersOnlyStoreBufferingIsWeak) {
  for (const auto shape : shapes) {
    Outcomes reached;
    buffered(program_of(shape), {}, {}, reached);
    EXPECT_EQ(reached, classified(shape, shape == Litmus::store_buffering)) << name(shape);
  }
}

TEST(LitmusOutcomes, CountByFenceAndReach) {
  LitmusOutcome stale;  // r0=1 r1=0: the message is there, what it announces is not
  stale.set(0, 1);
  stale.set(LitmusOutcome::x, 1);
  stale.set(LitmusOutcome::y, 1);
  const auto forbidden = [&](Fence fence, std::vector<Agent> agents) {
    const LitmusSetup setup{.shape = Litmus::message_passing, .fence = fence, .agents = agents};
    LitmusCounts counts;
    add_outcome(setup, stale, 3, counts);
    EXPECT_EQ(counts.iterations, 3U);
    EXPECT_EQ(counts.outcomes.at("r0=1 r1=0"), 3U);
    EXPECT_EQ(counts.forbidden + counts.weak, 3U);
    return counts.forbidden > 0;
  };
  EXPECT_FALSE(forbidden(Fence::none, {Agent::device, Agent::device}));
  EXPECT_TRUE(forbidden(Fence::block, {Agent::device, Agent::device}));
  EXPECT_TRUE(forbidden(Fence::device, {Agent::device, Agent::device}));
  EXPECT_FALSE(forbidden(Fence::device, {Agent::device, Agent::host}));
  EXPECT_TRUE(forbidden(Fence::system, {Agent::peer, Agent::host}));
}

TEST(LitmusOutcomes, ImpossibleOnesAreForbiddenWithoutFences) {
  LitmusOutcome lost;  // both additions of a thread saw the same
  lost.set(LitmusOutcome::x, 3);
  LitmusCounts counts;
  add_outcome(
      {.shape = Litmus::atomic_add, .fence = Fence::none, .agents = {Agent::device, Agent::device}},
      lost, 1, counts);
  EXPECT_EQ(counts.forbidden, 1U);
  EXPECT_EQ(counts.outcomes.count("r0=0 r1=0 r2=0 r3=0 x=3"), 1U);
}

}  // namespace
}  // namespace gpuvet::device
