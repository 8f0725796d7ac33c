// SPDX-License-Identifier: Apache-2.0
// Words that threads of two devices, or of a device and the host, exchange: PTX's accesses of the
// system's scope, and a clock so that no thread waits for ever.
#pragma once

#include <cuda_runtime.h>

#include <cstdint>

namespace gpuvet::device::cuda {

__device__ inline std::uint32_t load_acquire(const std::uint32_t* at) {
  std::uint32_t out;
  asm volatile("ld.acquire.sys.global.u32 %0, [%1];" : "=r"(out) : "l"(at) : "memory");
  return out;
}
__device__ inline void store_release(std::uint32_t* at, std::uint32_t value) {
  asm volatile("st.release.sys.global.u32 [%0], %1;" : : "l"(at), "r"(value) : "memory");
}
/// Nanoseconds; moves on every 32 ns to 1 µs.
__device__ inline std::uint64_t nanoseconds() {
  std::uint64_t out;
  asm volatile("mov.u64 %0, %%globaltimer;" : "=l"(out));
  return out;
}

}  // namespace gpuvet::device::cuda
