// SPDX-License-Identifier: Apache-2.0
// Threads that share out one piece of work after another, each bound to a processor of its own.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace gpuvet::device {

class Team {
 public:
  /// A thread bound to each of `processors`; where binding is refused it runs where it may. Without
  /// processors the caller is the only member.
  explicit Team(const std::vector<int>& processors);
  Team(const Team&) = delete;
  Team& operator=(const Team&) = delete;
  ~Team();

  [[nodiscard]] std::size_t size() const { return threads_.empty() ? 1 : threads_.size(); }

  /// work(i) for every member i at the same time; comes back when all are through. Callers wait
  /// for each other.
  void run(const std::function<void(std::size_t member)>& work);

 private:
  void member(std::size_t index, int processor);

  std::mutex turn_;  ///< held by the caller whose work runs
  std::mutex mutex_;
  std::condition_variable begin_, end_;
  const std::function<void(std::size_t)>* work_ = nullptr;
  std::size_t round_ = 0, busy_ = 0;
  bool over_ = false;
  std::vector<std::thread> threads_;
};

/// Member `index` of `members`' share of `count` pieces: [first, last), sizes as even as can be.
struct Share {
  std::uint64_t first = 0, last = 0;
};
Share share_of(std::uint64_t count, std::size_t members, std::size_t index);

}  // namespace gpuvet::device
