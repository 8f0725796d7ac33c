// SPDX-License-Identifier: Apache-2.0
// How kernels go over memory: tiles of a block, 16 bytes a thread and access, several loads of each
// thread under way before the first is used. That is what a GPU needs to fill its memory's pipes.
#pragma once

#include <cstdint>

#include "device/cuda/access.cuh"

namespace gpuvet::device::cuda {

constexpr int loads = 8;  // of each thread under way

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
  const std::uint64_t tiles = (count + tile - 1) / tile,
                      most = 128 * static_cast<std::uint64_t>(on.processors);
  return static_cast<unsigned>(tiles < most ? tiles : most);
}

template <int Words>
struct Width {
  static constexpr int value = Words;
};

/// Calls launch(width, first word, count of packs) for what can go two words at a time, and again
/// for the rest; it returns a cudaError_t. `addresses` are or-ed.
template <class F>
int each_width(std::uint64_t addresses, std::uint64_t words, F launch) {
  const std::uint64_t pairs = addresses % 16 == 0 ? words / 2 : 0;
  int status = 0;
  if (pairs > 0) status = launch(Width<2>{}, std::uint64_t{0}, pairs);
  if (status == 0 && pairs * 2 < words) status = launch(Width<1>{}, pairs * 2, words - pairs * 2);
  return status;
}

}  // namespace gpuvet::device::cuda
