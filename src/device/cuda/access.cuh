// SPDX-License-Identifier: Apache-2.0
// What kernels of the memory operations take from the GPU: accesses, and launches. All else in them
// is plain C++, which tests run on the host with a stand-in for this file.
#pragma once

#include <cuda_runtime.h>

#include <cstdint>

#include "device/cuda/memory_kernels.hpp"

namespace gpuvet::device::cuda {

constexpr int block_threads = 256;

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

/// One launch of `kernel` in blocks of block_threads; returns its cudaError_t.
template <class... Parameters, class... Arguments>
int launch(Launch on, unsigned blocks, void (*kernel)(Parameters...), Arguments... arguments) {
  kernel<<<blocks, block_threads, 0, on.stream>>>(static_cast<Parameters>(arguments)...);
  return cudaGetLastError();
}

}  // namespace gpuvet::device::cuda
