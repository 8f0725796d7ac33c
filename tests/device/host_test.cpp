// SPDX-License-Identifier: Apache-2.0
#include "device/host/host.hpp"

#include <gtest/gtest.h>

#include <atomic>

#include "device/matrix_contract.hpp"

namespace gpuvet::device {
namespace {

struct HostBackend {
  static Result<std::vector<std::unique_ptr<Device>>> devices() { return host_devices(); }
};
INSTANTIATE_TYPED_TEST_SUITE_P(Host, DeviceContract, HostBackend);
INSTANTIATE_TYPED_TEST_SUITE_P(Host, MatrixContract, HostBackend);

TEST(Team, EveryMemberTakesItsShareOnce) {
  Team team({-1, -1, -1});
  for (int round = 0; round < 100; ++round) {
    std::vector<int> seen(10);
    team.run([&](std::size_t member) {
      const auto share = share_of(seen.size(), team.size(), member);
      for (auto i = share.first; i < share.last; ++i) ++seen[i];
    });
    ASSERT_EQ(seen, std::vector<int>(10, 1));
  }
}

TEST(Team, WithoutProcessorsTheCallerIsItsMember) {
  Team team({});
  EXPECT_EQ(team.size(), 1);
  std::thread::id seen;
  team.run([&](std::size_t) { seen = std::this_thread::get_id(); });
  EXPECT_EQ(seen, std::this_thread::get_id());
}

class Queues : public testing::TestWithParam<bool> {};
INSTANTIATE_TEST_SUITE_P(ThreadedOrNot, Queues, testing::Bool());

TEST_P(Queues, TheFirstErrorEndsIt) {
  Queue queue(GetParam());
  std::atomic<int> done = 0;
  queue.push([&]() -> Result<void> {
    ++done;
    return {};
  });
  queue.push([]() -> Result<void> { return fail(Errc::vendor_failure, "broken"); });
  queue.push([&]() -> Result<void> {
    ++done;
    return {};
  });
  EXPECT_EQ(queue.drain(10).error().what, "broken");
  EXPECT_EQ(queue.drain(10).error().what, "broken");
  EXPECT_EQ(done, 1);
}

TEST(Queue, SaysWhenWorkTakesTooLong) {
  Queue queue(true);
  std::atomic<bool> go = false;
  queue.push([&]() -> Result<void> {
    go.wait(false);
    return {};
  });
  EXPECT_EQ(queue.drain(0.01).error().code, Errc::timeout);
  go = true;
  go.notify_all();
  EXPECT_TRUE(queue.drain(10));
}

}  // namespace
}  // namespace gpuvet::device
