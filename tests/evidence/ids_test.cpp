// SPDX-License-Identifier: Apache-2.0
// The declarations of observations: sorted, unique, found by name, fit to print.
#include "evidence/ids.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <string>

#include "core/text.hpp"

namespace gpuvet {
namespace {

TEST(Ids, AreSortedAndUnique) {
  const auto ids = all_ids();
  ASSERT_FALSE(ids.empty());
  for (std::size_t i = 1; i < ids.size(); ++i) EXPECT_LT(ids[i - 1].name, ids[i].name);
}

TEST(Ids, AreAllFoundByTheirName) {
  for (const IdInfo& info : all_ids()) {
    const auto id = find_id(info.name);
    ASSERT_TRUE(id) << info.name;
    EXPECT_EQ(&id->info(), &info);
  }
}

TEST(Ids, AreNotFoundByNamesNobodyDeclared) {
  for (const char* name : {"", "gpu", "gpu.temperature", "gpu.temperature.core ",
                           "gpu.temperature.coree", "GPU.temperature.core", "\xff", "zzz", "a"})
    EXPECT_FALSE(find_id(name)) << name;
}

TEST(Ids, AreDottedLowerCaseNames) {
  for (const IdInfo& info : all_ids()) {
    EXPECT_TRUE(contains(info.name, ".")) << info.name;
    EXPECT_EQ(info.name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789._"),
              std::string_view::npos)
        << info.name;
    EXPECT_FALSE(contains(info.name, "..")) << info.name;
  }
}

TEST(Ids, SayWhatTheyAreInOneSentence) {
  for (const IdInfo& info : all_ids()) {
    EXPECT_GE(words(info.sentence).size(), 2U) << info.name;
    EXPECT_EQ(info.sentence.back(), '.') << info.name;
  }
}

TEST(Ids, NameEachDimensionOnce) {
  for (const IdInfo& info : all_ids()) {
    const auto dimensions = words(info.dimensions);
    const std::set<std::string_view> different(dimensions.begin(), dimensions.end());
    EXPECT_EQ(different.size(), dimensions.size()) << info.name;
  }
}

TEST(Ids, AreEqualExactlyWhenTheirNamesAre) {
  EXPECT_EQ("gpu.temperature.core"_id, *find_id("gpu.temperature.core"));
  EXPECT_NE("gpu.temperature.core"_id, "gpu.power.draw"_id);
}

}  // namespace
}  // namespace gpuvet
