// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "ingest/reading.hpp"

namespace gpuvet::ingest {

Importer smartctl();

namespace testing {
namespace {

const Importer importer = smartctl();

Evidence good(std::string_view text) {
  EXPECT_TRUE(importer.recognises(text)) << text;
  auto evidence = read(importer, text);
  if (!evidence) ADD_FAILURE() << evidence.error().message();
  return evidence ? *std::move(evidence) : Evidence{};
}

const std::string report =
    "# smartctl -x /dev/nvme2n1\n"
    "smartctl 7.3 2022-02-28 r5338 [x86_64-linux] (local build)\n"
    "Copyright (C) 2002-22, Bruce Allen, Christian Franke, www.smartmontools.org\n"
    "Model Number:                       ACME\nSerial Number:                      S9\n"
    "Namespace 1 Size/Capacity:          256,060,514,304 [256 GB]\n"
    "SMART overall-health self-assessment test result: FAILED!\n"
    "SMART/Health Information (NVMe Log 0x02)\n"
    "Critical Warning:                   0x04\nTemperature:                        40 Celsius\n"
    "Available Spare:                    97%\nPercentage Used:                    103%\n"
    "Data Units Written:                 1,384,224 [708 GB]\n"
    "Power On Hours:                     1,000\n"
    "Media and Data Integrity Errors:    7\n";

TEST(SmartctlTest, Text) {
  const auto evidence = good(report);
  EXPECT_EQ(number(evidence, "drive.capacity", "drive:nvme2"), 256060514304.0);
  EXPECT_EQ(number(evidence, "drive.critical_warning", "drive:nvme2"), 4);
  EXPECT_EQ(number(evidence, "drive.wear", "drive:nvme2"), 1.03);
  EXPECT_EQ(number(evidence, "drive.spare", "drive:nvme2"), 0.97);
  EXPECT_EQ(number(evidence, "drive.written", "drive:nvme2"), 1384224 * 512000.0);
  EXPECT_EQ(number(evidence, "drive.power_on", "drive:nvme2"), 3.6e6);
  EXPECT_EQ(number(evidence, "drive.media_errors", "drive:nvme2"), 7);
  EXPECT_EQ(text(evidence, "drive.health", "drive:nvme2"), "FAILED!");
  EXPECT_EQ(text(evidence, "drive.bus", "drive:nvme2"), "nvme");
}

TEST(SmartctlTest, RefusesWhatMayMislead) {
  expect_error(importer, report.substr(0, report.find("1,000") + 1), 14, "cut off");
  std::string comma = report;
  comma.replace(comma.find("97%"), 3, "9,7");
  expect_error(importer, comma, 11, "cannot be");
  expect_error(importer,
               "smartctl 7.3\nwww.smartmontools.org\n"
               "Smartctl open device: /dev/nvme0 failed: Permission denied\n",
               3, "as root");
}

TEST(SmartctlTest, Json) {
  const auto evidence = good(
      R"({"smartctl":{"version":[7,1],"argv":["smartctl"]},
          "device":{"name":"/dev/nvme2","type":"nvme"},"model_name":"A","serial_number":"B",
          "user_capacity":{"bytes":1000},"smart_status":{"passed":false},
          "nvme_smart_health_information_log":{"critical_warning":1,"percentage_used":3,
          "data_units_written":2,"media_errors":"x"},
          "temperature":{"current":42},"power_on_time":{"hours":2}})");
  EXPECT_EQ(text(evidence, "drive.health", "drive:nvme2"), "FAILED");
  EXPECT_EQ(number(evidence, "drive.critical_warning", "drive:nvme2"), 1);
  EXPECT_EQ(number(evidence, "drive.written", "drive:nvme2"), 1024000);
  EXPECT_EQ(number(evidence, "drive.power_on", "drive:nvme2"), 7200);
  EXPECT_EQ(absence(evidence, "drive.spare", "drive:nvme2"), Absence::not_supported);
  EXPECT_EQ(absence(evidence, "drive.media_errors", "drive:nvme2"), Absence::malformed);
  EXPECT_EQ(only(evidence, "drive.model", "drive:nvme2")->provenance->version, "7.1");
}

TEST(SmartctlTest, TextOfADriveOnSata) {
  const auto evidence = good(
      "smartctl 7.2 2020-12-30 r5155 [x86_64-linux-5.10.0] (local build)\n"
      "Copyright (C) 2002-20, Bruce Allen, Christian Franke, www.smartmontools.org\n\n"
      "Device Model:     A\nSerial Number:    S1\nForm Factor:      M.2\n"
      "SATA Version is:  SATA 3.3, 6.0 Gb/s (current: 6.0 Gb/s)\n");
  EXPECT_EQ(text(evidence, "drive.bus", "drive:S1"), "sata");
  EXPECT_EQ(text(evidence, "drive.form_factor", "drive:S1"), "M.2");
  EXPECT_EQ(only(evidence, "drive.bus", "drive:S1")->line, 7U);
}

TEST(SmartctlTest, JsonOfADriveOnSata) {
  const auto evidence = good(
      R"({"smartctl":{"version":[7,3],"argv":["smartctl"]},
          "device":{"name":"/dev/sda","type":"sat","protocol":"ATA"},"model_name":"A",
          "form_factor":{"ata_value":3,"name":"2.5 inches"}})");
  EXPECT_EQ(text(evidence, "drive.bus", "drive:sda"), "sata");
  EXPECT_EQ(text(evidence, "drive.form_factor", "drive:sda"), "2.5 inches");
  const auto sas = good(
      R"({"smartctl":{"version":[7,3],"argv":["smartctl"]},
          "device":{"name":"/dev/sdb","type":"scsi","protocol":"SCSI"},"model_name":"A"})");
  EXPECT_EQ(only(sas, "drive.bus", "drive:sdb"), nullptr)
      << "SAS, or a disk behind a RAID controller";
  EXPECT_EQ(only(sas, "drive.form_factor", "drive:sdb"), nullptr);
}

TEST(SmartctlTest, JsonThatIsNone) {
  expect_error(importer, "{\"smartctl\":{\"argv\":[", 1, "cut off");
  expect_error(importer, R"({"smartctl":{"argv":[],"messages":[{"string":"Permission denied",
                   "severity":"error"}]},"device":{"name":"/dev/nvme0"}})",
               1, "as root");
  EXPECT_FALSE(importer.recognises("{\"Devices\":[]}"));
}

}  // namespace
}  // namespace testing
}  // namespace gpuvet::ingest
