// SPDX-License-Identifier: Apache-2.0
// Vector kernels against the plain ones, for every instruction set that this processor has.
#include "device/host/simd/kernels.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <vector>

#include "device/host/memory_kernels.hpp"
#include "device/host/plain_kernels.hpp"

namespace gpuvet::device::host {
namespace {

constexpr std::uint64_t spare = 16;

/// Words whose first one lies `offset` words behind the beginning of a cache line.
class Words {
 public:
  Words(std::uint64_t count, std::uint64_t offset) : memory_(count + offset + 2 * spare, 0xabcd) {
    const auto at = reinterpret_cast<std::uintptr_t>(memory_.data());
    begin_ = (64 - at % 64) % 64 / 8 + offset;
  }
  std::uint64_t* data() { return memory_.data() + begin_; }
  /// Nothing but the words themselves was written.
  [[nodiscard]] bool beside_untouched(std::uint64_t count) const {
    for (std::uint64_t i = 0; i < memory_.size(); ++i)
      if ((i < begin_ || i >= begin_ + count) && memory_[i] != 0xabcd) return false;
    return true;
  }

 private:
  std::vector<std::uint64_t> memory_;
  std::uint64_t begin_;
};

Pattern any_pattern(std::mt19937_64& dice) {
  return {static_cast<PatternKind>(dice() % 6), dice() % 3 == 0 ? dice() % 30 : dice(),
          dice() % 2 == 0 ? dice() % 1000 : dice() >> 8U, dice() % 2 == 0};
}

std::vector<std::tuple<std::uint64_t, std::uint64_t, std::uint64_t, std::uint64_t>> sorted(
    const CheckResult& result) {
  std::vector<std::tuple<std::uint64_t, std::uint64_t, std::uint64_t, std::uint64_t>> out;
  for (const auto& m : result.mismatches) out.emplace_back(m.address, m.expected, m.found, m.again);
  std::sort(out.begin(), out.end());
  return out;
}

void expect_same(const CheckResult& a, const CheckResult& b) {
  EXPECT_EQ(a.words, b.words);
  EXPECT_EQ(a.wrong, b.wrong);
  EXPECT_EQ(a.bits, b.bits);
  EXPECT_EQ(sorted(a), sorted(b));
}

TEST(VectorKernels, EqualThePlainOnes) {
  std::mt19937_64 dice(1);
  for (int round = 0; round < 2000; ++round) {
    const std::uint64_t count = dice() % 700, first = count == 0 ? 0 : dice() % count;
    Words fast(count, dice() % 8), slow(count, dice() % 8);
    const auto pattern = any_pattern(dice);
    fill(fast.data(), pattern, first, count);
    plain::fill(slow.data(), pattern, first, count);
    ASSERT_TRUE(std::equal(fast.data() + first, fast.data() + count, slow.data() + first))
        << "kind " << static_cast<int>(pattern.kind) << " round " << round;
    ASSERT_TRUE(fast.beside_untouched(count));

    for (std::uint64_t i = dice() % 5; i > 0 && count > first; --i)
      fast.data()[first + dice() % (count - first)] ^= std::uint64_t{1} << dice() % 64;
    CheckResult with, without;
    check(fast.data(), pattern, first, count, with);
    plain::check(fast.data(), pattern, first, count, without);
    expect_same(with, without);

    std::copy(fast.data(), fast.data() + count, slow.data());
    auto next = any_pattern(dice);
    if (dice() % 4 != 0) next.kind = pattern.kind;
    const auto order = dice() % 2 == 0 ? Order::ascending : Order::descending;
    CheckResult exchanged, slowly;
    exchange(fast.data(), pattern, next, order, first, count, exchanged);
    plain::exchange(slow.data(), pattern, next, order, first, count, slowly);
    EXPECT_EQ(exchanged.wrong, slowly.wrong);
    EXPECT_EQ(exchanged.wrong, with.wrong);
    EXPECT_EQ(exchanged.words, slowly.words);
    EXPECT_EQ(exchanged.bits, slowly.bits);
    ASSERT_TRUE(std::equal(fast.data(), fast.data() + count, slow.data()));
    ASSERT_TRUE(fast.beside_untouched(count));
    ASSERT_FALSE(testing::Test::HasFailure()) << "round " << round;
  }
}

TEST(VectorKernels, CopyAddAndCompare) {
  std::mt19937_64 dice(2);
  for (int round = 0; round < 500; ++round) {
    const std::uint64_t count = dice() % 500, first = count == 0 ? 0 : dice() % count / 8 * 8;
    Words a(count, dice() % 8), b(count, dice() % 8), c(count, dice() % 8);
    plain::fill(b.data(), {PatternKind::random, dice()}, 0, count);
    copy(a.data(), b.data(), first, count);
    ASSERT_TRUE(std::equal(a.data() + first, a.data() + count, b.data() + first));
    ASSERT_TRUE(a.beside_untouched(count));
    for (std::uint64_t i = dice() % 9; i > 0 && count > first; --i)
      a.data()[first + dice() % (count - first)] = dice();
    EXPECT_EQ(differing(a.data(), b.data(), first, count),
              plain::differing(a.data(), b.data(), first, count));
    std::vector<float> sums(2 * count + 2), summands(2 * count + 2), due;
    for (auto* list : {&sums, &summands})
      for (auto& x : *list) x = static_cast<float>(dice() % 1000);
    due = sums;
    add(sums.data(), summands.data(), 2 * first, 2 * count);
    plain::add(due.data(), summands.data(), 2 * first, 2 * count);
    EXPECT_EQ(sums, due);
    ASSERT_FALSE(testing::Test::HasFailure()) << "round " << round;
  }
}

/// Which of the tables best() takes depends on the machine; the others must be as right.
TEST(VectorKernels, AllInstructionSetsAgree) {
  const auto found = simd::all();
  ASSERT_GE(found.count, 1);
  EXPECT_EQ(found.kernels[found.count - 1], &simd::best());
  std::mt19937_64 dice(3);
  for (int round = 0; round < 300; ++round) {
    const std::uint64_t count = 32 * (1 + dice() % 20);
    const auto pattern = any_pattern(dice);
    const simd::Words words{static_cast<std::uint32_t>(pattern.kind), pattern.value, pattern.first,
                            pattern.inverted ? ~std::uint64_t{0} : 0};
    for (int i = 0; i < found.count; ++i) {
      const auto& kernels = *found.kernels[i];
      Words memory(count, 0), other(count, 0);
      kernels.fill(memory.data(), words, 0, count);
      for (std::uint64_t w = 0; w < count; ++w)
        ASSERT_EQ(memory.data()[w], pattern.word(w))
            << kernels.name << " kind " << words.kind << " word " << w;
      const auto struck = dice() % count;
      memory.data()[struck] ^= 1;
      std::uint64_t seen = 0;
      const simd::Report report{[](void* whom, std::uint64_t, const std::uint64_t*, std::uint64_t) {
                                  ++*static_cast<std::uint64_t*>(whom);
                                },
                                &seen};
      kernels.check(memory.data(), words, 0, count, report);
      EXPECT_EQ(seen, 1U) << kernels.name;
      auto next = words;
      next.value += 1;
      next.invert = ~next.invert;
      kernels.exchange(memory.data(), words, next, round % 2 == 0, 0, count, report);
      EXPECT_EQ(seen, 2U) << kernels.name;
      kernels.check(memory.data(), next, 0, count, report);
      EXPECT_EQ(seen, 2U) << kernels.name;
      kernels.copy(other.data(), memory.data(), 0, count);
      EXPECT_EQ(kernels.differing(other.data(), memory.data(), 0, count), 0U) << kernels.name;
      std::uint64_t sum = 0;
      for (std::uint64_t w = 0; w < count; ++w) sum ^= memory.data()[w];
      EXPECT_EQ(kernels.read(memory.data(), 0, count), sum) << kernels.name;
    }
  }
}

}  // namespace
}  // namespace gpuvet::device::host
