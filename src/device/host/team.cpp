// SPDX-License-Identifier: Apache-2.0
#include "device/host/team.hpp"

#include <sched.h>

namespace gpuvet::device {

Team::Team(const std::vector<int>& processors) {
  threads_.reserve(processors.size());
  for (std::size_t i = 0; i < processors.size(); ++i)
    threads_.emplace_back([this, i, processor = processors[i]] { member(i, processor); });
}

Team::~Team() {
  {
    const std::lock_guard lock(mutex_);
    over_ = true;
  }
  begin_.notify_all();
  for (auto& thread : threads_) thread.join();
}

void Team::run(const std::function<void(std::size_t)>& work) {
  const std::lock_guard turn(turn_);
  if (threads_.empty()) return work(0);
  std::unique_lock lock(mutex_);
  work_ = &work;
  busy_ = threads_.size();
  ++round_;
  begin_.notify_all();
  end_.wait(lock, [this] { return busy_ == 0; });
  work_ = nullptr;
}

void Team::member(std::size_t index, int processor) {
  if (processor >= 0) {
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(static_cast<std::size_t>(processor), &set);
    ::sched_setaffinity(0, sizeof set, &set);
  }
  std::size_t seen = 0;
  std::unique_lock lock(mutex_);
  for (;;) {
    begin_.wait(lock, [&] { return over_ || round_ != seen; });
    if (over_) return;
    seen = round_;
    const auto* work = work_;
    lock.unlock();
    (*work)(index);
    lock.lock();
    if (--busy_ == 0) end_.notify_one();
  }
}

Share share_of(std::uint64_t count, std::size_t members, std::size_t index) {
  const std::uint64_t each = count / members, rest = count % members;
  const auto start = [&](std::uint64_t i) { return i * each + (i < rest ? i : rest); };
  return {start(index), start(index + 1)};
}

}  // namespace gpuvet::device
