// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "ingest/reading.hpp"

namespace gpuvet::ingest {

Importer ipmi_info();

namespace testing {
namespace {

const Importer importer = ipmi_info();

TEST(IpmiInfoTest, FruOfTheServerAndNotOfItsParts) {
  const auto e =
      understood(importer,
                 "FRU Device Description : Builtin FRU Device (ID 0)\n"
                 " Board Mfg             : ACME\n Board Product         : X11: rev 2\n"
                 " Product Manufacturer  : ACME Inc.\n Product Name          : Server 9\n"
                 " Product Serial        : To be filled by O.E.M.\n\n"
                 "FRU Device Description : PSU1 (ID 1)\n Product Name          : PWR 2000\n");
  EXPECT_EQ(text(e, "node.vendor"), "ACME Inc.");
  EXPECT_EQ(text(e, "node.model"), "Server 9");
  EXPECT_EQ(text(e, "node.board.model"), "X11: rev 2");
  EXPECT_EQ(absence(e, "node.serial"), Absence::not_supported);
}

TEST(IpmiInfoTest, FruNotPresentIsAnAbsence) {
  const auto e = understood(
      importer,
      "FRU Device Description : Builtin FRU Device (ID 0)\n Device not present (Unspecified "
      "error)\n\n"
      "FRU Device Description : dimm0 (ID 1)\n Device not present (Unspecified error)\n");
  EXPECT_EQ(absence(e, "node.model"), Absence::not_supported);
  EXPECT_EQ(e.observations.size(), 1U);
}

TEST(IpmiInfoTest, PowerCountsOnlyWhileItIsMeasured) {
  EXPECT_EQ(number(understood(importer,
                              "    Instantaneous power reading:                   219 Watts\n"
                              "    Minimum during sampling period:                 18 Watts\n"
                              "    Power reading state is:                   activated\n"),
                   "node.power.consumed"),
            219);
  const auto off = understood(importer,
                              "Current Power                        : 105 Watts\n"
                              "Average Power over sampling duration : 0 watts\n"
                              "Time Stamp                           : 05/29/2023 - 14:33:12\n"
                              "Power Measurement                    : Not Available\n");
  EXPECT_EQ(absence(off, "node.power.consumed"), Absence::not_supported);
  EXPECT_EQ(off.observations[0].provenance->when, "05/29/2023 - 14:33:12");
  const std::string state = "Power reading state is: activated\n";
  EXPECT_EQ(absence(understood(importer, "Instantaneous power reading: -3 Watts\n" + state),
                    "node.power.consumed"),
            Absence::malformed);
}

TEST(IpmiInfoTest, ControllerAndItsNetwork) {
  const auto e = understood(importer,
                            "Device ID                 : 32\nFirmware Revision         : 4.40\n"
                            "IPMI Version              : 2.0\n");
  EXPECT_EQ(text(e, "bmc.ipmi.version", "bmc"), "2.0");
  EXPECT_EQ(text(e, "firmware.version", "firmware:BMC (IPMI)"), "4.40");
  EXPECT_TRUE(understood(importer, "Set in Progress : Set Complete\nAuth Type Support : MD5\n")
                  .observations.empty());
}

TEST(IpmiInfoTest, ErrorsOfTheToolsAreRefused) {
  expect_error(
      importer,
      "Could not open device at /dev/ipmi0 or /dev/ipmi/0 or /dev/ipmidev/0: No such file or "
      "directory\n",
      1, "ipmi_devintf");
  expect_error(importer, "\nError: Unable to establish IPMI v2 / RMCP+ session\n", 2,
               "user and password");
  expect_error(importer, "Instantaneous power reading: 21,5 Watts\n", 1, "decimal comma");
  expect_error(importer, "Instantaneous power reading: 219 Watts\n", 1, "ends early");
  expect_error(importer, "a : b\n", 1, "none of what ipmitool prints");
}

TEST(IpmiInfoTest, RecognisesItsOutputsOnly) {
  EXPECT_TRUE(importer.recognises("FRU Device Description : Builtin FRU Device (ID 0)\n"));
  EXPECT_TRUE(importer.recognises("ipmi_ctx_open_inband: permission denied\n"));
  EXPECT_FALSE(importer.recognises("Product Name: PowerEdge\n"));
  EXPECT_FALSE(importer.recognises("Time Stamp : 1\n"));
  EXPECT_FALSE(importer.recognises(""));
}

}  // namespace
}  // namespace testing
}  // namespace gpuvet::ingest
