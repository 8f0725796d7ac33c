// SPDX-License-Identifier: Apache-2.0
#include <cuda_runtime_api.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <functional>
#include <map>
#include <optional>
#include <thread>
#include <utility>

#include "device/cuda/cuda.hpp"
#include "device/cuda/errors.hpp"
#include "device/cuda/litmus_host.hpp"
#include "device/cuda/litmus_kernels.hpp"

namespace gpuvet::device {
namespace {

using cuda::LitmusJob;
using cuda::said;

constexpr double limit = 20;                                      // seconds of one run
constexpr std::uint64_t most_results = std::uint64_t{16} << 20U;  // bytes of one run

template <class T>
T* pointer(const Buffer& buffer) {
  return reinterpret_cast<T*>(buffer.all().address);
}

bool asked(const LitmusSetup& setup, Agent agent) {
  return std::find(setup.agents.begin(), setup.agents.end(), agent) != setup.agents.end();
}

/// A GPU's part of a run: its stream and its registers.
struct Side {
  CudaDevice* device = nullptr;
  cuda::LitmusRoles roles;
  std::unique_ptr<Stream> stream;
  Buffer results;

  Result<void> prepare(std::uint64_t bytes) {
    auto made = device->stream();
    if (!made) return tl::make_unexpected(made.error());
    stream = std::move(*made);
    auto memory = device->allocate((bytes + 7) / 8 * 8);
    if (!memory) return tl::make_unexpected(memory.error());
    results = std::move(*memory);
    return {};
  }
};

class Run {
 public:
  Run(const LitmusSetup& setup, CudaDevice& here, CudaDevice* there) : setup_{setup}, here_{here} {
    for (std::size_t i = 0; i < setup.agents.size(); ++i) {
      const int role = static_cast<int>(i);
      if (setup.agents[i] == Agent::host) {
        host_roles_.push_back(role);
        continue;
      }
      auto& side = sides_[setup.agents[i] == Agent::device ? 0 : 1];
      side.device = setup.agents[i] == Agent::device ? &here : there;
      side.roles.role[side.roles.count++] = role;
    }
    job_.shape = setup.shape;
    job_.roles = static_cast<int>(setup.agents.size());
    job_.seed = setup.seed;
    const bool far = !host_roles_.empty();
    // A host thread plays one instance while a warp would play 32: they would hardly meet.
    job_.lanes = far ? 1 : 32;
    job_.groups = far ? host_groups() : std::clamp(here.properties().processors, 1, 256);
    const bool one = std::adjacent_find(setup.agents.begin(), setup.agents.end(),
                                        std::not_equal_to<>{}) == setup.agents.end();
    reach_ = !one || setup.fence == Fence::system ? cuda::Reach::system
             : setup.fence == Fence::block        ? cuda::Reach::block
                                                  : cuda::Reach::device;
  }

  Result<LitmusCounts> all() {
    GPUVET_CHECK(prepare());
    LitmusCounts out;
    const std::uint64_t of_round = instances_of_round();
    std::uint64_t left = (setup_.iterations + of_round - 1) / of_round;
    while (left > 0) {
      job_.rounds = static_cast<std::uint32_t>(std::min<std::uint64_t>(left, most_rounds()));
      GPUVET_CHECK(once(out));
      left -= job_.rounds;
      job_.seed = Pattern::mix(job_.seed);
    }
    return out;
  }

 private:
  [[nodiscard]] int host_groups() const {
    const auto threads = static_cast<int>(std::thread::hardware_concurrency());
    return std::clamp(threads / 2 / std::max(1, static_cast<int>(host_roles_.size())), 1, 8);
  }
  [[nodiscard]] std::uint64_t instances_of_round() const {
    return static_cast<std::uint64_t>(job_.groups) * static_cast<std::uint64_t>(job_.lanes);
  }
  [[nodiscard]] std::uint64_t most_rounds() const {
    return std::max<std::uint64_t>(1, most_results / (instances_of_round() * cuda::litmus_bytes));
  }
  [[nodiscard]] std::uint64_t result_bytes() const {
    return job_.rounds * instances_of_round() * cuda::litmus_bytes;
  }

  Result<void> prepare() {
    const auto groups = static_cast<std::uint64_t>(job_.groups);
    auto words = here_.allocate(groups * LitmusJob::words_of_group * 4, setup_.memory);
    if (!words) return tl::make_unexpected(words.error());
    words_ = std::move(*words);
    // What agents wait for each other by lies where all of them reach it.
    auto flags = here_.allocate((groups * LitmusJob::flags_of_group + LitmusJob::line) * 4,
                                host_roles_.empty() ? Placement::device : Placement::pinned);
    if (!flags) return tl::make_unexpected(flags.error());
    flags_ = std::move(*flags);
    job_.words = pointer<std::uint32_t>(words_);
    job_.stop = pointer<std::uint32_t>(flags_);
    job_.arrived = job_.stop + LitmusJob::line;
    for (auto& side : sides_)
      if (side.device != nullptr)
        GPUVET_CHECK(side.prepare(most_rounds() * instances_of_round() * cuda::litmus_bytes));
    return {};
  }

  Result<void> clear(CudaDevice& device, void* what, std::uint64_t bytes) {
    GPUVET_CHECK(device.select());
    GPUVET_CHECK(said(cudaMemset(what, 0, bytes), "clearing"));
    return said(cudaDeviceSynchronize(), "clearing");
  }

  /// One launch on each side, and the host's threads beside it.
  Result<void> once(LitmusCounts& out) {
    GPUVET_CHECK(clear(here_, job_.words, words_.size()));
    GPUVET_CHECK(clear(here_, job_.stop, flags_.size()));
    for (auto& side : sides_)
      if (side.device != nullptr)
        GPUVET_CHECK(clear(*side.device, pointer<void>(side.results), result_bytes()));
    Result<void> launched;
    for (auto& side : sides_) {
      if (side.device == nullptr || !launched) continue;
      launched = side.device->select();
      if (launched)
        launched = said(cuda::launch_litmus(job_, setup_.fence, reach_, side.roles,
                                            pointer<std::uint8_t>(side.results), limit,
                                            static_cast<CudaStream&>(*side.stream).handle()),
                        "a litmus test");
    }
    std::vector<std::uint8_t> registers(result_bytes());
    std::atomic<bool> gave_up = false;
    if (launched) play_on_host(registers, gave_up);
    for (auto& side : sides_) {
      if (side.device == nullptr) continue;
      GPUVET_CHECK(side.stream->synchronize(2 * limit));
      if (!launched) continue;
      std::vector<std::uint8_t> more(registers.size());
      GPUVET_CHECK(side.device->read(side.results.part(0, more.size()),
                                     std::as_writable_bytes(std::span(more))));
      // Each register is written by one agent; elsewhere it is 0.
      for (std::size_t i = 0; i < more.size(); ++i) registers[i] |= more[i];
    }
    GPUVET_CHECK(launched);
    std::uint32_t stopped = 0;
    GPUVET_CHECK(here_.read(flags_.part(0, 8), std::as_writable_bytes(std::span(&stopped, 1))));
    if (stopped != 0 || gave_up)
      return fail(Errc::timeout, "agents of a litmus test waited for each other in vain");
    tally(registers, out);
    return {};
  }

  void tally(const std::vector<std::uint8_t>& bytes, LitmusCounts& out) const {
    std::map<std::uint32_t, std::uint64_t> counts;
    for (std::size_t i = 0; i < bytes.size(); i += cuda::litmus_bytes) {
      LitmusOutcome outcome;
      for (std::uint32_t field = 0; field < LitmusOutcome::fields; ++field)
        outcome.set(field, bytes[i + field]);
      ++counts[outcome.code];
    }
    for (const auto& [code, times] : counts) add_outcome(setup_, {code}, times, out);
  }

  void play_on_host(std::vector<std::uint8_t>& registers, std::atomic<bool>& gave_up) {
    std::vector<std::thread> threads;
    for (int group = 0; group < job_.groups; ++group)
      for (const int role : host_roles_)
        threads.emplace_back([&, group, role] {
          cuda::HostAgent agent(setup_.fence, limit);
          if (!cuda::play_rounds(job_, role, group, registers.data(), agent)) gave_up = true;
        });
    for (auto& thread : threads) thread.join();
  }

  const LitmusSetup& setup_;
  CudaDevice& here_;
  std::array<Side, 2> sides_;
  std::vector<int> host_roles_;
  LitmusJob job_;
  cuda::Reach reach_ = cuda::Reach::system;
  Buffer words_, flags_;
};

bool of_atomics(Litmus shape) {
  return shape == Litmus::atomic_add || shape == Litmus::atomic_cas ||
         shape == Litmus::atomic_exchange;
}

int attribute(cudaDeviceAttr which, int device) {
  int out = 0;
  if (cudaDeviceGetAttribute(&out, which, device) != cudaSuccess) cudaGetLastError();
  return out;
}

/// Whether this machine lets the agents share such memory.
Result<void> shareable(const LitmusSetup& setup, CudaDevice& here, CudaDevice* there) {
  const int index = here.properties().index;
  const bool host = asked(setup, Agent::host), peer = asked(setup, Agent::peer);
  if (setup.memory == Placement::pageable)
    return fail(Errc::not_supported, "no litmus tests in pageable memory");
  if (host && setup.memory == Placement::device)
    return fail(Errc::not_supported, "the host does not reach GPU memory");
  if (setup.memory == Placement::managed && (host || peer) &&
      attribute(cudaDevAttrConcurrentManagedAccess, index) == 0)
    return fail(Errc::not_supported,
                "managed memory cannot be used by several at once here (concurrentManagedAccess)");
  if (host && of_atomics(setup.shape) &&
      attribute(cudaDevAttrHostNativeAtomicSupported, index) == 0)
    return fail(Errc::not_supported, "the link to the host carries no atomic operations");
  if (!peer) return {};
  if (there == nullptr) return fail(Errc::usage, "a peer's thread, and no peer of this backend");
  for (auto [from, to] : {std::pair{&here, there}, std::pair{there, &here}}) {
    const auto reached = from->reach(*to);
    if (!reached) return tl::make_unexpected(reached.error());
    if (!*reached) return fail(Errc::not_supported, "no peer access between these GPUs");
  }
  int atomics = 0;
  GPUVET_CHECK(said(cudaDeviceGetP2PAttribute(&atomics, cudaDevP2PAttrNativeAtomicSupported,
                                              there->properties().index, index),
                    "peer attributes"));
  if (of_atomics(setup.shape) && atomics == 0)
    return fail(Errc::not_supported, "the link between the GPUs carries no atomic operations");
  return {};
}

}  // namespace

Result<LitmusCounts> CudaDevice::litmus(const LitmusSetup& setup, Device* peer) {
  if (hangs()) return fail(Errc::timeout, "the GPU does not answer");
  GPUVET_CHECK(select());
  if (setup.agents.size() != static_cast<std::size_t>(threads(setup.shape)))
    return fail(Errc::usage, "a litmus test needs an agent for each of its threads");
  if (!asked(setup, Agent::device) && !asked(setup, Agent::peer))
    return fail(Errc::usage, "a litmus test of a GPU without a thread on one");
  auto* const there = dynamic_cast<CudaDevice*>(peer);
  GPUVET_CHECK(shareable(setup, *this, there));
  return Run(setup, *this, there).all();
}

}  // namespace gpuvet::device
