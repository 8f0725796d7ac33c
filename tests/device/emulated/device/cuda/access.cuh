// SPDX-License-Identifier: Apache-2.0
// Stands in for src/device/cuda/access.cuh: threads of a launch run one after the other on the
// host. What kernels compute and where they write is the same; what a GPU's memory order allows is
// not seen here.
#pragma once

#include <cstdint>
#include <cstring>

#include "device/cuda/memory_kernels.hpp"

#define __global__
#define __device__
#define __launch_bounds__(threads)

namespace gpuvet::device::cuda {

constexpr int block_threads = 256;

struct Index {
  unsigned x;
};
inline Index threadIdx{}, blockIdx{}, gridDim{};

struct float2 {  // NOLINT(readability-identifier-naming): CUDA's
  float x, y;
};
using std::memcpy;

inline unsigned long long atomicAdd(unsigned long long* at, unsigned long long more) {
  const auto before = *at;
  *at += more;
  return before;
}
inline void atomicOr(unsigned long long* at, unsigned long long bits) { *at |= bits; }

template <int Words>
struct alignas(8 * Words) Pack {
  std::uint64_t word[Words];
};
template <int Words>
Pack<Words> load(const Pack<Words>* at) {
  return *at;
}
template <int Words>
void store(Pack<Words>* at, Pack<Words> value) {
  *at = value;
}

template <class... Parameters, class... Arguments>
int launch(Launch, unsigned blocks, void (*kernel)(Parameters...), Arguments... arguments) {
  gridDim.x = blocks;
  for (blockIdx.x = 0; blockIdx.x < blocks; ++blockIdx.x)
    for (threadIdx.x = 0; threadIdx.x < block_threads; ++threadIdx.x)
      kernel(static_cast<Parameters>(arguments)...);
  return 0;
}

}  // namespace gpuvet::device::cuda
