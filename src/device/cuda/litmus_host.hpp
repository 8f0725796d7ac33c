// SPDX-License-Identifier: Apache-2.0
// A host thread as an agent of a litmus test.
#pragma once

#include <atomic>
#include <chrono>
#include <thread>

#include "device/cuda/litmus_roles.hpp"

namespace gpuvet::device::cuda {

class HostAgent {
 public:
  HostAgent(Fence fence, double limit)
      : fence_{fence},
        deadline_{std::chrono::steady_clock::now() +
                  std::chrono::duration_cast<std::chrono::steady_clock::duration>(
                      std::chrono::duration<double>(limit))} {}

  static std::uint32_t load(std::uint32_t* from) {
    return word(*from).load(std::memory_order_relaxed);
  }
  static void store(std::uint32_t* to, std::uint32_t x) {
    word(*to).store(x, std::memory_order_relaxed);
  }
  static std::uint32_t add(std::uint32_t* to, std::uint32_t x) {
    return word(*to).fetch_add(x, std::memory_order_relaxed);
  }
  static std::uint32_t cas(std::uint32_t* to, std::uint32_t expected, std::uint32_t x) {
    word(*to).compare_exchange_strong(expected, x, std::memory_order_relaxed);
    return expected;
  }
  static std::uint32_t exchange(std::uint32_t* to, std::uint32_t x) {
    return word(*to).exchange(x, std::memory_order_relaxed);
  }
  void fence() const {
    // The compiler must keep the order too where there is no fence: the test is of the hardware.
    if (fence_ == Fence::none)
      std::atomic_signal_fence(std::memory_order_seq_cst);
    else
      full_fence();
  }
  static void full_fence() { std::atomic_thread_fence(std::memory_order_seq_cst); }
  static void signal(std::uint32_t* to, std::uint32_t x) {
    word(*to).store(x, std::memory_order_release);
  }
  static std::uint32_t look(std::uint32_t* from) {
    return word(*from).load(std::memory_order_acquire);
  }
  static int lane() { return 0; }
  static void meet_lanes() {}
  static bool all_lanes(bool here) { return here; }

  /// Whether to go on waiting; tells all others where not.
  bool patient(std::uint32_t* stop) {
    if (look(stop) != 0) return false;
    if (++looks_ % 1024 != 0) return true;
    std::this_thread::yield();  // where threads outnumber processors
    if (std::chrono::steady_clock::now() < deadline_) return true;
    signal(stop, 1);
    return false;
  }
  static void delay(std::uint32_t turns) {
    for (std::uint32_t i = 0; i < turns; ++i) std::atomic_signal_fence(std::memory_order_seq_cst);
  }

 private:
  static std::atomic_ref<std::uint32_t> word(std::uint32_t& of) {
    return std::atomic_ref<std::uint32_t>(of);
  }

  Fence fence_;
  std::chrono::steady_clock::time_point deadline_;
  std::uint32_t looks_ = 0;
};

}  // namespace gpuvet::device::cuda
