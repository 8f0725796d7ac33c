// SPDX-License-Identifier: Apache-2.0
// Matrix products: what is multiplied, in which numbers, by whom, and how a result is verified.
#pragma once

#include <cstdint>
#include <string_view>

#include "device/memory.hpp"

namespace gpuvet::device {

/// Of a and b. Results are fp64 for fp64, fp32 for fp32 and tf32, bf16 for bf16 and fp8 (e4m3),
/// fp16 for fp16, and 32-bit integers for int8. Accumulation is in fp32 (fp64; int32).
enum class Precision : std::uint32_t { fp64, fp32, tf32, bf16, fp16, fp8, int8 };
std::string_view name(Precision);
/// Bytes of an element of a and b, and of c.
std::uint64_t operand_bytes(Precision);
std::uint64_t result_bytes(Precision);

enum class MatrixEngine {
  library,  ///< cuBLASLt; OpenBLAS on the host
  own,      ///< gpuvet's kernel, for machines without libraries
};

/// What fill_matrix() writes.
enum class Values : std::uint32_t {
  normal,   ///< of mean 0 and variance 1: what training multiplies, and what draws power
  integers  ///< -1, 0, 1: every product and partial sum is exact in every precision
};

/// c (m × n) = a (m × k) bᵀ (b is n × k), all row-major without padding: the layout that every
/// precision has fast kernels for. m, n and k are multiples of 16.
struct Product {
  Precision precision = Precision::bf16;
  MatrixEngine engine = MatrixEngine::library;
  std::int64_t m = 0, n = 0, k = 0;
  Range a, b, c;
  /// a and b hold Values::integers and k is within exact_limit(): verify() allows no rounding.
  bool exact = false;
};

/// The largest |x| of results that `Values::integers` may reach and be exact: with fp16 results
/// 2048, with bf16 256. k must not exceed it.
std::int64_t exact_limit(Precision);

/// What Freivalds' check said.
struct ProductCheck {
  std::uint64_t rows = 0;        ///< checked
  std::uint64_t wrong = 0;       ///< rows beyond rounding
  std::uint64_t not_finite = 0;  ///< rows with NaN or Inf, counted in `wrong` too
  std::int64_t first = -1;       ///< lowest wrong row; -1: none
  double worst = 0;              ///< largest |c r - a (bᵀ r)| relative to its rounding bound
};

}  // namespace gpuvet::device
