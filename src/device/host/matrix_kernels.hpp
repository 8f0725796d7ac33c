// SPDX-License-Identifier: Apache-2.0
// The inner loops of matrix products and of their check, once for each kind of vector unit. The
// files that fill these tables are compiled for that unit alone and so include nothing whose code
// could be shared with others.
#pragma once

#include <cstdint>

namespace gpuvet::device::host {

/// Sums over a row: with either vector, and of its squares.
struct Dots {
  double first = 0, second = 0, square = 0;
};

struct MatrixKernels {
  const char* name;
  int rows;                           ///< of a tile
  int float_columns, double_columns;  ///< of a tile
  /// c += aᵀ b: `depth` steps of a's `rows` and b's columns, both packed; `stride` is c's.
  void (*floats)(std::int64_t depth, const float* a, const float* b, float* c, std::int64_t stride);
  void (*doubles)(std::int64_t depth, const double* a, const double* b, double* c,
                  std::int64_t stride);
  /// first += x row, second += y row, and returns the sum of the row's squares.
  double (*add_scaled)(const double* row, double x, double y, std::int64_t count, double* first,
                       double* second);
  Dots (*dots)(const double* row, const double* first, const double* second, std::int64_t count);
};

extern const MatrixKernels plain_kernels, avx2_kernels, avx512_kernels;

/// The best that this processor can run.
const MatrixKernels& matrix_kernels();

}  // namespace gpuvet::device::host
