// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "ingest/reading.hpp"

namespace gpuvet::ingest {

Importer redfish();

namespace testing {
namespace {

const Importer importer = redfish();

/// A document of one type with these members.
std::string document(std::string_view type, std::string_view members) {
  return "{\n\"@odata.type\": \"#" + std::string(type) + ".v1_0_0." + std::string(type) + "\",\n" +
         std::string(members) + "\n}\n";
}

Evidence given(std::string_view type, std::string_view members) {
  const auto evidence = read(importer, document(type, members));
  EXPECT_TRUE(evidence) << evidence.error().message();
  return evidence.value_or(Evidence{});
}

TEST(RedfishTest, SystemOfDellWithItsServiceTag) {
  const auto e = given("ComputerSystem", R"("Id": "System.Embedded.1",
"Manufacturer": "Dell Inc.", "Model": "PowerEdge R999", "SerialNumber": "CNBOARD1", "SKU": "TAG1",
"BiosVersion": "2.1.0", "HostName": "",
"MemorySummary": {"TotalSystemMemoryGiB": 1024},
"Oem": {"Dell": {"DellSystem": {"MaxDIMMSlots": 32, "PopulatedDIMMSlots": 16}}},
"ProcessorSummary": {"Count": 2, "CoreCount": 64, "LogicalProcessorCount": 128, "Model": "Xeon   "},
"Status": {"Health": "OK", "HealthRollup": "Critical", "State": "Enabled"})");
  EXPECT_EQ(text(e, "node.serial"), "TAG1");
  EXPECT_EQ(text(e, "node.cpu.model"), "Xeon");
  EXPECT_EQ(number(e, "node.cpu.cores"), 64);
  EXPECT_EQ(number(e, "node.memory.installed"), 1024. * 1024 * 1024 * 1024);
  EXPECT_EQ(number(e, "node.dimm.populated"), 16);
  EXPECT_EQ(text(e, "bmc.health"), "Critical");
  EXPECT_EQ(absence(e, "node.hostname"), Absence::not_supported);
  EXPECT_EQ(only(e, "node.model", "node")->line, 4U);
}

TEST(RedfishTest, MemoryThatIsNoSumOfModulesIsAbsent) {
  const auto e = given("ComputerSystem",
                       R"("MemorySummary": {"TotalSystemMemoryGiB": 476.837376}, "Status": {})");
  EXPECT_EQ(absence(e, "node.memory.installed"), Absence::malformed);
}

TEST(RedfishTest, InnerSystemsAreNotTheServer) {
  for (const std::string_view id : {"HGX_Baseboard_0", "Bluefield"}) {
    const auto e = given("ComputerSystem", "\"Id\": \"" + std::string(id) +
                                               R"(", "Manufacturer": "NVIDIA", "SerialNumber": "1",
"MemorySummary": {"TotalSystemMemoryGiB": 192}, "Status": {"Health": "OK"})");
    EXPECT_TRUE(e.observations.empty()) << id;
  }
  const auto manager = given("Manager", R"("Id": "HGX_BMC_0", "FirmwareVersion": "24.5")");
  EXPECT_EQ(text(manager, "bmc.firmware.version", "bmc:HGX_BMC_0"), "24.5");
  const auto power = given("Power", R"("@odata.id": "/redfish/v1/Chassis/Card1/Power",
"PowerControl": [{"PowerConsumedWatts": 40}])");
  EXPECT_TRUE(power.observations.empty());
}

TEST(RedfishTest, GpuOfTheBaseboardHasAnAliasAndNoName) {
  const auto e = given("Processor", R"("Id": "GPU_SXM_3", "ProcessorType": "GPU",
"Manufacturer": "NVIDIA", "Model": "NVIDIA H100", "SerialNumber": "123", "OperatingSpeedMHz": 345,
"MemorySummary": {"ECCModeEnabled": true}, "Status": {"Health": "Warning", "State": "Enabled"},
"SystemInterface": {"PCIe": {"LanesInUse": 16, "PCIeType": "Gen5", "MaxPCIeType": ""}})");
  EXPECT_EQ(text(e, "gpu.health", "gpu:bmc#GPU_SXM_3"), "Warning");
  EXPECT_EQ(number(e, "gpu.clock.sm", "gpu:bmc#GPU_SXM_3"), 345e6);
  EXPECT_EQ(number(e, "gpu.pcie.generation", "gpu:bmc#GPU_SXM_3"), 5);
  EXPECT_EQ(absence(e, "gpu.pcie.generation.max", "gpu:bmc#GPU_SXM_3"), Absence::not_supported);
  EXPECT_EQ(value<bool>(e, "gpu.ecc.mode", "gpu:bmc#GPU_SXM_3"), true);
  EXPECT_TRUE(all_of(e, "gpu.name").empty());
}

TEST(RedfishTest, SecondTemperatureOfAGpuIsItsMargin) {
  const auto sensor = [](std::string_view id) {
    return given("Sensor", "\"Id\": \"" + std::string(id) + "\", \"Name\": \"" + std::string(id) +
                               R"(", "ReadingType": "Temperature", "Reading": 41.5,
"Status": {"Health": "OK", "State": "Enabled"})");
  };
  EXPECT_EQ(number(sensor("HGX_GPU_SXM_1_TEMP_0"), "gpu.temperature.core", "gpu:bmc#GPU_SXM_1"),
            41.5);
  EXPECT_EQ(number(sensor("HGX_GPU_0_Temp_1"), "gpu.temperature.margin", "gpu:bmc#GPU_0"), 41.5);
  EXPECT_EQ(number(sensor("HGX_GPU_0_DRAM_0_Temp_0"), "gpu.temperature.memory", "gpu:bmc#GPU_0"),
            41.5);
  EXPECT_EQ(number(sensor("CPU1_Temp"), "sensor.temperature", "sensor:CPU1_Temp"), 41.5);
}

TEST(RedfishTest, ProcessorsAddUpOnlyWhenAllAreThere) {
  const std::string system = document("ComputerSystem", R"("ProcessorSummary": {"Count": 2},
"Status": {"Health": "OK"})");
  const auto cpu = [](std::string_view id) {
    return document("Processor", "\"@odata.id\": \"/redfish/v1/Systems/1/Processors/" +
                                     std::string(id) +
                                     R"(", "ProcessorType": "CPU", "TotalCores": 48,
"TotalThreads": 96)");
  };
  const auto both = read(importer, "[" + system + "," + cpu("1") + "," + cpu("2") + "]");
  ASSERT_TRUE(both) << both.error().message();
  EXPECT_EQ(number(*both, "node.cpu.cores"), 96);
  EXPECT_EQ(number(*both, "node.cpu.threads"), 192);
  const auto twice = read(importer, "[" + system + "," + cpu("1") + "," + cpu("1") + "]");
  ASSERT_TRUE(twice) << twice.error().message();
  EXPECT_EQ(number(*twice, "node.cpu.cores"), std::nullopt);
}

TEST(RedfishTest, PowerWithMissingDeadAndRepeatedSupplies) {
  const auto e = given("Power", R"("PowerControl": [{"PowerConsumedWatts": 900}],
"PowerSupplies": [
{"Name": "PSU", "MemberId": "0", "Model": "A", "PowerCapacityWatts": 3000, "LastPowerOutputWatts": 900,
 "Status": {"Health": "OK", "State": "Enabled"}},
{"Name": "PSU", "MemberId": "1", "PowerCapacityWatts": 3000, "LineInputVoltage": 0,
 "PowerOutputWatts": 0, "Status": {"Health": "Critical", "State": "Enabled"}},
{"Name": "PSU", "MemberId": "2", "Model": null, "Status": {"Health": "Warning", "State": "Absent"}},
{"Name": "PSU", "MemberId": "3"}],
"Voltages": [{"Name": "P12V", "ReadingVolts": 11.1, "Status": {"Health": "Critical", "State": "Enabled"}}])");
  EXPECT_EQ(number(e, "node.power.consumed"), 900);
  EXPECT_EQ(number(e, "psu.capacity", "psu:PSU#0"), 3000);
  EXPECT_EQ(absence(e, "psu.output", "psu:PSU#0"), Absence::malformed);
  EXPECT_EQ(text(e, "psu.health", "psu:PSU#0"), "ok");
  EXPECT_EQ(text(e, "psu.health", "psu:PSU#1"), "no_input");
  EXPECT_EQ(number(e, "psu.output", "psu:PSU#1"), 0);
  EXPECT_EQ(text(e, "psu.health", "psu:PSU#2"), "absent");
  EXPECT_EQ(only(e, "psu.model", "psu:PSU#2"), nullptr);
  EXPECT_EQ(absence(e, "psu.health", "psu:PSU#3"), Absence::not_supported);
  EXPECT_EQ(text(e, "sensor.health", "sensor:P12V"), "critical");
}

TEST(RedfishTest, RatedInputIsNoReading) {
  const auto e =
      given("Power", R"("PowerSupplies": [{"MemberId": "PSU.Slot.1", "Name": "PS1 Status",
"PowerInputWatts": 900, "PowerOutputWatts": 203, "Status": {"Health": "OK", "State": "Enabled"},
"Oem": {"Dell": {"DellPowerSupplyView": {"Range1MaxInputPowerWatts": 900}}}}])");
  EXPECT_EQ(absence(e, "psu.input", "psu:PSU.Slot.1"), Absence::malformed);
  EXPECT_EQ(number(e, "psu.output", "psu:PSU.Slot.1"), 203);
}

TEST(RedfishTest, ThermalWithAbsentSensorsAndOneInlet) {
  const auto e = given("Thermal", R"("Temperatures": [
{"Name": "01-Inlet Ambient", "PhysicalContext": "Intake", "ReadingCelsius": 19,
 "UpperThresholdCritical": 42, "Status": {"Health": "OK", "State": "Enabled"}},
{"Name": "CPU0_TEMP", "PhysicalContext": "Intake", "ReadingCelsius": 91.5,
 "UpperThresholdCritical": null, "Status": {"Health": "Critical", "State": "Enabled"}},
{"Name": "46-P/S 1 Inlet", "PhysicalContext": "PowerSupply", "ReadingCelsius": 40,
 "Status": {"Health": "OK", "State": "Enabled"}},
{"Name": "24-PCI 17", "ReadingCelsius": 0, "Status": {"State": "Absent"}}],
"Fans": [{"FanName": "Fan 1", "Reading": 26, "ReadingUnits": "Percent", "Status": {"Health": "OK", "State": "Enabled"}},
{"Name": "Fan 2", "Reading": null, "ReadingUnits": "RPM", "Status": {"Health": "Critical", "State": "Enabled"}},
{"Name": "Fan 3", "Reading": 0, "ReadingUnits": "RPM", "Status": {"State": "Absent"}}])");
  EXPECT_EQ(number(e, "node.temperature.inlet"), 19);
  EXPECT_EQ(number(e, "sensor.temperature", "sensor:CPU0_TEMP"), 91.5);
  EXPECT_EQ(text(e, "sensor.health", "sensor:CPU0_TEMP"), "critical");
  EXPECT_EQ(absence(e, "sensor.temperature.critical", "sensor:CPU0_TEMP"), Absence::not_supported);
  EXPECT_EQ(number(e, "sensor.temperature.critical", "sensor:01-Inlet Ambient"), 42);
  EXPECT_EQ(absence(e, "sensor.temperature", "sensor:24-PCI 17"), Absence::not_supported);
  EXPECT_EQ(number(e, "fan.speed.ratio", "fan:Fan 1"), 0.26);
  EXPECT_EQ(absence(e, "fan.speed", "fan:Fan 2"), Absence::not_supported);
  EXPECT_EQ(text(e, "fan.health", "fan:Fan 2"), "critical");
  EXPECT_EQ(absence(e, "fan.speed", "fan:Fan 3"), Absence::not_supported);
  EXPECT_EQ(text(e, "fan.health", "fan:Fan 3"), "absent");
}

TEST(RedfishTest, SlotsTellUseByLinksOrByAbsence) {
  const auto dell = given("PCIeSlots", R"("Slots": [
{"Lanes": 16, "PCIeType": "Gen4", "SlotType": "FullLength", "Links": {"PCIeDevice": []},
 "Oem": {"Dell": {"SlotKey": "PCIe.Slot.3"}}, "Status": {"State": "Enabled"}},
{"Lanes": 8, "PCIeType": null, "SlotType": "FullLength", "Links": {"PCIeDevice": [{"@odata.id": "x"}]},
 "Oem": {"Dell": {"SlotKey": "PCIe.Slot.4"}}, "Status": {"State": "Enabled"}}])");
  EXPECT_EQ(text(dell, "slot.usage", "slot:PCIe.Slot.3"), "free");
  EXPECT_EQ(number(dell, "slot.generation", "slot:PCIe.Slot.3"), 4);
  EXPECT_EQ(number(dell, "slot.lanes", "slot:PCIe.Slot.3"), 16);
  EXPECT_EQ(text(dell, "slot.usage", "slot:PCIe.Slot.4"), "used");
  EXPECT_EQ(absence(dell, "slot.generation", "slot:PCIe.Slot.4"), Absence::not_supported);
  const std::string one =
      R"({"Location": {"PartLocation": {"ServiceLabel": "Slot 1"}}, "Status": {"State": "Enabled"}})";
  const auto unclear = given("PCIeSlots", "\"Slots\": [" + one + "]");
  EXPECT_EQ(text(unclear, "slot.usage", "slot:Slot 1"), "unknown");
  const auto clear = given(
      "PCIeSlots", "\"Slots\": [" + one + R"(,{"Name": "S2", "Status": {"State": "Absent"}}])");
  EXPECT_EQ(text(clear, "slot.usage", "slot:Slot 1"), "used");
  EXPECT_EQ(text(clear, "slot.usage", "slot:S2"), "free");
}

TEST(RedfishTest, LogCountsUnresolvedFailures) {
  const auto e =
      given("LogEntryCollection", R"("@odata.id": "/redfish/v1/Systems/1/LogServices/IML/Entries",
"Members": [
{"@odata.type": "#LogEntry.v1_1_0.LogEntry", "Severity": "Warning", "Message": "Drive Failure in bay 1",
 "Oem": {"Hpe": {"Repaired": false}}},
{"@odata.type": "#LogEntry.v1_1_0.LogEntry", "Severity": "Critical", "Message": "Fan failed",
 "Oem": {"Hpe": {"Repaired": true}}},
{"@odata.type": "#LogEntry.v1_1_0.LogEntry", "Severity": "Critical", "Message": "GPU 2\nlost"},
{"@odata.type": "#LogEntry.v1_1_0.LogEntry", "Severity": "Warning", "Message": "Unknown drive"},
{"@odata.type": "#LogEntry.v1_1_0.LogEntry", "Severity": "OK", "Message": "failed login"}],
"Members@odata.count": 9)");
  EXPECT_EQ(number(e, "bmc.sel.entries", "bmc"), 9);
  EXPECT_EQ(value<std::vector<std::string>>(e, "bmc.sel.critical", "bmc"),
            (std::vector<std::string>{"Drive Failure in bay 1", "GPU 2 lost"}));
  const auto links = given("LogEntryCollection", R"("Members": [{"@odata.id": "a"}])");
  EXPECT_EQ(number(links, "bmc.sel.entries", "bmc"), 1);
  EXPECT_TRUE(all_of(links, "bmc.sel.critical").empty());
}

TEST(RedfishTest, PartsFirmwareAndDrives) {
  const auto dimm = given("Memory", R"("Id": "1", "DeviceLocator": "A1", "CapacityMiB": 65536,
"MemoryDeviceType": "DDR5", "AllowedSpeedsMHz": [4800, 5600], "OperatingSpeedMhz": 4800,
"ErrorCorrection": "MultiBitECC", "Status": {"Health": "OK", "State": "Enabled"})");
  EXPECT_EQ(number(dimm, "dimm.size", "dimm:A1"), 65536. * 1024 * 1024);
  EXPECT_EQ(number(dimm, "dimm.speed.rated", "dimm:A1"), 5600);
  EXPECT_EQ(value<bool>(dimm, "dimm.ecc", "dimm:A1"), true);
  const auto empty = given("Memory", R"("DeviceLocator": "B1", "CapacityMiB": 0,
"Status": {"State": "Absent"})");
  EXPECT_EQ(absence(empty, "dimm.size", "dimm:B1"), Absence::not_supported);
  const auto drive = given("Drive", R"("Id": "0", "Name": "SSD", "Protocol": "PCIe",
"CapacityBytes": 3840000000000, "PredictedMediaLifeLeftPercent": 97, "FailurePredicted": true,
"Status": {"Health": "OK", "State": "Enabled"})");
  EXPECT_EQ(text(drive, "drive.bus", "drive:SSD#0"), "nvme");
  EXPECT_EQ(number(drive, "drive.wear", "drive:SSD#0"), 0.03);
  EXPECT_EQ(text(drive, "drive.health", "drive:SSD#0"), "Critical");
  const auto old =
      given("SoftwareInventory", R"("Id": "Previous-1", "Name": "BIOS", "Version": "1")");
  EXPECT_TRUE(old.observations.empty());
  const auto software = given("SoftwareInventory", R"("Id": "HGX_FW_GPU_1", "Version": "96.0  ",
"Name": "Software Inventory")");
  EXPECT_EQ(text(software, "firmware.version", "firmware:HGX_FW_GPU_1"), "96.0");
  const auto card = given("PCIeDevice", R"("Id": "4-0", "Name": "NIC", "FirmwareVersion": "22.1")");
  EXPECT_EQ(text(card, "firmware.version", "firmware:NIC"), "22.1");
}

TEST(RedfishTest, WholeTreeInOneDocumentAndPastedOutput) {
  const auto tree =
      read(importer,
           "$ curl -ks https://bmc/redfish/v1\n```json\n{\"/redfish/v1\": " +
               document("ServiceRoot", R"("RedfishVersion": "1.15.0")") +
               ", \"/redfish/v1/JsonSchemas/A\": " + document("JsonSchemaFile", "\"Id\": \"A\"") +
               ", \"/redfish/v1/Managers/1\": " +
               document("Manager", R"("Model": "iLO 6", "DateTime": "2024-01-02T03:04:05Z")") +
               "}\n```\n");
  ASSERT_TRUE(tree) << tree.error().message();
  EXPECT_EQ(text(*tree, "bmc.redfish.version", "bmc"), "1.15.0");
  EXPECT_EQ(text(*tree, "bmc.model", "bmc"), "iLO 6");
  EXPECT_EQ(tree->observations.front().provenance->version, "1.15.0");
  EXPECT_EQ(tree->observations.front().provenance->when, "2024-01-02T03:04:05Z");
  EXPECT_EQ(only(*tree, "bmc.redfish.version", "bmc")->line, 5U);
}

TEST(RedfishTest, WhatIsNoResourceIsRefused) {
  expect_error(importer, R"({
"error": {"code": "x", "message": "See below", "@Message.ExtendedInfo": [{"MessageId": "Base.1.4.NoSession"}]}})",
               2, "Base.1.4.NoSession");
  expect_error(importer, "{\"@odata.id\": \"/redfish/v1\"}", 1, "no Redfish resource");
  expect_error(importer, "nothing\n", 1, "no JSON");
  expect_error(importer, "{\n\"@odata.type\": \"#Fan.v1_0_0.Fan\",\n\"Name\": Fan 1\n}", 3,
               "not JSON at");
  expect_error(importer, "{\n\"@odata.type\": \"#Fan.v1_0_0.Fan\",\n\"Reading\": 23,5\n}", 3,
               "not JSON at");
  expect_error(importer, "{\n\"@odata.type\": \"#Fan.v1_0_0.Fan\",\n", 3, "ends early");
  expect_error(importer, "{\"a\": 1e999}", 1, "not JSON at");
  expect_error(importer, std::string(100, '['), 1, "64 levels");
}

TEST(RedfishTest, HostileValues) {
  const auto e = given("Power", R"("PowerControl": [{"PowerConsumedWatts": -1e308}],
"PowerSupplies": [{"Name": "\u0007\u001b[31m)" +
                                    std::string(500, 'x') +
                                    R"(", "PowerCapacityWatts": "1200", "Status": 7}])");
  EXPECT_EQ(absence(e, "node.power.consumed"), Absence::malformed);
  ASSERT_EQ(e.observations.size(), 3U);
  EXPECT_LT(e.observations.back().subject.size(), 100U);
  EXPECT_EQ(e.observations.back().subject.find('\x1b'), std::string::npos);
  EXPECT_EQ(std::get<Absence>(e.observations.back().value), Absence::malformed);
  const auto nic = given("EthernetInterface", R"("Id": "eth0", "SpeedMbps": 1e308)");
  EXPECT_EQ(absence(nic, "nic.rate", "nic:eth0"), Absence::malformed);
}

TEST(RedfishTest, RecognisesRedfishOnly) {
  EXPECT_TRUE(importer.recognises("{\"@odata.type\": \"#Fan.v1_0_0.Fan\"}"));
  EXPECT_TRUE(importer.recognises("HTTP/1.1 200 OK\r\n\r\n{\"@odata.id\": \"/redfish/v1/\"}"));
  EXPECT_TRUE(importer.recognises("{\"error\": {\"@Message.ExtendedInfo\": []}}"));
  EXPECT_FALSE(importer.recognises("{\"version\": 1, \"gpus\": []}"));
  EXPECT_FALSE(importer.recognises("\"@odata.type\" is a property\n"));
  EXPECT_FALSE(importer.recognises(""));
}

}  // namespace
}  // namespace testing
}  // namespace gpuvet::ingest
