// SPDX-License-Identifier: Apache-2.0
// Warps as agents of litmus tests. Accesses are relaxed and of the reach of the test, so that only
// the fences between them order anything.
#include <cuda_runtime.h>

#include "device/cuda/litmus_kernels.hpp"

namespace gpuvet::device::cuda {
namespace {

#define GPUVET_OF_REACH(statement)           \
  if constexpr (reach == Reach::block)       \
    statement("cta");                        \
  else if constexpr (reach == Reach::device) \
    statement("gpu");                        \
  else                                       \
    statement("sys")

template <Fence kind, Reach reach>
class WarpAgent {
 public:
  __device__ explicit WarpAgent(unsigned long long nanoseconds) : end_{now() + nanoseconds} {}

  static __device__ std::uint32_t load(std::uint32_t* from) {
    std::uint32_t out;
#define GPUVET_LOAD(scope) \
  asm volatile("ld.relaxed." scope ".u32 %0, [%1];" : "=r"(out) : "l"(from) : "memory")
    GPUVET_OF_REACH(GPUVET_LOAD);
    return out;
  }
  static __device__ void store(std::uint32_t* to, std::uint32_t x) {
#define GPUVET_STORE(scope) \
  asm volatile("st.relaxed." scope ".u32 [%0], %1;" ::"l"(to), "r"(x) : "memory")
    GPUVET_OF_REACH(GPUVET_STORE);
  }
  static __device__ std::uint32_t add(std::uint32_t* to, std::uint32_t x) {
    std::uint32_t out;
#define GPUVET_ADD(scope)                                     \
  asm volatile("atom.relaxed." scope ".add.u32 %0, [%1], %2;" \
               : "=r"(out)                                    \
               : "l"(to), "r"(x)                              \
               : "memory")
    GPUVET_OF_REACH(GPUVET_ADD);
    return out;
  }
  static __device__ std::uint32_t cas(std::uint32_t* to, std::uint32_t expected, std::uint32_t x) {
    std::uint32_t out;
#define GPUVET_CAS(scope)                                         \
  asm volatile("atom.relaxed." scope ".cas.b32 %0, [%1], %2, %3;" \
               : "=r"(out)                                        \
               : "l"(to), "r"(expected), "r"(x)                   \
               : "memory")
    GPUVET_OF_REACH(GPUVET_CAS);
    return out;
  }
  static __device__ std::uint32_t exchange(std::uint32_t* to, std::uint32_t x) {
    std::uint32_t out;
#define GPUVET_EXCHANGE(scope)                                 \
  asm volatile("atom.relaxed." scope ".exch.b32 %0, [%1], %2;" \
               : "=r"(out)                                     \
               : "l"(to), "r"(x)                               \
               : "memory")
    GPUVET_OF_REACH(GPUVET_EXCHANGE);
    return out;
  }
  static __device__ void fence() {
    if constexpr (kind == Fence::block) __threadfence_block();
    if constexpr (kind == Fence::device) __threadfence();
    if constexpr (kind == Fence::system) __threadfence_system();
  }
  static __device__ void full_fence() { __threadfence_system(); }
  static __device__ void signal(std::uint32_t* to, std::uint32_t x) {
    asm volatile("st.release.sys.u32 [%0], %1;" ::"l"(to), "r"(x) : "memory");
  }
  static __device__ std::uint32_t look(std::uint32_t* from) {
    std::uint32_t out;
    asm volatile("ld.acquire.sys.u32 %0, [%1];" : "=r"(out) : "l"(from) : "memory");
    return out;
  }
  static __device__ int lane() { return static_cast<int>(threadIdx.x) % 32; }
  static __device__ void meet_lanes() { __syncwarp(); }
  static __device__ bool all_lanes(bool here) { return __all_sync(~0U, here ? 1 : 0) != 0; }
  __device__ bool patient(std::uint32_t* stop) {
    if (++looks_ % 64 != 0) return true;  // host memory is far away
    if (look(stop) != 0) return false;
    if (now() < end_) return true;
    signal(stop, 1);
    return false;
  }
  static __device__ void delay(std::uint32_t cycles) {
    const long long begin = clock64();
    while (clock64() - begin < cycles) {
    }
  }

 private:
  static __device__ unsigned long long now() {
    unsigned long long out;
    asm volatile("mov.u64 %0, %%globaltimer;" : "=l"(out));
    return out;
  }

  unsigned long long end_;
  std::uint32_t looks_ = 0;
};

template <Fence kind, Reach reach>
__global__ void play_litmus(LitmusJob job, LitmusRoles roles, std::uint8_t* results,
                            unsigned long long nanoseconds) {
  const int warp = static_cast<int>((blockIdx.x * blockDim.x + threadIdx.x) / 32);
  const int lane = static_cast<int>(threadIdx.x) % 32;
  WarpAgent<kind, reach> agent{nanoseconds};
  if (job.lanes == 32)
    play_rounds(job, roles.role[warp % roles.count], warp / roles.count, results, agent);
  else if (lane == 0)
    play_rounds(job, roles.role[warp % roles.count], warp / roles.count, results, agent);
}

template <Fence kind, Reach reach>
int launch(const LitmusJob& job, LitmusRoles roles, std::uint8_t* results, double limit,
           CUstream_st* stream) {
  auto own = job;
  auto nanoseconds = static_cast<unsigned long long>(limit * 1e9);
  void* arguments[] = {&own, &roles, &results, &nanoseconds};
  const int warps = job.groups * roles.count;
  const int warps_of_block = reach == Reach::block ? roles.count : 1;
  // Cooperative: CUDA starts it only where all blocks fit at once, since they wait for each other.
  return cudaLaunchCooperativeKernel(reinterpret_cast<const void*>(play_litmus<kind, reach>),
                                     dim3(static_cast<unsigned>(warps / warps_of_block)),
                                     dim3(static_cast<unsigned>(warps_of_block) * 32), arguments, 0,
                                     stream);
}

}  // namespace

int launch_litmus(const LitmusJob& job, Fence fence, Reach reach, LitmusRoles roles,
                  std::uint8_t* results, double limit, CUstream_st* stream) {
  const auto run = [&](auto launcher) { return launcher(job, roles, results, limit, stream); };
  switch (fence) {
    case Fence::none:
      return reach == Reach::system ? run(launch<Fence::none, Reach::system>)
                                    : run(launch<Fence::none, Reach::device>);
    case Fence::block:
      return reach == Reach::system ? run(launch<Fence::block, Reach::system>)
                                    : run(launch<Fence::block, Reach::block>);
    case Fence::device:
      return reach == Reach::system ? run(launch<Fence::device, Reach::system>)
                                    : run(launch<Fence::device, Reach::device>);
    case Fence::system:
      return run(launch<Fence::system, Reach::system>);
  }
  return cudaErrorInvalidValue;
}

}  // namespace gpuvet::device::cuda
