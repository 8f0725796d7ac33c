// SPDX-License-Identifier: Apache-2.0
// Matrix work as plain launches: addresses of the device, a CUDA stream, an error code. Included by
// .cu files, so without the Result of the rest.
#pragma once

#include <cuda_runtime_api.h>

#include "device/matrix.hpp"

namespace gpuvet::device::cuda {

cudaError_t launch_fill_matrix(void* to, std::uint64_t elements, Precision precision, Values values,
                               std::uint64_t seed, cudaStream_t stream);

/// What a product is made of. Addresses are multiples of 16.
struct Operands {
  const void* a = nullptr;
  const void* b = nullptr;
  void* c = nullptr;
  std::int64_t m = 0, n = 0, k = 0;
};

/// gpuvet's own kernel. cudaErrorNoKernelImageForDevice where own_has() says no.
cudaError_t launch_own(Precision precision, const Operands& operands, cudaStream_t stream);
/// Whether this GPU and the code embedded for it multiply `precision`.
bool own_has(Precision precision);

/// What the device's counters say after a check. All begin with 0.
struct CheckCounters {
  unsigned long long wrong, not_finite;
  unsigned long long first;  ///< the complement of the lowest wrong row
  unsigned long long worst;  ///< the bits of a double that is not negative
};

/// Bytes of scratch memory that a check of this size needs.
std::uint64_t check_scratch(const Operands& operands);
/// Freivalds' check; `counters` lies on the device.
cudaError_t launch_check(Precision precision, bool exact, const Operands& operands,
                         std::uint64_t seed, void* scratch, CheckCounters* counters,
                         cudaStream_t stream);

}  // namespace gpuvet::device::cuda
