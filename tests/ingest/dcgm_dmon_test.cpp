// SPDX-License-Identifier: Apache-2.0
// dcgmi dmon: what it says, and what is refused.
#include <gtest/gtest.h>

#include <string>

#include "core/text.hpp"
#include "ingest/importer.hpp"
#include "reading.hpp"

namespace gpuvet::ingest {

Importer dcgm_dmon();

namespace {

using namespace testing;

Evidence facts(std::string_view input) {
  EXPECT_TRUE(dcgm_dmon().recognises(input));
  auto read_back = read(dcgm_dmon(), input);
  EXPECT_TRUE(read_back) << (read_back ? "" : read_back.error().message());
  return read_back ? *read_back : Evidence{};
}

std::string refusal(std::string_view input) {
  const auto read_back = read(dcgm_dmon(), input);
  EXPECT_FALSE(read_back);
  return read_back ? "" : read_back.error().message();
}

TEST(DcgmDmon, KeepsTheLastRowOfEachGpu) {
  const Evidence e = facts(
      "#Entity   TMPTR   POWER   GPUTL  GRACT\n"
      "ID          C       W       %\n"
      "GPU 0     40      71.500  3      0.1\n"
      "GPU 1     41      N/A     4      0.1\n"
      "GPU 0     55      690.25  100    0.9\n"
      "#Entity   TMPTR   POWER   GPUTL  GRACT\n"
      "GPU 1     60\n");
  EXPECT_EQ(number(e, "gpu.temperature.core", "gpu:dcgm#0"), 55);
  EXPECT_EQ(number(e, "gpu.power.draw", "gpu:dcgm#0"), 690.25);
  EXPECT_EQ(number(e, "gpu.utilization", "gpu:dcgm#0"), 1);
  EXPECT_EQ(number(e, "gpu.temperature.core", "gpu:dcgm#1"), 41);
  EXPECT_EQ(absence(e, "gpu.power.draw", "gpu:dcgm#1"), Absence::not_supported);
  EXPECT_EQ(only(e, "gpu.power.draw", "gpu:dcgm#0")->line, 5U);
}

TEST(DcgmDmon, RefusesWhatCannotBeJudged) {
  EXPECT_TRUE(contains(refusal("#Entity GRACT\nID\nGPU 0 0.5\n"), "none of its columns"));
  EXPECT_TRUE(contains(refusal("#Entity POWER\nID\nGPU 0 70,5\n"), "decimal comma"));
  EXPECT_TRUE(contains(refusal("#Entity POWER\nID\n"), "no row"));
}

TEST(DcgmDmon, KeepsWrongNumbersOut) {
  const Evidence e =
      facts("#Entity POWER TMPTR\nID\nGPU 0 -1 1e999\nGPU 99999999999999999999 1 2\n");
  EXPECT_EQ(absence(e, "gpu.power.draw", "gpu:dcgm#0"), Absence::malformed);
  EXPECT_EQ(absence(e, "gpu.temperature.core", "gpu:dcgm#0"), Absence::malformed);
  EXPECT_EQ(e.observations.size(), 2U);
}

}  // namespace
}  // namespace gpuvet::ingest
