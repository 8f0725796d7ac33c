// SPDX-License-Identifier: Apache-2.0
#include <cuda_runtime.h>

#include "device/cuda/matrix.hpp"
#include "device/matrix_values.hpp"

namespace gpuvet::device::cuda {
namespace {

constexpr int threads = 256;

/// 8 bytes a thread and turn: one fp64, eight of fp8. A matrix has a multiple of 256 elements, so
/// no word is cut.
__global__ void __launch_bounds__(threads)
    fill_words(std::uint64_t* to, std::uint64_t words, Precision precision, Values values,
               std::uint64_t key, unsigned bytes) {
  const std::uint64_t step = static_cast<std::uint64_t>(gridDim.x) * threads;
  const unsigned in_word = 8 / bytes;
  for (std::uint64_t w = blockIdx.x * static_cast<std::uint64_t>(threads) + threadIdx.x; w < words;
       w += step) {
    std::uint64_t word = 0;
    for (unsigned i = 0; i < in_word; ++i)
      word |= element_bits(precision, values, key, w * in_word + i) << (i * bytes * 8);
    to[w] = word;
  }
}

}  // namespace

cudaError_t launch_fill_matrix(void* to, std::uint64_t elements, Precision precision, Values values,
                               std::uint64_t seed, cudaStream_t stream) {
  const auto bytes = static_cast<unsigned>(operand_bytes(precision));
  const std::uint64_t words = elements * bytes / 8;
  if (words == 0) return cudaSuccess;
  const std::uint64_t wanted = (words + threads - 1) / threads;
  const auto blocks = static_cast<unsigned>(wanted < 16384 ? wanted : 16384);
  fill_words<<<blocks, threads, 0, stream>>>(static_cast<std::uint64_t*>(to), words, precision,
                                             values, element_key(seed), bytes);
  return cudaGetLastError();
}

}  // namespace gpuvet::device::cuda
