// SPDX-License-Identifier: Apache-2.0
// The storage probe on this machine's own folder, with fio, with a program in its place, and
// without.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <optional>

#include "core/text.hpp"
#include "device/host/host.hpp"
#include "probe/stored_file.hpp"
#include "probe/testing.hpp"

namespace gpuvet::probe {

Result<void> storage(Context&);

namespace {

using testing::Bench;

/// Whether reads past the page cache work where the tests run.
bool direct_reads() {
  auto file = platform::ScratchFile::create(".");
  return file && file->write(
                     4096, 4096, [](auto, auto) {}, [] { return false; });
}

TEST(Storage, ReadsWithItsOwnReaderWhereFioIsAbsent) {
  if (!direct_reads()) GTEST_SKIP();
  Bench bench(6);
  bench.context.folder = std::filesystem::current_path().string();
  ASSERT_TRUE(storage(bench.context));
  const auto* read = bench.find("storage.read.sequential", "gpuvet");
  ASSERT_NE(read, nullptr);
  EXPECT_GT(*read->number(), 0);
  EXPECT_EQ(std::get<double>(read->where.at("bytes")), 1048576);
  EXPECT_EQ(std::get<std::string>(read->where.at("direct")), "yes");
  ASSERT_NE(bench.find("storage.read.random", "gpuvet"), nullptr);
  EXPECT_EQ(*bench.find("storage.read.wrong", "gpuvet")->number(), 0);
  const auto* fio = bench.find("storage.read.sequential", "fio");
  ASSERT_NE(fio, nullptr);
  EXPECT_EQ(fio->get(), nullptr);
  EXPECT_TRUE(contains(fio->detail, "not installed"));
  EXPECT_TRUE(contains(bench.find("storage.read.gds")->detail, "no GPU"));
  EXPECT_TRUE(contains(bench.find("storage.read.bounce")->detail, "no GPU"));
}

TEST(Storage, FiosOutputIsKeptAndIngested) {
  if (!direct_reads()) GTEST_SKIP();
  Bench bench(6);
  bench.context.folder = std::filesystem::current_path().string();
  bench.tools["fio"] = bench.program("fio", R"(case "$*" in *io_uring*) echo no >&2; exit 1;; esac
echo '{ "fio version" : "fio-9", "jobs" : [ { "jobname" : "gpuvet", "error" : 0,'
echo ' "job options" : { "rw" : "read", "bs" : "1048576", "iodepth" : "32", "direct" : "1" },'
echo ' "read" : { "io_bytes" : 4096, "bw_bytes" : 12345, "iops" : 7.5, "total_ios" : 1 } } ] }'
)");
  ASSERT_TRUE(storage(bench.context));
  const auto* read = bench.find("storage.read.sequential", "fio");
  ASSERT_NE(read, nullptr);
  ASSERT_NE(read->number(), nullptr) << read->detail;
  EXPECT_EQ(*read->number(), 12345);
  EXPECT_EQ(read->provenance->tool, "fio");
  EXPECT_EQ(read->provenance->custody, Custody::own);
  EXPECT_EQ(read->provenance->source, "fio_sequential.json");
  EXPECT_TRUE(read->where.contains("filesystem"));
  EXPECT_EQ(bench.find("storage.read.sequential", "gpuvet"), nullptr);  // fio came first
  EXPECT_TRUE(contains(bench.kept["fio_random.json"], "fio-9"));
}

TEST(Storage, AFailingFioIsNamedAndDoneWithout) {
  if (!direct_reads()) GTEST_SKIP();
  Bench bench(6);
  bench.context.folder = std::filesystem::current_path().string();
  bench.tools["fio"] = bench.program("fio", "echo 'fio: engine not loadable' >&2\nexit 1\n");
  ASSERT_TRUE(storage(bench.context));
  const auto* fio = bench.find("storage.read.random", "fio");
  ASSERT_NE(fio, nullptr);
  EXPECT_TRUE(contains(fio->detail, "engine not loadable"));
  ASSERT_NE(bench.find("storage.read.random", "gpuvet"), nullptr);
}

TEST(Storage, MemoryIsNoDrive) {
  const auto space = platform::folder_space("/dev/shm");
  if (!space || !space->in_memory) GTEST_SKIP();
  Bench bench(6);
  bench.context.folder = "/dev/shm";
  ASSERT_TRUE(storage(bench.context));
  for (const char* id : {"storage.read.sequential", "storage.read.random", "storage.read.wrong",
                         "storage.read.gds", "storage.read.bounce"}) {
    const auto* o = bench.find(id);
    ASSERT_NE(o, nullptr) << id;
    EXPECT_EQ(o->get(), nullptr);
    EXPECT_TRUE(contains(o->detail, "tmpfs")) << o->detail;
  }
}

TEST(Storage, ThisMachinesDrivesAreNotASimulatedServers) {
  Bench bench(3, device::Backend::sim);
  bench.context.folder = std::filesystem::current_path().string();
  EXPECT_EQ(storage(bench.context).error().code, Errc::not_supported);
  EXPECT_TRUE(bench.evidence.observations.empty());
}

TEST(Storage, WithoutAFolderNothingIsWritten) {
  Bench bench(6);
  ASSERT_TRUE(storage(bench.context));
  EXPECT_TRUE(contains(bench.find("storage.read.random")->detail, "no folder"));
}

TEST(Storage, ATenthOfTheFileSystemStaysFree) {
  constexpr std::uint64_t gib = std::uint64_t{1} << 30;
  platform::FolderSpace space{100 * gib, 50 * gib, "ext4", false, false};
  EXPECT_EQ(*stored_size(space, 2 * gib), 2 * gib);
  EXPECT_EQ(*stored_size(space, 200 * gib), 40 * gib);
  space.free = 10 * gib;
  EXPECT_EQ(stored_size(space, 2 * gib).error().code, Errc::too_large);
  space.free = 10 * gib + (std::uint64_t{32} << 20);
  EXPECT_EQ(stored_size(space, 2 * gib).error().code, Errc::too_large);
  space.free = 10 * gib + (std::uint64_t{64} << 20);
  EXPECT_EQ(*stored_size(space, 2 * gib), std::uint64_t{64} << 20);
  space.in_memory = true;
  EXPECT_EQ(stored_size(space, 2 * gib).error().code, Errc::not_supported);
}

/// A file of 64 MiB to read.
class Stored : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!direct_reads()) GTEST_SKIP();
    bench_.context.folder = std::filesystem::current_path().string();
    auto stored = store(bench_.context, std::uint64_t{64} << 20, 60);
    ASSERT_TRUE(stored) << stored.error().message();
    stored_.emplace(std::move(*stored));
  }
  void spoil(std::uint64_t at) const {
    const int descriptor = ::open(stored_->file.path().c_str(), O_WRONLY);
    ASSERT_GE(descriptor, 0);
    ASSERT_EQ(::pwrite(descriptor, "x", 1, static_cast<off_t>(at)), 1);
    ::fsync(descriptor);
    ::close(descriptor);
  }
  Bench bench_{60};
  std::optional<StoredFile> stored_;
};

TEST_F(Stored, EveryWordIsTheSeeds) {
  std::vector<std::byte> seen(8192);
  const device::Pattern due{device::PatternKind::random, 1, 512, false};  // page 1
  for (std::size_t i = 0; i < 1024; ++i) {
    const auto word = due.word(i);
    std::memcpy(seen.data() + 8 * i, &word, 8);
  }
  EXPECT_TRUE(stored_->holds(4096, seen));
  EXPECT_TRUE(stored_->stamped(4096, seen));
  EXPECT_FALSE(stored_->holds(0, seen));
  EXPECT_FALSE(stored_->stamped(8192, seen));  // a block from elsewhere
  seen[100] ^= std::byte{1};
  EXPECT_FALSE(stored_->holds(4096, seen));
  EXPECT_TRUE(stored_->stamped(4096, seen));
}

TEST_F(Stored, TheBouncePathMovesAndChecksTheFile) {
  device::HostDevice device(testing::host_properties(), {-1}, std::uint64_t{256} << 20);
  ASSERT_TRUE(read_by_bounce(bench_.context, *stored_, device, 0.3));
  const auto* read = bench_.find("storage.read.bounce");
  ASSERT_NE(read, nullptr);
  EXPECT_GT(*read->number(), 0);
  EXPECT_EQ(bench_.find("storage.read.wrong"), nullptr);
}

TEST_F(Stored, TheBouncePathTellsWrongWords) {
  for (std::uint64_t block = 0; block < 64; ++block) spoil(block * large_block + 12345);
  device::HostDevice device(testing::host_properties(), {-1}, std::uint64_t{256} << 20);
  ASSERT_TRUE(read_by_bounce(bench_.context, *stored_, device, 0.3));
  ASSERT_NE(bench_.find("storage.read.wrong"), nullptr);
  EXPECT_EQ(*bench_.find("storage.read.wrong")->number(), 16);  // a word in each slot
}

}  // namespace
}  // namespace gpuvet::probe
