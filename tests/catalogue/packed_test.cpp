// SPDX-License-Identifier: Apache-2.0
// What is built in says what data/ says.
#include "catalogue/packed.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace gpuvet::catalogue {
namespace {

namespace fs = std::filesystem;

/// data/ parsed here and now.
const Catalogue& parsed() {
  static const Catalogue catalogue = [] {
    const fs::path data = fs::path(GPUVET_SOURCE_DIR) / "data";
    std::vector<std::pair<std::string, std::string>> texts;
    for (const auto& entry : fs::recursive_directory_iterator(data)) {
      if (entry.path().extension() != ".toml") continue;
      std::ifstream in(entry.path(), std::ios::binary);
      texts.emplace_back(fs::relative(entry.path(), data).string(),
                         std::string(std::istreambuf_iterator<char>(in), {}));
    }
    std::sort(texts.begin(), texts.end());
    std::vector<File> files;
    for (const auto& [path, text] : texts) files.push_back({path, text});
    auto read = parse(files);
    if (!read) throw std::runtime_error(read.error().message());
    return *std::move(read);
  }();
  return catalogue;
}

TEST(Packed, IsDataByteByByte) {
  EXPECT_EQ(built_in().digest, parsed().digest);
  EXPECT_EQ(packed_data(), pack(parsed()));
}

TEST(Packed, RoundTrips) { EXPECT_EQ(pack(unpack(packed_data())), packed_data()); }

TEST(Packed, KeepsEachKindOfMember) {
  Catalogue given;
  given.digest = std::string("a\0b", 3);
  given.groups.push_back({"g", "Group", GroupKind::kit, "evidence"});
  Criterion criterion;
  criterion.id = "c";
  criterion.required_at = {Stage::prejob, Stage::purchase};
  Limit limit;
  limit.when.terms.push_back({"gpus", {"4", "8"}, {}});
  limit.when.terms.push_back({"bytes", {}, *parse_condition(">= 4 GiB")});
  limit.fail = *parse_condition("< 0.8 ref + 3 K");
  limit.source = {2, "a log"};
  criterion.limits.push_back(limit);
  given.criteria.push_back(criterion);
  Gpu gpu;
  gpu.id = "a100";
  gpu.datacenter = true;
  gpu.fields.emplace("tdp", Measure{400, Unit::watt});
  gpu.texts.emplace("form", "SXM4");
  given.gpus.push_back(gpu);
  given.xids.emplace(-1, Xid{-1, "m", "says", "", "", Severity::warn, true, "next", "source"});
  given.servers.push_back({"s", "v", "m", "k", {{"bays", "8"}, {"age", "1"}}, {"age"}, "source"});

  const Catalogue read = unpack(pack(given));
  EXPECT_EQ(read.digest, given.digest);
  EXPECT_EQ(read.groups.at(0).kind, GroupKind::kit);
  EXPECT_EQ(read.criteria.at(0).required_at, criterion.required_at);
  const Limit& held = read.criteria.at(0).limits.at(0);
  EXPECT_FALSE(held.pass);
  EXPECT_EQ(held.fail->factor, 0.8);
  EXPECT_EQ(held.fail->number, 3);
  EXPECT_EQ(held.fail->unit, Unit::kelvin);
  EXPECT_TRUE(held.fail->relative);
  EXPECT_EQ(held.when.terms.at(0).any_of, (std::vector<std::string>{"4", "8"}));
  EXPECT_EQ(held.when.terms.at(1).condition->op, Condition::Op::greater_equal);
  EXPECT_EQ(held.source.tier, 2);
  EXPECT_EQ(read.gpus.at(0).fields.at("tdp").value, 400);
  EXPECT_EQ(read.gpus.at(0).texts.at("form"), "SXM4");
  EXPECT_EQ(read.xids.at(-1).severity, Severity::warn);
  EXPECT_TRUE(read.xids.at(-1).application);
  EXPECT_EQ(read.servers.at(0).facts, given.servers.at(0).facts);
}

TEST(Packed, LeavesOutWhatNobodyAskedFor) {
  const Catalogue judging = built_in(Parts::judging), codes = built_in(Parts::xids);
  EXPECT_EQ(judging.criteria.size(), parsed().criteria.size());
  EXPECT_EQ(judging.workloads.size(), parsed().workloads.size());
  EXPECT_TRUE(judging.xids.empty());
  EXPECT_TRUE(judging.servers.empty());
  EXPECT_TRUE(judging.claims.empty());
  EXPECT_EQ(codes.xids.size(), parsed().xids.size());
  EXPECT_TRUE(codes.criteria.empty());
  for (const Parts parts : {Parts::all, Parts::judging, Parts::xids})
    EXPECT_EQ(built_in(parts).digest, parsed().digest) << "the digest covers all of them";
}

TEST(Packed, RefusesWhatIsNotWhole) {
  const std::string packed = pack(parsed());
  EXPECT_THROW(unpack(packed.substr(0, packed.size() - 1)), std::out_of_range);
  EXPECT_THROW(unpack(""), std::out_of_range);
}

}  // namespace
}  // namespace gpuvet::catalogue
