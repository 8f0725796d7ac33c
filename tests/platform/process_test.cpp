// SPDX-License-Identifier: Apache-2.0
#include "platform/process.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <filesystem>
#include <fstream>

#include "platform/terminal.hpp"

namespace gpuvet::platform {
namespace {

Program shell_free(std::string path, std::vector<std::string> arguments) {
  Program out;
  out.path = std::move(path);
  out.arguments = std::move(arguments);
  return out;
}

TEST(Process, KeepsOutputErrorsAndStatusApart) {
  const auto done = run(shell_free("/bin/sh", {"-c", "echo out; echo err >&2; exit 3"}));
  ASSERT_TRUE(done) << done.error().message();
  EXPECT_EQ(done->output, "out\n");
  EXPECT_EQ(done->errors, "err\n");
  EXPECT_EQ(done->status, 3);
}

TEST(Process, HandsOnNoEnvironmentOfOurs) {
  ::setenv("GPUVET_SECRET", "hunter2", 1);
  const auto done = run(shell_free("/usr/bin/env", {}));
  ::unsetenv("GPUVET_SECRET");
  ASSERT_TRUE(done);
  EXPECT_EQ(done->output.find("hunter2"), std::string::npos);
  EXPECT_NE(done->output.find("LC_ALL=C"), std::string::npos);
}

TEST(Process, TakesArgumentsLiterally) {
  const auto done = run(shell_free("/bin/echo", {"$(id)", "; rm -rf x", "a b"}));
  ASSERT_TRUE(done);
  EXPECT_EQ(done->output, "$(id) ; rm -rf x a b\n");
}

TEST(Process, EndsWithItsChildrenWhenTimeIsUp) {
  auto program = shell_free("/bin/sh", {"-c", "sleep 30 & sleep 30"});
  program.limit = 0.3;
  const double start = monotonic_seconds();
  const auto done = run(program);
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, Errc::timeout);
  EXPECT_LT(monotonic_seconds() - start, 5);
}

TEST(Process, IsStoppedWhenItWritesWithoutEnd) {
  auto program = shell_free("/bin/sh", {"-c", "while :; do echo yyyyyyyyyyyyyyyy; done"});
  program.most = 100000;
  const auto done = run(program);
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, Errc::too_large);
}

TEST(Process, IsStoppedWhenAsked) {
  int asked = 0;
  Program program;
  program.path = "/bin/sleep";
  program.arguments = {"3600"};
  program.limit = 3600;
  program.stopped = [&] { return ++asked > 2; };
  EXPECT_EQ(run(program).error().code, Errc::cancelled);
}

TEST(Process, IsNamedByItsFullPath) {
  EXPECT_EQ(run(shell_free("echo", {})).error().code, Errc::usage);
  EXPECT_EQ(run(shell_free("/no/such/tool", {})).error().code, Errc::not_found);
}

TEST(FindTool, LooksInTheSystemsFoldersAndNotInPath) {
  ASSERT_TRUE(find_tool("sh"));
  const auto folder = std::filesystem::temp_directory_path() / "gpuvet-planted";
  std::filesystem::create_directories(folder);
  std::ofstream(folder / "gpuvet-planted-tool") << "#!/bin/sh\n";
  ::chmod((folder / "gpuvet-planted-tool").c_str(), 0755);
  const std::string path = environment("PATH");
  ::setenv("PATH", (folder.string() + ":" + path).c_str(), 1);
  EXPECT_EQ(find_tool("gpuvet-planted-tool").error().code, Errc::not_found);
  ::setenv("PATH", path.c_str(), 1);
  std::filesystem::remove_all(folder);
  EXPECT_EQ(find_tool("../bin/sh").error().code, Errc::usage);
}

TEST(FindTool, AsRootTakesNoneThatOthersMayChange) {
  std::string folder = (std::filesystem::temp_directory_path() / "gpuvet-tools-XXXXXX").string();
  ASSERT_NE(::mkdtemp(folder.data()), nullptr);
  folder += '/';
  const auto tool = folder + "tool";
  std::ofstream(tool) << "#!/bin/sh\n";
  const std::array<std::string_view, 1> folders = {folder};
  ::chmod(tool.c_str(), 0755);
  EXPECT_EQ(find_tool_in(folders, "tool").value_or(""), tool);
  const bool root = ::geteuid() == 0;
  for (const mode_t mode : {0775, 0757}) {
    ::chmod(tool.c_str(), mode);
    EXPECT_EQ(find_tool_in(folders, "tool").has_value(), !root) << mode;
  }
  if (root) {
    EXPECT_EQ(find_tool_in(folders, "tool").error().code, Errc::permission);
    ::chmod(tool.c_str(), 0755);
    constexpr uid_t nobody = 65534;
    ASSERT_EQ(::chown(tool.c_str(), nobody, nobody), 0);
    EXPECT_EQ(find_tool_in(folders, "tool").error().code, Errc::permission);
  }
  ::chmod(tool.c_str(), 0644);
  EXPECT_EQ(find_tool_in(folders, "tool").error().code, Errc::not_found);
  std::filesystem::remove_all(folder);
}

TEST(Isolated, ReturnsWhatTheChildWrote) {
  const auto done = isolated([](int fd) { (void)!::write(fd, "fact\n", 5); }, 5);
  ASSERT_TRUE(done);
  EXPECT_EQ(done->output, "fact\n");
  EXPECT_FALSE(done->timed_out);
  EXPECT_EQ(done->status, 0);
}

TEST(Isolated, KeepsWhatCameBeforeTheSilence) {
  const double start = monotonic_seconds();
  const auto done = isolated(
      [](int fd) {
        (void)!::write(fd, "fact\n", 5);
        ::sleep(60);
      },
      0.3);
  ASSERT_TRUE(done);
  EXPECT_EQ(done->output, "fact\n");
  EXPECT_TRUE(done->timed_out);
  EXPECT_LT(monotonic_seconds() - start, 5);
}

TEST(Isolated, LivesAsLongAsItSpeaks) {
  const auto done = isolated(
      [](int fd) {
        for (int i = 0; i < 6; ++i) {
          ::usleep(150000);
          (void)!::write(fd, ".", 1);
        }
      },
      0.6);
  ASSERT_TRUE(done);
  EXPECT_EQ(done->output, "......");
  EXPECT_FALSE(done->timed_out);
}

TEST(Isolated, SurvivesTheChildsCrash) {
  const auto done = isolated(
      [](int fd) {
        (void)!::write(fd, "fact\n", 5);
        ::raise(SIGKILL);
      },
      5);
  ASSERT_TRUE(done);
  EXPECT_EQ(done->output, "fact\n");
  EXPECT_EQ(done->status, 128 + SIGKILL);
}

}  // namespace
}  // namespace gpuvet::platform
