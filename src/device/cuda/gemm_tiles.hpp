// SPDX-License-Identifier: Apache-2.0
// Where everything lies in the own matrix kernel: tiles, shared memory, fragments of the matrix
// units. Written apart from the kernel, so that a host test can run the same arithmetic against a
// plain product (tests/device/gemm_tiles_test.cpp).
#pragma once

#include <cstdint>

#include "device/memory.hpp"

namespace gpuvet::device::cuda {

struct Place {
  int row = 0, chunk = 0;  ///< of a tile; a chunk has 16 bytes
};
struct Tile {
  std::int64_t m = 0, n = 0;
};

/// Every precision is handled by bytes: a tile has `row_bytes` of k, a step of the matrix unit
/// takes `step_bytes` of them, which are 16 numbers of bf16, 32 of int8, 4 of fp64. A block of 8
/// warps (2 by 4) computes 128 by 256 results, or 128 by 128 where registers are short. `doubles`:
/// numbers of 8 bytes, which ldmatrix cannot load.
template <int of_n, bool doubles>
struct Gemm {
  static constexpr int threads = 256, warps_m = 2, warps_n = 4;
  static constexpr int unit_m = 16, unit_n = 8;      ///< results of one instruction
  static constexpr int units_m = 4, units_n = of_n;  ///< of a warp
  static constexpr int warp_m = units_m * unit_m, warp_n = units_n * unit_n;
  static constexpr int block_m = warps_m * warp_m, block_n = warps_n * warp_n;
  static constexpr int row_bytes = 128, step_bytes = 32, steps = row_bytes / step_bytes;
  static constexpr int chunk_bytes = 16, chunks = row_bytes / chunk_bytes;
  static constexpr int stages = of_n == 8 ? 3 : 4;
  static constexpr int rows = block_m + block_n;  ///< of a stage: a's, then b's
  static constexpr int stage_bytes = rows * row_bytes;
  static constexpr int copies = rows * chunks / threads;  ///< of 16 bytes, by each thread

  /// What `thread` copies in its `i`th turn: eight neighbours fetch one row's 128 bytes.
  static GPUVET_HD constexpr Place copied(int thread, int i) {
    return {thread / chunks + i * (threads / chunks), thread % chunks};
  }

  /// Byte within a stage. Chunks are permuted within their row, so that the eight rows that
  /// ldmatrix reads at a time (or, of fp64, the four rows of a half warp's loads) lie in different
  /// banks.
  static GPUVET_HD constexpr int offset(Place p) {
    const int chunk = doubles ? p.chunk ^ ((p.row & 3) * 2) : p.chunk ^ (p.row & 7);
    return p.row * row_bytes + chunk * chunk_bytes;
  }

  /// Whether the `i`th turn copies rows of a; else of b.
  static GPUVET_HD constexpr bool copies_a(int i) { return i * (threads / chunks) < block_m; }

  /// First row and column of a warp's results in its block.
  static GPUVET_HD constexpr int warp_row(int warp) { return warp % warps_m * warp_m; }
  static GPUVET_HD constexpr int warp_column(int warp) { return warp / warps_m * warp_n; }

  /// What a lane points ldmatrix.x4 at for unit `i` of a: registers 0 and 1 become rows 0-7 and
  /// 8-15 of the step's first chunk, 2 and 3 those of its second.
  static GPUVET_HD constexpr Place a_place(int warp, int i, int step, int lane) {
    return {warp_row(warp) + i * unit_m + lane % 16, step * 2 + lane / 16};
  }
  /// For units `j` and `j` + 1 of b: registers 0 and 1 are both chunks of the first.
  static GPUVET_HD constexpr Place b_place(int warp, int j, int step, int lane) {
    return {block_m + warp_column(warp) + j * unit_n + lane % 8 + lane / 16 * 8,
            step * 2 + lane / 8 % 2};
  }

  /// The number of 8 bytes that a lane loads for half `half` of unit `i` of a, or for unit `j` of
  /// b; its byte within that chunk.
  static GPUVET_HD constexpr Place wide_a_place(int warp, int i, int half, int step, int lane) {
    return {warp_row(warp) + i * unit_m + half * 8 + lane / 4, step * 2 + lane % 4 / 2};
  }
  static GPUVET_HD constexpr Place wide_b_place(int warp, int j, int step, int lane) {
    return {block_m + warp_column(warp) + j * unit_n + lane / 4, step * 2 + lane % 4 / 2};
  }
  static GPUVET_HD constexpr int wide_byte(int lane) { return lane % 2 * 8; }

  /// Where result `reg` of a lane's unit belongs in the block: 0 and 1 are neighbours in a row, 2
  /// and 3 eight rows further down.
  static GPUVET_HD constexpr int result_row(int warp, int i, int lane, int reg) {
    return warp_row(warp) + i * unit_m + lane / 4 + reg / 2 * 8;
  }
  static GPUVET_HD constexpr int result_column(int warp, int j, int lane, int reg) {
    return warp_column(warp) + j * unit_n + lane % 4 * 2 + reg % 2;
  }

  static GPUVET_HD constexpr std::int64_t tiles(std::int64_t count, int size) {
    return (count + size - 1) / size;
  }

  /// Which tile a block computes: columns of `grouped` tiles each, so that blocks that run at the
  /// same time share rows of a and b in the second-level cache.
  static GPUVET_HD constexpr Tile tile_of(std::int64_t block, std::int64_t tiles_m,
                                          std::int64_t tiles_n) {
    constexpr std::int64_t grouped = 8;
    const std::int64_t group = block / (grouped * tiles_n);
    const std::int64_t first = group * grouped;
    const std::int64_t height = tiles_m - first < grouped ? tiles_m - first : grouped;
    const std::int64_t within = block - group * grouped * tiles_n;
    return {first + within % height, within / height};
  }
};

}  // namespace gpuvet::device::cuda
