// SPDX-License-Identifier: Apache-2.0
// What both ways of reading directly share: which block is next, and the account of what came.
#pragma once

#include <fcntl.h>
#include <unistd.h>

#include <cstdint>

#include "platform/aligned.hpp"
#include "platform/direct_reader.hpp"

namespace gpuvet::platform {

inline constexpr std::size_t most_latencies = 1'000'000;

/// Offset of read number `n`.
inline std::uint64_t place(const ReadJob& job, std::uint64_t n) {
  const std::uint64_t blocks = job.bytes / job.block;
  if (!job.random) return n % blocks * job.block;
  std::uint64_t x = n * 0x9e3779b97f4a7c15U + job.seed;  // splitmix64
  x = (x ^ (x >> 30U)) * 0xbf58476d1ce4e5b9U;
  x = (x ^ (x >> 27U)) * 0x94d049bb133111ebU;
  x ^= x >> 31U;
  return x % blocks * job.block;
}

inline void account(ReadRun& run, bool right, std::uint64_t offset, double latency) {
  if (!right && run.wrong++ == 0) run.first_wrong = offset;
  ++run.reads;
  if (run.latencies.size() < most_latencies) run.latencies.push_back(static_cast<float>(latency));
}

class Descriptor {
 public:
  explicit Descriptor(int number) : number_{number} {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() {
    if (number_ >= 0) ::close(number_);
  }
  [[nodiscard]] int get() const { return number_; }

 private:
  int number_;
};

/// not_supported with the reason where io_uring may not be used.
Result<ReadRun> read_by_uring(const ReadJob& job, int file, std::byte* memory);

}  // namespace gpuvet::platform
