// SPDX-License-Identifier: Apache-2.0
// How long a word takes between a thread of a GPU and one of another GPU or of the host. Each side
// polls memory of its own, so that only the answers cross the link.
#include <array>
#include <atomic>

#include "device/cuda/cuda.hpp"
#include "device/cuda/errors.hpp"
#include "device/cuda/latency_kernels.hpp"
#include "platform/terminal.hpp"

namespace gpuvet::device {
namespace {

using cuda::PingPong;
using cuda::said;

constexpr double patience = 2;  // seconds without an answer

std::uint32_t* word_of(const Buffer& buffer) {
  return reinterpret_cast<std::uint32_t*>(buffer.all().address);
}

Result<void> clear(Device& device, const Buffer& buffer) {
  const std::array<std::byte, 8> zero{};
  return device.write(buffer.all(), zero);
}

/// The host's side of a round.
void answer(const std::uint32_t* mine, std::uint32_t* theirs, std::uint32_t rounds) {
  // Not const for atomic_ref's sake only; nothing is written there.
  const std::atomic_ref<std::uint32_t> asked(*const_cast<std::uint32_t*>(mine));
  const std::atomic_ref<std::uint32_t> answered(*theirs);
  for (std::uint32_t i = 1; i <= rounds; ++i) {
    const double begin = platform::monotonic_seconds();
    for (unsigned turn = 1; asked.load(std::memory_order_acquire) != i; ++turn)
      if (turn % 65536 == 0 && platform::monotonic_seconds() - begin > patience) return;
    answered.store(i, std::memory_order_release);
  }
}

Result<double> seconds_of(CudaDevice& device, const Buffer& result, int rounds) {
  std::uint64_t elapsed = 0;
  GPUVET_CHECK(device.read(result.all(), std::as_writable_bytes(std::span(&elapsed, 1))));
  if (elapsed == 0)
    return fail(Errc::timeout, "a word that was written on one side never came to the other");
  return static_cast<double>(elapsed) * 1e-9 / (2.0 * rounds);
}

Result<double> between(CudaDevice& here, CudaDevice& there, int rounds) {
  GPUVET_TRY(const bool to, here.reach(there));
  GPUVET_TRY(const bool from, there.reach(here));
  if (!to || !from)
    return fail(Errc::not_supported, "these GPUs cannot use each other's memory directly");
  GPUVET_TRY(const auto mine, here.allocate(8));
  GPUVET_TRY(const auto theirs, there.allocate(8));
  GPUVET_TRY(const auto result, here.allocate(8));
  GPUVET_CHECK(clear(here, mine));
  GPUVET_CHECK(clear(there, theirs));
  GPUVET_CHECK(clear(here, result));
  GPUVET_TRY(const auto one, here.stream());
  GPUVET_TRY(const auto other, there.stream());
  PingPong setup;
  setup.rounds = static_cast<std::uint32_t>(rounds) + cuda::latency_warm_up;
  setup.limit = static_cast<std::uint64_t>(patience * 1e9);
  setup.elapsed = reinterpret_cast<std::uint64_t*>(result.all().address);
  const auto handle = [](Stream& stream) { return static_cast<CudaStream&>(stream).handle(); };
  setup.mine = word_of(theirs);
  setup.theirs = word_of(mine);
  GPUVET_CHECK(there.select());
  GPUVET_CHECK(said(cuda::pong(handle(*other), setup), "latency"));
  setup.mine = word_of(mine);
  setup.theirs = word_of(theirs);
  auto asked = here.select();
  if (asked) asked = said(cuda::ping(handle(*one), setup), "latency");
  auto done = one->synchronize(10 * patience);
  auto answered = other->synchronize(10 * patience);
  for (auto* step : {&asked, &done, &answered}) GPUVET_CHECK(*step);
  return seconds_of(here, result, rounds);
}

Result<double> with_host(CudaDevice& here, int rounds) {
  // A GPU's own memory cannot be polled by the host everywhere: both words lie on its side.
  GPUVET_TRY(const auto mine, here.allocate(8, Placement::pinned));
  GPUVET_TRY(const auto theirs, here.allocate(8, Placement::pinned));
  GPUVET_TRY(const auto result, here.allocate(8));
  GPUVET_CHECK(clear(here, mine));
  GPUVET_CHECK(clear(here, theirs));
  GPUVET_CHECK(clear(here, result));
  GPUVET_TRY(const auto stream, here.stream());
  PingPong setup;
  setup.rounds = static_cast<std::uint32_t>(rounds) + cuda::latency_warm_up;
  setup.limit = static_cast<std::uint64_t>(patience * 1e9);
  setup.elapsed = reinterpret_cast<std::uint64_t*>(result.all().address);
  setup.mine = word_of(mine);
  setup.theirs = word_of(theirs);
  GPUVET_CHECK(here.select());
  GPUVET_CHECK(said(cuda::ping(static_cast<CudaStream&>(*stream).handle(), setup), "latency"));
  answer(word_of(theirs), word_of(mine), setup.rounds);
  GPUVET_CHECK(stream->synchronize(10 * patience));
  return seconds_of(here, result, rounds);
}

}  // namespace

Result<double> CudaDevice::latency(Device* peer, int rounds) {
  if (rounds < 1) return fail(Errc::usage, "latency needs a round");
  auto* other = dynamic_cast<CudaDevice*>(peer);
  if (peer != nullptr && other == nullptr && peer->properties().backend != Backend::host)
    return fail(Errc::usage, "latency to a device of another backend");
  if (other == this) return fail(Errc::usage, "latency from a GPU to itself");
  return other == nullptr ? with_host(*this, rounds) : between(*this, *other, rounds);
}

}  // namespace gpuvet::device
