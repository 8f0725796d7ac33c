// SPDX-License-Identifier: Apache-2.0
// The door to files: what is read, what a write leaves behind, where a walk stops.
#include "platform/files.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

namespace gpuvet::platform {
namespace {

namespace fs = std::filesystem;

/// A folder of its own for each test.
class Files : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (fs::temp_directory_path() / "gpuvet-files-XXXXXX").string();
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
  }
  void TearDown() override { fs::remove_all(folder_); }

  [[nodiscard]] std::string at(const std::string& name) const { return (folder_ / name).string(); }

  std::string put(const std::string& name, const std::string& bytes = "x") const {
    fs::create_directories(fs::path(at(name)).parent_path());
    std::ofstream(at(name), std::ios::binary) << bytes;
    return at(name);
  }

  static std::string bytes_of(const std::string& path) {
    std::ifstream in(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }

  /// Names below the folder, as files_below gives them.
  [[nodiscard]] std::vector<std::string> below(int depth) const {
    const auto found = files_below(folder_.string(), depth, 100);
    if (!found) ADD_FAILURE() << found.error().message();
    std::vector<std::string> names;
    for (const auto& path : found.value_or(std::vector<std::string>{}))
      names.push_back(fs::relative(path, folder_).string());
    return names;
  }

  fs::path folder_;
};

using Names = std::vector<std::string>;

TEST_F(Files, AreReadWholeWithEveryByte) {
  std::string bytes(300000, 'x');
  bytes[1] = '\0';
  bytes[2] = '\xff';
  EXPECT_EQ(read_file(put("a", bytes), bytes.size()).value(), bytes);
  EXPECT_EQ(read_file(put("empty", ""), 10).value(), "");
}

TEST_F(Files, BeyondTheLimitAreRefusedByName) {
  const auto refused = read_file(put("big", std::string(1000, 'x')), 999);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Errc::too_large);
  EXPECT_NE(refused.error().message().find("big"), std::string::npos);
}

TEST_F(Files, ThatAreAbsentOrFoldersAreRefused) {
  EXPECT_EQ(read_file(at("absent"), 10).error().code, Errc::not_found);
  EXPECT_EQ(read_file(put("file") + "/below", 10).error().code, Errc::not_found);
  EXPECT_FALSE(read_file(folder_.string(), 10));
}

TEST_F(Files, ThatMayNotBeReadAreRefusedAsSuch) {
  if (::geteuid() == 0) GTEST_SKIP() << "root may read everything";
  fs::permissions(put("secret"), fs::perms::none);
  EXPECT_EQ(read_file(at("secret"), 10).error().code, Errc::permission);
}

TEST_F(Files, OpenAPipeWithoutWaitingForAWriter) {
  ASSERT_EQ(::mkfifo(at("pipe").c_str(), 0600), 0);
  const auto source = open_file(at("pipe"));
  ASSERT_TRUE(source);
  char c = 0;
  EXPECT_EQ((*source)->read(&c, 1).value(), 0U);
}

TEST_F(Files, AreReplacedAsAWhole) {
  put("report", "old and long");
  ASSERT_TRUE(write_file(at("report"), "new"));
  EXPECT_EQ(bytes_of(at("report")), "new");
  EXPECT_EQ(below(0), (Names{"report"})) << "a temporary file was left behind";
}

TEST_F(Files, AreReplacedByAnotherFileSoThatReadersKeepTheOldOne) {
  put("report", "old");
  std::ifstream reader(at("report"));
  ASSERT_TRUE(write_file(at("report"), "new"));
  std::string seen;
  reader >> seen;
  EXPECT_EQ(seen, "old");
}

TEST_F(Files, ThatCannotBeWrittenLeaveNothingBehind) {
  EXPECT_FALSE(write_file(at("absent/report"), "new"));
  fs::create_directory(at("folder"));
  EXPECT_FALSE(write_file(at("folder"), "new"));
  EXPECT_TRUE(fs::is_directory(at("folder")));
  EXPECT_EQ(below(0), Names{});
}

TEST_F(Files, ThatAreNotRegularAreWrittenInPlace) {
  ASSERT_EQ(::mkfifo(at("pipe").c_str(), 0600), 0);
  const int reader = ::open(at("pipe").c_str(), O_RDONLY | O_NONBLOCK);
  ASSERT_GE(reader, 0);
  ASSERT_TRUE(write_file(at("pipe"), "through the pipe"));
  std::array<char, 64> got{};
  EXPECT_EQ(::read(reader, got.data(), got.size()), 16);
  ::close(reader);
  EXPECT_EQ(std::string(got.data()), "through the pipe");
  EXPECT_TRUE(fs::is_fifo(at("pipe"))) << "the pipe was replaced";
  ASSERT_TRUE(write_file("/dev/null", "gone"));
  EXPECT_TRUE(fs::is_character_file("/dev/null"));
}

TEST_F(Files, AreListedSortedAndOnlyAsDeepAsAsked) {
  for (const char* name : {"b", "a", "sub/c", "sub/deeper/d"}) put(name);
  EXPECT_EQ(below(0), (Names{"a", "b"}));
  EXPECT_EQ(below(1), (Names{"a", "b", "sub/c"}));
  EXPECT_EQ(below(2), (Names{"a", "b", "sub/c", "sub/deeper/d"}));
}

TEST_F(Files, BehindLinksAreListedOnlyWhenInside) {
  put("data/real");
  put("outside");
  fs::create_symlink("real", at("data/inward"));
  fs::create_symlink("../outside", at("data/outward"));
  fs::create_symlink("/etc/hostname", at("data/absolute"));
  fs::create_symlink("nowhere", at("data/dangling"));
  fs::create_directory_symlink("..", at("data/up"));
  const auto found = files_below(at("data"), 5, 100);
  ASSERT_TRUE(found) << found.error().message();
  EXPECT_EQ(*found, (Names{at("data/inward"), at("data/real")}));
}

TEST_F(Files, WhoseNamesStartWithTwoDotsAreStillInside) {
  put("data/..real");
  fs::create_symlink("..real", at("data/link"));
  EXPECT_EQ(files_below(at("data"), 5, 100).value(), (Names{at("data/..real"), at("data/link")}));
}

TEST_F(Files, AreNotListedBeyondACount) {
  for (int i = 0; i < 5; ++i) put("f" + std::to_string(i));
  EXPECT_TRUE(files_below(folder_.string(), 1, 5));
  const auto refused = files_below(folder_.string(), 1, 4);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Errc::too_large);
}

TEST_F(Files, OfAnAbsentFolderAreNotFound) {
  EXPECT_EQ(files_below(at("absent"), 1, 5).error().code, Errc::not_found);
}

TEST_F(Files, AreCopiedOverWhatWasThere) {
  put("from", std::string("a\0b", 3));
  put("to", "longer than before");
  EXPECT_EQ(copy_file(at("from"), at("to")).value(), 3U);
  EXPECT_EQ(bytes_of(at("to")), std::string("a\0b", 3));
  EXPECT_FALSE(copy_file(at("absent"), at("to")));
}

TEST_F(Files, HaveFoldersMadeWithTheirParents) {
  ASSERT_TRUE(make_folder(at("a/b/c")));
  EXPECT_TRUE(is_folder(at("a/b/c")));
  EXPECT_TRUE(make_folder(at("a/b/c"))) << "a folder that is there already is fine";
  put("file");
  EXPECT_FALSE(make_folder(at("file/below")));
  EXPECT_FALSE(is_folder(at("file")));
  EXPECT_FALSE(is_folder(at("absent")));
}

}  // namespace
}  // namespace gpuvet::platform
