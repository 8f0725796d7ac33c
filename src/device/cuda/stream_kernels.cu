// SPDX-License-Identifier: Apache-2.0
#include "device/cuda/sweep.cuh"

namespace gpuvet::device::cuda {
namespace {

template <class T>
__device__ T as(std::uint64_t word) {
  T out;
  memcpy(&out, &word, sizeof out);
  return out;
}
template <class T>
__device__ std::uint64_t bits(T value) {
  std::uint64_t out;
  memcpy(&out, &value, sizeof out);
  return out;
}

template <int Words>
__global__ void __launch_bounds__(block_threads)
    read_kernel(const Pack<Words>* a, std::uint64_t packs, std::uint64_t impossible) {
  std::uint64_t mixed = 0;
  sweep(
      packs, false, [=](std::uint64_t i) { return load(a + i); },
      [&](std::uint64_t, Pack<Words> value) {
#pragma unroll
        for (int w = 0; w < Words; ++w) mixed |= value.word[w] & 1U;
      });
  // `mixed` is 0 or 1; who calls passes neither. The compiler cannot know that.
  if (mixed == impossible) const_cast<Pack<Words>*>(a)->word[0] = mixed;
}

template <int Words>
__global__ void __launch_bounds__(block_threads) write_kernel(Pack<Words>* a, std::uint64_t packs) {
  Pack<Words> value;
  for (auto& w : value.word) w = bits(1.5);
  sweep(
      packs, false, [=](std::uint64_t) { return value; },
      [=](std::uint64_t i, Pack<Words> v) { store(a + i, v); });
}

template <int Words>
__global__ void __launch_bounds__(block_threads)
    copy_kernel(Pack<Words>* to, const Pack<Words>* from, std::uint64_t packs) {
  sweep(
      packs, false, [=](std::uint64_t i) { return load(from + i); },
      [=](std::uint64_t i, Pack<Words> value) { store(to + i, value); });
}

template <int Words>
struct Two {
  Pack<Words> first, second;
};

template <int Words>
__global__ void __launch_bounds__(block_threads)
    triad_kernel(Pack<Words>* a, const Pack<Words>* b, const Pack<Words>* c, std::uint64_t packs) {
  sweep(
      packs, false,
      [=](std::uint64_t i) {
        return Two<Words>{load(b + i), load(c + i)};
      },
      [=](std::uint64_t i, Two<Words> of) {
        Pack<Words> out;
#pragma unroll
        for (int w = 0; w < Words; ++w)
          out.word[w] = bits(as<double>(of.first.word[w]) + 3 * as<double>(of.second.word[w]));
        store(a + i, out);
      });
}

template <int Words>
__global__ void __launch_bounds__(block_threads)
    add_kernel(Pack<Words>* to, const Pack<Words>* from, std::uint64_t packs) {
  sweep(
      packs, false,
      [=](std::uint64_t i) {
        return Two<Words>{load(to + i), load(from + i)};
      },
      [=](std::uint64_t i, Two<Words> of) {
        Pack<Words> out;
#pragma unroll
        for (int w = 0; w < Words; ++w) {
          auto sum = as<float2>(of.first.word[w]);
          const auto more = as<float2>(of.second.word[w]);
          sum.x += more.x;
          sum.y += more.y;
          out.word[w] = bits(sum);
        }
        store(to + i, out);
      });
}

template <int Words>
__global__ void __launch_bounds__(block_threads)
    compare_kernel(const Pack<Words>* a, const Pack<Words>* b, std::uint64_t packs, Findings* out) {
  std::uint64_t wrong = 0;
  sweep(
      packs, false,
      [=](std::uint64_t i) {
        return Two<Words>{load(a + i), load(b + i)};
      },
      [&](std::uint64_t, Two<Words> of) {
#pragma unroll
        for (int w = 0; w < Words; ++w) wrong += of.first.word[w] != of.second.word[w] ? 1U : 0U;
      });
  if (wrong != 0)
    atomicAdd(reinterpret_cast<unsigned long long*>(&out->wrong), (unsigned long long)wrong);
}

/// One access to every 256 bytes: many openings of rows for few bytes moved.
__global__ void __launch_bounds__(block_threads)
    hammer_kernel(const std::uint64_t* of, std::uint64_t words, int times,
                  std::uint64_t impossible) {
  constexpr std::uint64_t step = 32;  // words
  const std::uint64_t all = (words + step - 1) / step;
  const std::uint64_t threads = std::uint64_t{gridDim.x} * block_threads;
  std::uint64_t mixed = 0;
  for (int t = 0; t < times; ++t) {
#pragma unroll 8
    for (std::uint64_t i = std::uint64_t{blockIdx.x} * block_threads + threadIdx.x; i < all;
         i += threads)
      mixed |= *static_cast<const volatile std::uint64_t*>(of + i * step) & 1U;
  }
  if (mixed == impossible) const_cast<std::uint64_t*>(of)[0] = mixed;
}

constexpr std::uint64_t neither_0_nor_1 = 2;

template <int Words>
auto* at(std::uint64_t address, std::uint64_t first_word = 0) {
  return reinterpret_cast<Pack<Words>*>(address + 8 * first_word);
}

}  // namespace

int pass(Launch on, StreamKernel kernel, std::uint64_t a, std::uint64_t b, std::uint64_t c,
         std::uint64_t words) {
  const auto used = kernel == StreamKernel::triad  ? a | b | c
                    : kernel == StreamKernel::copy ? a | b
                                                   : a;
  return each_width(used, words, [&](auto width, std::uint64_t first, std::uint64_t count) {
    constexpr int w = decltype(width)::value;
    const auto blocks = blocks_for(on, count);
    switch (kernel) {
      case StreamKernel::read:
        return launch(on, blocks, read_kernel<w>, at<w>(a, first), count, neither_0_nor_1);
      case StreamKernel::write:
        return launch(on, blocks, write_kernel<w>, at<w>(a, first), count);
      case StreamKernel::copy:
        return launch(on, blocks, copy_kernel<w>, at<w>(a, first), at<w>(b, first), count);
      case StreamKernel::triad:
        break;
    }
    return launch(on, blocks, triad_kernel<w>, at<w>(a, first), at<w>(b, first), at<w>(c, first),
                  count);
  });
}

int copy(Launch on, std::uint64_t to, std::uint64_t from, std::uint64_t words) {
  return each_width(to | from, words, [&](auto width, std::uint64_t first, std::uint64_t count) {
    constexpr int w = decltype(width)::value;
    return launch(on, blocks_for(on, count), copy_kernel<w>, at<w>(to, first), at<w>(from, first),
                  count);
  });
}

int add(Launch on, std::uint64_t to, std::uint64_t from, std::uint64_t words) {
  return each_width(to | from, words, [&](auto width, std::uint64_t first, std::uint64_t count) {
    constexpr int w = decltype(width)::value;
    return launch(on, blocks_for(on, count), add_kernel<w>, at<w>(to, first), at<w>(from, first),
                  count);
  });
}

int compare(Launch on, std::uint64_t a, std::uint64_t b, std::uint64_t words, Findings* out) {
  return each_width(a | b, words, [&](auto width, std::uint64_t first, std::uint64_t count) {
    constexpr int w = decltype(width)::value;
    return launch(on, blocks_for(on, count), compare_kernel<w>, at<w>(a, first), at<w>(b, first),
                  count, out);
  });
}

int hammer(Launch on, std::uint64_t of, std::uint64_t words, int times) {
  return launch(on, 8U * static_cast<unsigned>(on.processors), hammer_kernel,
                reinterpret_cast<const std::uint64_t*>(of), words, times, neither_0_nor_1);
}

}  // namespace gpuvet::device::cuda
