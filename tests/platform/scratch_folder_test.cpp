// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "platform/self.hpp"
#include "platform/terminal.hpp"

namespace gpuvet::platform {
namespace {

namespace fs = std::filesystem;

class Scratch : public testing::Test {
 protected:
  Scratch() {
    base_ = fs::path(testing::TempDir()) / "gpuvet-scratch-test";
    fs::remove_all(base_);
    fs::create_directories(base_);
    set_environment("TMPDIR", base_.string());
  }
  ~Scratch() override {
    ::unsetenv("TMPDIR");  // NOLINT(concurrency-mt-unsafe): there is one thread
    fs::remove_all(base_);
  }
  fs::path folder(const std::string& name, std::chrono::hours age) {
    const auto path = base_ / name;
    fs::create_directories(path);
    std::ofstream(path / "file") << "x";
    fs::last_write_time(path, fs::file_time_type::clock::now() - age);
    return path;
  }
  fs::path base_;
};

TEST_F(Scratch, GoesWithAllThatIsInIt) {
  std::string path;
  {
    const auto made = ScratchFolder::make();
    ASSERT_TRUE(made);
    path = made->path();
    std::ofstream(path + "/file") << "x";
  }
  EXPECT_FALSE(fs::exists(path));
}

TEST_F(Scratch, WhatAKilledOneLeftIsRemovedAndNothingElse) {
  const auto left = folder("gpuvet-aaaaaa", std::chrono::hours(1));
  const auto fresh = folder("gpuvet-bbbbbb", std::chrono::hours(0));
  const auto other = folder("gpuvet-longer-name", std::chrono::hours(1));
  const auto used = ScratchFolder::make();  // removes `left`
  ASSERT_TRUE(used);
  EXPECT_FALSE(fs::exists(left));
  fs::last_write_time(used->path(), fs::file_time_type::clock::now() - std::chrono::hours(1));
  const auto again = ScratchFolder::make();
  EXPECT_TRUE(fs::exists(used->path()));
  EXPECT_TRUE(fs::exists(fresh));
  EXPECT_TRUE(fs::exists(other));
}

}  // namespace
}  // namespace gpuvet::platform
