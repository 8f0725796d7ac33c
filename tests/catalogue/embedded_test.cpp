// SPDX-License-Identifier: Apache-2.0
// The catalogue that is built in: complete and sourced.
#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <string>

#include "catalogue/packed.hpp"

namespace gpuvet::catalogue {
namespace {

const Catalogue& all() {
  static const Catalogue built = built_in();
  return built;
}

TEST(Embedded, KnowsAsMuchAsWasResearched) {
  EXPECT_GE(all().gpus.size(), 41U);
  EXPECT_GE(all().servers.size(), 40U);
  EXPECT_GE(all().xids.size(), 170U);
  EXPECT_GE(all().claims.size(), 121U);
  EXPECT_GE(all().sxids.size(), 90U);
}

TEST(Embedded, GivesEveryFactASource) {
  for (const auto& gpu : all().gpus) EXPECT_FALSE(gpu.source.empty()) << gpu.id;
  for (const auto& server : all().servers) EXPECT_FALSE(server.source.empty()) << server.id;
  for (const auto& [code, xid] : all().xids) EXPECT_FALSE(xid.source.empty()) << code;
  for (const auto& [code, sxid] : all().sxids) EXPECT_FALSE(sxid.source.empty()) << code;
  for (const auto& criterion : all().criteria)
    for (const auto& limit : criterion.limits)
      EXPECT_FALSE(limit.source.ref.empty()) << criterion.id;
  for (const auto& workload : all().workloads)
    for (const auto& need : workload.needs)
      EXPECT_FALSE(need.source.ref.empty()) << workload.id << " " << need.reads;
}

TEST(Embedded, TellsEveryReaderWhatToDoNext) {
  for (const auto& [code, xid] : all().xids) EXPECT_FALSE(xid.next.empty()) << code;
  for (const auto& criterion : all().criteria) {
    EXPECT_FALSE(criterion.next.empty()) << criterion.id;
    EXPECT_FALSE(criterion.why.empty()) << criterion.id;
    EXPECT_FALSE(criterion.evidence.empty()) << criterion.id;
  }
}

TEST(Embedded, NamesOnlyFieldsThatExistAsUnverified) {
  for (const auto& gpu : all().gpus)
    for (const auto& field : gpu.unverified)
      EXPECT_TRUE(gpu.fields.contains(field) || gpu.texts.contains(field))
          << gpu.id << " " << field;
  for (const auto& server : all().servers)
    for (const auto& field : server.unverified)
      EXPECT_TRUE(
          std::ranges::any_of(server.facts, [&](const auto& fact) { return fact.first == field; }))
          << server.id << " " << field;
}

TEST(Embedded, HasEveryIdOnce) {
  std::set<std::string> ids;
  for (const auto& gpu : all().gpus) EXPECT_TRUE(ids.insert("gpu " + gpu.id).second) << gpu.id;
  for (const auto& server : all().servers)
    EXPECT_TRUE(ids.insert("server " + server.id).second) << server.id;
  for (const auto& workload : all().workloads)
    EXPECT_TRUE(ids.insert("workload " + workload.id).second) << workload.id;
  for (const auto& group : all().groups)
    EXPECT_TRUE(ids.insert("group " + group.id).second) << group.id;
  for (const auto& claim : all().claims)
    EXPECT_TRUE(ids.insert("claim " + claim.id).second) << claim.id;
}

TEST(Embedded, NeverLetsAnUnsourcedArticleFailAServer) {
  for (const auto& criterion : all().criteria)
    for (const auto& limit : criterion.limits)
      EXPECT_FALSE(limit.fail && limit.source.tier == 4) << criterion.id;
}

TEST(Embedded, RefersOnlyToFieldsThatSomeGpuHas) {
  for (const auto& criterion : all().criteria)
    for (const auto& limit : criterion.limits) {
      if (!limit.of.starts_with("sku:")) continue;
      const auto field = limit.of.substr(4);
      EXPECT_TRUE(
          std::ranges::any_of(all().gpus, [&](const Gpu& g) { return g.fields.contains(field); }))
          << criterion.id << " " << field;
    }
}

TEST(Embedded, HasSevenBenchmarksAndThreeTestsOfTheKit) {
  const auto of = [](GroupKind kind) {
    return std::ranges::count(all().groups, kind, &Group::kind);
  };
  EXPECT_EQ(of(GroupKind::benchmark), 7);
  EXPECT_EQ(of(GroupKind::kit), 3);
}

TEST(GpuMatching, PutsTheExactNameBeforeASharedDeviceId) {
  for (const auto& gpu : all().gpus)
    for (const auto& name : gpu.names) {
      const Gpu* found = all().gpu_matching(name, "ffff");
      ASSERT_NE(found, nullptr) << name;
      EXPECT_TRUE(std::ranges::find(found->names, name) != found->names.end()) << name;
    }
}

TEST(GpuMatching, KnowsNoGpuByANameOrIdThatNoneHas) {
  EXPECT_EQ(all().gpu_matching("NVIDIA Imaginary 9000", "ffff"), nullptr);
  EXPECT_EQ(all().gpu_matching("", ""), nullptr);
  EXPECT_NE(all().gpu_matching("", "27b8"), nullptr) << "the L4 by its device id";
}

TEST(Decided, LeavesOutWhatIsUnverified) {
  const Gpu* l4 = all().gpu("l4-24gb");
  ASSERT_NE(l4, nullptr);
  ASSERT_TRUE(l4->fields.contains("bf16"));
  EXPECT_FALSE(l4->decided("bf16"));
  EXPECT_TRUE(l4->decided("memory_bandwidth"));
  EXPECT_FALSE(l4->decided("horse_power"));
}

}  // namespace
}  // namespace gpuvet::catalogue
