// SPDX-License-Identifier: Apache-2.0
// CSV logs of other exporters: whose row, which quantity, which time, and broken rows.
#include <gtest/gtest.h>

#include <cmath>
#include <string>

#include "core/text.hpp"
#include "ingest/importer.hpp"
#include "reading.hpp"

namespace gpuvet::ingest {

Importer telemetry_csv();

namespace {

using namespace testing;

Evidence facts(std::string_view input) {
  EXPECT_TRUE(telemetry_csv().recognises(input));
  auto read_back = read(telemetry_csv(), input);
  EXPECT_TRUE(read_back) << (read_back ? "" : read_back.error().message());
  return read_back ? *read_back : Evidence{};
}

std::string refusal(std::string_view input) {
  const auto read_back = read(telemetry_csv(), input);
  EXPECT_FALSE(read_back);
  return read_back ? "" : read_back.error().message();
}

double cell(const Evidence& e, std::string_view column, std::size_t bin, std::size_t table = 0) {
  return e.tables.at(table).column(column)->values.at(bin);
}

const std::string header =
    "timestamp,gpu,gpu_model,power_w,temp_c,mem_total_mib,gpu_util_pct,throttle_reasons\r\n";

TEST(TelemetryCsv, MakesATableOfEachGpu) {
  const Evidence e = facts(header +
                           "1700000000.5,0,NVIDIA X,70.5,30,81559,0,1\r\n"
                           "1700000000.5,1,NVIDIA X,71.0,31,81559,0,1\r\n"
                           "1700000002.0,0,NVIDIA X,690.5,60,81559,100,4\r\n"
                           "1700000002.0,1,NVIDIA X,N/A,61,81559,99,0x48\r\n");
  ASSERT_EQ(e.tables.size(), 2U);
  EXPECT_EQ(e.tables[1].name, "thermal.log");
  EXPECT_EQ(e.tables[1].subject, "gpu:smi#1");
  EXPECT_EQ(cell(e, "end", 1), 1.5);
  EXPECT_EQ(cell(e, "gap_max", 1), 1.5);
  EXPECT_EQ(cell(e, "core_max", 1), 60);
  EXPECT_EQ(cell(e, "busy", 1), 1);
  EXPECT_EQ(cell(e, "power_cap", 1), 1);
  EXPECT_EQ(cell(e, "hardware_throttled", 1), 0);
  EXPECT_EQ(cell(e, "hardware_throttled", 1, 1), 1);
  EXPECT_TRUE(std::isnan(cell(e, "power_mean", 1, 1)));
  EXPECT_EQ(text(e, "gpu.name", "gpu:smi#1"), "NVIDIA X");
  EXPECT_EQ(number(e, "gpu.memory.total", "gpu:smi#0"), 81559.0 * 1024 * 1024);
  EXPECT_EQ(number(e, "gpu.utilization", "gpu:smi#1"), 0.99);
}

TEST(TelemetryCsv, ReadsColumnsOfEachGpu) {
  const Evidence e = facts(
      "timestamp,phase,sys_power_w,gpu0_bmc_temp_c,gpu1_bmc_temp_c,gpux_bmc_temp_c\n"
      "1700000000,init,2100,29,27,9\n1700000002,init,2550,30,,9\n");
  ASSERT_EQ(e.tables.size(), 2U);
  EXPECT_EQ(e.tables[0].subject, "gpu:bmc#0");
  EXPECT_EQ(cell(e, "core_max", 1), 30);
  EXPECT_TRUE(std::isnan(cell(e, "core_max", 1, 1)));
  EXPECT_TRUE(std::isnan(cell(e, "busy", 0)));
  EXPECT_EQ(number(e, "node.power.consumed"), 2550);
  EXPECT_TRUE(all_of(e, "gpu.index").empty());
}

TEST(TelemetryCsv, ReadsGpuZWithItsOwnDegrees) {
  const Evidence e = facts(
      "        Date        , GPU Clock [MHz] , GPU Temperature [\xb0"
      "C] , GPU Load [%] , Board Power Draw [W] , PerfCap Reason [] ,\n"
      "2024-12-09 14:47:29 ,        1350.0   ,            65.8        ,  0          ,  15.9        "
      "        ,       16        ,\n"
      "2024-12-09 14:47:30 ,        1980.0   ,            70.5        , 99          , 299.5        "
      "        ,        1        ,\n");
  ASSERT_EQ(e.tables.size(), 1U);
  EXPECT_EQ(cell(e, "core_max", 1), 70.5);
  EXPECT_EQ(cell(e, "clock_sm_mean_busy", 1), 1.98e9);
  EXPECT_EQ(cell(e, "power_cap", 0), 0);
  EXPECT_EQ(cell(e, "power_cap", 1), 1);
}

TEST(TelemetryCsv, LeavesOutWhatTheExporterDidNotRead) {
  const Evidence e = facts(
      "timestamp,elapsed_seconds,gpu_id,gpu_name,gpu_temp_c,gpu_tflops,inlet_temp_c\n"
      "2026-01-06T05:09:19.431014,0.0,0,NVIDIA X,32.0,0,0.0\n"
      "2026-01-06T05:09:21.431014,2.0,0,NVIDIA X,33.0,19.5,0.0\n");
  EXPECT_TRUE(all_of(e, "node.temperature.inlet").empty());
  EXPECT_EQ(number(e, "compute.burn", "gpu:smi#0"), 19.5e12);
  EXPECT_EQ(cell(e, "gap_max", 1), 2);
}

TEST(TelemetryCsv, RefusesColumnsThatNobodyCanKnow) {
  for (const std::string text :
       {"41, 0 %, 0 MiB\n41, 0 %, 11 MiB\n", "2026/04/04 00:39:45.597, 29.47, 2490, 15, 2\n"}) {
    EXPECT_TRUE(telemetry_csv().recognises(text));
    EXPECT_TRUE(contains(refusal(text), "line 1: no header names its columns"));
  }
  EXPECT_TRUE(contains(refusal("41, 0 %, 0 MiB\n88, 99 %, 11 MiB\n41, 0 %, 11 MiB\n"),
                       "its first column reaches 88: if that is"));
  EXPECT_TRUE(contains(refusal("85, 0 %, 0 MiB\n"), "reaches 85"));
  for (const std::string usual :
       {"41, 0 %, 0 MiB\n84, 0 %, 11 MiB\n", "41, 0 %, 0 MiB\n150, 0 %, 11 MiB\n",
        "41, 0 %, 0 MiB\nx\n88, 0 %, 11 MiB\n"})
    EXPECT_FALSE(contains(refusal(usual), "reaches")) << usual;
  EXPECT_TRUE(contains(refusal("timestamp,GPU0,GPU1\n1,2,3\n"), "names GPUs and not what"));
  EXPECT_FALSE(telemetry_csv().recognises("timestamp, power.draw [W], temperature.gpu\n"));
  EXPECT_FALSE(telemetry_csv().recognises("time,price\n"));
}

/// 20 idle rows, then load: the first column goes from `cold` to `warm`, up and down by one.
std::string course(int cold, int warm) {
  std::string out;
  for (int row = 0; row < 80; ++row) {
    const bool busy = row >= 20;
    const int aim = busy ? std::min(warm, cold + (row - 20)) : cold;
    const int now = warm > cold ? aim : std::max(warm, cold - (row - 20) * (busy ? 1 : 0));
    out += std::to_string(now + row % 2) + (busy ? ", 99 %" : ", 0 %") + ", 11 MiB\n";
  }
  return out;
}

TEST(TelemetryCsv, ATemperatureWithoutHeaderIsToldByItsCourse) {
  const Evidence e = facts(course(60, 88));
  EXPECT_EQ(number(e, "thermal.temperature.unnamed.max", "node"), 89);
  ASSERT_EQ(e.observations.size(), 1U) << "neither which GPU nor which sensor is known";
  EXPECT_TRUE(contains(e.observations[0].detail, "columns inferred"));
  EXPECT_TRUE(contains(e.observations[0].provenance->tool, "columns inferred"));
  // The margin to the limit falls under load; a counter never falls; an id or a fan's bare number
  // at 0 is none; a jump from 40 to 88 in a row is two GPUs of which nobody knows which is which.
  EXPECT_TRUE(contains(refusal(course(88, 60)), "no header names its columns"));
  std::string counter, steady, jumps, idle;
  for (int row = 0; row < 80; ++row) {
    const std::string rest = row < 20 ? ", 0 %, 1 MiB\n" : ", 99 %, 1 MiB\n";
    counter += std::to_string(20 + row) + rest;
    steady += "30" + rest;
    jumps += (row % 2 == 0 ? "40" : "88") + rest;
    idle += std::to_string(40 + row % 3) + ", 0 %, 1 MiB\n";
  }
  for (const auto& text : {counter, steady, jumps, idle})
    EXPECT_TRUE(contains(refusal(text), "no header names its columns"));
  EXPECT_TRUE(contains(refusal(course(60, 88) + "x\n" + "60, 0 %, 1 MiB\n"), "no header"));
  EXPECT_EQ(facts(course(60, 88) + "6").observations.size(), 1U) << "the last row is cut off";
}

TEST(TelemetryCsv, RefusesBrokenRows) {
  const std::string row = "1700000000,0,X,70.5,30,81559,0,1\n";
  EXPECT_TRUE(contains(refusal(header), "no data row"));
  EXPECT_TRUE(contains(refusal(header + "1700000000,0,X,70,5,30,81559,0,1\n"), "decimal commas?"));
  EXPECT_TRUE(
      contains(refusal(header + "yesterday,0,X,70.5,30,81559,0,1\n"), "unreadable timestamp"));
  EXPECT_TRUE(contains(refusal(header + "1700000000,-1,X,70.5,30,81559,0,1\n"), "which GPU"));
  EXPECT_TRUE(contains(refusal(header + "1700000000,0\n" + row), "has 2 fields"));
  EXPECT_TRUE(contains(refusal("timestamp,temp_c\n5,30\n5,31\n"), "share a timestamp"));
  EXPECT_TRUE(contains(refusal(header + row.substr(0, 9) + std::string(1, '\0')), "NUL"));
  const Evidence e = facts(header + row + row.substr(0, 12));
  EXPECT_TRUE(contains(e.observations.back().detail, "cut off"));
  const Evidence odd =
      facts(header + "1700000000,0,X,-5,1e999,1e300,999999,99999999999999999999\n");
  EXPECT_TRUE(all_of(odd, "gpu.power.draw").empty());
  EXPECT_TRUE(all_of(odd, "gpu.temperature.core").empty());
}

TEST(TelemetryCsv, KeepsMemoryBoundedAndTimeForward) {
  std::string log = "timestamp,gpu,temp_c\n";
  for (int i = 0; i < 5000; ++i) log += std::to_string(1700000000 + i) + ",0,50\n";
  log += "1699999000,0,77\n";
  const Evidence e = facts(log);
  EXPECT_LE(e.tables.at(0).rows(), 1024U);
  EXPECT_EQ(cell(e, "core_max", e.tables[0].rows() - 1), 77);
  EXPECT_GE(cell(e, "end", e.tables[0].rows() - 1), 4999);
  EXPECT_EQ(cell(e, "gap_max", e.tables[0].rows() - 1), 5999);
}

}  // namespace
}  // namespace gpuvet::ingest
