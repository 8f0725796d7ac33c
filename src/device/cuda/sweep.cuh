// SPDX-License-Identifier: Apache-2.0
// How kernels go over memory: tiles of a block, 16 bytes a thread and access, several loads of each
// thread under way before the first is used. That is what a GPU needs to fill its memory's pipes.
#pragma once

#include <cuda_runtime.h>

#include <cstdint>

#include "device/cuda/memory_kernels.hpp"

namespace gpuvet::device::cuda {

constexpr int block_threads = 256;
constexpr int loads = 8;  // of each thread under way

/// 8 or 16 bytes, as one access moves them.
template <int Words>
struct alignas(8 * Words) Pack {
  std::uint64_t word[Words];
};

/// Past what the cache should keep: everything here is used once.
__device__ inline Pack<2> load(const Pack<2>* at) {
  Pack<2> out;
  asm volatile("ld.global.cs.v2.u64 {%0, %1}, [%2];"
               : "=l"(out.word[0]), "=l"(out.word[1])
               : "l"(at)
               : "memory");
  return out;
}
__device__ inline Pack<1> load(const Pack<1>* at) {
  Pack<1> out;
  asm volatile("ld.global.cs.u64 %0, [%1];" : "=l"(out.word[0]) : "l"(at) : "memory");
  return out;
}
__device__ inline void store(Pack<2>* at, Pack<2> value) {
  asm volatile("st.global.cs.v2.u64 [%0], {%1, %2};"
               :
               : "l"(at), "l"(value.word[0]), "l"(value.word[1])
               : "memory");
}
__device__ inline void store(Pack<1>* at, Pack<1> value) {
  asm volatile("st.global.cs.u64 [%0], %1;" : : "l"(at), "l"(value.word[0]) : "memory");
}

/// get(i) of `loads` places, then use(i, value) of them, for all i below `count`. Blocks begin at
/// the lower end, or with `backwards` at the upper.
template <class Get, class Use>
__device__ void sweep(std::uint64_t count, bool backwards, Get get, Use use) {
  constexpr std::uint64_t tile = block_threads * loads;
  const std::uint64_t tiles = (count + tile - 1) / tile;
  for (std::uint64_t t = blockIdx.x; t < tiles; t += gridDim.x) {
    const std::uint64_t first = (backwards ? tiles - 1 - t : t) * tile;
    const std::uint64_t mine = first + threadIdx.x;
    if (first + tile <= count) {
      decltype(get(mine)) values[loads];
#pragma unroll
      for (int k = 0; k < loads; ++k) values[k] = get(mine + k * block_threads);
#pragma unroll
      for (int k = 0; k < loads; ++k) use(mine + k * block_threads, values[k]);
    } else {
      for (std::uint64_t i = mine; i < count; i += block_threads) use(i, get(i));
    }
  }
}

/// Blocks for a sweep: enough for the hardware to even out, few enough for each to do some tiles.
inline unsigned blocks_for(Launch on, std::uint64_t count) {
  constexpr std::uint64_t tile = block_threads * loads;
  const std::uint64_t tiles = (count + tile - 1) / tile, most = 128ULL * on.processors;
  return static_cast<unsigned>(tiles < most ? tiles : most);
}

template <int Words>
struct Width {
  static constexpr int value = Words;
};

/// Calls launch(width, first word, count of packs) for what can go two words at a time, and again
/// for the rest. `addresses` are or-ed.
template <class F>
int each_width(std::uint64_t addresses, std::uint64_t words, F launch) {
  const std::uint64_t pairs = addresses % 16 == 0 ? words / 2 : 0;
  if (pairs > 0) launch(Width<2>{}, std::uint64_t{0}, pairs);
  if (pairs * 2 < words) launch(Width<1>{}, pairs * 2, words - pairs * 2);
  return cudaGetLastError();
}

}  // namespace gpuvet::device::cuda
