// SPDX-License-Identifier: Apache-2.0
// A matrix product for machines without libraries: tiles of a and b flow through shared memory by
// asynchronous copies, several stages ahead, to the matrix units (mma.sync) of each warp.
#include <cuda_runtime.h>

#include "device/cuda/gemm_ops.cuh"
#include "device/cuda/matrix.hpp"

namespace gpuvet::device::cuda {
namespace {

/// The copies of one stage. Rows beyond the matrix repeat its last (their results are dropped),
/// bytes beyond k are zero.
template <class Shape>
__device__ void fetch(std::uint32_t shared, const Operands& p, std::int64_t first_m,
                      std::int64_t first_n, std::int64_t byte, std::int64_t k_bytes) {
#pragma unroll
  for (int i = 0; i < Shape::copies; ++i) {
    const Place at = Shape::copied(static_cast<int>(threadIdx.x), i);
    const bool of_a = Shape::copies_a(i);
    const std::int64_t row =
        of_a ? min(first_m + at.row, p.m - 1) : min(first_n + at.row - Shape::block_m, p.n - 1);
    const std::int64_t from = byte + at.chunk * Shape::chunk_bytes;
    const bool inside = from < k_bytes;
    const char* source =
        static_cast<const char*>(of_a ? p.a : p.b) + row * k_bytes + (inside ? from : 0);
    copy_async(shared + static_cast<std::uint32_t>(Shape::offset(at)), source, inside);
  }
}

/// `stages`: as many as the shape has, or one fewer.
template <class Op>
__global__ void __launch_bounds__(Op::Shape::threads, 1) multiply_tiles(Operands p, int stages) {
  if constexpr (Op::here) {
    using Shape = typename Op::Shape;
    extern __shared__ __align__(128) char memory[];
    const auto shared = static_cast<std::uint32_t>(__cvta_generic_to_shared(memory));
    const int lane = static_cast<int>(threadIdx.x) % 32, warp = static_cast<int>(threadIdx.x) / 32;
    const Tile tile = Shape::tile_of(blockIdx.x, Shape::tiles(p.m, Shape::block_m),
                                     Shape::tiles(p.n, Shape::block_n));
    const std::int64_t first_m = tile.m * Shape::block_m, first_n = tile.n * Shape::block_n;
    const std::int64_t k_bytes = p.k * Op::operand_bytes;
    const auto turns = static_cast<int>((k_bytes + Shape::row_bytes - 1) / Shape::row_bytes);

    typename Op::Sum sum[Shape::units_m][Shape::units_n][4] = {};
    typename Op::Fragments now, next;

    for (int s = 0; s < stages - 1; ++s) {
      if (s < turns)
        fetch<Shape>(shared + s * Shape::stage_bytes, p, first_m, first_n,
                     static_cast<std::int64_t>(s) * Shape::row_bytes, k_bytes);
      commit_copies();
    }
    int reading = 0, writing = stages - 1;
    for (int turn = 0; turn < turns; ++turn) {
      // The oldest stage has come, for every thread; and all are through with the one before it,
      // which is overwritten next.
      if (stages == Shape::stages)
        wait_copies<Shape::stages - 2>();
      else
        wait_copies<Shape::stages - 3>();
      __syncthreads();
      if (turn + stages - 1 < turns)
        fetch<Shape>(shared + writing * Shape::stage_bytes, p, first_m, first_n,
                     static_cast<std::int64_t>(turn + stages - 1) * Shape::row_bytes, k_bytes);
      commit_copies();
      const std::uint32_t stage = shared + reading * Shape::stage_bytes;
      if (Op::ahead) Op::load(now, stage, warp, 0, lane);
#pragma unroll(Op::ahead ? Shape::steps : 1)
      for (int step = 0; step < Shape::steps; ++step) {
        if (!Op::ahead) Op::load(now, stage, warp, step, lane);
        if (Op::ahead && step + 1 < Shape::steps) Op::load(next, stage, warp, step + 1, lane);
#pragma unroll
        for (int i = 0; i < Shape::units_m; ++i)
#pragma unroll
          for (int j = 0; j < Shape::units_n; ++j) Op::multiply(sum[i][j], now.a[i], now.b[j]);
        if (Op::ahead) now = next;
      }
      reading = reading + 1 == stages ? 0 : reading + 1;
      writing = writing + 1 == stages ? 0 : writing + 1;
    }
    wait_copies<0>();

    auto* const c = static_cast<typename Op::Result*>(p.c);
#pragma unroll
    for (int i = 0; i < Shape::units_m; ++i)
#pragma unroll
      for (int j = 0; j < Shape::units_n; ++j)
#pragma unroll
        for (int half = 0; half < 4; half += 2) {
          const std::int64_t row = first_m + Shape::result_row(warp, i, lane, half);
          const std::int64_t column = first_n + Shape::result_column(warp, j, lane, half);
          if (row < p.m && column < p.n)
            Op::store(c + row * p.n + column, sum[i][j][half], sum[i][j][half + 1]);
        }
  }
}

/// Shared memory that every shape can do with: GPUs of 8.6, 8.9 and 12.0 give a block 99 KiB.
constexpr int least_shared = 2 * Gemm<8, false>::stage_bytes;

int shared_of_block() {
  int device = 0, out = 0;
  (void)cudaGetDevice(&device);
  (void)cudaDeviceGetAttribute(&out, cudaDevAttrMaxSharedMemoryPerBlockOptin, device);
  return out;
}

template <class Op>
cudaError_t launch(const Operands& p, cudaStream_t stream) {
  using Shape = typename Op::Shape;
  static_assert((Shape::stages - 1) * Shape::stage_bytes <= least_shared);
  const int stages =
      Shape::stages - (shared_of_block() < Shape::stages * Shape::stage_bytes ? 1 : 0);
  const int bytes = stages * Shape::stage_bytes;
  const auto kernel = multiply_tiles<Op>;
  const cudaError_t raised =
      cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize, bytes);
  if (raised != cudaSuccess) return raised;
  const std::int64_t blocks = Shape::tiles(p.m, Shape::block_m) * Shape::tiles(p.n, Shape::block_n);
  kernel<<<static_cast<unsigned>(blocks), Shape::threads, bytes, stream>>>(p, stages);
  return cudaGetLastError();
}

}  // namespace

cudaError_t launch_own(Precision precision, const Operands& p, cudaStream_t stream) {
  if (!own_has(precision)) return cudaErrorNoKernelImageForDevice;
  switch (precision) {
    case Precision::fp64:
      return launch<Fp64>(p, stream);
    case Precision::tf32:
      return launch<Tf32>(p, stream);
    case Precision::bf16:
      return launch<Bf16>(p, stream);
    case Precision::fp16:
      return launch<Fp16>(p, stream);
    case Precision::fp8:
      return launch<Fp8>(p, stream);
    case Precision::int8:
      return launch<Int8>(p, stream);
    case Precision::fp32:  // matrix units have no fp32
      break;
  }
  return cudaErrorNoKernelImageForDevice;
}

bool own_has(Precision precision) {
  if (precision == Precision::fp32) return false;
  if (shared_of_block() < least_shared) return false;
  // fp8 came with 8.9; what counts is the code that was chosen, since 8.9 runs that for 8.0.
  cudaFuncAttributes chosen{};
  if (cudaFuncGetAttributes(&chosen, multiply_tiles<Fp8>) != cudaSuccess) {
    (void)cudaGetLastError();
    return false;
  }
  const int code =
      chosen.ptxVersion < chosen.binaryVersion ? chosen.ptxVersion : chosen.binaryVersion;
  return code >= (precision == Precision::fp8 ? 89 : 80);
}

}  // namespace gpuvet::device::cuda
