// SPDX-License-Identifier: Apache-2.0
// Litmus tests with threads of the host, and how long a cache line takes from one to another.
#include <sched.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <utility>
#include <vector>

#include "device/host/host.hpp"
#include "device/litmus_outcomes.hpp"
#include "platform/terminal.hpp"

namespace gpuvet::device {
namespace {

using Word = std::atomic<std::uint32_t>;

/// x and y of one instance, each on two cache lines of its own: processors fetch them in pairs.
struct Instance {
  alignas(128) Word x;
  alignas(128) Word y;
};

/// Instances that threads run through without waiting for each other. Few enough for the second
/// cache, many enough that threads overtake each other at some of them.
constexpr std::size_t batch = 512;

/// Waits by spinning, since threads should leave together, but lets others work where threads
/// outnumber processors.
template <class Done>
void spin(Done done) {
  for (int spins = 0; !done(); ++spins)
    if (spins > 10'000) ::sched_yield();
}

class Barrier {
 public:
  explicit Barrier(std::uint32_t members) : members_{members} {}
  void arrive() {
    const auto round = round_.load();
    if (arrived_.fetch_add(1) + 1 == members_) {
      arrived_ = 0;
      ++round_;
    } else {
      spin([&] { return round_.load() != round; });
    }
  }

 private:
  const std::uint32_t members_;
  alignas(128) std::atomic<std::uint32_t> arrived_{0};
  alignas(128) std::atomic<std::uint32_t> round_{0};
};

/// What threads share of one test.
struct Arena {
  explicit Arena(std::uint32_t threads) : instances(batch), barrier{threads} {}
  std::vector<Instance> instances;
  std::array<std::array<std::uint32_t, batch>, 4> registers{};  ///< each written by one thread
  Barrier barrier;
};

template <Litmus shape, std::uint32_t thread, std::uint32_t index>
void access(Instance& at, Arena& arena, std::size_t i) {
  constexpr auto what = litmus_shape(shape).thread[thread].access[index];
  constexpr auto relaxed = std::memory_order_relaxed;
  auto& word = what.word == 0 ? at.x : at.y;
  auto& out = arena.registers[what.reg][i];
  if constexpr (what.op == LitmusOp::load) out = word.load(relaxed);
  if constexpr (what.op == LitmusOp::store) word.store(what.value, relaxed);
  if constexpr (what.op == LitmusOp::add) out = word.fetch_add(what.value, relaxed);
  if constexpr (what.op == LitmusOp::exchange) out = word.exchange(what.value, relaxed);
  if constexpr (what.op == LitmusOp::cas) {
    std::uint32_t found = 0;
    word.compare_exchange_strong(found, what.value, relaxed);
    out = found;
  }
}

template <bool fenced>
void between() {
  if constexpr (fenced)
    std::atomic_thread_fence(std::memory_order_seq_cst);
  else
    std::atomic_signal_fence(std::memory_order_seq_cst);  // the compiler's order is not under test
}

/// One thread's way through a batch. Random pauses make threads meet at different places.
template <Litmus shape, std::uint32_t thread, bool fenced>
void run_batch(Arena& arena, std::uint64_t random) {
  constexpr auto count = litmus_shape(shape).thread[thread].count;
  for (std::size_t i = 0; i < batch; ++i) {
    if (i % 16 == 0) {
      random = Pattern::mix(random + i);
      for (std::uint64_t pause = random & 63U; pause != 0; --pause)
        std::atomic_signal_fence(std::memory_order_seq_cst);
    }
    auto& at = arena.instances[i];
    if constexpr (count > 0) access<shape, thread, 0>(at, arena, i);
    if constexpr (count > 1) {
      between<fenced>();
      access<shape, thread, 1>(at, arena, i);
    }
    if constexpr (count > 2) {
      between<fenced>();
      access<shape, thread, 2>(at, arena, i);
    }
  }
}

using Run = void (*)(Arena&, std::uint64_t random);

template <Litmus shape, bool fenced>
constexpr std::array<Run, 4> runs() {
  constexpr auto n = litmus_shape(shape).threads;
  std::array<Run, 4> out{run_batch<shape, 0, fenced>, run_batch<shape, 1, fenced>, nullptr,
                         nullptr};
  if constexpr (n > 2) {
    out[2] = run_batch<shape, 2, fenced>;
    out[3] = run_batch<shape, 3, fenced>;
  }
  return out;
}

template <bool fenced>
std::array<Run, 4> runs_of(Litmus shape) {
  switch (shape) {
    case Litmus::message_passing:
      return runs<Litmus::message_passing, fenced>();
    case Litmus::store_buffering:
      return runs<Litmus::store_buffering, fenced>();
    case Litmus::load_buffering:
      return runs<Litmus::load_buffering, fenced>();
    case Litmus::iriw:
      return runs<Litmus::iriw, fenced>();
    case Litmus::coherence:
      return runs<Litmus::coherence, fenced>();
    case Litmus::atomic_add:
      return runs<Litmus::atomic_add, fenced>();
    case Litmus::atomic_cas:
      return runs<Litmus::atomic_cas, fenced>();
    case Litmus::atomic_exchange:
      return runs<Litmus::atomic_exchange, fenced>();
  }
  return {};
}

/// How often each outcome was seen. They are few: the common ones are found at once.
class Seen {
 public:
  void add(LitmusOutcome outcome) {
    const auto known = std::find_if(counts_.begin(), counts_.end(),
                                    [&](const auto& one) { return one.first == outcome.code; });
    if (known == counts_.end())
      counts_.emplace_back(outcome.code, 1);
    else
      ++known->second;
  }
  [[nodiscard]] const auto& counts() const { return counts_; }

 private:
  std::vector<std::pair<std::uint32_t, std::uint64_t>> counts_;  ///< code, times
};

/// Counts what a batch left behind and makes it new.
void collect(const LitmusShape& shape, std::size_t count, Arena& arena, Seen& seen) {
  for (std::size_t i = 0; i < batch; ++i) {
    auto& at = arena.instances[i];
    LitmusOutcome outcome;
    for (std::uint32_t r = 0; r < shape.registers; ++r) outcome.set(r, arena.registers[r][i]);
    outcome.set(LitmusOutcome::x, at.x.load());
    outcome.set(LitmusOutcome::y, at.y.load());
    if (i < count) seen.add(outcome);
    at.x = 0;
    at.y = 0;
  }
}

/// A processor for each agent, a different one for each as long as its device has more.
std::vector<int> processors_for(const std::vector<Agent>& agents, const HostDevice& own,
                                const HostDevice* peer) {
  std::vector<int> out;
  for (const auto agent : agents) {
    const auto& from = agent == Agent::peer && peer != nullptr ? *peer : own;
    int chosen =
        from.processors().empty() ? -1 : from.processors()[out.size() % from.processors().size()];
    for (const int processor : from.processors())
      if (std::find(out.begin(), out.end(), processor) == out.end()) {
        chosen = processor;
        break;
      }
    out.push_back(chosen);
  }
  return out;
}

}  // namespace

Result<LitmusCounts> HostDevice::litmus(const LitmusSetup& setup, Device* peer) {
  const auto shape = litmus_shape(setup.shape);
  if (setup.agents.size() != shape.threads)
    return fail(Errc::usage, "a litmus test needs an agent for each of its threads");
  auto* other = dynamic_cast<HostDevice*>(peer);
  const bool needs_peer =
      std::find(setup.agents.begin(), setup.agents.end(), Agent::peer) != setup.agents.end();
  if (needs_peer && other == nullptr)
    return fail(Errc::not_supported, "no peer that shares memory with this device");
  const auto run =
      setup.fence == Fence::none ? runs_of<false>(setup.shape) : runs_of<true>(setup.shape);
  Arena arena(shape.threads);
  for (auto& at : arena.instances) at.x = at.y = 0;
  Seen seen;
  const auto batches = (setup.iterations + batch - 1) / batch;
  Team team(processors_for(setup.agents, *this, other));
  team.run([&](std::size_t member) {
    for (std::uint64_t b = 0; b < batches; ++b) {
      arena.barrier.arrive();
      run.at(member)(arena, Pattern::mix(setup.seed + b * 8 + member));
      arena.barrier.arrive();
      // In turn, so that it is not always the same thread that has the lines already.
      if (b % shape.threads == member)
        collect(shape, std::min<std::uint64_t>(batch, setup.iterations - b * batch), arena, seen);
    }
  });
  LitmusCounts out;
  for (const auto& [code, times] : seen.counts()) add_outcome(setup, {code}, times, out);
  return out;
}

Result<double> HostDevice::latency(Device* peer, int rounds) {
  auto* other = peer == nullptr ? this : dynamic_cast<HostDevice*>(peer);
  if (other == nullptr) return fail(Errc::not_supported, "no peer that shares memory with this");
  if (rounds <= 0) return fail(Errc::usage, "at least one round");
  const auto pair = processors_for({Agent::device, Agent::peer}, *this, other);
  if (pair[0] == pair[1] && pair[0] >= 0)
    return fail(Errc::not_supported, "both threads would share one processor");
  alignas(128) std::atomic<std::uint32_t> word{0};
  double begin = 0, end = 0;
  Team team(pair);
  team.run([&](std::size_t member) {
    const auto count = static_cast<std::uint32_t>(rounds);
    constexpr std::uint32_t warm = 100;  // round trips before the clock starts
    for (std::uint32_t i = 0; i < warm + count; ++i) {
      if (member == 0 && i == warm) begin = platform::monotonic_seconds();
      const std::uint32_t due = 2 * i + static_cast<std::uint32_t>(member);
      spin([&] { return word.load(std::memory_order_acquire) == due; });
      word.store(due + 1, std::memory_order_release);
    }
    if (member == 0) {
      spin([&] { return word.load(std::memory_order_acquire) == 2 * (warm + count); });
      end = platform::monotonic_seconds();
    }
  });
  return (end - begin) / (2.0 * rounds);
}

}  // namespace gpuvet::device
