// SPDX-License-Identifier: Apache-2.0
// One thing after another, by a thread of its own, so that host work is as asynchronous as a GPU's.
#pragma once

#include <atomic>
#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <optional>
#include <thread>

#include "core/result.hpp"

namespace gpuvet::device {

class Queue {
 public:
  /// Without a thread what is pushed is done at once.
  explicit Queue(bool threaded);
  Queue(const Queue&) = delete;
  Queue& operator=(const Queue&) = delete;
  ~Queue();

  void push(std::function<Result<void>()> work);
  /// Waits until all is done, at most `limit` seconds. The first error ends the queue: what stands
  /// behind it is not done, and every later call returns it.
  Result<void> drain(double limit);

 private:
  void work();
  void done(Result<void> one);  ///< under the lock

  std::mutex mutex_;
  std::condition_variable more_, idle_;
  std::deque<std::function<Result<void>()>> waiting_;
  std::atomic<std::size_t> open_ = 0;  ///< what is not done; after an error it never is
  std::optional<Error> error_;
  bool busy_ = false, over_ = false;
  std::thread thread_;
};

}  // namespace gpuvet::device
