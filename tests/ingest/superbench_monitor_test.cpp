// SPDX-License-Identifier: Apache-2.0
// SuperBench's monitor: one record a moment.
#include <gtest/gtest.h>

#include <cmath>
#include <string>

#include "core/text.hpp"
#include "ingest/importer.hpp"
#include "reading.hpp"

namespace gpuvet::ingest {

Importer superbench_monitor();

namespace {

using namespace testing;

Evidence facts(std::string_view input) {
  EXPECT_TRUE(superbench_monitor().recognises(input));
  auto read_back = read(superbench_monitor(), input);
  EXPECT_TRUE(read_back) << (read_back ? "" : read_back.error().message());
  return read_back ? *read_back : Evidence{};
}

std::string refusal(std::string_view input) {
  const auto read_back = read(superbench_monitor(), input);
  EXPECT_FALSE(read_back);
  return read_back ? "" : read_back.error().message();
}

std::string record(int second, const std::string& more) {
  return "{\"time\": \"2021-12-06 04:19:" + std::to_string(second) + "\", " + more + "}\n";
}

const std::string busy =
    "\"gpu_usage:0\": 100, \"gpu_usage:1\": 7, \"gpu_temperature:0\": 60, \"gpu_temperature:1\": "
    "30, "
    "\"gpu_power_limit:0\": 250, \"gpu_mem_total:1\": 17071734784, \"gpu_corrected_ecc:0\": 3";

TEST(SuperbenchMonitor, MakesATableOfEachGpu) {
  const Evidence e = facts(record(10, busy) + record(25, busy));
  ASSERT_EQ(e.tables.size(), 2U);
  EXPECT_EQ(e.tables[0].subject, "gpu:smi#0");
  EXPECT_EQ(e.tables[0].column("busy")->values.at(1), 1);
  EXPECT_EQ(e.tables[0].column("gap_max")->values.at(1), 15);
  EXPECT_EQ(number(e, "gpu.power.limit", "gpu:smi#0"), 250);
  EXPECT_EQ(number(e, "gpu.memory.total", "gpu:smi#1"), 17071734784.0);
  EXPECT_EQ(number(e, "gpu.utilization", "gpu:smi#1"), 0.07);
}

TEST(SuperbenchMonitor, LeavesOutACutRecordAtTheEndOnly) {
  const std::string cut = record(11, busy).substr(0, 60);
  const Evidence e = facts(record(10, busy) + cut);
  EXPECT_TRUE(contains(e.observations.back().detail, "cut off"));
  EXPECT_TRUE(contains(refusal(record(10, busy) + cut + "\n" + record(12, busy)), "line 2"));
}

TEST(SuperbenchMonitor, RefusesWhatIsNoRecord) {
  EXPECT_TRUE(contains(refusal("{}\n"), "without its time"));
  EXPECT_TRUE(contains(refusal("{\"time\": \"noon\"}\n"), "unreadable timestamp"));
  EXPECT_TRUE(contains(refusal(std::string(500, '[') + "}\n"), "nested"));
  EXPECT_TRUE(contains(refusal(record(10, "\"gpu_usage:-1\": 5")), "no record of a GPU"));
}

}  // namespace
}  // namespace gpuvet::ingest
