// SPDX-License-Identifier: Apache-2.0
#include <cuda_runtime_api.h>

#include <algorithm>
#include <chrono>
#include <initializer_list>
#include <thread>

#include "device/cuda/cuda.hpp"
#include "device/cuda/errors.hpp"
#include "device/cuda/memory_kernels.hpp"
#include "platform/terminal.hpp"

namespace gpuvet::device {
namespace {

using cuda::said;

void* pointer(std::uint64_t address) { return reinterpret_cast<void*>(address); }

/// Of words, and of one size.
Result<void> alike(std::initializer_list<Range> ranges) {
  for (const auto& r : ranges) {
    if (r.bytes % 8 != 0 || r.address % 8 != 0)
      return fail(Errc::usage, "a range of no whole words");
    if (r.bytes != ranges.begin()->bytes) return fail(Errc::usage, "ranges of different sizes");
  }
  return {};
}

void take_findings(const cuda::Findings& found, std::uint64_t words, CheckResult& out) {
  CheckResult own;
  own.words = words;
  own.wrong = found.wrong;
  own.bits = found.bits;
  const auto kept = std::min<std::uint64_t>(found.taken, CheckResult::kept);
  own.mismatches.assign(found.kept, found.kept + kept);
  // Threads found them in any order.
  std::sort(own.mismatches.begin(), own.mismatches.end(),
            [](const Mismatch& a, const Mismatch& b) { return a.address < b.address; });
  out.add(own);
}

}  // namespace

CudaStream::~CudaStream() {
  if (late_ && cudaStreamQuery(stream_) != cudaErrorNotReady) {
    late_ = false;
    device_.hangs(false);
  }
  if (late_) {
    pool_.abandon();
    return;
  }
  cudaSetDevice(device_.properties().index);
  cudaStreamDestroy(stream_);
  cudaGetLastError();
}

Result<void> CudaStream::ready(std::initializer_list<Range> ranges) {
  if (device_.hangs()) return fail(Errc::timeout, "the GPU does not answer");
  GPUVET_CHECK(alike(ranges));
  for (const auto& r : ranges) GPUVET_CHECK(device_.usable(r));
  return device_.select();
}

cuda::Launch CudaStream::launch() const { return {stream_, device_.properties().processors}; }

Result<void> CudaStream::fill(Range to, Pattern pattern) {
  GPUVET_CHECK(ready({to}));
  if (to.bytes == 0) return {};
  return said(cuda::fill(launch(), to.address, to.bytes / 8, pattern), "fill");
}

Result<void> CudaStream::check(Range of, Pattern pattern, CheckResult& out) {
  GPUVET_CHECK(ready({of}));
  const auto words = of.bytes / 8;
  if (words == 0) return {};
  return pool_.run(
      stream_,
      [&](cuda::Findings* place) {
        return cuda::check(launch(), of.address, words, pattern, place);
      },
      [words, &out](const cuda::Findings& found) { take_findings(found, words, out); });
}

Result<void> CudaStream::exchange(Range of, Pattern expected, Pattern next, Order order,
                                  CheckResult& out) {
  GPUVET_CHECK(ready({of}));
  const auto words = of.bytes / 8;
  if (words == 0) return {};
  return pool_.run(
      stream_,
      [&](cuda::Findings* place) {
        return cuda::exchange(launch(), of.address, words, expected, next, order, place);
      },
      [words, &out](const cuda::Findings& found) { take_findings(found, words, out); });
}

Result<void> CudaStream::hammer(Range of, int times) {
  GPUVET_CHECK(ready({of}));
  if (of.bytes == 0) return {};
  return said(cuda::hammer(launch(), of.address, of.bytes / 8, times), "hammer");
}

Result<void> CudaStream::pass(StreamKernel kernel, Range a, Range b, Range c) {
  switch (kernel) {
    case StreamKernel::read:
    case StreamKernel::write:
      GPUVET_CHECK(ready({a}));
      break;
    case StreamKernel::copy:
      GPUVET_CHECK(ready({a, b}));
      break;
    case StreamKernel::triad:
      GPUVET_CHECK(ready({a, b, c}));
      break;
  }
  if (a.bytes == 0) return {};
  return said(cuda::pass(launch(), kernel, a.address, b.address, c.address, a.bytes / 8), "pass");
}

Result<void> CudaStream::copy(Range to, Range from, Engine engine) {
  if (to.bytes != from.bytes) return fail(Errc::usage, "a copy between ranges of two sizes");
  if (to.bytes == 0) return {};
  if (engine == Engine::kernel) {
    GPUVET_CHECK(ready({to, from}));
    return said(cuda::copy(launch(), to.address, from.address, to.bytes / 8), "copy by a kernel");
  }
  GPUVET_CHECK(ready({}));
  const auto* there = dynamic_cast<CudaDevice*>(to.device);
  const auto* here = dynamic_cast<CudaDevice*>(from.device);
  const bool peers = to.placement == Placement::device && from.placement == Placement::device &&
                     there != nullptr && here != nullptr && there != here;
  if (peers)  // works without reach() too, by way of the host
    return said(
        cudaMemcpyPeerAsync(pointer(to.address), there->properties().index, pointer(from.address),
                            here->properties().index, to.bytes, stream_),
        "copy between peers");
  return said(cudaMemcpyAsync(pointer(to.address), pointer(from.address), to.bytes,
                              cudaMemcpyDefault, stream_),
              "copy");
}

Result<void> CudaStream::add(Range to, Range from) {
  GPUVET_CHECK(ready({to, from}));
  if (to.bytes == 0) return {};
  return said(cuda::add(launch(), to.address, from.address, to.bytes / 8), "add");
}

Result<void> CudaStream::compare(Range a, Range b, std::uint64_t& out) {
  GPUVET_CHECK(ready({a, b}));
  if (a.bytes == 0) return {};
  return pool_.run(
      stream_,
      [&](cuda::Findings* place) {
        return cuda::compare(launch(), a.address, b.address, a.bytes / 8, place);
      },
      [&out](const cuda::Findings& found) { out += found.wrong; });
}

Result<std::unique_ptr<Event>> CudaStream::record() {
  GPUVET_CHECK(ready({}));
  cudaEvent_t event = nullptr;
  GPUVET_CHECK(said(cudaEventCreate(&event), "an event"));
  auto out = std::make_unique<CudaEvent>(device_, event);
  GPUVET_CHECK(said(cudaEventRecord(event, stream_), "an event"));
  return out;
}

Result<void> CudaStream::wait(const Event& event) {
  const auto* other = dynamic_cast<const CudaEvent*>(&event);
  if (other == nullptr) return fail(Errc::usage, "an event of another backend");
  GPUVET_CHECK(ready({}));
  return said(cudaStreamWaitEvent(stream_, other->handle(), 0), "waiting for an event");
}

Result<void> CudaStream::synchronize(double limit) {
  GPUVET_CHECK(device_.select());
  const double begin = platform::monotonic_seconds();
  auto nap = std::chrono::microseconds(10);
  for (;;) {
    const auto status = cudaStreamQuery(stream_);
    if (status == cudaSuccess) break;
    if (status != cudaErrorNotReady)
      return in_context(said(status, "work on the GPU"), device_.properties().subject);
    const double waited = platform::monotonic_seconds() - begin;
    if (waited > limit) {
      late_ = true;
      device_.hangs(true);
      return fail(Errc::timeout, "the GPU did not end its work in time");
    }
    // Short work is waited for without sleep, so that the next piece follows at once.
    if (waited < 0.5e-3) continue;
    std::this_thread::sleep_for(nap);
    nap = std::min(nap * 2, std::chrono::microseconds(500));
  }
  if (late_) device_.hangs(false);
  late_ = false;
  pool_.collect();
  return {};
}

CudaEvent::~CudaEvent() {
  if (device_.hangs()) return;
  cudaSetDevice(device_.properties().index);
  cudaEventDestroy(event_);
  cudaGetLastError();
}

Result<double> CudaEvent::since(const Event& earlier) const {
  const auto* other = dynamic_cast<const CudaEvent*>(&earlier);
  if (other == nullptr) return fail(Errc::usage, "an event of another backend");
  GPUVET_CHECK(device_.select());
  float milliseconds = 0;
  const auto status = cudaEventElapsedTime(&milliseconds, other->event_, event_);
  if (status == cudaErrorNotReady) {
    cudaGetLastError();
    return fail(Errc::usage, "an event has no time before its stream was synchronized");
  }
  GPUVET_CHECK(said(status, "time between events"));
  return static_cast<double>(milliseconds) * 1e-3;
}

}  // namespace gpuvet::device
