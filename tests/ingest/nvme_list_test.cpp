// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "ingest/reading.hpp"

namespace gpuvet::ingest {

Importer nvme_list();

namespace testing {
namespace {

const Importer importer = nvme_list();

Evidence good(std::string_view text) {
  EXPECT_TRUE(importer.recognises(text)) << text;
  auto evidence = read(importer, text);
  if (!evidence) ADD_FAILURE() << evidence.error().message();
  return evidence ? *std::move(evidence) : Evidence{};
}

const std::string table =
    "# nvme list\n"
    "Node             SN       Model            Namespace Usage                      Format        "
    " "
    "  FW Rev\n"
    "---------------- -------- ---------------- --------- -------------------------- "
    "---------------- --------\n"
    "/dev/nvme0n1     S1       ACME Fast 2 TB   1           1.00  TB /   2.00  TB      4 KiB +  0 "
    "B "
    "  V1\n"
    "/dev/nvme1n1     S2       SPDK_Controll    1           0.00   B /   9.01  PB    512   B +  0 "
    "B "
    "  25.01\n";

TEST(NvmeListTest, Table) {
  const auto evidence = good(table);
  EXPECT_EQ(text(evidence, "drive.model", "drive:nvme0"), "ACME Fast 2 TB");
  EXPECT_EQ(text(evidence, "drive.serial", "drive:nvme0"), "S1");
  EXPECT_EQ(text(evidence, "drive.firmware", "drive:nvme0"), "V1");
  EXPECT_EQ(text(evidence, "drive.bus", "drive:nvme0"), "nvme");
  EXPECT_EQ(number(evidence, "drive.capacity", "drive:nvme0"), 2e12);
  EXPECT_EQ(absence(evidence, "drive.capacity", "drive:nvme1"), Absence::malformed);
  EXPECT_EQ(absence(evidence, "drive.bus", "drive:nvme1"), Absence::not_supported);
}

TEST(NvmeListTest, RefusesCommasAndCutRows) {
  std::string comma = table;
  comma.replace(comma.find("1.00"), 4, "1,00");
  expect_error(importer, comma, 4, "decimal comma");
  expect_error(importer, table.substr(0, table.find("2.00") + 3), 4, "cut off");
  expect_error(importer, "nothing\n", 1, "no table");
}

TEST(NvmeListTest, JsonFlatAndNested) {
  const auto flat = good(
      R"({"Devices":[{"NameSpace":1,"DevicePath":"/dev/nvme3n1","Firmware":"F","ModelNumber":"M ",
          "SerialNumber":"S","PhysicalSize":4000787030016}]})");
  EXPECT_EQ(number(flat, "drive.capacity", "drive:nvme3"), 4000787030016.0);
  EXPECT_EQ(text(flat, "drive.model", "drive:nvme3"), "M");
  const auto nested = good(
      R"({"Devices":[{"HostNQN":"x","Subsystems":[{"Controllers":[{"Controller":"nvme4",
          "SerialNumber":"S","ModelNumber":"M","Firmware":"F"}],
          "Namespaces":[{"NameSpace":"nvme4n1","PhysicalSize":1000}]}]}]})");
  EXPECT_EQ(number(nested, "drive.capacity", "drive:nvme4"), 1000);
}

TEST(NvmeListTest, AnEmptyListIsNoZero) {
  EXPECT_EQ(absence(good("{\n  \"Devices\": [\n  ]\n}"), "node.drive.nvme.count"),
            Absence::not_asked);
}

TEST(NvmeListTest, HostileJson) {
  expect_error(importer, "{\"Devices\":[{\"DevicePath\":\"/dev/nv", 1, "cut off");
  expect_error(importer, R"({"Devices":[{"DevicePath":"/dev/../x"}]})", 1, "no device");
  expect_error(importer, R"({"Devices":[1]})", 1, "no JSON object");
  expect_error(importer, "{\"Devices\":" + std::string(200000, '['), 1, "cut off");
  const auto negative = good(R"({"Devices":[{"DevicePath":"/dev/nvme0n1","PhysicalSize":-5}]})");
  EXPECT_EQ(absence(negative, "drive.capacity", "drive:nvme0"), Absence::malformed);
}

}  // namespace
}  // namespace testing
}  // namespace gpuvet::ingest
