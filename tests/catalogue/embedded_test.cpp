// SPDX-License-Identifier: Apache-2.0
// The catalogue that is built in: complete, sourced, and the same as data/.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>
#include <string>

#include "catalogue/catalogue.hpp"

namespace gpuvet::catalogue {
namespace {

namespace fs = std::filesystem;

const Catalogue& built_in() {
  static const Result<Catalogue> parsed = parse(embedded());
  if (!parsed) throw std::runtime_error(parsed.error().message());
  return *parsed;
}

TEST(Embedded, HoldsEveryFileOfDataByteByByte) {
  const fs::path data = fs::path(GPUVET_SOURCE_DIR) / "data";
  std::set<std::string> seen;
  for (const File& file : embedded()) {
    std::ifstream in(data / file.path, std::ios::binary);
    EXPECT_EQ(file.text, std::string(std::istreambuf_iterator<char>(in), {})) << file.path;
    seen.insert(file.path);
  }
  for (const auto& entry : fs::recursive_directory_iterator(data))
    EXPECT_TRUE(entry.path().extension() != ".toml" ||
                seen.contains(fs::relative(entry.path(), data).string()))
        << entry.path();
}

TEST(Embedded, Parses) {
  const auto parsed = parse(embedded());
  ASSERT_TRUE(parsed) << parsed.error().message();
  EXPECT_EQ(parsed->digest.substr(0, 7), "xxh128:");
}

TEST(Embedded, KnowsAsMuchAsWasResearched) {
  EXPECT_GE(built_in().gpus.size(), 41U);
  EXPECT_GE(built_in().servers.size(), 40U);
  EXPECT_GE(built_in().xids.size(), 170U);
  EXPECT_GE(built_in().claims.size(), 121U);
  EXPECT_GE(built_in().sxids.size(), 90U);
}

TEST(Embedded, GivesEveryFactASource) {
  for (const auto& gpu : built_in().gpus) EXPECT_FALSE(gpu.source.empty()) << gpu.id;
  for (const auto& server : built_in().servers) EXPECT_FALSE(server.source.empty()) << server.id;
  for (const auto& [code, xid] : built_in().xids) EXPECT_FALSE(xid.source.empty()) << code;
  for (const auto& [code, sxid] : built_in().sxids) EXPECT_FALSE(sxid.source.empty()) << code;
  for (const auto& criterion : built_in().criteria)
    for (const auto& limit : criterion.limits)
      EXPECT_FALSE(limit.source.ref.empty()) << criterion.id;
  for (const auto& workload : built_in().workloads)
    for (const auto& need : workload.needs)
      EXPECT_FALSE(need.source.ref.empty()) << workload.id << " " << need.reads;
}

TEST(Embedded, TellsEveryReaderWhatToDoNext) {
  for (const auto& [code, xid] : built_in().xids) EXPECT_FALSE(xid.next.empty()) << code;
  for (const auto& criterion : built_in().criteria) {
    EXPECT_FALSE(criterion.next.empty()) << criterion.id;
    EXPECT_FALSE(criterion.why.empty()) << criterion.id;
    EXPECT_FALSE(criterion.evidence.empty()) << criterion.id;
  }
}

TEST(Embedded, NamesOnlyFieldsThatExistAsUnverified) {
  for (const auto& gpu : built_in().gpus)
    for (const auto& field : gpu.unverified)
      EXPECT_TRUE(gpu.fields.contains(field) || gpu.texts.contains(field))
          << gpu.id << " " << field;
  for (const auto& server : built_in().servers)
    for (const auto& field : server.unverified)
      EXPECT_TRUE(
          std::ranges::any_of(server.facts, [&](const auto& fact) { return fact.first == field; }))
          << server.id << " " << field;
}

TEST(Embedded, HasEveryIdOnce) {
  std::set<std::string> ids;
  for (const auto& gpu : built_in().gpus) EXPECT_TRUE(ids.insert("gpu " + gpu.id).second) << gpu.id;
  for (const auto& server : built_in().servers)
    EXPECT_TRUE(ids.insert("server " + server.id).second) << server.id;
  for (const auto& workload : built_in().workloads)
    EXPECT_TRUE(ids.insert("workload " + workload.id).second) << workload.id;
  for (const auto& group : built_in().groups)
    EXPECT_TRUE(ids.insert("group " + group.id).second) << group.id;
  for (const auto& claim : built_in().claims)
    EXPECT_TRUE(ids.insert("claim " + claim.id).second) << claim.id;
}

TEST(Embedded, NeverLetsAnUnsourcedArticleFailAServer) {
  for (const auto& criterion : built_in().criteria)
    for (const auto& limit : criterion.limits)
      EXPECT_FALSE(limit.fail && limit.source.tier == 4) << criterion.id;
}

TEST(Embedded, RefersOnlyToFieldsThatSomeGpuHas) {
  for (const auto& criterion : built_in().criteria)
    for (const auto& limit : criterion.limits) {
      if (!limit.of.starts_with("sku:")) continue;
      const auto field = limit.of.substr(4);
      EXPECT_TRUE(std::ranges::any_of(built_in().gpus,
                                      [&](const Gpu& g) { return g.fields.contains(field); }))
          << criterion.id << " " << field;
    }
}

TEST(Embedded, HasSevenBenchmarksAndThreeTestsOfTheKit) {
  const auto of = [](GroupKind kind) {
    return std::ranges::count(built_in().groups, kind, &Group::kind);
  };
  EXPECT_EQ(of(GroupKind::benchmark), 7);
  EXPECT_EQ(of(GroupKind::kit), 3);
}

TEST(GpuMatching, PutsTheExactNameBeforeASharedDeviceId) {
  for (const auto& gpu : built_in().gpus)
    for (const auto& name : gpu.names) {
      const Gpu* found = built_in().gpu_matching(name, "ffff");
      ASSERT_NE(found, nullptr) << name;
      EXPECT_TRUE(std::ranges::find(found->names, name) != found->names.end()) << name;
    }
}

TEST(GpuMatching, KnowsNoGpuByANameOrIdThatNoneHas) {
  EXPECT_EQ(built_in().gpu_matching("NVIDIA Imaginary 9000", "ffff"), nullptr);
  EXPECT_EQ(built_in().gpu_matching("", ""), nullptr);
  EXPECT_NE(built_in().gpu_matching("", "27b8"), nullptr) << "the L4 by its device id";
}

TEST(Decided, LeavesOutWhatIsUnverified) {
  const Gpu* l4 = built_in().gpu("l4-24gb");
  ASSERT_NE(l4, nullptr);
  ASSERT_TRUE(l4->fields.contains("bf16"));
  EXPECT_FALSE(l4->decided("bf16"));
  EXPECT_TRUE(l4->decided("memory_bandwidth"));
  EXPECT_FALSE(l4->decided("horse_power"));
}

}  // namespace
}  // namespace gpuvet::catalogue
