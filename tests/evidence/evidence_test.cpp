// SPDX-License-Identifier: Apache-2.0
// What a recorder writes down, and what it refuses at the door.
#include "evidence/evidence.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <stdexcept>

namespace gpuvet {
namespace {

constexpr double nan = std::numeric_limits<double>::quiet_NaN();
constexpr double infinity = std::numeric_limits<double>::infinity();

class RecorderTest : public ::testing::Test {
 protected:
  Evidence evidence_;
  Recorder recorder_{evidence_,
                     Provenance{How::measured, Custody::own, "tool", "1", "file", "now"}};
};

TEST_F(RecorderTest, RefusesNumbersThatAreNotFinite) {
  for (const double bad : {nan, infinity, -infinity}) {
    EXPECT_THROW(recorder_.number("gpu.temperature.core"_id, "gpu:0", bad), std::invalid_argument);
    EXPECT_THROW(recorder_.numbers("gpu.temperature.core"_id, "gpu:0", {1, bad}),
                 std::invalid_argument);
  }
  EXPECT_TRUE(evidence_.observations.empty());
}

TEST_F(RecorderTest, RefusesDimensionsThatTheIdDoesNotDeclare) {
  EXPECT_THROW(recorder_.number("gpu.temperature.core"_id, "gpu:0", 60, {{"bytes", 8.0}}),
               std::invalid_argument);
  EXPECT_THROW(recorder_.absent("collective.all_reduce.busbw"_id, "node", Absence::timeout, {},
                                {{"gpu", 8.0}}),
               std::invalid_argument);
  EXPECT_TRUE(evidence_.observations.empty());
  EXPECT_NO_THROW(recorder_.number("collective.all_reduce.busbw"_id, "node", 1e9, {{"gpus", 8.0}}));
}

TEST_F(RecorderTest, RefusesDimensionsThatAreNotFinite) {
  EXPECT_THROW(recorder_.number("collective.all_reduce.busbw"_id, "node", 1e9, {{"gpus", nan}}),
               std::invalid_argument);
}

TEST_F(RecorderTest, KeepsTwoFactsThatDisagree) {
  recorder_.number("gpu.temperature.core"_id, "gpu:0", 60);
  recorder_.number("gpu.temperature.core"_id, "gpu:0", 61);
  EXPECT_EQ(evidence_.observations.size(), 2U);
}

TEST_F(RecorderTest, GivesEachFactItsLineAndAllTheirTool) {
  recorder_.line(3);
  recorder_.flag("thermal.log.admissible"_id, "gpu:0", true);
  recorder_.line(9);
  recorder_.text("topology.class"_id, "node", "nvswitch");
  recorder_.tool("nvidia-smi", "v12");
  recorder_.when("noon");
  ASSERT_EQ(evidence_.observations.size(), 2U);
  EXPECT_EQ(evidence_.observations[0].line, 3U);
  EXPECT_EQ(evidence_.observations[1].line, 9U);
  for (const Observation& o : evidence_.observations) {
    EXPECT_EQ(o.provenance->tool, "nvidia-smi");
    EXPECT_EQ(o.provenance->version, "v12");
    EXPECT_EQ(o.provenance->when, "noon");
    EXPECT_EQ(o.provenance->how, How::measured);
  }
}

TEST_F(RecorderTest, AddsWordsToTheLastFactOnly) {
  recorder_.detail("nothing to add to yet");
  recorder_.number("gpu.temperature.core"_id, "gpu:0", 60);
  recorder_.number("gpu.temperature.core"_id, "gpu:1", 61);
  recorder_.detail("near the limit");
  EXPECT_EQ(evidence_.observations[0].detail, "");
  EXPECT_EQ(evidence_.observations[1].detail, "near the limit");
}

TEST(Evidence, AppendsWithoutMerging) {
  Evidence a, b;
  Recorder{a, {}}.number("gpu.temperature.core"_id, "gpu:0", 60);
  Recorder{b, {}}.number("gpu.temperature.core"_id, "gpu:0", 60);
  Recorder{b, {}}.table({"thermal.log", "gpu:0", {}, {{"time", Unit::second, {0}}}, {}});
  a.append(std::move(b));
  EXPECT_EQ(a.observations.size(), 2U);
  ASSERT_EQ(a.tables.size(), 1U);
  EXPECT_NE(a.tables[0].provenance, nullptr);
}

TEST(Table, FindsItsColumnsByName) {
  const Table table{
      "t", "node", {}, {{"time", Unit::second, {0, 1}}, {"power", Unit::watt, {5, 6}}}, {}};
  ASSERT_NE(table.column("power"), nullptr);
  EXPECT_EQ(table.column("power")->values[1], 6);
  EXPECT_EQ(table.column("energy"), nullptr);
  EXPECT_EQ(table.rows(), 2U);
  EXPECT_EQ(Table{}.rows(), 0U);
}

}  // namespace
}  // namespace gpuvet
