// SPDX-License-Identifier: Apache-2.0
#include <atomic>
#include <thread>

#include "device/host/host.hpp"
#include "device/host/memory_kernels.hpp"
#include "platform/terminal.hpp"

namespace gpuvet::device {
namespace {

template <class T>
T* as(Range range) {
  return reinterpret_cast<T*>(range.address);
}

struct HostEvent final : Event {
  /// Written by the queue's thread; below 0 until then.
  std::shared_ptr<std::atomic<double>> at = std::make_shared<std::atomic<double>>(-1);
  [[nodiscard]] Result<double> since(const Event& earlier) const override {
    const auto* other = dynamic_cast<const HostEvent*>(&earlier);
    if (other == nullptr || *at < 0 || *other->at < 0)
      return fail(Errc::usage, "an event has no time before its stream was synchronized");
    return *at - *other->at;
  }
};

}  // namespace

Result<void> HostStream::enqueue(std::uint64_t words,
                                 std::function<void(std::uint64_t, std::uint64_t)> work) {
  queue_.push([this, words, work = std::move(work)]() -> Result<void> {
    // Shares end at cache lines, so that no line is written by two threads.
    constexpr std::uint64_t line = 8;
    device_.team().run([&](std::size_t member) {
      const auto share = share_of((words + line - 1) / line, device_.team().size(), member);
      work(share.first * line, std::min(share.last * line, words));
    });
    return {};
  });
  return {};
}

Result<void> HostStream::fill(Range to, Pattern pattern) {
  return enqueue(to.bytes / 8, [=](std::uint64_t first, std::uint64_t last) {
    host::fill(as<std::uint64_t>(to), pattern, first, last);
  });
}

Result<void> HostStream::check(Range of, Pattern pattern, CheckResult& out) {
  auto lock = std::make_shared<std::mutex>();
  return enqueue(of.bytes / 8, [=, &out](std::uint64_t first, std::uint64_t last) {
    CheckResult own;
    host::check(as<const std::uint64_t>(of), pattern, first, last, own);
    const std::lock_guard guard(*lock);
    out.add(own);
  });
}

Result<void> HostStream::exchange(Range of, Pattern expected, Pattern next, Order order,
                                  CheckResult& out) {
  auto lock = std::make_shared<std::mutex>();
  return enqueue(of.bytes / 8, [=, &out](std::uint64_t first, std::uint64_t last) {
    CheckResult own;
    host::exchange(as<std::uint64_t>(of), expected, next, order, first, last, own);
    const std::lock_guard guard(*lock);
    out.add(own);
  });
}

Result<void> HostStream::hammer(Range of, int times) {
  return enqueue(of.bytes / 8, [=](std::uint64_t first, std::uint64_t last) {
    host::hammer(as<const std::uint64_t>(of), first, last, times);
  });
}

Result<void> HostStream::pass(StreamKernel kernel, Range a, Range b, Range c) {
  return enqueue(a.bytes / 8, [=](std::uint64_t first, std::uint64_t last) {
    host::pass(kernel, as<double>(a), as<const double>(b), as<const double>(c), first, last);
  });
}

Result<void> HostStream::copy(Range to, Range from, Engine) {
  if (to.bytes != from.bytes) return fail(Errc::usage, "a copy between ranges of two sizes");
  return enqueue(to.bytes / 8, [=](std::uint64_t first, std::uint64_t last) {
    host::copy(as<std::uint64_t>(to), as<const std::uint64_t>(from), first, last);
  });
}

Result<void> HostStream::add(Range to, Range from) {
  if (to.bytes != from.bytes) return fail(Errc::usage, "a sum of ranges of two sizes");
  return enqueue(to.bytes / 8, [=](std::uint64_t first, std::uint64_t last) {
    host::add(as<float>(to), as<const float>(from), 2 * first, 2 * last);
  });
}

Result<void> HostStream::compare(Range a, Range b, std::uint64_t& out) {
  if (a.bytes != b.bytes) return fail(Errc::usage, "a comparison of ranges of two sizes");
  auto lock = std::make_shared<std::mutex>();
  return enqueue(a.bytes / 8, [=, &out](std::uint64_t first, std::uint64_t last) {
    const auto found =
        host::differing(as<const std::uint64_t>(a), as<const std::uint64_t>(b), first, last);
    const std::lock_guard guard(*lock);
    out += found;
  });
}

Result<std::unique_ptr<Event>> HostStream::record() {
  auto out = std::make_unique<HostEvent>();
  queue_.push([at = out->at]() -> Result<void> {
    *at = platform::monotonic_seconds();
    return {};
  });
  return out;
}

Result<void> HostStream::wait(const Event& event) {
  const auto* other = dynamic_cast<const HostEvent*>(&event);
  if (other == nullptr) return fail(Errc::usage, "an event of another backend");
  queue_.push([at = other->at]() -> Result<void> {
    while (*at < 0) std::this_thread::yield();
    return {};
  });
  return {};
}

Result<void> HostStream::synchronize(double limit) { return queue_.drain(limit); }

}  // namespace gpuvet::device
