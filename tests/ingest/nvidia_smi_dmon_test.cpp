// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "ingest/reading.hpp"

namespace gpuvet::ingest {

Importer nvidia_smi_dmon();

namespace testing {
namespace {

const Importer importer = nvidia_smi_dmon();

const std::string plain =
    "# gpu    pwr  gtemp  mtemp     sm    mem   mclk   pclk \r\n"
    "# Idx      W      C      C      %      %    MHz    MHz \r\n";
const std::string dated =
    "#Date       Time        gpu    pwr  gtemp     sm  tviol  pviol\n"
    "#YYYYMMDD   HH:MM:SS    Idx      W      C      %   bool      %\n";

std::vector<double> column(const Table& table, std::string_view name) {
  const Column* found = table.column(name);
  return found == nullptr ? std::vector<double>{} : found->values;
}

TEST(NvidiaSmiDmonTest, WithoutTimesTheLastRowCounts) {
  const auto evidence =
      read(importer, plain +
                         "    0    631     63      -    100     10   2619   1980\r\n"
                         "    1    100     40     41      0      0   2619    345\r\n" +
                         plain + "    0    300     64      -     50     10   2619   1830\r\n");
  ASSERT_TRUE(evidence) << evidence.error().message();
  EXPECT_EQ(number(*evidence, "gpu.power.draw", "gpu:smi#0"), 300);
  EXPECT_EQ(number(*evidence, "gpu.temperature.core", "gpu:smi#0"), 64);
  EXPECT_EQ(absence(*evidence, "gpu.temperature.memory", "gpu:smi#0"), Absence::not_supported);
  EXPECT_EQ(number(*evidence, "gpu.utilization", "gpu:smi#0"), 0.5);
  EXPECT_EQ(number(*evidence, "gpu.clock.sm", "gpu:smi#1"), 345e6);
  EXPECT_EQ(number(*evidence, "gpu.index", "gpu:smi#1"), 1);
  EXPECT_TRUE(evidence->tables.empty());
}

TEST(NvidiaSmiDmonTest, DatesMakeASeries) {
  const auto evidence = read(importer, dated +
                                           " 20260104   23:59:58   0   300   60   100   0   0\n"
                                           " 20260104   23:59:59   0   310   70   100   1   5\n"
                                           "\n 20260105   00:00:09   0   320   65    50   0   0\n");
  ASSERT_TRUE(evidence) << evidence.error().message();
  const Table* log = table(*evidence, "thermal.log");
  ASSERT_NE(log, nullptr);
  EXPECT_EQ(log->subject, "gpu:smi#0");
  EXPECT_EQ(column(*log, "start"), (std::vector<double>{0, 1, 11}));
  EXPECT_EQ(column(*log, "gap_max"), (std::vector<double>{0, 1, 10}));
  EXPECT_EQ(column(*log, "core_max"), (std::vector<double>{60, 70, 65}));
  EXPECT_EQ(column(*log, "busy"), (std::vector<double>{1, 1, 0}));
  EXPECT_EQ(column(*log, "sw_thermal"), (std::vector<double>{0, 1, 0}));
  EXPECT_EQ(column(*log, "power_cap"), (std::vector<double>{0, 1, 0}));
  EXPECT_EQ(evidence->observations.front().provenance->when, "20260105 00:00:09");
}

TEST(NvidiaSmiDmonTest, TimesWithoutDatesPassMidnight) {
  const auto evidence = read(importer,
                             "#Time        gpu    pwr\n#HH:MM:SS    Idx      W\n"
                             " 23:59:59   0   300\n 23:59:59   1   300\n"
                             " 00:00:01   0   310\n 00:00:01   1   310\n");
  ASSERT_TRUE(evidence) << evidence.error().message();
  ASSERT_EQ(evidence->tables.size(), 2U);
  EXPECT_EQ(column(evidence->tables[1], "start"), (std::vector<double>{0, 2}));
}

TEST(NvidiaSmiDmonTest, TheCommandGivesThePeriod) {
  const std::string run = plain +
                          "0 300 60 50 100 0 2619 1980\n2 300 61 50 100 0 2619 1980\n"
                          "0 300 62 50 100 0 2619 1980\n2 300 63 50 100 0 2619 1980\n";
  const auto evidence =
      read(importer, "$ nvidia-smi dmon -i 0,2 -d 5\n" + run + "$ nvidia-smi dmon -d 2\n" + run);
  ASSERT_TRUE(evidence) << evidence.error().message();
  ASSERT_EQ(evidence->tables.size(), 2U);  // the last run only
  EXPECT_EQ(column(evidence->tables[1], "start"), (std::vector<double>{0, 2}));
  EXPECT_EQ(column(evidence->tables[1], "core_max"), (std::vector<double>{61, 63}));
  EXPECT_EQ(only(*evidence, "gpu.index", "gpu:smi#2"), nullptr);  // -i: no inventory
}

TEST(NvidiaSmiDmonTest, CommasBetweenFields) {
  const auto evidence = read(importer, "#gpu, pwr, gtemp, sm\n#Idx, W, C, %\n0, 300, 60, 99\n");
  ASSERT_TRUE(evidence) << evidence.error().message();
  EXPECT_EQ(number(*evidence, "gpu.utilization", "gpu:smi#0"), 0.99);
}

TEST(NvidiaSmiDmonTest, ProcessesOfTheLastRound) {
  const auto evidence = read(importer,
                             "# gpu         pid   type     sm    mem    command\n"
                             "# Idx           #    C/G      %      %    name\n"
                             "    0      11327     C      -      -    one two\n"
                             "    0      11328     C      -      -    two\n"
                             "    1          -     -      -      -    -\n"
                             "    0      11327     C      -      -    one\n"
                             "    0      11400     G      -      -    Xorg\n"
                             "    1          -     -      -      -    -\n");
  ASSERT_TRUE(evidence) << evidence.error().message();
  EXPECT_EQ(number(*evidence, "gpu.processes", "gpu:smi#0"), 1);
  EXPECT_EQ(number(*evidence, "gpu.processes", "gpu:smi#1"), 0);
}

TEST(NvidiaSmiDmonTest, LongLogsStayBounded) {
  std::string text = "nvidia-smi dmon\n" + plain;
  for (int i = 0; i < 5000; ++i) text += "0 300 60 50 100 0 2619 1980\n";
  const auto evidence = read(importer, text);
  ASSERT_TRUE(evidence) << evidence.error().message();
  ASSERT_EQ(evidence->tables.size(), 1U);
  EXPECT_LE(evidence->tables[0].rows(), 1024U);
  EXPECT_EQ(column(evidence->tables[0], "end").back(), 4999);
}

TEST(NvidiaSmiDmonTest, BrokenLogsNameTheLine) {
  const std::string row = "0 300 60 50 100 0 2619 1980\n";
  expect_error(importer, plain + "0 300 60 50\n" + row, 3, "another number of fields");
  expect_error(importer, plain, 2, "no row");
  expect_error(importer, plain + "0 300,5 60 50 100 0 2619 1980\n", 3, "decimal comma");
  expect_error(importer, plain + "0 -300 60 50 100 0 2619 1980\n", 3, "'-300' in column pwr");
  expect_error(importer, plain + "0 1e999 60 50 100 0 2619 1980\n", 3, "'1e999' in column pwr");
  expect_error(importer, plain + "99999999999 300 60 50 100 0 2619 1980\n", 3, "GPU's number");
  expect_error(importer, plain + std::string("0 300 60 50 100 0 \0 1980\n", 25), 3, "NUL");
  expect_error(importer, dated + " 20261399 13:54:35 0 1 2 3 0 0\n", 3, "unreadable time");
  expect_error(importer, plain + row + "# gpu pwr\n", 4, "another header");
  expect_error(importer, "nothing\n", 1, "no header");
  expect_error(importer, "# gpu pid\n0 17\n", 1, "without gpu, pid and type");
  const auto cut = read(importer, plain + row + "0 300 60");
  ASSERT_TRUE(cut) << cut.error().message();
  EXPECT_NE(cut->observations.back().detail.find("cut off"), std::string::npos);
  std::string many = plain;
  for (int i = 0; i < 300; ++i) many += std::to_string(i) + " 300 60 50 100 0 2619 1980\n";
  expect_error(importer, many, 259, "more than 256 GPUs");
}

TEST(NvidiaSmiDmonTest, RecognisesItsTwoHeaderLines) {
  EXPECT_TRUE(importer.recognises("> nvidia-smi dmon\n" + plain));
  EXPECT_TRUE(importer.recognises(dated));
  EXPECT_FALSE(importer.recognises("# gpu pwr\n0 1\n"));
  EXPECT_FALSE(importer.recognises("#Entity   TMPTR   POWER\nID   C   W\nGPU 0   30   60\n"));
  EXPECT_FALSE(importer.recognises("# size count type\n# (B) Idx\n"));
}

}  // namespace
}  // namespace testing
}  // namespace gpuvet::ingest
