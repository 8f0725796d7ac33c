// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "ingest/reading.hpp"

namespace gpuvet::ingest {

Importer nvidia_smi_nvlink();

namespace testing {
namespace {

const Importer importer = nvidia_smi_nvlink();

constexpr std::string_view first = "GPU-1f2e3d4c-aaaa-4bbb-8ccc-0123456789ab";
constexpr std::string_view second = "GPU-2f2e3d4c-aaaa-4bbb-8ccc-0123456789ab";

std::string heading(int index, std::string_view uuid, std::string_view name = "NVIDIA A100-X") {
  return "GPU " + std::to_string(index) + ": " + std::string(name) +
         " (UUID: " + std::string(uuid) + ")\n";
}

std::string of(std::string_view uuid) { return "gpu:" + std::string(uuid); }

TEST(NvidiaSmiNvlinkTest, RatesAndInactiveLinks) {
  const auto evidence = read(importer, "$ nvidia-smi nvlink -s\r\n" + heading(0, first) +
                                           "\t Link 0: 25.781 GB/s\r\n\t Link 1: <inactive>\r\n"
                                           "\t Link 2: 25 GB/s\r\n" +
                                           heading(1, second) +
                                           "\t Link 0: 25 GB/s\n\t Link 1: 25 GB/s\n"
                                           "\t Link 2: 25 GB/s");
  ASSERT_TRUE(evidence) << evidence.error().message();
  EXPECT_EQ(number(*evidence, "gpu.nvlink.links", of(first)), 3);
  EXPECT_EQ(number(*evidence, "gpu.nvlink.active", of(first)), 2);
  EXPECT_EQ(numbers(*evidence, "gpu.nvlink.inactive", of(first)), std::vector<double>{1});
  EXPECT_EQ(number(*evidence, "gpu.nvlink.speed", of(first)), 25e9);
  EXPECT_EQ(numbers(*evidence, "gpu.nvlink.inactive", of(second)), std::vector<double>{});
  EXPECT_EQ(text(*evidence, "gpu.name", of(second)), "NVIDIA A100-X");
  EXPECT_EQ(number(*evidence, "gpu.index", of(second)), 1);
  EXPECT_EQ(only(*evidence, "gpu.uuid", of(second))->line, 6U);
}

TEST(NvidiaSmiNvlinkTest, LoneGpuMakesNoInventory) {
  const auto evidence = read(importer, heading(7, first) + " Link 0: 50 GB/s\n");
  ASSERT_TRUE(evidence) << evidence.error().message();
  EXPECT_EQ(number(*evidence, "gpu.nvlink.links", of(first)), 1);
  EXPECT_EQ(only(*evidence, "gpu.index", of(first)), nullptr);
}

TEST(NvidiaSmiNvlinkTest, BlankedUuidsLeaveTheOrdinal) {
  const std::string zeros = "GPU-00000000-0000-0000-0000-000000000000";
  const auto evidence =
      read(importer, heading(0, zeros) + " Link 0: 50 GB/s\n" + heading(1, first) +
                         " Link 0: 50 GB/s\n" + heading(2, first) + " Link 0: 50 GB/s\n");
  ASSERT_TRUE(evidence) << evidence.error().message();
  EXPECT_EQ(number(*evidence, "gpu.nvlink.active", "gpu:smi#0"), 1);
  EXPECT_EQ(only(*evidence, "gpu.uuid", "gpu:smi#0"), nullptr);
  EXPECT_EQ(absence(*evidence, "gpu.uuid", "gpu:smi#2"), Absence::malformed);
}

TEST(NvidiaSmiNvlinkTest, ErrorCountersAddUpOverLinks) {
  const auto evidence =
      read(importer, heading(0, first) +
                         "\t Link 0: Replay Errors: 3\n\t Link 0: Recovery Errors: 0\n"
                         "\t Link 0: CRC Errors: 0\n\n"
                         "\t Link 1: Replay Errors: 4\n\t Link 1: Recovery Errors: N/A\n"
                         "\t Link 1: CRC Errors: 0\n");
  ASSERT_TRUE(evidence) << evidence.error().message();
  EXPECT_EQ(number(*evidence, "gpu.nvlink.errors.replay", of(first)), 7);
  EXPECT_EQ(number(*evidence, "gpu.nvlink.errors.crc_flit", of(first)), 0);
  EXPECT_EQ(absence(*evidence, "gpu.nvlink.errors.recovery", of(first)), Absence::malformed);
  EXPECT_EQ(only(*evidence, "gpu.nvlink.links", of(first)), nullptr);  // -e doesn't say
}

TEST(NvidiaSmiNvlinkTest, FifthGenerationCounters) {
  const auto evidence = read(importer, heading(0, first, "NVIDIA B200") +
                                           "\t Link 0: Tx packets: 12\n"
                                           "\t Link 0: Effective Errors: 2\n"
                                           "\t Link 0: Effective BER: 15e-255\n"
                                           "\t Link 0: FEC Errors - 0: 99\n"
                                           "\t Link 1: Effective Errors: 5\n");
  ASSERT_TRUE(evidence) << evidence.error().message();
  EXPECT_EQ(number(*evidence, "gpu.nvlink.errors.effective", of(first)), 7);
}

TEST(NvidiaSmiNvlinkTest, ShortenedListsCountNothing) {
  const auto rates =
      read(importer, heading(0, first) + " Link 0: 25 GB/s\n [...]\n Link 11: 25 GB/s\n");
  ASSERT_TRUE(rates) << rates.error().message();
  EXPECT_EQ(absence(*rates, "gpu.nvlink.links", of(first)), Absence::malformed);
  EXPECT_EQ(absence(*rates, "gpu.nvlink.active", of(first)), Absence::malformed);
  EXPECT_EQ(only(*rates, "gpu.nvlink.inactive", of(first)), nullptr);
  const auto errors = read(importer, heading(0, first) +
                                         " Link 0: Replay Errors: 0\n Link 0: CRC Errors: 0\n"
                                         " Link 7: Replay Errors: 6\n Link 7: CRC Errors: 0\n");
  ASSERT_TRUE(errors) << errors.error().message();
  EXPECT_EQ(number(*errors, "gpu.nvlink.errors.replay", of(first)), 6);  // a lower bound
  EXPECT_EQ(absence(*errors, "gpu.nvlink.errors.crc_flit", of(first)), Absence::malformed);
}

TEST(NvidiaSmiNvlinkTest, GpusWithoutNvlink) {
  const auto evidence =
      read(importer, heading(0, first) +
                         "NVML: Unable to retrieve NVLink information as all links are inActive\n" +
                         heading(1, second) + "Device does not have or support Nvlink\n" +
                         "GPU 2: Tesla T4\n");
  ASSERT_TRUE(evidence) << evidence.error().message();
  EXPECT_EQ(number(*evidence, "gpu.nvlink.active", of(first)), 0);
  EXPECT_EQ(absence(*evidence, "gpu.nvlink.links", of(first)), Absence::malformed);
  EXPECT_EQ(absence(*evidence, "gpu.nvlink.active", of(second)), Absence::not_supported);
  EXPECT_EQ(absence(*evidence, "gpu.nvlink.links", "gpu:smi#2"), Absence::not_supported);
}

TEST(NvidiaSmiNvlinkTest, C2cLinks) {
  const auto evidence = read(importer, heading(0, first, "NVIDIA GH200 480GB") +
                                           "\t C2C Link 0: 44.712 GB/s\n"
                                           "\t C2C Link 1: 44.5 GB/s\n");
  ASSERT_TRUE(evidence) << evidence.error().message();
  EXPECT_EQ(number(*evidence, "gpu.c2c.links", of(first)), 2);
  EXPECT_EQ(number(*evidence, "gpu.c2c.speed", of(first)), 44.5e9);
  EXPECT_EQ(only(*evidence, "gpu.nvlink.links", of(first)), nullptr);
}

TEST(NvidiaSmiNvlinkTest, CapabilitiesAndRemotesSayWhoOnly) {
  const auto evidence = read(importer, heading(0, first) +
                                           " Link 0, P2P is supported: true\n"
                                           " Link 0, SLI is supported: false\n" +
                                           heading(0, first) + " Link 0: 00000000:C1:00.0\n");
  ASSERT_TRUE(evidence) << evidence.error().message();
  EXPECT_EQ(evidence->observations.size(), 3U);  // index, name, uuid
}

TEST(NvidiaSmiNvlinkTest, EarlyEnds) {
  const std::string gpu = heading(0, first) + " Link 0: 25 GB/s\n Link 1: 25 GB/s\n";
  expect_error(importer, gpu + heading(1, second) + " Link 0: 25 GB/s\n", 5, "GPU 1 shows 1 links");
  expect_error(importer, gpu + heading(1, second), 4, "GPU 1 shows 0 links");
  expect_error(importer, gpu + " Link 2: 25 G", 4, "neither a rate");
  expect_error(importer, gpu + " Link 2", 4, "breaks off");
  expect_error(importer, gpu + " Li", 4, "breaks off");
  expect_error(importer, gpu + "GPU 1: NVIDIA A100-X (UUID: GPU-2f2e", 4, "breaks off");
  expect_error(importer,
               heading(0, first) +
                   " Link 0: Replay Errors: 0\n Link 0: CRC Errors: 0\n"
                   " Link 1: Replay Errors: 0\n",
               4, "lacks counters");
}

TEST(NvidiaSmiNvlinkTest, HostileValuesNameTheLine) {
  expect_error(importer, heading(0, first) + " Link 0: 25,781 GB/s\n", 2, "decimal comma");
  expect_error(importer, heading(0, first) + " Link 0: -25 GB/s\n", 2, "neither a rate");
  expect_error(importer, heading(0, first) + " Link 0: 1e999 GB/s\n", 2, "neither a rate");
  expect_error(importer, heading(0, first) + " Link 99999: 25 GB/s\n", 2, "more than 256");
  expect_error(importer, heading(0, first) + " Link 0: Replay Errors: -1\n", 2, "not a count");
  expect_error(importer, heading(0, first) + " Link 0: Replay Errors: 99999999999999999999\n", 2,
               "not a count");
  expect_error(importer, heading(0, first) + std::string(" Link 0: 25\0 GB/s\n", 18), 2, "NUL");
  expect_error(importer, heading(0, first, std::string(500, 'x')) + " Link 0: 25 GB/s\n", 1,
               "longer");
  expect_error(importer, heading(0, first) + heading(0, second), 2, "one machine a file");
  expect_error(importer, " Link 0: 25 GB/s\n", 1, "before the line that names their GPU");
  expect_error(importer, "nothing\n", 1, "no line names a GPU");
}

TEST(NvidiaSmiNvlinkTest, RecognisesListsOfLinksOnly) {
  EXPECT_TRUE(importer.recognises("# a\n" + heading(0, first) + "\n\t Link 0: 25 GB/s\n"));
  EXPECT_TRUE(importer.recognises(heading(0, first) + heading(1, second) + "C2C Link 0: 1 GB/s\n"));
  EXPECT_TRUE(importer.recognises("GPU 0: A\nDevice does not have or support Nvlink\n"));
  EXPECT_FALSE(importer.recognises(heading(0, first) + heading(1, second)));  // -L
  EXPECT_FALSE(importer.recognises("Link 0: 25 GB/s\n"));
  EXPECT_FALSE(importer.recognises("GPU 0: 25 C\nmore\n"));
}

}  // namespace
}  // namespace testing
}  // namespace gpuvet::ingest
