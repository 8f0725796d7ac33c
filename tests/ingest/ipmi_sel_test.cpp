// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "ingest/reading.hpp"

namespace gpuvet::ingest {

Importer ipmi_sel();

namespace testing {
namespace {

const Importer importer = ipmi_sel();
using Texts = std::vector<std::string>;

std::optional<Texts> failures(std::string_view text) {
  const auto e = read(importer, text);
  EXPECT_TRUE(e) << e.error().message();
  return e ? value<Texts>(*e, "bmc.sel.critical", "bmc") : std::nullopt;
}

std::optional<double> entries(std::string_view text) {
  const auto e = read(importer, text);
  return e ? number(*e, "bmc.sel.entries", "bmc") : std::nullopt;
}

TEST(IpmiSelTest, FailuresCountUntilTheyAreTakenBack) {
  EXPECT_EQ(
      failures(
          "   1 | 12/24/2022 | 13:58:36 | Voltage #0x4d | Upper Non-critical going high | "
          "Asserted\r\n"
          "   2 | 12/25/2022 | 13:58:36 | Temperature CPU1 | Upper Critical going high | Asserted "
          "| Reading 99 > Threshold 95 degrees C\r\n"
          "   a | Pre-Init  |0000000039| Power Supply #0x51 | Failure detected | Asserted\r\n"
          "   b | 01/18/2023 | 14:49:30 UTC | Memory #0x90 | Uncorrectable ECC | Asserted\r\n"
          "   c | 01/18/2023 | 14:49:31 UTC | Memory #0x90 | Uncorrectable ECC | Deasserted\r\n"
          "   d | 01/19/2023 | 14:49:31 UTC | Fan #0x30 | Upper Critical going high | "
          "Deasserted\r\n"),
      // The log prints a Pre-Init entry without a bar after its counter on some machines.
      (Texts{"Power Supply #0x51: Failure detected",
             "Temperature CPU1: Upper Critical going high"}));
}

TEST(IpmiSelTest, CountsAllEntriesAndAnEmptyLog) {
  EXPECT_EQ(entries("1 | 12/24/2022 | 13:58:36 | Event Logging Disabled SEL | Log area "
                    "reset/cleared | Asserted\n"
                    "2 | OEM record dd | 000137 | 0001004c0f7d\n"),
            2);
  EXPECT_EQ(entries("SEL has no entries\n"), 0);
  EXPECT_EQ(failures("SEL has no entries\n"), Texts{});
}

TEST(IpmiSelTest, FreeIpmiJudgesForItself) {
  EXPECT_EQ(failures("ID   | Date        | Time     | Name | Type | State    | Event\n"
                     "14   | PostInit    | PostInit | Bay 1 Cable | Cable | Critical | Incorrect "
                     "cable connected\n"
                     "493  | Oct-06-2022 | 19:47:13 | ACPI | Power | Nominal  | S0/G0\n"),
            Texts{"Bay 1 Cable: Incorrect cable connected"});
  EXPECT_EQ(
      failures(
          "ID  | Date        | Time     | Name | Type | Event\n"
          "1   | Oct-06-2022 | 19:47:13 | PS1  | Power Supply | Power Supply input lost (AC/DC)\n"),
      Texts{"PS1: Power Supply input lost (AC/DC)"});
}

TEST(IpmiSelTest, BrokenLogsAreRefused) {
  expect_error(importer, "nothing here\n", 1, "no entry");
  expect_error(importer, "1 | 12/24/2022 | 13:58:36 | Fan #1 | Fan failure | Asserted\n2 | 12/2", 2,
               "ends early");
  std::string many;
  for (int i = 0; i < 5002; ++i)
    many += "1 | 12/24/2022 | 13:58:36 | Fan #" + std::to_string(i) + " | Drive Fault | Asserted\n";
  expect_error(importer, many, 5001, "more than 5000");
  EXPECT_EQ(failures("1 | 12/24/2022 | 13:58:36 | F\x01n | Drive Fault | Asserted\n"),
            Texts{"Fn: Drive Fault"});
}

TEST(IpmiSelTest, RecognisesEventLogsOnly) {
  EXPECT_TRUE(importer.recognises("\n 1 | 12/24/2022 | 13:58:36 | Voltage #0x4d | x | Asserted\n"));
  EXPECT_TRUE(importer.recognises("SEL has no entries\n"));
  EXPECT_FALSE(importer.recognises("1 | 2 | 3 | 4 | 5\n"));
  EXPECT_FALSE(importer.recognises("| 0 NVIDIA A100 | 12/24/2022 | x | y | z |\n"));
  EXPECT_FALSE(importer.recognises(""));
}

}  // namespace
}  // namespace testing
}  // namespace gpuvet::ingest
