// SPDX-License-Identifier: Apache-2.0
// A word goes to and fro between two threads that share memory.
#pragma once

#include <cstdint>

struct CUstream_st;

namespace gpuvet::device::cuda {

/// Rounds before the clock starts: kernels begin at different moments, caches are cold.
constexpr std::uint32_t latency_warm_up = 64;

struct PingPong {
  const std::uint32_t* mine = nullptr;  ///< written by the other side
  std::uint32_t* theirs = nullptr;
  std::uint32_t rounds = 0;          ///< with those of the warm-up
  std::uint64_t limit = 0;           ///< nanoseconds without an answer after which to give up
  std::uint64_t* elapsed = nullptr;  ///< nanoseconds of the timed rounds; 0: gave up
};

/// One thread that sends 1, 2, … and waits for each to come back. Returns a cudaError_t.
int ping(CUstream_st* stream, PingPong with);
/// The one that answers.
int pong(CUstream_st* stream, PingPong with);

}  // namespace gpuvet::device::cuda
