// SPDX-License-Identifier: Apache-2.0
#include "platform/watch.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <csignal>
#include <string>

namespace gpuvet::platform {
namespace {

void say(int fd, std::string_view text) {
  ASSERT_EQ(::write(fd, text.data(), text.size()), static_cast<ssize_t>(text.size()));
}

TEST(Watched, HearsWhatTheChildSays) {
  std::string heard;
  Watch watch;
  watch.heard = [&](std::string_view bytes) { heard += bytes; };
  const auto out = watched([](int fd) { say(fd, "one\n"), say(fd, "two\n"); }, watch).value();
  EXPECT_EQ(heard, "one\ntwo\n");
  EXPECT_FALSE(out.silent);
  EXPECT_EQ(out.status, 0);
}

TEST(Watched, EndsAChildThatFallsSilent) {
  std::string heard;
  Watch watch;
  watch.quiet = 0.2;
  watch.heard = [&](std::string_view bytes) { heard += bytes; };
  const auto out = watched([](int fd) { say(fd, "last words"), ::pause(); }, watch).value();
  EXPECT_TRUE(out.silent);
  EXPECT_EQ(heard, "last words");
  EXPECT_EQ(out.status, 128 + SIGKILL);
}

TEST(Watched, AsksAChildToStopAndLetsItFinishItsSentence) {
  catch_interrupts();
  std::string heard;
  Watch watch;
  watch.heard = [&](std::string_view bytes) { heard += bytes; };
  watch.stop = [&] { return !heard.empty(); };
  const auto out = watched(
                       [](int fd) {
                         say(fd, "begin ");
                         while (!interrupted()) ::usleep(1000);
                         say(fd, "end");
                       },
                       watch)
                       .value();
  EXPECT_TRUE(out.stopped);
  EXPECT_FALSE(out.silent);
  EXPECT_EQ(heard, "begin end");
  EXPECT_FALSE(interrupted());  // the child's flag is not ours
}

TEST(Watched, KillsAChildThatDoesNotStop) {
  Watch watch;
  watch.grace = 0.2;
  watch.stop = [] { return true; };
  std::signal(SIGTERM, SIG_IGN);
  const auto out = watched(
                       [](int) {
                         for (;;) ::pause();
                       },
                       watch)
                       .value();
  std::signal(SIGTERM, SIG_DFL);
  EXPECT_TRUE(out.stopped);
  EXPECT_TRUE(out.silent);
}

TEST(Watched, TellsTheSignalThatEndedAChild) {
  EXPECT_EQ(watched([](int) { ::raise(SIGABRT); }, {}).value().status, 128 + SIGABRT);
}

}  // namespace
}  // namespace gpuvet::platform
