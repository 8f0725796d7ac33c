// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "ingest/reading.hpp"

namespace gpuvet::ingest {

Importer chronyc_tracking();

namespace testing {
namespace {

const Importer importer = chronyc_tracking();

Evidence good(std::string_view text) {
  EXPECT_TRUE(importer.recognises(text)) << text;
  auto evidence = read(importer, text);
  if (!evidence) ADD_FAILURE() << evidence.error().message();
  return evidence ? *std::move(evidence) : Evidence{};
}

const std::string following =
    "$ chronyc tracking\nReference ID    : AC69C04A (time.example)\nStratum         : 3\n"
    "System time     : 0.060000000 seconds slow of NTP time\nLeap status     : Normal\n";

TEST(ChronycTrackingTest, Following) {
  const auto evidence = good(following);
  EXPECT_EQ(value<bool>(evidence, "node.clock.synchronised", "node"), true);
  EXPECT_EQ(number(evidence, "node.clock.offset"), 0.06);
  EXPECT_EQ(only(evidence, "node.clock.offset", "node")->detail, "slow");
  EXPECT_EQ(number(evidence, "node.clock.stratum"), 3);
  EXPECT_EQ(text(evidence, "node.clock.source"), "time.example");
  EXPECT_EQ(text(evidence, "node.clock.service"), "chrony");
}

TEST(ChronycTrackingTest, NotYetSynchronisedHasNoOffset) {
  const auto evidence = good(
      "Reference ID    : 00000000 ()\nStratum         : 0\n"
      "System time     : 0.000000000 seconds fast of NTP time\n"
      "Leap status     : Not synchronised\n");
  EXPECT_EQ(value<bool>(evidence, "node.clock.synchronised", "node"), false);
  EXPECT_EQ(number(evidence, "node.clock.stratum"), 16);
  EXPECT_EQ(absence(evidence, "node.clock.offset"), Absence::not_supported);
  EXPECT_EQ(absence(evidence, "node.clock.source"), Absence::not_supported);
}

TEST(ChronycTrackingTest, Refusals) {
  expect_error(importer, following.substr(0, following.find("Normal") + 3), 5, "cut off");
  std::string comma = following;
  comma.replace(comma.find("0.06"), 4, "0,06");
  expect_error(importer, comma, 4, "offset");
  std::string stratum = following;
  stratum.replace(stratum.find(": 3"), 3, ": -3");
  expect_error(importer, stratum, 3, "stratum");
  EXPECT_TRUE(importer.recognises("506 Cannot talk to daemon\n"));
  expect_error(importer, "506 Cannot talk to daemon\n", 1, "chronyd");
}

}  // namespace
}  // namespace testing
}  // namespace gpuvet::ingest
