// SPDX-License-Identifier: Apache-2.0
#include "device/host/queue.hpp"

#include <chrono>
#include <utility>

namespace gpuvet::device {

Queue::Queue(bool threaded) {
  if (threaded) thread_ = std::thread([this] { work(); });
}

Queue::~Queue() {
  {
    const std::lock_guard lock(mutex_);
    over_ = true;
    waiting_.clear();
  }
  more_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void Queue::push(std::function<Result<void>()> work) {
  {
    const std::lock_guard lock(mutex_);
    if (error_) return;
    ++open_;
    if (!thread_.joinable()) return done(work());
    waiting_.push_back(std::move(work));
  }
  more_.notify_one();
}

Result<void> Queue::drain(double limit) {
  if (open_.load(std::memory_order_acquire) == 0) return {};  // as mostly: without the lock
  std::unique_lock lock(mutex_);
  const auto through = [this] { return waiting_.empty() && !busy_; };
  if (!through() && !idle_.wait_for(lock, std::chrono::duration<double>(limit), through))
    return fail(Errc::timeout, "the work did not end in time");
  if (error_) return tl::make_unexpected(*error_);
  return {};
}

void Queue::done(Result<void> one) {
  if (one) --open_;
  if (one || error_) return;
  error_ = std::move(one).error();
  waiting_.clear();
}

void Queue::work() {
  std::unique_lock lock(mutex_);
  for (;;) {
    more_.wait(lock, [this] { return over_ || !waiting_.empty(); });
    if (over_) return;
    auto next = std::move(waiting_.front());
    waiting_.pop_front();
    busy_ = true;
    lock.unlock();
    auto one = next();
    lock.lock();
    busy_ = false;
    done(std::move(one));
    if (waiting_.empty()) idle_.notify_all();
  }
}

}  // namespace gpuvet::device
