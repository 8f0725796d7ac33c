// SPDX-License-Identifier: Apache-2.0
// The file that vanishes, and reads past the page cache by both ways.
#include "platform/direct_reader.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <cstring>
#include <filesystem>
#include <mutex>
#include <optional>
#include <set>

#include "platform/scratch_file.hpp"

namespace gpuvet::platform {
namespace {

constexpr std::size_t block = 65536;
constexpr std::uint64_t blocks = 64;

void fill(std::uint64_t offset, std::span<std::byte> to) {
  for (std::size_t i = 0; i < to.size(); i += 8) {
    const std::uint64_t word = (offset + i) * 0x9e3779b97f4a7c15U;
    std::memcpy(to.data() + i, &word, 8);
  }
}

bool holds(std::uint64_t offset, std::span<const std::byte> seen) {
  std::vector<std::byte> due(seen.size());
  fill(offset, due);
  return std::memcmp(due.data(), seen.data(), due.size()) == 0;
}

class DirectReader : public ::testing::TestWithParam<bool> {
 protected:
  void SetUp() override {
    folder_ = std::filesystem::current_path().string();
    auto file = ScratchFile::create(folder_);
    ASSERT_TRUE(file) << file.error().message();
    file_.emplace(std::move(*file));
    const auto written = file_->write(blocks * block, block, fill, [] { return false; });
    if (!written && written.error().code == Errc::not_supported) GTEST_SKIP();
    ASSERT_TRUE(written) << written.error().message();
    EXPECT_EQ(*written, blocks * block);
  }
  [[nodiscard]] ReadJob job() const {
    ReadJob out;
    out.path = file_->path();
    out.bytes = blocks * block;
    out.block = block;
    out.depth = 8;
    out.seconds = 60;
    out.threads = GetParam();
    out.visit = [](unsigned, std::uint64_t offset, auto seen) { return holds(offset, seen); };
    return out;
  }
  std::string folder_;
  std::optional<ScratchFile> file_;
};
INSTANTIATE_TEST_SUITE_P(Ways, DirectReader, ::testing::Bool());

TEST_P(DirectReader, ReadsEveryBlockOnceInTurn) {
  auto wanted = job();
  wanted.most = blocks;
  std::mutex mutex;
  std::multiset<std::uint64_t> seen;
  wanted.visit = [&](unsigned slot, std::uint64_t offset, auto bytes) {
    EXPECT_LT(slot, 8U);
    const std::lock_guard lock(mutex);
    seen.insert(offset);
    return holds(offset, bytes);
  };
  const auto run = read_directly(wanted);
  ASSERT_TRUE(run) << run.error().message();
  EXPECT_EQ(run->reads, blocks);
  EXPECT_EQ(run->wrong, 0U);
  EXPECT_EQ(run->latencies.size(), blocks);
  EXPECT_GT(run->seconds, 0);
  EXPECT_EQ(seen.size(), blocks);
  for (std::uint64_t i = 0; i < blocks; ++i) EXPECT_EQ(seen.count(i * block), 1U) << i;
  EXPECT_TRUE(!GetParam() || run->engine == "pread") << run->engine;
}

TEST_P(DirectReader, RandomPlacesAreTheSeedsAndReachTheWholeFile) {
  const auto places = [&](std::uint64_t seed) {
    auto wanted = job();
    wanted.random = true;
    wanted.seed = seed;
    wanted.most = 20 * blocks;
    std::mutex mutex;
    std::multiset<std::uint64_t> seen;
    wanted.visit = [&](unsigned, std::uint64_t offset, auto bytes) {
      const std::lock_guard lock(mutex);
      seen.insert(offset);
      return holds(offset, bytes);
    };
    const auto run = read_directly(wanted);
    EXPECT_TRUE(run && run->wrong == 0);
    return seen;
  };
  const auto first = places(1);
  EXPECT_EQ(first, places(1));
  EXPECT_NE(first, places(2));
  EXPECT_EQ(std::set(first.begin(), first.end()).size(), blocks);
}

TEST_P(DirectReader, SaysWhichBlockIsWrong) {
  // Another page in the middle of block 5.
  std::string wrong(4096, 'x');
  const int descriptor = ::open(file_->path().c_str(), O_WRONLY);
  ASSERT_GE(descriptor, 0);
  ASSERT_EQ(::pwrite(descriptor, wrong.data(), wrong.size(), 5 * block + 8192), 4096);
  ::fsync(descriptor);
  ::close(descriptor);
  auto wanted = job();
  wanted.most = blocks;
  const auto run = read_directly(wanted);
  ASSERT_TRUE(run);
  EXPECT_EQ(run->wrong, 1U);
  EXPECT_EQ(run->first_wrong, 5 * block);
}

TEST_P(DirectReader, EndsInTimeAndWhenAsked) {
  auto wanted = job();
  wanted.seconds = 0.02;
  const auto timed = read_directly(wanted);
  ASSERT_TRUE(timed);
  EXPECT_GT(timed->reads, 0U);
  wanted.seconds = 3600;
  std::atomic<int> asked = 0;
  wanted.cancelled = [&] { return ++asked > 10; };
  EXPECT_TRUE(read_directly(wanted));
}

TEST_P(DirectReader, AFileThatEndsTooSoonIsAnError) {
  auto wanted = job();
  wanted.bytes = 4 * blocks * block;
  const auto run = read_directly(wanted);
  ASSERT_FALSE(run);
  EXPECT_NE(run.error().what.find("short"), std::string::npos);
}

TEST_P(DirectReader, LeavesNoFileBehind) {
  for (const auto& entry : std::filesystem::directory_iterator(folder_))
    EXPECT_EQ(entry.path().filename().string().find(".gpuvet-"), std::string::npos);
}

TEST(DirectReader, AsksForWholeBlocks) {
  ReadJob job;
  job.path = "/dev/null";
  EXPECT_EQ(read_directly(job).error().code, Errc::usage);  // no bytes
  job.bytes = 4096;
  job.block = 512;
  EXPECT_EQ(read_directly(job).error().code, Errc::usage);
  job.block = 4096;
  job.path = "/nonexistent/file";
  EXPECT_EQ(read_directly(job).error().code, Errc::not_found);
}

TEST(ScratchFile, SaysWhatLiesBehindAFolder) {
  const auto here = folder_space(".");
  ASSERT_TRUE(here);
  EXPECT_GT(here->total, 0U);
  EXPECT_LE(here->free, here->total);
  EXPECT_FALSE(here->filesystem.empty());
  EXPECT_EQ(folder_space("/nonexistent").error().code, Errc::not_found);
  if (const auto memory = folder_space("/dev/shm"); memory && memory->filesystem == "tmpfs") {
    EXPECT_TRUE(memory->in_memory);
  }
  EXPECT_FALSE(ScratchFile::create("/nonexistent"));
}

TEST(ScratchFile, WritingStopsWhenAsked) {
  auto file = ScratchFile::create(".");
  ASSERT_TRUE(file);
  int pieces = 0;
  const auto written = file->write(100 * block, block, fill, [&] { return ++pieces > 3; });
  if (!written && written.error().code == Errc::not_supported) GTEST_SKIP();
  ASSERT_TRUE(written) << written.error().message();
  EXPECT_EQ(*written, 3 * block);
}

}  // namespace
}  // namespace gpuvet::platform
