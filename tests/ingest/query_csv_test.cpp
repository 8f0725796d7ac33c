// SPDX-License-Identifier: Apache-2.0
// `nvidia-smi --query-gpu` as one sample and as a log: facts, identities, time, and broken rows.
#include <gtest/gtest.h>

#include <cmath>
#include <string>

#include "ingest/importer.hpp"
#include "reading.hpp"

namespace gpuvet::ingest {

Importer nvidia_smi_query_csv();

namespace {

using namespace testing;

constexpr const char* zero_uuid = "GPU-00000000-0000-0000-0000-000000000000";

Evidence facts(std::string_view csv) {
  auto read_back = read(nvidia_smi_query_csv(), csv);
  EXPECT_TRUE(read_back) << (read_back ? "" : read_back.error().message());
  return read_back ? *read_back : Evidence{};
}

Error refusal(std::string_view csv) {
  const auto read_back = read(nvidia_smi_query_csv(), csv);
  EXPECT_FALSE(read_back);
  return read_back ? Error{} : read_back.error();
}

double cell(const Evidence& e, std::string_view column, std::size_t bin, std::size_t table = 0) {
  return e.tables.at(table).column(column)->values.at(bin);
}

TEST(QueryCsv, ReadsOneSampleOfEachGpu) {
  const Evidence e = facts(
      "uuid, index, pci.bus_id, memory.used [MiB], utilization.gpu [%], temperature.gpu, "
      "power.draw [W], clocks.current.sm [MHz], driver_version, count\n"
      "GPU-aaaaaaaa, 0, 00000000:0A:00.0, 2 MiB, 100 %, 71, 217.24 W, 1949 MHz, 580.1, 2\n"
      "GPU-bbbbbbbb, 1, 00000000:0B:00.0, 3 MiB, 7 %, 72, 208.30 W, 2025 MHz, 580.1, 2\n");
  EXPECT_EQ(number(e, "gpu.memory.used", "gpu:GPU-aaaaaaaa"), 2.0 * 1024 * 1024);
  EXPECT_EQ(number(e, "gpu.utilization", "gpu:GPU-bbbbbbbb"), 0.07);
  EXPECT_EQ(number(e, "gpu.temperature.core", "gpu:GPU-aaaaaaaa"), 71);
  EXPECT_EQ(number(e, "gpu.power.draw", "gpu:GPU-aaaaaaaa"), 217.24);
  EXPECT_EQ(number(e, "gpu.clock.sm", "gpu:GPU-bbbbbbbb"), 2.025e9);
  EXPECT_EQ(number(e, "gpu.index", "gpu:GPU-bbbbbbbb"), 1);
  EXPECT_EQ(text(e, "gpu.pci.address", "gpu:GPU-bbbbbbbb"), "0000:0b:00.0");
  EXPECT_EQ(text(e, "gpu.uuid", "gpu:GPU-bbbbbbbb"), "GPU-bbbbbbbb");
  EXPECT_EQ(only(e, "gpu.clock.sm", "gpu:GPU-bbbbbbbb")->line, 3U);
  EXPECT_EQ(value<bool>(e, "gpu.lost", "gpu:GPU-bbbbbbbb"), false);
  EXPECT_EQ(text(e, "node.driver.version"), "580.1");
  EXPECT_EQ(number(e, "node.gpu.attached"), 2);
  EXPECT_TRUE(e.tables.empty());
}

TEST(QueryCsv, ReadsValuesWithoutUnitsByTheHeader) {
  const Evidence e = facts(
      "index, power.limit [W], memory.total [MiB], pci.device_id\n"
      "4, 700.00, 80, 0x233010DE\n");
  EXPECT_EQ(number(e, "gpu.power.limit", "gpu:smi#4"), 700);
  EXPECT_EQ(number(e, "gpu.memory.total", "gpu:smi#4"), 80.0 * 1024 * 1024);
  EXPECT_EQ(text(e, "gpu.pci.device_id", "gpu:smi#4"), "2330");
}

TEST(QueryCsv, KnowsOldNamesAndPrefersTheEnforcedLimit) {
  const Evidence e = facts(
      "gpu_bus_id, gpu_name, clocks.sm [MHz], clocks_throttle_reasons.hw_slowdown, "
      "power.limit [W], enforced.power.limit [W], retired_pages.sbe, retired_pages.dbe\n"
      "00000000:3B:00.0, Tesla V100, 1380 MHz, Active, 300.00 W, 250.00 W, 1, 2\n");
  const char* gpu = "gpu:0000:3b:00.0";
  EXPECT_EQ(text(e, "gpu.name", gpu), "Tesla V100");
  EXPECT_EQ(number(e, "gpu.clock.sm", gpu), 1.38e9);
  EXPECT_EQ(value<bool>(e, "gpu.clock_event.hw_slowdown", gpu), true);
  EXPECT_EQ(number(e, "gpu.power.limit", gpu), 250);
  EXPECT_EQ(number(e, "gpu.retired_pages", gpu), 3);
}

TEST(QueryCsv, AbsentValuesSayWhy) {
  const Evidence e = facts(
      "index, temperature.memory, ecc.mode.current, fan.speed [%], pstate\n"
      "0, N/A, [Insufficient Permissions], [N/A], [Unknown Error]\n");
  EXPECT_EQ(absence(e, "gpu.temperature.memory", "gpu:smi#0"), Absence::not_supported);
  EXPECT_EQ(absence(e, "gpu.ecc.mode", "gpu:smi#0"), Absence::permission);
  EXPECT_EQ(absence(e, "gpu.performance_state", "gpu:smi#0"), Absence::malformed);
  EXPECT_EQ(only(e, "gpu.temperature.core", "gpu:smi#0"), nullptr);
}

TEST(QueryCsv, ReadsClockEventsFromBitsOrColumns) {
  const Evidence e = facts("index, clocks_event_reasons.active\n0, 0x0000000000000044\n");
  EXPECT_EQ(value<bool>(e, "gpu.clock_event.sw_power_cap", "gpu:smi#0"), true);
  EXPECT_EQ(value<bool>(e, "gpu.clock_event.hw_thermal", "gpu:smi#0"), true);
  EXPECT_EQ(value<bool>(e, "gpu.clock_event.sw_thermal", "gpu:smi#0"), false);
  EXPECT_EQ(value<bool>(e, "gpu.clock_event.idle", "gpu:smi#0"), false);
  const Evidence both = facts(
      "index, clocks_event_reasons.active, clocks_event_reasons.gpu_idle\n"
      "0, 0x0000000000000001, Not Active\n");
  EXPECT_EQ(value<bool>(both, "gpu.clock_event.idle", "gpu:smi#0"), false) << "its own column wins";
  const Evidence none = facts("index, clocks_event_reasons.active\n0, [N/A]\n");
  EXPECT_EQ(absence(none, "gpu.clock_event.idle", "gpu:smi#0"), Absence::not_supported);
}

TEST(QueryCsv, CountsListedRetiredPages) {
  const std::string header = "timestamp, gpu_uuid, retired_pages.address, retired_pages.cause\n";
  const std::string row = "2026/01/05 10:00:00.000, GPU-aaaaaaaa, ";
  const Evidence e =
      facts(header + row + "0x00000000005c0f, Single Bit ECC\n" + row +
            "0x000000000a3b01, Single Bit ECC\n" + row + "0x00000000071aff, Double Bit ECC\n");
  EXPECT_EQ(number(e, "gpu.retired_pages.single_bit", "gpu:GPU-aaaaaaaa"), 2);
  EXPECT_EQ(number(e, "gpu.retired_pages.double_bit", "gpu:GPU-aaaaaaaa"), 1);
  EXPECT_EQ(number(e, "gpu.retired_pages", "gpu:GPU-aaaaaaaa"), 3);
  EXPECT_TRUE(e.tables.empty());
  const Evidence none =
      facts(header + row + "[N/A], Single Bit ECC\n" + row + "[N/A], Double Bit ECC\n");
  EXPECT_EQ(absence(none, "gpu.retired_pages.single_bit", "gpu:GPU-aaaaaaaa"),
            Absence::not_supported);
  EXPECT_EQ(only(none, "gpu.retired_pages", "gpu:GPU-aaaaaaaa"), nullptr);
  const Evidence twice = facts(header + row + "0x5c0f, Single Bit ECC\n" +
                               "2026/01/05 10:00:01.000, GPU-aaaaaaaa, 0x5c0f, Single Bit ECC\n");
  EXPECT_EQ(number(twice, "gpu.retired_pages.single_bit", "gpu:GPU-aaaaaaaa"), 1)
      << "listed again a second later";
}

TEST(QueryCsv, ALogBecomesOneTableForEachGpu) {
  const Evidence e = facts(
      "timestamp, index, temperature.gpu, utilization.gpu [%], power.draw [W], "
      "clocks.current.sm [MHz], clocks_event_reasons.active, temperature.gpu.tlimit\n"
      "2026/07/14 08:12:58.500, 0, 60, 100 %, 600.50 W, 1980 MHz, 0x0000000000000000, 25\n"
      "2026/07/14 08:12:58.503, 1, 50, 0 %, 100.00 W, 345 MHz, 0x0000000000000001, 40\n"
      "2026/07/14 08:13:00.000, 0, 64, 95 %, 640.00 W, 1905 MHz, 0x0000000000000088, 21\n"
      "2026/07/14 08:13:00.003, 1, 51, 94 %, 101.00 W, 345 MHz, 0x0000000000000024, [N/A]\n");
  ASSERT_EQ(e.tables.size(), 2U);
  EXPECT_EQ(e.tables[0].name, "thermal.log");
  EXPECT_EQ(e.tables[0].subject, "gpu:smi#0");
  EXPECT_EQ(e.tables[1].subject, "gpu:smi#1");
  EXPECT_EQ(cell(e, "start", 0), 0);
  EXPECT_EQ(cell(e, "start", 1), 1.5);
  EXPECT_EQ(cell(e, "start", 0, 1), 0.003);
  EXPECT_EQ(cell(e, "gap_max", 1, 1), 1.5);
  EXPECT_EQ(cell(e, "core_max", 1), 64);
  EXPECT_EQ(cell(e, "power_mean", 0), 600.5);
  EXPECT_EQ(cell(e, "clock_sm_mean_busy", 1), 1.905e9);
  EXPECT_EQ(cell(e, "busy", 1), 1);
  EXPECT_EQ(cell(e, "busy", 1, 1), 0);
  EXPECT_EQ(cell(e, "utilization_mean", 1), 0.95);
  EXPECT_EQ(cell(e, "hardware_throttled", 0), 0);
  EXPECT_EQ(cell(e, "hardware_throttled", 1), 1);
  EXPECT_EQ(cell(e, "sw_thermal", 1, 1), 1);
  EXPECT_EQ(cell(e, "power_cap", 1, 1), 1);
  EXPECT_EQ(cell(e, "hardware_throttled", 1, 1), 0);
  EXPECT_EQ(cell(e, "margin_min", 1), 21);
  EXPECT_TRUE(std::isnan(cell(e, "margin_min", 1, 1)));
  EXPECT_TRUE(std::isnan(cell(e, "memory_max", 0)));
  EXPECT_EQ(number(e, "gpu.temperature.core", "gpu:smi#0"), 64) << "the last row's";
  EXPECT_EQ(e.observations[0].provenance->when, "2026/07/14 08:13:00.003");
}

TEST(QueryCsv, SingleThrottleColumnsServeWithoutTheBits) {
  const Evidence e = facts(
      "timestamp, index, clocks_throttle_reasons.hw_slowdown, "
      "clocks_throttle_reasons.hw_thermal_slowdown\n"
      "1, 0, Not Active, Active\n2, 0, Not Active, Not Active\n"
      "3, 0, [N/A], [N/A]\n");
  EXPECT_EQ(cell(e, "hardware_throttled", 0), 1);
  EXPECT_EQ(cell(e, "hardware_throttled", 1), 0);
  EXPECT_TRUE(std::isnan(cell(e, "hardware_throttled", 2)));
  EXPECT_TRUE(std::isnan(cell(e, "power_cap", 0)));
}

TEST(QueryCsv, ReadsIsoTimeAndPlainSeconds) {
  const Evidence iso = facts(
      "timestamp, temperature.gpu\n2024-02-28T23:59:59Z, 50\n"
      "2024-02-29T00:00:01.25, 51\n2024-03-01 00:00:01.25, 52\n");
  EXPECT_EQ(cell(iso, "start", 1), 2.25);
  EXPECT_EQ(cell(iso, "start", 2), 86402.25) << "a leap day between";
  const Evidence plain =
      facts("timestamp, temperature.gpu\n1775088787.826, 50\n1775088788.926, 51\n");
  EXPECT_EQ(cell(plain, "start", 1), 1.1);
}

TEST(QueryCsv, AClockThatIsSetBackIsAGap) {
  const Evidence e = facts(
      "timestamp, temperature.gpu\n2026/07/14 03:00:00.000, 50\n"
      "2026/07/14 02:00:00.000, 51\n2026/07/14 02:00:01.000, 52\n"
      "2026/07/14 02:00:00.900, 53\n");
  EXPECT_EQ(cell(e, "gap_max", 1), 3600);
  EXPECT_EQ(cell(e, "start", 1), 0) << "time stands still while it jumps";
  EXPECT_EQ(cell(e, "start", 2), 1);
  EXPECT_EQ(cell(e, "gap_max", 3), 0.1) << "less than a second is jitter";
  EXPECT_EQ(cell(e, "start", 3), 0.9);
  EXPECT_EQ(only(e, "gpu.lost", "gpu:smi#0")->detail,
            "the log's clock was set back 1 times; each counts as a gap of that length");
}

TEST(QueryCsv, FallsThroughFromUselessIdentities) {
  const std::string zero = zero_uuid;
  const Evidence e =
      facts("uuid, pci.bus_id, index\n" + zero + ", 00000000:0A:00.0, 0\n" + zero + ", [N/A], 1\n");
  EXPECT_EQ(number(e, "gpu.index", "gpu:0000:0a:00.0"), 0);
  EXPECT_EQ(number(e, "gpu.index", "gpu:smi#1"), 1);
  EXPECT_EQ(absence(e, "gpu.uuid", "gpu:smi#1"), Absence::malformed);
  EXPECT_EQ(absence(e, "gpu.pci.address", "gpu:smi#1"), Absence::not_supported);
  const Evidence shared = facts("uuid, index\nGPU-aaaaaaaa, 0\nGPU-aaaaaaaa, 1\n");
  EXPECT_EQ(only(shared, "gpu.uuid", "gpu:smi#1")->detail, "shared with another GPU: GPU-aaaaaaaa");
}

TEST(QueryCsv, ALostGpuIsStillTheSameGpu) {
  const Evidence e = facts(
      "timestamp, uuid, index, temperature.gpu\n1, GPU-aaaaaaaa, 0, 50\n"
      "1, GPU-bbbbbbbb, 1, 51\n2, [GPU is lost], 0, [GPU is lost]\n"
      "2, GPU-bbbbbbbb, 1, 52\n3, GPU-aaaaaaaa, 0, 53\n");
  ASSERT_EQ(e.tables.size(), 2U);
  EXPECT_EQ(value<bool>(e, "gpu.lost", "gpu:GPU-aaaaaaaa"), true) << "in the middle of the log";
  EXPECT_EQ(value<bool>(e, "gpu.lost", "gpu:GPU-bbbbbbbb"), false);
  EXPECT_EQ(e.tables[0].rows(), 3U);
  EXPECT_TRUE(std::isnan(cell(e, "core_max", 1)));
}

TEST(QueryCsv, OneGpuNeedsNoNameButTwoDo) {
  EXPECT_EQ(
      number(facts("timestamp, power.draw [W]\n1, 20 W\n2, 30 W\n"), "gpu.power.draw", "gpu:smi#0"),
      30);
  const Error shared = refusal("timestamp, power.draw [W]\n1, 20 W\n1, 30 W\n");
  EXPECT_EQ(shared.what,
            "rows share a timestamp and nothing tells their GPUs apart: add index, pci.bus_id or "
            "uuid to --query-gpu");
  EXPECT_EQ(shared.input_line, 3U);
  EXPECT_EQ(refusal("power.draw [W], pstate\n20 W, P0\n30 W, P0\n").input_line, 3U);
}

TEST(QueryCsv, RefusesNamesThatChangeHands) {
  const Error e = refusal(
      "uuid, index, pstate\nGPU-aaaaaaaa, 0, P0\nGPU-bbbbbbbb, 1, P0\n"
      "GPU-aaaaaaaa, 1, P0\nGPU-bbbbbbbb, 0, P0\n");
  EXPECT_EQ(e.what, "gpu:smi#1 changes its other names within the log: split the file");
  EXPECT_EQ(e.input_line, 4U);
}

TEST(QueryCsv, ToleratesRepeatedHeadersAndBlankLines) {
  const Evidence e = facts(
      "\xef\xbb\xbftimestamp, index, temperature.gpu\r\n1, 0, 50\r\n\r\n"
      "timestamp, index, temperature.gpu\r\n2, 0, 51\r\n");
  ASSERT_EQ(e.tables.size(), 1U);
  EXPECT_EQ(e.tables[0].rows(), 2U);
}

TEST(QueryCsv, DropsALastLineThatWasCutOff) {
  const Evidence e = facts("timestamp, index, temperature.gpu\n1, 0, 50\n2, 0");
  EXPECT_EQ(number(e, "gpu.temperature.core", "gpu:smi#0"), 50);
  EXPECT_EQ(e.observations.back().detail, "the log's last line is cut off and left out");
  const Error whole = refusal("timestamp, index, temperature.gpu\n1, 0, 50\n2, 0\n");
  EXPECT_EQ(whole.what, "row has 2 fields, the header has 3");
  EXPECT_EQ(whole.input_line, 3U);
  EXPECT_EQ(refusal("timestamp, index, temperature.gpu\n1, 0\n2, 0, 50").input_line, 2U);
  EXPECT_EQ(refusal("timestamp, index, temperature.gpu\n1, 0").what,
            "no data row below the header");
}

TEST(QueryCsv, RefusesDecimalCommas) {
  const Error e = refusal("index, power.draw [W], power.limit [W]\n0, 217,24 W, 300,00 W\n");
  EXPECT_EQ(e.code, Errc::malformed);
  EXPECT_EQ(e.what, "row has 5 fields, the header has 3: decimal commas? rerun with LC_ALL=C");
  EXPECT_EQ(e.input_line, 2U);
}

TEST(QueryCsv, RefusesWhatItCannotRead) {
  const Error time =
      refusal("timestamp, index, pstate\n1, 0, P0\n2026/13/01 00:00:00.000, 0, P0\n");
  EXPECT_EQ(time.what, "unreadable timestamp: 2026/13/01 00:00:00.000");
  EXPECT_EQ(time.input_line, 3U);
  EXPECT_EQ(refusal("index, pstate\n").what, "no data row below the header");
  EXPECT_EQ(refusal("").code, Errc::malformed);
  EXPECT_EQ(refusal(std::string("index, pstate\n0, P\0\n", 20)).input_line, 2U);
  std::string many = "index, pstate\n";
  for (int i = 0; i < 1025; ++i) many += std::to_string(i) + ", P0\n";
  const Error too_many = refusal(many);
  EXPECT_EQ(too_many.code, Errc::too_large);
  EXPECT_EQ(too_many.input_line, 1026U);
  EXPECT_EQ(refusal("index, pstate\n0, " + std::string(70'000, 'P') + "\n").code, Errc::too_large);
}

TEST(QueryCsv, ManyGpusShareTheBins) {
  std::string log = "timestamp, index, temperature.gpu\n";
  for (int t = 0; t < 1100; ++t)
    for (int i = 0; i < 128; ++i) log += std::to_string(t) + ", " + std::to_string(i) + ", 50\n";
  const Evidence e = facts(log);
  ASSERT_EQ(e.tables.size(), 128U);
  double samples = 0;
  for (const double n : e.tables[0].column("samples")->values) samples += n;
  EXPECT_EQ(samples, 1100);
  EXPECT_LE(e.tables[127].rows(), 1024U);
}

TEST(QueryCsv, RecognisesHeadersOfQueryFields) {
  const auto recognises = nvidia_smi_query_csv().recognises;
  EXPECT_TRUE(recognises("timestamp, power.draw [W]\n"));
  EXPECT_TRUE(recognises("\"uuid\", \"pstate\"\r\nx"));
  EXPECT_TRUE(recognises("index, name\n0, T4\n"));
  EXPECT_TRUE(recognises("foo, utilization.gpu [%]\n"));
  EXPECT_FALSE(recognises("timestamp,phase,gpu,temp_c\n"));
  EXPECT_FALSE(recognises("timestamp,elapsed,gpu_id,gpu_name,gpu_temp_c\n"));
  EXPECT_FALSE(recognises("power.draw [W]\n"));
  EXPECT_FALSE(recognises("41, 0 %, 0 MiB\n"));
  EXPECT_FALSE(recognises(""));
}

}  // namespace
}  // namespace gpuvet::ingest
