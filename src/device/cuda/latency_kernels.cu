// SPDX-License-Identifier: Apache-2.0
#include "device/cuda/latency_kernels.hpp"

#include "device/cuda/system_word.cuh"

namespace gpuvet::device::cuda {
namespace {

/// Waits until `word` is `value`.
__device__ bool arrives(const std::uint32_t* word, std::uint32_t value, std::uint64_t limit) {
  const std::uint64_t begin = nanoseconds();
  for (unsigned turn = 1; load_acquire(word) != value; ++turn)
    if (turn % 1024 == 0 && nanoseconds() - begin > limit) return false;
  return true;
}

__global__ void ping_kernel(PingPong with) {
  std::uint64_t begin = nanoseconds();
  for (std::uint32_t i = 1; i <= with.rounds; ++i) {
    store_release(with.theirs, i);
    if (!arrives(with.mine, i, with.limit)) return;
    if (i == latency_warm_up) begin = nanoseconds();
  }
  *with.elapsed = nanoseconds() - begin;
}

__global__ void pong_kernel(PingPong with) {
  for (std::uint32_t i = 1; i <= with.rounds; ++i) {
    if (!arrives(with.mine, i, with.limit)) return;
    store_release(with.theirs, i);
  }
}

}  // namespace

int ping(CUstream_st* stream, PingPong with) {
  ping_kernel<<<1, 1, 0, stream>>>(with);
  return cudaGetLastError();
}

int pong(CUstream_st* stream, PingPong with) {
  pong_kernel<<<1, 1, 0, stream>>>(with);
  return cudaGetLastError();
}

}  // namespace gpuvet::device::cuda
