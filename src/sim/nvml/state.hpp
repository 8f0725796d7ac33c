// SPDX-License-Identifier: Apache-2.0
// The simulated library's memory: which server, at what time, and what each call costs. One mutex
// guards it, as callers may be threads.
#pragma once

#include <chrono>
#include <cstdio>
#include <mutex>
#include <optional>
#include <string>

#include "core/nvml_abi.hpp"
#include "sim/simulation.hpp"

namespace gpuvet::sim {

class State {
 public:
  static State& get();
  State() = default;
  State(const State&) = delete;
  State& operator=(const State&) = delete;
  ~State();

  /// Reads GPUVET_SIM and its companions; complains on standard error.
  nvml::Return start();
  nvml::Return stop();

  /// Every call comes through here first: counted, delayed, refused where the driver lacks it.
  nvml::Return enter(const char* function);

  /// The server now; call with `mutex` held, and only after enter() was content.
  const World& world();
  /// The GPU of a handle; nullptr for what is none.
  const Gpu* gpu(nvml::Device device);
  static nvml::Device handle(int index);

  std::mutex mutex;

 private:
  [[nodiscard]] double simulated_seconds() const;

  std::optional<Simulation> simulation_;
  const World* world_ = nullptr;
  std::chrono::steady_clock::time_point refreshed_;
  int starts_ = 0;
  double began_ = 0, speed_ = 1;
  long delay_ = 0;  ///< microseconds of each call
  std::FILE* calls_ = nullptr;
};

/// Waits for ever, as a driver call about a dead GPU may.
[[noreturn]] void hang();

/// Answers a call about the machine: `answer(world)`.
template <class Answer>
nvml::Return ask(const char* function, Answer answer) {
  auto& state = State::get();
  const std::scoped_lock lock(state.mutex);
  if (const auto refused = state.enter(function); refused != nvml::Return::success) return refused;
  return answer(state.world());
}

/// Answers a call about one GPU: `answer(gpu)`.
template <class Answer>
nvml::Return ask(const char* function, nvml::Device device, Answer answer) {
  auto& state = State::get();
  std::unique_lock lock(state.mutex);
  if (const auto refused = state.enter(function); refused != nvml::Return::success) return refused;
  const auto* gpu = state.gpu(device);
  if (gpu == nullptr) return nvml::Return::invalid_argument;
  if (gpu->lost) return nvml::Return::gpu_is_lost;
  if (gpu->hangs_in == function) {
    lock.unlock();
    hang();
  }
  return answer(*gpu);
}

/// Stores `value`, unless there is nowhere to store it.
template <class To, class Value>
nvml::Return put(To* to, Value value) {
  if (to == nullptr) return nvml::Return::invalid_argument;
  *to = static_cast<To>(value);
  return nvml::Return::success;
}
nvml::Return put_text(const std::string& text, char* to, unsigned room);

/// NVML's way to hand out a list: `count` holds the room, and then how many there are.
template <class To, class List>
nvml::Return put_list(const List& list, unsigned* count, To* to) {
  if (count == nullptr) return nvml::Return::invalid_argument;
  const auto room = *count;
  *count = static_cast<unsigned>(list.size());
  if (list.empty()) return nvml::Return::success;
  if (room < list.size()) return nvml::Return::insufficient_size;
  if (to == nullptr) return nvml::Return::invalid_argument;
  for (const auto& one : list) *to++ = one;
  return nvml::Return::success;
}

}  // namespace gpuvet::sim
