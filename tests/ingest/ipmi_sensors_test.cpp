// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "ingest/reading.hpp"

namespace gpuvet::ingest {

Importer ipmi_sensors();

namespace testing {
namespace {

const Importer importer = ipmi_sensors();

TEST(IpmiSensorsTest, SdrWithDiscreteAndUnreadableSensors) {
  const auto e = understood(importer,
                            "$ ipmitool sdr\r\n"
                            "Ambient Temp     | 24 degrees C      | ok\r\n"
                            "Avg Power        | 310 Watts         | ok\r\n"
                            "Planar 12V       | 10.04 Volts       | cr\r\n"
                            "Fan 1A Tach      | 0 RPM             | nr\r\n"
                            "CPU 1 OverTemp   | 0x00              | ok\r\n"
                            "Power Supply 1   | 0x00              | ok\r\n"
                            "Unable to send command: Invalid argument\r\n"
                            "CPU2 Temp        | no reading        | ns\r\n");
  EXPECT_EQ(number(e, "node.temperature.inlet"), 24);
  EXPECT_EQ(number(e, "node.power.consumed"), 310);
  EXPECT_EQ(text(e, "sensor.health", "sensor:Planar 12V"), "critical");
  EXPECT_EQ(number(e, "fan.speed", "fan:Fan 1A Tach"), 0);
  EXPECT_EQ(text(e, "fan.health", "fan:Fan 1A Tach"), "critical");
  EXPECT_EQ(only(e, "sensor.health", "sensor:CPU 1 OverTemp"), nullptr);
  EXPECT_EQ(absence(e, "psu.health", "psu:Power Supply 1"), Absence::not_supported);
  EXPECT_EQ(absence(e, "sensor.temperature", "sensor:CPU2 Temp"), Absence::not_supported);
  EXPECT_EQ(only(e, "fan.speed", "fan:Fan 1A Tach")->line, 5U);
}

TEST(IpmiSensorsTest, ElistTellsStatesOfSupplies) {
  const auto e = understood(
      importer,
      "SEL              | 72h | ns  |  7.1 | No Reading\n"
      "Temp             | 0Eh | ok  |  3.1 | 61 degrees C\n"
      "Temp             | 0Fh | unc |  3.2 | 96 degrees C\n"
      "Fan2             | 31h | ns  | 29.2 | No Reading\n"
      "Power Supply 1   | 03h | ok  | 10.1 | 110 Watts, Presence detected\n"
      "Power Supply 2   | 04h | ok  | 10.2 | 0 Watts, Presence detected, Power Supply AC lost\n"
      "PS3 Status       | 05h | ok  | 10.3 | Presence detected, Failure detected\n"
      "PS4 Status       | 06h | ok  | 10.4 |\n"
      "PS Redundancy    | 77h | ok  |  7.1 | Redundancy Lost\n"
      "Fan Redundancy   | 75h | ok  |  7.1 | Fully Redundant\n"
      "PS1 Input Power  | 07h | ok  | 10.1 | 320 Watts\n");
  EXPECT_EQ(number(e, "sensor.temperature", "sensor:Temp#0Eh"), 61);
  EXPECT_EQ(text(e, "sensor.health", "sensor:Temp#0Fh"), "warning");
  EXPECT_EQ(absence(e, "fan.speed", "fan:Fan2"), Absence::not_supported);
  EXPECT_EQ(text(e, "psu.health", "psu:Power Supply 1"), "ok");
  EXPECT_EQ(text(e, "psu.health", "psu:Power Supply 2"), "no_input");
  EXPECT_EQ(text(e, "psu.health", "psu:PS3"), "critical");
  EXPECT_EQ(text(e, "psu.health", "psu:PS4"), "absent");
  EXPECT_EQ(number(e, "psu.input", "psu:PS1"), 320);
  EXPECT_EQ(all_of(e, "psu.health").size(), 4U);
  EXPECT_EQ(all_of(e, "fan.speed").size(), 1U);
}

TEST(IpmiSensorsTest, SensorListWithLimitsAndBits) {
  const auto e = understood(
      importer,
      "CPU1 Temp        | 45.000     | degrees C  | ok    | 5.000 | 5.000 | 10.000 | 90.000 | "
      "95.000 | 95.000\n"
      "CPU2 Temp        | na         | degrees C  | na    | na    | na    | na     | na     | na   "
      "  | na\n"
      "FAN1             | 60.000     | percent    | lnc   | na    | na    | na     | na     | na   "
      "  | na\n"
      "PS1 Status       | 0x1        | discrete   | 0x0180| na    | na    | na     | na     | na   "
      "  | na\n"
      "PS2 Status       | 0x9        | discrete   | 0x0980| na    | na    | na     | na     | na   "
      "  | na\n"
      "PS3 Status       | 0x0        | discrete   | 0x0080| na    | na    | na     | na     | na   "
      "  | na\n");
  EXPECT_EQ(number(e, "sensor.temperature", "sensor:CPU1 Temp"), 45);
  EXPECT_EQ(number(e, "sensor.temperature.critical", "sensor:CPU1 Temp"), 95);
  EXPECT_EQ(absence(e, "sensor.temperature", "sensor:CPU2 Temp"), Absence::not_supported);
  EXPECT_EQ(number(e, "fan.speed.ratio", "fan:FAN1"), 0.6);
  EXPECT_EQ(text(e, "fan.health", "fan:FAN1"), "warning");
  EXPECT_EQ(text(e, "psu.health", "psu:PS1"), "ok");
  EXPECT_EQ(text(e, "psu.health", "psu:PS2"), "no_input");
  EXPECT_EQ(text(e, "psu.health", "psu:PS3"), "absent");
}

TEST(IpmiSensorsTest, CommaSeparated) {
  const auto e =
      understood(importer,
                 "PS Redundancy,77h,ok,7.1,Fully Redundant\nStatus,85h,ok,10.1,Presence detected\n"
                 "Status,86h,ok,10.2,Presence detected\nInlet Temp,04h,ok,7.1,22,degrees C\n");
  EXPECT_EQ(text(e, "psu.health", "psu:Status 10.2"), "ok");
  EXPECT_EQ(number(e, "node.temperature.inlet"), 22);
  EXPECT_EQ(number(understood(importer, "Fan1,5040,RPM,ok\n"), "fan.speed", "fan:Fan1"), 5040);
}

TEST(IpmiSensorsTest, FreeIpmiJudgesDiscreteSensorsToo) {
  const auto e = understood(
      importer,
      "ID  | Name             | Type        | State    | Reading | Units | Event\n"
      "1   | SysHealth_Stat   | Chassis     | Critical | N/A     | N/A   | 'transition to "
      "Critical'\n"
      "2   | 01-Inlet Ambient | Temperature | Nominal  | 20.50   | C     | 'OK'\n"
      "3   | UID              | OEM         | N/A      | N/A     | N/A   | N/A\n"
      "4   | PS 2             | Power Supply| Critical | N/A     | N/A   | 'Presence detected' "
      "'Power Supply input lost (AC/DC)'\n");
  EXPECT_EQ(text(e, "sensor.health", "sensor:SysHealth_Stat"), "critical");
  EXPECT_EQ(number(e, "node.temperature.inlet"), 20.5);
  EXPECT_EQ(only(e, "sensor.health", "sensor:UID"), nullptr);
  EXPECT_EQ(text(e, "psu.health", "psu:PS 2"), "no_input");
}

TEST(IpmiSensorsTest, StateThatNobodyKnowsSaysNothingOfItsReading) {
  const auto e = understood(importer,
                            "ID  | Name      | Type        | State  | Reading | Units | Event\n"
                            "1   | GPU1 Temp | Temperature | Florid | 41.00   | C     | 'OK'\n"
                            "2   | GPU2 Temp | Temperature | Nominal| 42.00   | C     | 'OK'\n");
  EXPECT_EQ(number(e, "sensor.temperature", "sensor:GPU1 Temp"), std::nullopt);
  EXPECT_EQ(number(e, "sensor.temperature", "sensor:GPU2 Temp"), 42);
}

TEST(IpmiSensorsTest, BrokenListsAreRefused) {
  expect_error(importer, "Inlet Temp | 22,5 degrees C | ok\n", 1, "decimal comma");
  expect_error(importer, "Inlet Temp\n", 1, "no sensor");
  expect_error(
      importer,
      "Fan1 | 5040 RPM | ok\nCPU Temp | 45,5 | degrees C | ok | na | na | na | na | na | na\n", 2,
      "decimal comma");
  expect_error(importer, "Fan1 | 5040 RPM | ok\nFan2 | 50", 2, "ends early");
  std::string many;
  for (int i = 0; i < 5000; ++i) many += "Fan" + std::to_string(i) + " | 1 RPM | ok\n";
  expect_error(importer, many, 4097, "more than 4096");
  expect_error(importer, std::string("Fan1 | 5040 RPM | ok\n\0", 22), 2, "");
  const auto odd = understood(
      importer, "Fan1 | 1e999 RPM | ok\nFan2 | -5 RPM | ok\nFan\x1b[31m3 | 9 RPM | ok\n");
  EXPECT_EQ(absence(odd, "fan.speed", "fan:Fan1"), Absence::malformed);
  EXPECT_EQ(only(odd, "fan.speed", "fan:Fan2"), nullptr);
  EXPECT_EQ(number(odd, "fan.speed", "fan:Fan3"), 9);
}

TEST(IpmiSensorsTest, RecognisesSensorsOnly) {
  EXPECT_TRUE(importer.recognises("Altitude | 80 feet | ok\nFan1 | 30h | ok | 7.1 | 5040 RPM\n"));
  EXPECT_FALSE(importer.recognises("a | b | ok\n"));
  EXPECT_FALSE(importer.recognises("GPU 0,12,3,ok\n"));
  EXPECT_FALSE(importer.recognises("ID | Date | Time | Name | Type | Event\n"));
  EXPECT_FALSE(importer.recognises(""));
}

}  // namespace
}  // namespace testing
}  // namespace gpuvet::ingest
