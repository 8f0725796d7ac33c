// SPDX-License-Identifier: Apache-2.0
// Compiled once for each instruction set; GPUVET_SIMD names the table.
#include "device/host/simd/kernels.hpp"

#include <hwy/cache_control.h>
#include <hwy/highway.h>

namespace gpuvet::device::host::simd {
namespace {

namespace hn = hwy::HWY_NAMESPACE;

constexpr hn::ScalableTag<std::uint64_t> u64;
constexpr hn::ScalableTag<double> f64;
constexpr hn::ScalableTag<float> f32;
using U = hn::Vec<decltype(u64)>;
constexpr std::uint64_t lanes = hn::MaxLanes(u64);
/// Vectors of one block. They are looked at together: one branch, and as many loads in flight.
constexpr std::uint64_t vectors = Kernels::block / lanes;

// As memory.hpp numbers the kinds.
constexpr std::uint32_t constant = 0, walking = 1, address = 2, random = 3, modulo20 = 4;

HWY_INLINE U mix(U x) {
  x = hn::Xor(x, hn::ShiftRight<30>(x)) * hn::Set(u64, 0xbf58476d1ce4e5b9U);
  x = hn::Xor(x, hn::ShiftRight<27>(x)) * hn::Set(u64, 0x94d049bb133111ebU);
  return hn::Xor(x, hn::ShiftRight<31>(x));
}

HWY_INLINE std::uint64_t mix(std::uint64_t x) {
  x = (x ^ (x >> 30U)) * 0xbf58476d1ce4e5b9U;
  x = (x ^ (x >> 27U)) * 0x94d049bb133111ebU;
  return x ^ (x >> 31U);
}

/// The words of a pattern, a vector at a time from any multiple of `lanes` on. Kind is known when
/// compiled, so that each loop holds one kind's arithmetic alone.
template <std::uint32_t Kind>
class Generator {
 public:
  HWY_INLINE Generator(Words words) : words_{words} {}

  /// The next at() is that of `index`.
  HWY_INLINE void seek(std::uint64_t index) {
    const auto i = words_.first + index;
    if constexpr (Kind == random) {
      constexpr std::uint64_t step = 0x9e3779b97f4a7c15U;
      state_ = hn::Iota(u64, 0) * hn::Set(u64, step) + hn::Set(u64, i * step + mix(words_.value));
      step_ = hn::Set(u64, lanes * step);
    } else if constexpr (Kind == modulo20) {
      // Distance to the last word of ones: below 20, so that it is found without dividing.
      state_ = hn::Iota(u64, 0) + hn::Set(u64, (i % 20 + 20 - words_.value % 20) % 20);
      state_ = wrapped(state_);
      step_ = hn::Set(u64, lanes);
    } else if constexpr (Kind == walking) {
      state_ = hn::Iota(u64, i + words_.value);
      step_ = hn::Set(u64, lanes);
    } else {
      state_ = hn::Iota(u64, i);
      step_ = hn::Set(u64, lanes);
    }
  }

  HWY_INLINE U next() {
    U out;
    if constexpr (Kind == constant) {
      out = hn::Set(u64, words_.value);
    } else if constexpr (Kind == walking) {
      out = hn::Shl(hn::Set(u64, 1), hn::And(state_, hn::Set(u64, 63)));
    } else if constexpr (Kind == address) {
      out = state_;
    } else if constexpr (Kind == random) {
      out = mix(state_);
    } else if constexpr (Kind == modulo20) {
      out = hn::VecFromMask(u64, hn::Eq(state_, hn::Zero(u64)));
    } else {
      const auto odd = hn::Eq(hn::And(state_, hn::Set(u64, 1)), hn::Set(u64, 1));
      out =
          hn::IfThenElse(odd, hn::Set(u64, 0x5555555555555555U), hn::Set(u64, 0xaaaaaaaaaaaaaaaaU));
    }
    state_ = state_ + step_;
    if constexpr (Kind == modulo20) state_ = wrapped(state_);
    return hn::Xor(out, hn::Set(u64, words_.invert));
  }

 private:
  /// Below 40 -> below 20.
  static HWY_INLINE U wrapped(U x) {
    const auto twenty = hn::Set(u64, 20);
    const auto beyond = hn::Gt(x, hn::Set(u64, 19));
    return hn::Sub(x, hn::IfThenElseZero(beyond, twenty));
  }

  Words words_;
  U state_ = hn::Zero(u64), step_ = hn::Zero(u64);
};

/// work(Generator) with the kind's own.
template <class Work>
HWY_INLINE void of_kind(Words words, Work work) {
  switch (words.kind) {
    case constant:
      return work(Generator<constant>(words));
    case walking:
      return work(Generator<walking>(words));
    case address:
      return work(Generator<address>(words));
    case random:
      return work(Generator<random>(words));
    case modulo20:
      return work(Generator<modulo20>(words));
    default:
      return work(Generator<5>(words));
  }
}

/// What lies this far ahead is on its way when the loop comes to it.
constexpr std::uint64_t ahead = 256;  // words
HWY_INLINE void fetch(const std::uint64_t* at) {
  for (std::uint64_t i = 0; i < Kernels::block; i += 8) __builtin_prefetch(at + ahead + i, 0, 3);
}

void fill(std::uint64_t* to, Words words, std::uint64_t first, std::uint64_t last) {
  of_kind(words, [=](auto generator) {
    generator.seek(first);
    for (auto i = first; i < last; i += lanes) hn::Stream(generator.next(), u64, to + i);
  });
  hwy::FlushStream();
}

/// Tells of a block at `index` what was read: it may be another when it is read again.
HWY_NOINLINE void tell(const U* found, std::uint64_t index, Report report) {
  alignas(64) std::uint64_t words[Kernels::block];
  for (std::uint64_t v = 0; v < vectors; ++v) hn::Store(found[v], u64, words + v * lanes);
  report.wrong(report.whom, index, words, Kernels::block);
}

void check(const std::uint64_t* of, Words words, std::uint64_t first, std::uint64_t last,
           Report report) {
  of_kind(words, [=](auto generator) {
    generator.seek(first);
    for (auto i = first; i < last; i += Kernels::block) {
      U found[vectors];
      U differs = hn::Zero(u64);
      fetch(of + i);
      for (std::uint64_t v = 0; v < vectors; ++v) {
        found[v] = hn::Load(u64, of + i + v * lanes);
        differs = hn::Or(differs, hn::Xor(found[v], generator.next()));
      }
      if (HWY_UNLIKELY(!hn::AllTrue(u64, hn::Eq(differs, hn::Zero(u64))))) tell(found, i, report);
    }
  });
}

void exchange(std::uint64_t* of, Words expected, Words next, bool descending, std::uint64_t first,
              std::uint64_t last, Report report) {
  of_kind(expected, [=](auto due) {
    auto fresh = decltype(due)(next);
    const auto step = [&](std::uint64_t i) {
      U found[vectors];
      U differs = hn::Zero(u64);
      for (std::uint64_t v = 0; v < vectors; ++v) {
        found[v] = hn::Load(u64, of + i + v * lanes);
        differs = hn::Or(differs, hn::Xor(found[v], due.next()));
      }
      if (HWY_UNLIKELY(!hn::AllTrue(u64, hn::Eq(differs, hn::Zero(u64))))) tell(found, i, report);
      for (std::uint64_t v = 0; v < vectors; ++v) hn::Store(fresh.next(), u64, of + i + v * lanes);
    };
    if (!descending) {
      due.seek(first);
      fresh.seek(first);
      for (auto i = first; i < last; i += Kernels::block) {
        fetch(of + i);
        step(i);
      }
      return;
    }
    for (auto i = last; i > first;) {
      i -= Kernels::block;
      due.seek(i);
      fresh.seek(i);
      step(i);
    }
  });
}

std::uint64_t read(const std::uint64_t* of, std::uint64_t first, std::uint64_t last) {
  U sums[vectors];
  for (auto& sum : sums) sum = hn::Zero(u64);
  for (auto i = first; i < last; i += Kernels::block) {
    fetch(of + i);
    for (std::uint64_t v = 0; v < vectors; ++v)
      sums[v] = hn::Xor(sums[v], hn::Load(u64, of + i + v * lanes));
  }
  U sum = hn::Zero(u64);
  for (const auto& one : sums) sum = hn::Xor(sum, one);
  alignas(64) std::uint64_t words[lanes];
  hn::Store(sum, u64, words);
  std::uint64_t out = 0;
  for (const auto word : words) out ^= word;
  return out;
}

void write(double* to, double value, std::uint64_t first, std::uint64_t last) {
  const auto values = hn::Set(f64, value);
  for (auto i = first; i < last; i += lanes) hn::Stream(values, f64, to + i);
  hwy::FlushStream();
}

void copy(std::uint64_t* to, const std::uint64_t* from, std::uint64_t first, std::uint64_t last) {
  for (auto i = first; i < last; i += Kernels::block) {
    U values[vectors];
    fetch(from + i);
    for (std::uint64_t v = 0; v < vectors; ++v) values[v] = hn::LoadU(u64, from + i + v * lanes);
    for (std::uint64_t v = 0; v < vectors; ++v) hn::Stream(values[v], u64, to + i + v * lanes);
  }
  hwy::FlushStream();
}

void triad(double* to, const double* b, const double* c, double factor, std::uint64_t first,
           std::uint64_t last) {
  const auto factors = hn::Set(f64, factor);
  for (auto i = first; i < last; i += Kernels::block) {
    fetch(reinterpret_cast<const std::uint64_t*>(b + i));
    fetch(reinterpret_cast<const std::uint64_t*>(c + i));
    for (std::uint64_t v = 0; v < vectors; ++v) {
      const auto at = i + v * lanes;
      hn::Stream(hn::MulAdd(factors, hn::LoadU(f64, c + at), hn::LoadU(f64, b + at)), f64, to + at);
    }
  }
  hwy::FlushStream();
}

void add(float* to, const float* from, std::uint64_t first, std::uint64_t last) {
  for (auto i = first; i < last; i += 2 * lanes)
    hn::Store(hn::Add(hn::Load(f32, to + i), hn::LoadU(f32, from + i)), f32, to + i);
}

std::uint64_t differing(const std::uint64_t* a, const std::uint64_t* b, std::uint64_t first,
                        std::uint64_t last) {
  std::uint64_t out = 0;
  for (auto i = first; i < last; i += lanes)
    out += lanes - hn::CountTrue(u64, hn::Eq(hn::Load(u64, a + i), hn::LoadU(u64, b + i)));
  return out;
}

void forget(const void* at) { hwy::FlushCacheline(at); }

}  // namespace

extern const Kernels GPUVET_SIMD;
const Kernels GPUVET_SIMD = {hwy::TargetName(HWY_TARGET),
                             fill,
                             check,
                             exchange,
                             read,
                             write,
                             copy,
                             triad,
                             add,
                             differing,
                             forget};

}  // namespace gpuvet::device::host::simd
