// SPDX-License-Identifier: Apache-2.0
#include "device/host/memory_kernels.hpp"

#include <algorithm>
#include <cstring>

#include "device/host/plain_kernels.hpp"
#include "device/host/simd/kernels.hpp"

namespace gpuvet::device::host {
namespace {

/// The part of [first, last) that vector kernels take: from a cache line's beginning of `at` on,
/// whole blocks. Empty where `at` lies on no word's address of such a line.
struct Middle {
  std::uint64_t first = 0, last = 0;
};
Middle middle(const void* at, std::uint64_t first, std::uint64_t last) {
  constexpr std::uint64_t line = 64, word = 8, block = simd::Kernels::block;
  const auto misplaced = (reinterpret_cast<std::uint64_t>(at) + first * word) % line;
  if (misplaced % word != 0) return {last, last};
  const auto begin = first + (misplaced == 0 ? 0 : (line - misplaced) / word);
  if (begin + block > last) return {last, last};
  return {begin, begin + (last - begin) / block * block};
}

simd::Words words_of(Pattern pattern) {
  return {static_cast<std::uint32_t>(pattern.kind), pattern.value, pattern.first,
          pattern.inverted ? ~std::uint64_t{0} : 0};
}

/// Takes apart the blocks that vector kernels find wrong.
struct Suspect {
  const std::uint64_t* of;
  Pattern expected;
  CheckResult& out;

  static void look(void* whom, std::uint64_t index, const std::uint64_t* found,
                   std::uint64_t count) {
    const auto& self = *static_cast<Suspect*>(whom);
    for (std::uint64_t i = 0; i < count; ++i)
      if (const auto due = self.expected.word(index + i); found[i] != due)
        note(self.of + index + i, due, found[i], self.out);
  }
  [[nodiscard]] simd::Report report() { return {look, this}; }
};

std::uint64_t load(const std::uint64_t* word) {
  return *static_cast<const volatile std::uint64_t*>(word);
}
void use(std::uint64_t value) { asm volatile("" : : "g"(value) : "memory"); }

}  // namespace

void note(const std::uint64_t* word, std::uint64_t expected, std::uint64_t found,
          CheckResult& out) {
  ++out.wrong;
  out.bits |= expected ^ found;
  if (out.mismatches.size() >= CheckResult::kept) return;
  simd::best().forget(word);
  out.mismatches.push_back({reinterpret_cast<std::uint64_t>(word), expected, found, load(word)});
}

void fill(std::uint64_t* to, Pattern pattern, std::uint64_t first, std::uint64_t last) {
  const auto m = middle(to, first, last);
  plain::fill(to, pattern, first, m.first);
  simd::best().fill(to, words_of(pattern), m.first, m.last);
  plain::fill(to, pattern, m.last, last);
}

void check(const std::uint64_t* of, Pattern pattern, std::uint64_t first, std::uint64_t last,
           CheckResult& out) {
  const auto m = middle(of, first, last);
  Suspect suspect{of, pattern, out};
  plain::check(of, pattern, first, m.first, out);
  simd::best().check(of, words_of(pattern), m.first, m.last, suspect.report());
  out.words += m.last - m.first;
  plain::check(of, pattern, m.last, last, out);
}

void exchange(std::uint64_t* of, Pattern expected, Pattern next, Order order, std::uint64_t first,
              std::uint64_t last, CheckResult& out) {
  if (expected.kind != next.kind)
    return plain::exchange(of, expected, next, order, first, last, out);
  const auto m = middle(of, first, last);
  Suspect suspect{of, expected, out};
  const bool down = order == Order::descending;
  const auto ends = [&](std::uint64_t from, std::uint64_t to) {
    plain::exchange(of, expected, next, order, from, to, out);
  };
  if (down)
    ends(m.last, last);
  else
    ends(first, m.first);
  simd::best().exchange(of, words_of(expected), words_of(next), down, m.first, m.last,
                        suspect.report());
  out.words += m.last - m.first;
  if (down)
    ends(first, m.first);
  else
    ends(m.last, last);
}

void hammer(const std::uint64_t* of, std::uint64_t first, std::uint64_t last, int times) {
  // Two rows in turn, two apart: what lies between is disturbed from both sides. Each read must go
  // to the memory, or only the cache is hammered.
  constexpr std::uint64_t row = 1024;  // words
  const auto& kernels = simd::best();
  std::uint64_t sum = 0;
  for (auto i = first; i < last; i += row) {
    const auto* one = of + i;
    const auto* other = i + 2 * row < last ? one + 2 * row : of + first;
    for (int t = 0; t < times; ++t) {
      sum += load(one) + load(other);
      kernels.forget(one);
      kernels.forget(other);
    }
  }
  use(sum);
}

void pass(StreamKernel kernel, double* a, const double* b, const double* c, std::uint64_t first,
          std::uint64_t last) {
  const auto m = middle(a, first, last);
  const auto& kernels = simd::best();
  plain::pass(kernel, a, b, c, first, m.first);
  switch (kernel) {
    case StreamKernel::read:
      use(kernels.read(reinterpret_cast<const std::uint64_t*>(a), m.first, m.last));
      break;
    case StreamKernel::write:
      kernels.write(a, 1.5, m.first, m.last);
      break;
    case StreamKernel::copy:
      kernels.copy(reinterpret_cast<std::uint64_t*>(a), reinterpret_cast<const std::uint64_t*>(b),
                   m.first, m.last);
      break;
    case StreamKernel::triad:
      kernels.triad(a, b, c, 3, m.first, m.last);
      break;
  }
  plain::pass(kernel, a, b, c, m.last, last);
}

void copy(std::uint64_t* to, const std::uint64_t* from, std::uint64_t first, std::uint64_t last) {
  const auto m = middle(to, first, last);
  std::memcpy(to + first, from + first, (m.first - first) * sizeof *to);
  simd::best().copy(to, from, m.first, m.last);
  std::memcpy(to + m.last, from + m.last, (last - m.last) * sizeof *to);
}

void add(float* to, const float* from, std::uint64_t first, std::uint64_t last) {
  const auto m = middle(to, first / 2, last / 2);
  plain::add(to, from, first, 2 * m.first);
  simd::best().add(to, from, 2 * m.first, 2 * m.last);
  plain::add(to, from, 2 * m.last, last);
}

std::uint64_t differing(const std::uint64_t* a, const std::uint64_t* b, std::uint64_t first,
                        std::uint64_t last) {
  const auto m = middle(a, first, last);
  return plain::differing(a, b, first, m.first) + simd::best().differing(a, b, m.first, m.last) +
         plain::differing(a, b, m.last, last);
}

}  // namespace gpuvet::device::host
