// SPDX-License-Identifier: Apache-2.0
#include "device/cuda/sweep.cuh"

namespace gpuvet::device::cuda {
namespace {

using Counter = unsigned long long;

constexpr int any_kind = -1;

/// The pattern's word; `Kind` known to the compiler leaves one branch of many.
template <int Kind>
__device__ std::uint64_t word(Pattern pattern, std::uint64_t index) {
  if constexpr (Kind != any_kind) pattern.kind = static_cast<PatternKind>(Kind);
  return pattern.word(index);
}

template <int Kind, int Words>
__device__ Pack<Words> pack_of(Pattern pattern, std::uint64_t pack) {
  Pack<Words> out;
#pragma unroll
  for (int w = 0; w < Words; ++w) out.word[w] = word<Kind>(pattern, pack * Words + w);
  return out;
}

/// Keeps a mismatch where there is room. Not inlined: it is rare, and its registers would be taken
/// from the loads under way.
__device__ __noinline__ void keep(Findings* out, const std::uint64_t* at, std::uint64_t expected,
                                  std::uint64_t found) {
  if (*static_cast<volatile std::uint64_t*>(&out->taken) >= CheckResult::kept) return;
  const auto place = atomicAdd(reinterpret_cast<Counter*>(&out->taken), Counter{1});
  if (place >= CheckResult::kept) return;
  auto& kept = out->kept[place];
  kept.address = reinterpret_cast<std::uint64_t>(at);
  kept.expected = expected;
  kept.found = found;
  kept.again = *static_cast<const volatile std::uint64_t*>(at);
}

/// What one thread found.
struct Tally {
  std::uint64_t wrong = 0, bits = 0;

  template <int Words>
  __device__ void add(Findings* out, const Pack<Words>* at, Pack<Words> expected,
                      Pack<Words> found) {
#pragma unroll
    for (int w = 0; w < Words; ++w) {
      const auto differ = expected.word[w] ^ found.word[w];
      if (differ == 0) continue;
      ++wrong;
      bits |= differ;
      keep(out, at->word + w, expected.word[w], found.word[w]);
    }
  }
  __device__ void report(Findings* out) const {
    if (wrong == 0) return;
    atomicAdd(reinterpret_cast<Counter*>(&out->wrong), Counter{wrong});
    atomicOr(reinterpret_cast<Counter*>(&out->bits), Counter{bits});
  }
};

template <int Kind, int Words>
__global__ void __launch_bounds__(block_threads)
    fill_kernel(Pack<Words>* to, std::uint64_t packs, Pattern pattern) {
  sweep(
      packs, false, [=](std::uint64_t i) { return pack_of<Kind, Words>(pattern, i); },
      [=](std::uint64_t i, Pack<Words> value) { store(to + i, value); });
}

template <int Kind, int Words>
__global__ void __launch_bounds__(block_threads)
    check_kernel(const Pack<Words>* of, std::uint64_t packs, Pattern pattern, Findings* out) {
  Tally tally;
  sweep(
      packs, false, [=](std::uint64_t i) { return load(of + i); },
      [&](std::uint64_t i, Pack<Words> found) {
        tally.add(out, of + i, pack_of<Kind, Words>(pattern, i), found);
      });
  tally.report(out);
}

/// `Kind` is that of both patterns.
template <int Kind, int Words>
__global__ void __launch_bounds__(block_threads)
    exchange_kernel(Pack<Words>* of, std::uint64_t packs, Pattern expected, Pattern next,
                    bool backwards, Findings* out) {
  Tally tally;
  sweep(
      packs, backwards, [=](std::uint64_t i) { return load(of + i); },
      [&](std::uint64_t i, Pack<Words> found) {
        tally.add(out, of + i, pack_of<Kind, Words>(expected, i), found);
        store(of + i, pack_of<Kind, Words>(next, i));
      });
  tally.report(out);
}

__global__ void reread_kernel(Findings* out) {
  const auto i = threadIdx.x;
  if (i >= out->taken || i >= CheckResult::kept) return;
  auto& kept = out->kept[i];
  kept.again = *reinterpret_cast<const volatile std::uint64_t*>(kept.address);
}

template <int Kind>
struct KindOf {
  static constexpr int value = Kind;
};

/// f(width, KindOf<k>) for the pattern's kind; a kernel for all kinds where single words are moved.
template <int Words, class F>
int with_kind(PatternKind kind, F f) {
  if constexpr (Words == 1) {
    return f(Width<1>{}, KindOf<any_kind>{});
  } else {
    constexpr Width<Words> width;
    switch (kind) {
      case PatternKind::constant:
        return f(width, KindOf<static_cast<int>(PatternKind::constant)>{});
      case PatternKind::walking:
        return f(width, KindOf<static_cast<int>(PatternKind::walking)>{});
      case PatternKind::address:
        return f(width, KindOf<static_cast<int>(PatternKind::address)>{});
      case PatternKind::random:
        return f(width, KindOf<static_cast<int>(PatternKind::random)>{});
      case PatternKind::modulo20:
        return f(width, KindOf<static_cast<int>(PatternKind::modulo20)>{});
      case PatternKind::checkerboard:
        return f(width, KindOf<static_cast<int>(PatternKind::checkerboard)>{});
    }
    return f(width, KindOf<any_kind>{});
  }
}

Pattern from(Pattern pattern, std::uint64_t first) {
  pattern.first += first;
  return pattern;
}

template <int Words>
Pack<Words>* packs_at(std::uint64_t address, std::uint64_t first_word = 0) {
  return reinterpret_cast<Pack<Words>*>(address + 8 * first_word);
}

}  // namespace

int fill(Launch on, std::uint64_t to, std::uint64_t words, Pattern pattern) {
  return each_width(to, words, [&](auto width, std::uint64_t first, std::uint64_t count) {
    return with_kind<decltype(width)::value>(pattern.kind, [&](auto w, auto kind) {
      return launch(on, blocks_for(on, count),
                    fill_kernel<decltype(kind)::value, decltype(w)::value>,
                    packs_at<decltype(w)::value>(to, first), count, from(pattern, first));
    });
  });
}

int check(Launch on, std::uint64_t of, std::uint64_t words, Pattern pattern, Findings* out) {
  const int status =
      each_width(of, words, [&](auto width, std::uint64_t first, std::uint64_t count) {
        return with_kind<decltype(width)::value>(pattern.kind, [&](auto w, auto kind) {
          return launch(on, blocks_for(on, count),
                        check_kernel<decltype(kind)::value, decltype(w)::value>,
                        packs_at<decltype(w)::value>(of, first), count, from(pattern, first), out);
        });
      });
  static_assert(CheckResult::kept <= block_threads);
  return status != 0 ? status : launch(on, 1, reread_kernel, out);
}

int exchange(Launch on, std::uint64_t of, std::uint64_t words, Pattern expected, Pattern next,
             Order order, Findings* out) {
  const auto of_kind = [&](auto width, auto kind, std::uint64_t first, std::uint64_t count) {
    constexpr int w = decltype(width)::value, k = decltype(kind)::value;
    return launch(on, blocks_for(on, count), exchange_kernel<k, w>, packs_at<w>(of, first), count,
                  from(expected, first), from(next, first), order == Order::descending, out);
  };
  return each_width(of, words, [&](auto width, std::uint64_t first, std::uint64_t count) {
    if (expected.kind != next.kind) return of_kind(width, KindOf<any_kind>{}, first, count);
    return with_kind<decltype(width)::value>(
        expected.kind, [&](auto w, auto kind) { return of_kind(w, kind, first, count); });
  });
}

}  // namespace gpuvet::device::cuda
