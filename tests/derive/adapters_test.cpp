// SPDX-License-Identifier: Apache-2.0
#include "derive/building.hpp"

namespace gpuvet::derive::testing {
namespace {

Evidence legend(const std::string& file, const std::string& adapter) {
  return from(file, [&](Recorder& out) {
    out.text("nic.name"_id, "nic:NIC0", adapter);
    out.texts("topology.row"_id, "nic:NIC0", {"PIX", "X"});
  });
}

TEST(AdaptersTest, ALegendJoinsNumberAndName) {
  Evidence given = legend("topo.txt", "mlx5_3");
  given.append(from("ibstat.txt", [](Recorder& out) {
    out.text("nic.state"_id, "nic:mlx5_3", "Active");
    out.text("nic.state"_id, "nic:mlx5_0", "Down");
  }));
  const auto e = derived(std::move(given));
  EXPECT_NE(find(e, "topology.row", "nic:mlx5_3"), nullptr);
  EXPECT_NE(find(e, "nic.state", "nic:mlx5_3"), nullptr);
  EXPECT_EQ(find(e, "topology.row", "nic:NIC0"), nullptr);
  EXPECT_EQ(find(e, "topology.row", "nic:mlx5_0"), nullptr);
}

TEST(AdaptersTest, WithoutALegendOrWithTwoThatDisagreeNumbersStay) {
  const auto bare = derived(from("topo.txt", [](Recorder& out) {
    out.texts("topology.row"_id, "nic:NIC0", {"PIX", "X"});
  }));
  EXPECT_NE(find(bare, "topology.row", "nic:NIC0"), nullptr);
  Evidence two = legend("a.txt", "mlx5_0");
  two.append(legend("b.txt", "mlx5_1"));
  const auto e = derived(std::move(two));
  EXPECT_NE(find(e, "topology.row", "nic:NIC0"), nullptr);
  EXPECT_EQ(find(e, "topology.row", "nic:mlx5_0"), nullptr);
}

}  // namespace
}  // namespace gpuvet::derive::testing
