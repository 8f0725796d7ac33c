// SPDX-License-Identifier: Apache-2.0
// Both ends of the TCP test, over loopback.
#include "platform/tcp.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

namespace gpuvet::platform {
namespace {

class Tcp : public ::testing::Test {
 protected:
  void SetUp() override {
    auto server = TcpServer::listen("127.0.0.1", 0);
    if (!server) GTEST_SKIP() << server.error().message();
    port_ = server->port();
    thread_ = std::thread([this, held = std::make_shared<TcpServer>(std::move(*server))] {
      held->serve([this] { return over_.load(); });
    });
  }
  void TearDown() override {
    over_ = true;
    if (thread_.joinable()) thread_.join();
  }
  static bool never() { return false; }
  int port_ = 0;
  std::atomic<bool> over_ = false;
  std::thread thread_;
};

TEST_F(Tcp, AllThatIsSentArrivesAsItWas) {
  const auto run = tcp_send("127.0.0.1", port_, 3, 0.2, never);
  ASSERT_TRUE(run) << run.error().message();
  EXPECT_GT(run->bytes, 0U);
  EXPECT_EQ(run->bytes % (1U << 20U), 0U);
  EXPECT_GT(run->checked, 0U);
  EXPECT_LE(run->checked, run->bytes);
  EXPECT_EQ(run->wrong, 0U);
  EXPECT_GT(run->seconds, 0);
}

TEST_F(Tcp, MessagesComeBack) {
  const auto times = tcp_round_trips("127.0.0.1", port_, 50, 64, 10);
  ASSERT_TRUE(times) << times.error().message();
  EXPECT_EQ(times->size(), 50U);
  for (const double t : *times) EXPECT_GT(t, 0);
  EXPECT_EQ(tcp_round_trips("127.0.0.1", port_, 1, 5000, 1).error().code, Errc::usage);
}

TEST_F(Tcp, CancelEndsIt) {
  std::atomic<int> asked = 0;
  const auto run = tcp_send("127.0.0.1", port_, 1, 3600, [&] { return ++asked > 5; });
  ASSERT_TRUE(run);
  EXPECT_EQ(run->bytes, 5U << 20U);
}

TEST(TcpAlone, NobodyListens) {
  auto server = TcpServer::listen("127.0.0.1", 0);
  if (!server) GTEST_SKIP();
  const int port = server->port();
  { const TcpServer gone = std::move(*server); }
  EXPECT_EQ(tcp_send("127.0.0.1", port, 1, 1, [] { return false; }).error().code, Errc::not_found);
  EXPECT_FALSE(tcp_round_trips("nonexistent.invalid", 1, 1, 8, 1));
}

}  // namespace
}  // namespace gpuvet::platform
