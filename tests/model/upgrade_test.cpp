// SPDX-License-Identifier: Apache-2.0
#include "model/upgrade.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "catalogue/packed.hpp"

namespace gpuvet::model {
namespace {

const catalogue::Catalogue& shipped() {
  static const auto out = catalogue::built_in();
  return out;
}

UpgradePath path(std::string_view server, std::string_view gpu, std::string_view kind) {
  const auto all = upgrade_paths(shipped(), server, gpu);
  return *std::find_if(all.begin(), all.end(), [&](const auto& p) { return p.kind == kind; });
}

// Claims C117 and C118: the article has both the wrong way round.
TEST(upgrade, what_the_article_says_of_dell_and_lenovo_is_the_other_way_round) {
  EXPECT_EQ(path("dell-xe9680", "a100-sxm4-80gb", "firmware").status, UpgradeStatus::contradicted);
  EXPECT_EQ(path("dell-xe9680", "a100-sxm4-80gb", "baseboard").status,
            UpgradeStatus::not_documented);
  const auto lenovo = path("lenovo-sr670v2", "a100-pcie-80gb", "cards");
  EXPECT_EQ(lenovo.status, UpgradeStatus::documented);
  EXPECT_EQ(lenovo.to, "h100-pcie-80gb");
}

TEST(upgrade, a_path_starts_from_the_gpus_it_names) {
  EXPECT_EQ(path("lenovo-sr670v2", "a100-sxm4-80gb", "cards").status,
            UpgradeStatus::not_documented);
}

TEST(upgrade, every_server_has_every_kind_and_sources_where_documented) {
  for (const auto& server : shipped().servers) {
    const auto all = upgrade_paths(shipped(), server.id, "a100-pcie-80gb");
    for (const char* kind : {"baseboard", "cards", "firmware", "network", "node"})
      EXPECT_TRUE(std::any_of(all.begin(), all.end(), [&](auto& p) { return p.kind == kind; }));
    for (const auto& p : all)
      if (p.status != UpgradeStatus::not_documented && p.kind != "node") {
        EXPECT_LE(p.source.tier, 3) << server.id;
        EXPECT_FALSE(p.source.ref.empty()) << server.id;
      }
  }
}

TEST(upgrade, an_unknown_server_promises_nothing) {
  for (const auto& p : upgrade_paths(shipped(), "nobody", "a100-sxm4-80gb"))
    EXPECT_EQ(p.status,
              p.kind == "node" ? UpgradeStatus::documented : UpgradeStatus::not_documented);
}

}  // namespace
}  // namespace gpuvet::model
