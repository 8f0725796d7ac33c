// SPDX-License-Identifier: Apache-2.0
// What every backend must do alike. A backend's test defines a type with a static devices() and
// instantiates the suite: INSTANTIATE_TYPED_TEST_SUITE_P(Host, DeviceContract, HostBackend).
#pragma once

#include <gtest/gtest.h>

#include <cstring>
#include <vector>

#include "device/device.hpp"

namespace gpuvet::device {

template <class BackendUnderTest>
class DeviceContract : public testing::Test {
 protected:
  void SetUp() override {
    auto found = BackendUnderTest::devices();
    if (!found) GTEST_SKIP() << found.error().message();
    devices_ = std::move(*found);
    ASSERT_FALSE(devices_.empty());
    stream_ = device().stream().value();
  }
  Device& device() { return *devices_.front(); }
  Stream& stream() { return *stream_; }
  void finish() { ASSERT_TRUE(stream().synchronize(60)); }
  Buffer buffer(std::uint64_t bytes) { return device().allocate(bytes).value(); }

  static std::vector<std::uint64_t> words_of(Device& device, Range range) {
    std::vector<std::uint64_t> out(range.bytes / 8);
    EXPECT_TRUE(device.read(range, std::as_writable_bytes(std::span(out))));
    return out;
  }
  void poke(Range range, std::uint64_t index, std::uint64_t word) {
    Range at = range;
    at.address += index * 8;
    at.bytes = 8;
    ASSERT_TRUE(device().write(at, std::as_bytes(std::span(&word, 1))));
  }

 private:
  std::vector<std::unique_ptr<Device>> devices_;
  std::unique_ptr<Stream> stream_;
};

TYPED_TEST_SUITE_P(DeviceContract);

inline constexpr std::uint64_t contract_words = 100'003;  // no multiple of anything

inline std::vector<Pattern> contract_patterns() {
  std::vector<Pattern> out;
  for (const auto kind : {PatternKind::constant, PatternKind::walking, PatternKind::address,
                          PatternKind::random, PatternKind::modulo20, PatternKind::checkerboard})
    for (const bool inverted : {false, true})
      out.push_back({kind, 0x0123456789abcdefU, 7'000'000'000U, inverted});
  return out;
}

TYPED_TEST_P(DeviceContract, FillWritesThePatternsWords) {
  const auto memory = this->buffer(contract_words * 8);
  for (const auto pattern : contract_patterns()) {
    ASSERT_TRUE(this->stream().fill(memory.all(), pattern));
    this->finish();
    const auto words = this->words_of(this->device(), memory.all());
    for (std::uint64_t i = 0; i < words.size(); ++i)
      ASSERT_EQ(words[i], pattern.word(i)) << static_cast<int>(pattern.kind) << " at " << i;
  }
  EXPECT_TRUE(memory.guards_intact().value());
}

TYPED_TEST_P(DeviceContract, CheckFindsEachWrongWordAndNoOther) {
  const auto memory = this->buffer(contract_words * 8);
  for (const auto pattern : contract_patterns()) {
    CheckResult clean, wrong;
    ASSERT_TRUE(this->stream().fill(memory.all(), pattern));
    ASSERT_TRUE(this->stream().check(memory.all(), pattern, clean));
    this->finish();
    EXPECT_EQ(clean.wrong, 0U);
    EXPECT_EQ(clean.words, contract_words);
    for (const std::uint64_t at : {std::uint64_t{0}, std::uint64_t{54'321}, contract_words - 1})
      this->poke(memory.all(), at, pattern.word(at) ^ (std::uint64_t{1} << (at % 64)));
    ASSERT_TRUE(this->stream().check(memory.all(), pattern, wrong));
    this->finish();
    ASSERT_EQ(wrong.wrong, 3U);
    ASSERT_EQ(wrong.mismatches.size(), 3U);
    for (const auto& m : wrong.mismatches) {
      const auto index = (m.address - memory.all().address) / 8;
      EXPECT_EQ(m.expected, pattern.word(index));
      EXPECT_EQ(m.found, pattern.word(index) ^ (std::uint64_t{1} << (index % 64)));
      EXPECT_EQ(m.again, m.found);
    }
  }
}

TYPED_TEST_P(DeviceContract, CheckCountsBeyondWhatItKeeps) {
  const auto memory = this->buffer(contract_words * 8);
  CheckResult out;
  ASSERT_TRUE(this->stream().fill(memory.all(), {PatternKind::constant, 1}));
  ASSERT_TRUE(this->stream().check(memory.all(), {PatternKind::constant, 2}, out));
  this->finish();
  EXPECT_EQ(out.wrong, contract_words);
  EXPECT_EQ(out.bits, 3U);
  EXPECT_EQ(out.mismatches.size(), CheckResult::kept);
}

TYPED_TEST_P(DeviceContract, ExchangeChecksAndWrites) {
  const auto memory = this->buffer(contract_words * 8);
  const Pattern before{PatternKind::random, 5}, after{PatternKind::random, 5, 0, true};
  for (const auto order : {Order::ascending, Order::descending}) {
    CheckResult exchanged, checked;
    ASSERT_TRUE(this->stream().fill(memory.all(), before));
    this->finish();
    this->poke(memory.all(), 99, before.word(99) ^ 4U);
    ASSERT_TRUE(this->stream().exchange(memory.all(), before, after, order, exchanged));
    ASSERT_TRUE(this->stream().check(memory.all(), after, checked));
    this->finish();
    EXPECT_EQ(exchanged.wrong, 1U);
    EXPECT_EQ(exchanged.bits, 4U);
    EXPECT_EQ(checked.wrong, 0U);
  }
  EXPECT_TRUE(memory.guards_intact().value());
}

TYPED_TEST_P(DeviceContract, PassesComputeWhatStreamDefines) {
  const std::uint64_t n = 4099;
  const auto a = this->buffer(n * 8), b = this->buffer(n * 8), c = this->buffer(n * 8);
  std::vector<double> of_b(n), of_c(n), found(n);
  for (std::uint64_t i = 0; i < n; ++i) {
    of_b[i] = static_cast<double>(i);
    of_c[i] = static_cast<double>(i % 17);
  }
  ASSERT_TRUE(this->device().write(b.all(), std::as_bytes(std::span(of_b))));
  ASSERT_TRUE(this->device().write(c.all(), std::as_bytes(std::span(of_c))));
  ASSERT_TRUE(this->stream().pass(StreamKernel::copy, a.all(), b.all(), c.all()));
  this->finish();
  ASSERT_TRUE(this->device().read(a.all(), std::as_writable_bytes(std::span(found))));
  EXPECT_EQ(found, of_b);
  ASSERT_TRUE(this->stream().pass(StreamKernel::triad, a.all(), b.all(), c.all()));
  ASSERT_TRUE(this->stream().pass(StreamKernel::read, a.all(), b.all(), c.all()));
  this->finish();
  ASSERT_TRUE(this->device().read(a.all(), std::as_writable_bytes(std::span(found))));
  for (std::uint64_t i = 0; i < n; ++i) ASSERT_EQ(found[i], of_b[i] + 3 * of_c[i]);
  ASSERT_TRUE(this->stream().pass(StreamKernel::write, a.all(), b.all(), c.all()));
  this->finish();
  ASSERT_TRUE(this->device().read(a.all(), std::as_writable_bytes(std::span(found))));
  for (std::uint64_t i = 1; i < n; ++i) ASSERT_EQ(found[i], found[0]);
  for (const auto* buffer : {&a, &b, &c}) EXPECT_TRUE(buffer->guards_intact().value());
}

TYPED_TEST_P(DeviceContract, CopiesMoveTheBytesByEitherEngine) {
  const auto from = this->buffer(contract_words * 8), to = this->buffer(contract_words * 8);
  for (const auto engine : {Engine::copy_engine, Engine::kernel}) {
    CheckResult out;
    const Pattern pattern{PatternKind::random, static_cast<std::uint64_t>(engine) + 1};
    ASSERT_TRUE(this->stream().fill(from.all(), pattern));
    ASSERT_TRUE(this->stream().copy(to.all(), from.all(), engine));
    ASSERT_TRUE(this->stream().check(to.all(), pattern, out));
    this->finish();
    EXPECT_EQ(out.wrong, 0U);
    EXPECT_EQ(out.words, contract_words);
  }
  EXPECT_TRUE(to.guards_intact().value());
  EXPECT_FALSE(this->stream().copy(to.part(0, 8), from.all(), Engine::kernel));
}

TYPED_TEST_P(DeviceContract, CopiesGoToHostMemoryAndBack) {
  for (const auto placement : {Placement::pinned, Placement::pageable}) {
    const auto there = this->buffer(contract_words * 8);
    const auto here = this->device().allocate(contract_words * 8, placement).value();
    const Pattern pattern{PatternKind::random, 77};
    CheckResult out;
    ASSERT_TRUE(this->stream().fill(there.all(), pattern));
    ASSERT_TRUE(this->stream().copy(here.all(), there.all(), Engine::copy_engine));
    ASSERT_TRUE(this->stream().fill(there.all(), {PatternKind::constant, 0}));
    ASSERT_TRUE(this->stream().copy(there.all(), here.all(), Engine::copy_engine));
    ASSERT_TRUE(this->stream().check(there.all(), pattern, out));
    this->finish();
    EXPECT_EQ(out.wrong, 0U);
    EXPECT_TRUE(here.guards_intact().value());
  }
}

TYPED_TEST_P(DeviceContract, AddsInSinglePrecision) {
  const std::uint64_t n = 10'002;
  const auto to = this->buffer(n * 4), from = this->buffer(n * 4);
  std::vector<float> values(n), found(n);
  for (std::uint64_t i = 0; i < n; ++i) values[i] = static_cast<float>(i);
  ASSERT_TRUE(this->device().write(to.all(), std::as_bytes(std::span(values))));
  ASSERT_TRUE(this->device().write(from.all(), std::as_bytes(std::span(values))));
  ASSERT_TRUE(this->stream().add(to.all(), from.all()));
  this->finish();
  ASSERT_TRUE(this->device().read(to.all(), std::as_writable_bytes(std::span(found))));
  for (std::uint64_t i = 0; i < n; ++i) ASSERT_EQ(found[i], 2 * values[i]);
}

TYPED_TEST_P(DeviceContract, CompareCountsDifferingWords) {
  const auto a = this->buffer(contract_words * 8), b = this->buffer(contract_words * 8);
  std::uint64_t same = 0, different = 0;
  ASSERT_TRUE(this->stream().fill(a.all(), {PatternKind::random, 3}));
  ASSERT_TRUE(this->stream().fill(b.all(), {PatternKind::random, 3}));
  ASSERT_TRUE(this->stream().compare(a.all(), b.all(), same));
  this->finish();
  this->poke(b.all(), 12, 0);
  this->poke(b.all(), contract_words - 1, 0);
  ASSERT_TRUE(this->stream().compare(a.all(), b.all(), different));
  this->finish();
  EXPECT_EQ(same, 0U);
  EXPECT_EQ(different, 2U);
}

TYPED_TEST_P(DeviceContract, EventsTellHowLongWorkTook) {
  const auto memory = this->buffer(std::uint64_t{8} << 20);
  const auto begin = this->stream().record().value();
  for (int i = 0; i < 4; ++i)
    ASSERT_TRUE(this->stream().fill(memory.all(), {PatternKind::random, 1}));
  const auto end = this->stream().record().value();
  this->finish();
  EXPECT_GT(end->since(*begin).value(), 0);
  EXPECT_LT(end->since(*begin).value(), 60);
}

TYPED_TEST_P(DeviceContract, RefusesMoreMemoryThanThereIs) {
  const auto free = this->device().free_memory().value();
  EXPECT_FALSE(this->device().allocate(free + (std::uint64_t{1} << 30)));
  EXPECT_FALSE(this->device().allocate(12));
  const auto some = this->device().allocate(std::uint64_t{16} << 20);
  ASSERT_TRUE(some);
  EXPECT_LE(this->device().free_memory().value(), free);
}

REGISTER_TYPED_TEST_SUITE_P(DeviceContract, FillWritesThePatternsWords,
                            CheckFindsEachWrongWordAndNoOther, CheckCountsBeyondWhatItKeeps,
                            ExchangeChecksAndWrites, PassesComputeWhatStreamDefines,
                            CopiesMoveTheBytesByEitherEngine, CopiesGoToHostMemoryAndBack,
                            AddsInSinglePrecision, CompareCountsDifferingWords,
                            EventsTellHowLongWorkTook, RefusesMoreMemoryThanThereIs);

}  // namespace gpuvet::device
