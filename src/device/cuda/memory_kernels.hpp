// SPDX-License-Identifier: Apache-2.0
// The kernels of the memory operations. All return the cudaError_t of their launch. Addresses are
// multiples of 8; at multiples of 16 they are fast.
#pragma once

#include <cstdint>

#include "device/cuda/findings.hpp"
#include "device/memory.hpp"

struct CUstream_st;

namespace gpuvet::device::cuda {

struct Launch {
  CUstream_st* stream;
  int processors;  ///< multiprocessors of the device
};

int fill(Launch on, std::uint64_t to, std::uint64_t words, Pattern pattern);
/// Reads what differs once more when the whole range was read: by then a large range has pushed it
/// out of the cache, so that memory itself is asked.
int check(Launch on, std::uint64_t of, std::uint64_t words, Pattern pattern, Findings* out);
int exchange(Launch on, std::uint64_t of, std::uint64_t words, Pattern expected, Pattern next,
             Order order, Findings* out);
int hammer(Launch on, std::uint64_t of, std::uint64_t words, int times);
int pass(Launch on, StreamKernel kernel, std::uint64_t a, std::uint64_t b, std::uint64_t c,
         std::uint64_t words);
int copy(Launch on, std::uint64_t to, std::uint64_t from, std::uint64_t words);
int add(Launch on, std::uint64_t to, std::uint64_t from, std::uint64_t words);
/// Counts in `wrong`.
int compare(Launch on, std::uint64_t a, std::uint64_t b, std::uint64_t words, Findings* out);

}  // namespace gpuvet::device::cuda
