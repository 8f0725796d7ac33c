// SPDX-License-Identifier: Apache-2.0
// Rows of matrices in the host's own numbers, and back.
#pragma once

#include <cstddef>
#include <cstdint>

#include "device/matrix.hpp"

namespace gpuvet::device::host {

/// Nearest, ties to even. Beyond the largest number lies infinity; what is no number stays none.
std::uint16_t bf16_of(float x);
std::uint16_t fp16_of(float x);
/// e4m3 has no infinity: beyond 448, rounded, there is no number.
std::uint8_t fp8_of(float x);

/// `count` elements of a or b from `from` on. Exact but for fp64 in floats.
void widen(Precision precision, const std::byte* from, std::int64_t count, float* to);
void widen(Precision precision, const std::byte* from, std::int64_t count, double* to);
/// `count` elements of c.
void widen_result(Precision precision, const std::byte* from, std::int64_t count, double* to);
/// Sums in fp32 become elements of c; not for fp64 and int8, whose sums are c already.
void narrow_result(Precision precision, const float* from, std::int64_t count, std::byte* to);

}  // namespace gpuvet::device::host
