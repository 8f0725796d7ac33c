// SPDX-License-Identifier: Apache-2.0
// What the own matrix kernel does differently for each precision: the instruction, the fragments
// and how results are stored.
#pragma once

#include <cstdint>

#include "device/cuda/gemm_tiles.hpp"

#if defined(__CUDA_ARCH__)
#define GPUVET_ARCH __CUDA_ARCH__
#else
#define GPUVET_ARCH 800
#endif

namespace gpuvet::device::cuda {

/// 16 bytes from global to shared memory, past the registers; zeros where not `inside`.
__device__ inline void copy_async(std::uint32_t to, const void* from, bool inside) {
  asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;" ::"r"(to),
               "l"(__cvta_generic_to_global(from)), "r"(inside ? 16 : 0)
               : "memory");
}
__device__ inline void commit_copies() { asm volatile("cp.async.commit_group;" ::: "memory"); }
template <int left>
__device__ void wait_copies() {
  asm volatile("cp.async.wait_group %0;" ::"n"(left) : "memory");
}

__device__ inline void load_matrices(std::uint32_t (&to)[4], std::uint32_t from) {
  asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0, %1, %2, %3}, [%4];"
               : "=r"(to[0]), "=r"(to[1]), "=r"(to[2]), "=r"(to[3])
               : "r"(from)
               : "memory");
}

/// Numbers of up to 4 bytes: all have the same layout in units of 4 bytes.
template <int of_n>
struct Narrow {
  using Shape = Gemm<of_n, false>;
  static constexpr bool ahead = true;  ///< a step's fragments are loaded during the one before
  struct Fragments {
    std::uint32_t a[Shape::units_m][4];
    std::uint32_t b[Shape::units_n][2];
  };
  static __device__ void load(Fragments& to, std::uint32_t stage, int warp, int step, int lane) {
#pragma unroll
    for (int i = 0; i < Shape::units_m; ++i)
      load_matrices(to.a[i], stage + Shape::offset(Shape::a_place(warp, i, step, lane)));
#pragma unroll
    for (int j = 0; j < Shape::units_n; j += 2) {
      std::uint32_t pair[4];
      load_matrices(pair, stage + Shape::offset(Shape::b_place(warp, j, step, lane)));
      to.b[j][0] = pair[0];
      to.b[j][1] = pair[1];
      to.b[j + 1][0] = pair[2];
      to.b[j + 1][1] = pair[3];
    }
  }
};

#define GPUVET_MMA(instruction, constraint)                                              \
  asm volatile("mma.sync.aligned." instruction                                           \
               " {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, {%0, %1, %2, %3};"        \
               : "+" constraint(sum[0]), "+" constraint(sum[1]), "+" constraint(sum[2]), \
                 "+" constraint(sum[3])                                                  \
               : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]))

template <int of_n = 8>
struct InFp32 : Narrow<of_n> {
  using Sum = float;
  static constexpr bool here = true;
};

struct Bf16 : InFp32<> {
  using Result = std::uint16_t;
  static constexpr int operand_bytes = 2;
  static __device__ void multiply(Sum (&sum)[4], const std::uint32_t (&a)[4],
                                  const std::uint32_t (&b)[2]) {
    GPUVET_MMA("m16n8k16.row.col.f32.bf16.bf16.f32", "f");
  }
  static __device__ void store(Result* to, Sum left, Sum right) {
    std::uint32_t both;
    asm("cvt.rn.bf16x2.f32 %0, %1, %2;" : "=r"(both) : "f"(right), "f"(left));
    *reinterpret_cast<std::uint32_t*>(to) = both;
  }
};

struct Fp16 : InFp32<> {
  using Result = std::uint16_t;
  static constexpr int operand_bytes = 2;
  static __device__ void multiply(Sum (&sum)[4], const std::uint32_t (&a)[4],
                                  const std::uint32_t (&b)[2]) {
    GPUVET_MMA("m16n8k16.row.col.f32.f16.f16.f32", "f");
  }
  static __device__ void store(Result* to, Sum left, Sum right) {
    std::uint32_t both;
    asm("cvt.rn.f16x2.f32 %0, %1, %2;" : "=r"(both) : "f"(right), "f"(left));
    *reinterpret_cast<std::uint32_t*>(to) = both;
  }
};

struct Tf32 : InFp32<> {
  using Result = float;
  static constexpr int operand_bytes = 4;
  static __device__ void multiply(Sum (&sum)[4], const std::uint32_t (&a)[4],
                                  const std::uint32_t (&b)[2]) {
    GPUVET_MMA("m16n8k8.row.col.f32.tf32.tf32.f32", "f");
  }
  static __device__ void store(Result* to, Sum left, Sum right) {
    *reinterpret_cast<float2*>(to) = make_float2(left, right);
  }
};

struct Fp8 : InFp32<4> {  // 9.0 widens them to fp16 first, which takes registers
  using Result = std::uint16_t;
  static constexpr int operand_bytes = 1;
  static constexpr bool here = GPUVET_ARCH >= 890, ahead = false;
  static __device__ void multiply(Sum (&sum)[4], const std::uint32_t (&a)[4],
                                  const std::uint32_t (&b)[2]) {
#if GPUVET_ARCH >= 890
    GPUVET_MMA("m16n8k32.row.col.f32.e4m3.e4m3.f32", "f");
#endif
  }
  static __device__ void store(Result* to, Sum left, Sum right) { Bf16::store(to, left, right); }
};

struct Int8 : Narrow<8> {
  using Sum = int;
  using Result = int;
  static constexpr int operand_bytes = 1;
  static constexpr bool here = true;
  static __device__ void multiply(Sum (&sum)[4], const std::uint32_t (&a)[4],
                                  const std::uint32_t (&b)[2]) {
    GPUVET_MMA("m16n8k32.row.col.s32.s8.s8.s32", "r");
  }
  static __device__ void store(Result* to, Sum left, Sum right) {
    *reinterpret_cast<int2*>(to) = make_int2(left, right);
  }
};

#undef GPUVET_MMA

struct Fp64 {
  using Shape = Gemm<4, true>;
  using Sum = double;
  using Result = double;
  static constexpr int operand_bytes = 8;
  static constexpr bool here = true, ahead = true;
  struct Fragments {
    double a[Shape::units_m][2];
    double b[Shape::units_n];
  };
  static __device__ double load_one(std::uint32_t stage, Place place, int lane) {
    double out;
    asm volatile("ld.shared.f64 %0, [%1];"
                 : "=d"(out)
                 : "r"(stage + Shape::offset(place) + Shape::wide_byte(lane))
                 : "memory");
    return out;
  }
  static __device__ void load(Fragments& to, std::uint32_t stage, int warp, int step, int lane) {
#pragma unroll
    for (int i = 0; i < Shape::units_m; ++i)
      for (int half = 0; half < 2; ++half)
        to.a[i][half] = load_one(stage, Shape::wide_a_place(warp, i, half, step, lane), lane);
#pragma unroll
    for (int j = 0; j < Shape::units_n; ++j)
      to.b[j] = load_one(stage, Shape::wide_b_place(warp, j, step, lane), lane);
  }
  static __device__ void multiply(Sum (&sum)[4], const double (&a)[2], const double& b) {
#if GPUVET_ARCH >= 900
    asm volatile(
        "mma.sync.aligned.m16n8k4.row.col.f64.f64.f64.f64 {%0, %1, %2, %3}, {%4, %5}, {%6}, "
        "{%0, %1, %2, %3};"
        : "+d"(sum[0]), "+d"(sum[1]), "+d"(sum[2]), "+d"(sum[3])
        : "d"(a[0]), "d"(a[1]), "d"(b));
#else
    for (int half = 0; half < 2; ++half)
      asm volatile("mma.sync.aligned.m8n8k4.row.col.f64.f64.f64.f64 {%0, %1}, {%2}, {%3}, {%0, %1};"
                   : "+d"(sum[half * 2]), "+d"(sum[half * 2 + 1])
                   : "d"(a[half]), "d"(b));
#endif
  }
  static __device__ void store(Result* to, Sum left, Sum right) {
    *reinterpret_cast<double2*>(to) = make_double2(left, right);
  }
};

}  // namespace gpuvet::device::cuda
