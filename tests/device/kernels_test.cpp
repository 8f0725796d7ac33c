// SPDX-License-Identifier: Apache-2.0
// The GPU's memory kernels, run thread by thread on the host: every word is reached once, nothing
// beside the range is, findings are right. Needs neither nvcc nor a GPU.
#include <gtest/gtest.h>

#include <memory>
#include <vector>

#include "device/memory.hpp"

// Another name than the real ones have, which may be in the same program.
#define cuda emulated
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wshadow"
#pragma GCC diagnostic ignored "-Wignored-qualifiers"
#include "device/cuda/access.cuh"
#define __noinline__ __attribute__((noinline))
#include "device/cuda/pattern_kernels.cu"
#include "device/cuda/stream_kernels.cu"
#undef __noinline__
#pragma GCC diagnostic pop
#undef cuda

namespace gpuvet::device::emulated {
namespace {

constexpr std::uint64_t guard_word = 0x5eed5eed5eed5eedU;

/// Words between guards, at an address that is a multiple of 16 (or of 8 alone).
class Memory {
 public:
  explicit Memory(std::uint64_t words, bool aligned = true)
      : all_(words + 10, guard_word), words_{words} {
    first_ = 4;
    if ((address() % 16 == 0) != aligned) ++first_;
  }
  [[nodiscard]] std::uint64_t address() { return reinterpret_cast<std::uint64_t>(&all_[first_]); }
  std::uint64_t& operator[](std::uint64_t i) { return all_[first_ + i]; }
  [[nodiscard]] std::uint64_t words() const { return words_; }
  [[nodiscard]] bool guards_intact() const {
    for (std::uint64_t i = 0; i < all_.size(); ++i)
      if ((i < first_ || i >= first_ + words_) && all_[i] != guard_word) return false;
    return true;
  }

 private:
  std::vector<std::uint64_t> all_;
  std::uint64_t first_ = 0, words_;
};

/// With one multiprocessor blocks take several tiles of the largest size.
constexpr Launch on{nullptr, 1};
constexpr std::uint64_t tile = std::uint64_t{2} * block_threads * loads;

struct Case {
  std::uint64_t words;
  bool aligned;
};
class Kernels : public testing::TestWithParam<Case> {};

std::vector<Pattern> patterns() {
  std::vector<Pattern> out;
  for (const auto kind : {PatternKind::constant, PatternKind::walking, PatternKind::address,
                          PatternKind::random, PatternKind::modulo20, PatternKind::checkerboard})
    for (const bool inverted : {false, true})
      out.push_back({kind, 0x0123456789abcdefU, 7'000'000'001U, inverted});
  return out;
}

TEST_P(Kernels, FillCheckAndExchangeReachEveryWord) {
  const auto [words, aligned] = GetParam();
  Memory memory(words, aligned);
  for (const auto& pattern : patterns()) {
    ASSERT_EQ(fill(on, memory.address(), words, pattern), 0);
    for (std::uint64_t i = 0; i < words; ++i) ASSERT_EQ(memory[i], pattern.word(i)) << i;
    auto clean = std::make_unique<Findings>();
    ASSERT_EQ(check(on, memory.address(), words, pattern, clean.get()), 0);
    EXPECT_EQ(clean->wrong, 0U);
    auto next = pattern;
    next.inverted = !next.inverted;
    for (const std::uint64_t at : {std::uint64_t{0}, words / 2, words - 1}) {
      auto found = std::make_unique<Findings>(), exchanged = std::make_unique<Findings>();
      memory[at] ^= 0x10U;
      ASSERT_EQ(check(on, memory.address(), words, pattern, found.get()), 0);
      ASSERT_EQ(found->wrong, 1U);
      EXPECT_EQ(found->bits, 0x10U);
      ASSERT_EQ(found->taken, 1U);
      EXPECT_EQ(found->kept[0].address, memory.address() + 8 * at);
      EXPECT_EQ(found->kept[0].expected, pattern.word(at));
      EXPECT_EQ(found->kept[0].found, pattern.word(at) ^ 0x10U);
      EXPECT_EQ(found->kept[0].again, found->kept[0].found);
      const auto order = at == 0 ? Order::descending : Order::ascending;
      ASSERT_EQ(exchange(on, memory.address(), words, pattern, next, order, exchanged.get()), 0);
      EXPECT_EQ(exchanged->wrong, 1U);
      for (std::uint64_t i = 0; i < words; ++i) ASSERT_EQ(memory[i], next.word(i)) << i;
      ASSERT_EQ(fill(on, memory.address(), words, pattern), 0);
    }
  }
  EXPECT_TRUE(memory.guards_intact());
}

TEST_P(Kernels, ExchangeBetweenPatternsOfTwoKinds) {
  const auto [words, aligned] = GetParam();
  Memory memory(words, aligned);
  const Pattern before{PatternKind::address, 0, 5}, after{PatternKind::random, 9, 5};
  auto found = std::make_unique<Findings>();
  ASSERT_EQ(fill(on, memory.address(), words, before), 0);
  ASSERT_EQ(exchange(on, memory.address(), words, before, after, Order::descending, found.get()),
            0);
  EXPECT_EQ(found->wrong, 0U);
  for (std::uint64_t i = 0; i < words; ++i) ASSERT_EQ(memory[i], after.word(i)) << i;
}

TEST_P(Kernels, CountsBeyondWhatIsKept) {
  const auto [words, aligned] = GetParam();
  Memory memory(words, aligned);
  auto found = std::make_unique<Findings>();
  ASSERT_EQ(fill(on, memory.address(), words, {PatternKind::constant, 1}), 0);
  ASSERT_EQ(check(on, memory.address(), words, {PatternKind::constant, 2}, found.get()), 0);
  EXPECT_EQ(found->wrong, words);
  EXPECT_EQ(found->bits, 3U);
  EXPECT_GE(found->taken, std::min<std::uint64_t>(words, CheckResult::kept));
}

TEST_P(Kernels, CopiesComparesAndAdds) {
  const auto [words, aligned] = GetParam();
  Memory a(words, aligned), b(words);
  ASSERT_EQ(fill(on, b.address(), words, {PatternKind::random, 4}), 0);
  ASSERT_EQ(copy(on, a.address(), b.address(), words), 0);
  auto same = std::make_unique<Findings>(), differ = std::make_unique<Findings>();
  ASSERT_EQ(compare(on, a.address(), b.address(), words, same.get()), 0);
  EXPECT_EQ(same->wrong, 0U);
  a[0] ^= 1U;
  if (words > 1) a[words - 1] ^= 1U;
  ASSERT_EQ(compare(on, a.address(), b.address(), words, differ.get()), 0);
  EXPECT_EQ(differ->wrong, words > 1 ? 2U : 1U);
  const auto floats = [](Memory& memory) { return reinterpret_cast<float*>(memory.address()); };
  for (std::uint64_t i = 0; i < 2 * words; ++i)
    floats(a)[i] = floats(b)[i] = static_cast<float>(i % 1000);
  ASSERT_EQ(add(on, a.address(), b.address(), words), 0);
  for (std::uint64_t i = 0; i < 2 * words; ++i)
    ASSERT_EQ(floats(a)[i], 2 * static_cast<float>(i % 1000));
  EXPECT_TRUE(a.guards_intact());
  EXPECT_TRUE(b.guards_intact());
}

TEST_P(Kernels, PassesComputeWhatStreamDefines) {
  const auto [words, aligned] = GetParam();
  Memory a(words), b(words), c(words, aligned);
  const auto doubles = [](Memory& memory) { return reinterpret_cast<double*>(memory.address()); };
  for (std::uint64_t i = 0; i < words; ++i) {
    doubles(b)[i] = static_cast<double>(i);
    doubles(c)[i] = static_cast<double>(i % 17);
  }
  const auto run = [&](StreamKernel kernel) {
    ASSERT_EQ(pass(on, kernel, a.address(), b.address(), c.address(), words), 0);
  };
  run(StreamKernel::copy);
  for (std::uint64_t i = 0; i < words; ++i) ASSERT_EQ(doubles(a)[i], doubles(b)[i]);
  run(StreamKernel::triad);
  run(StreamKernel::read);
  ASSERT_EQ(hammer(on, a.address(), words, 2), 0);
  for (std::uint64_t i = 0; i < words; ++i)
    ASSERT_EQ(doubles(a)[i], doubles(b)[i] + 3 * doubles(c)[i]);
  run(StreamKernel::write);
  for (std::uint64_t i = 0; i < words; ++i) ASSERT_EQ(doubles(a)[i], 1.5);
  for (auto* memory : {&a, &b, &c}) EXPECT_TRUE(memory->guards_intact());
}

INSTANTIATE_TEST_SUITE_P(Sizes, Kernels,
                         testing::Values(Case{1, true}, Case{2, true}, Case{257, true},
                                         Case{tile, true}, Case{tile + 3, true},
                                         Case{tile + 3, false},
                                         // more tiles than there are blocks
                                         Case{130 * tile + 5, true}));

}  // namespace
}  // namespace gpuvet::device::emulated
