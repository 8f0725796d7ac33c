// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "ingest/reading.hpp"

namespace gpuvet::ingest {

Importer dmidecode();

namespace testing {
namespace {

const Importer importer = dmidecode();

constexpr double gib = 1024. * 1024 * 1024;

constexpr std::string_view banner =
    "# dmidecode 3.4\nGetting SMBIOS data from sysfs.\nSMBIOS 3.3.0 present.\n\n";

std::string structure(int handle, int type, std::string_view body) {
  return "Handle 0x" + std::to_string(1000 + handle) + ", DMI type " + std::to_string(type) +
         ", 40 bytes\n" + std::string(body) + "\n";
}

constexpr std::string_view bios =
    "BIOS Information\n\tVendor: AMI\n\tVersion: 2.7\n\tRelease Date: 03/29/2023\n"
    "\tCharacteristics:\n\t\tPCI is supported\n";
constexpr std::string_view system_ =
    "System Information\n\tManufacturer: ACME\n\tProduct Name: GX-8\n"
    "\tSerial Number: To Be Filled By O.E.M.\n";
constexpr std::string_view processor =
    "Processor Information\n\tSocket Designation: CPU0\n\tType: Central Processor\n"
    "\tVersion: EPYC 9354 32-Core Processor                \n\tStatus: Populated, Enabled\n"
    "\tCore Count: 32\n\tCore Enabled: 24\n\tThread Count: 48\n";
constexpr std::string_view module =
    "Memory Device\n\tTotal Width: 80 bits\n\tData Width: 64 bits\n\tSize: 64 GB\n"
    "\tLocator: DIMM 0\n\tBank Locator: P0 CHANNEL A\n\tType: DDR5\n\tSpeed: 4800 MT/s\n"
    "\tManufacturer: Samsung\n\tSerial Number: 80AD01\n\tPart Number: M321R8GA0BB0   \n\tRank: 2\n"
    "\tConfigured Memory Speed: 4000 MT/s\n";
constexpr std::string_view no_module =
    "Memory Device\n\tTotal Width: Unknown\n\tData Width: Unknown\n\tSize: No Module Installed\n"
    "\tLocator: DIMM 0\n\tBank Locator: P0 CHANNEL B\n\tType: Unknown\n\tSpeed: Unknown\n";

TEST(DmidecodeTest, NodeAndProcessors) {
  const auto evidence = understood(
      importer,
      std::string(banner) + structure(0, 0, bios) + structure(1, 1, system_) +
          structure(2, 2, "Base Board Information\n\tProduct Name: MZ33-AR0\n") +
          structure(3, 4, processor) + structure(4, 4, processor) +
          structure(5, 4,
                    "Processor Information\n\tType: Central Processor\n\tStatus: Unpopulated\n") +
          structure(6, 38, "IPMI Device Information\n\tSpecification Version: 2.0\n"));
  EXPECT_EQ(text(evidence, "node.bios.version"), "2.7");
  EXPECT_EQ(text(evidence, "node.bios.date"), "2023-03-29");
  EXPECT_EQ(text(evidence, "node.vendor"), "ACME");
  EXPECT_EQ(text(evidence, "node.model"), "GX-8");
  EXPECT_EQ(absence(evidence, "node.serial"), Absence::not_supported);
  EXPECT_EQ(text(evidence, "node.board.model"), "MZ33-AR0");
  EXPECT_EQ(number(evidence, "node.cpu.sockets"), 2);
  EXPECT_EQ(number(evidence, "node.cpu.cores"), 48);  // those switched off don't count
  EXPECT_EQ(number(evidence, "node.cpu.threads"), 96);
  EXPECT_EQ(text(evidence, "node.cpu.model"), "EPYC 9354 32-Core Processor");
  EXPECT_EQ(text(evidence, "bmc.ipmi.version", "bmc"), "2.0");
  EXPECT_EQ(only(evidence, "node.vendor", "node")->provenance->version, "3.4");
}

TEST(DmidecodeTest, AVirtualMachineTellsNoProcessors) {
  const auto evidence = understood(
      importer,
      std::string(banner) +
          structure(1, 1,
                    "System Information\n\tManufacturer: QEMU\n\tProduct Name: Standard PC\n") +
          structure(3, 4, processor));
  EXPECT_EQ(absence(evidence, "node.cpu.cores"), Absence::not_supported);
  EXPECT_EQ(absence(evidence, "node.cpu.model"), Absence::not_supported);
  const auto flagged = understood(
      importer,
      structure(0, 0, "BIOS Information\n\tVersion: 1\n\t\tSystem is a virtual machine\n") +
          structure(3, 4, processor));
  EXPECT_EQ(absence(flagged, "node.cpu.threads"), Absence::not_supported);
}

TEST(DmidecodeTest, SumsWithAnUnknownPartAreUnknown) {
  const auto evidence = understood(
      importer,
      structure(3, 4, processor) +
          structure(
              4, 4,
              "Processor Information\n\tType: Central Processor\n\tStatus: Populated, Enabled\n"
              "\tCore Count: 32\n\tThread Count: 1\n"));
  EXPECT_EQ(number(evidence, "node.cpu.cores"), 56);
  EXPECT_EQ(absence(evidence, "node.cpu.threads"), Absence::not_supported);  // fewer than cores
}

TEST(DmidecodeTest, MemoryModules) {
  const auto evidence = understood(
      importer, structure(1, 17, module) + structure(2, 17, no_module) +
                    structure(3, 17,
                              "Memory Device\n\tTotal Width: 64 bits\n\tData Width: 64 bits\n"
                              "\tSize: 16384 MB\n\tLocator: A1\n\tType: <OUT OF SPEC>\n"
                              "\tSpeed: 2400 MHz\n\tConfigured Clock Speed: 2133 MHz\n"));
  const std::string full = "dimm:P0 CHANNEL A DIMM 0";
  EXPECT_EQ(number(evidence, "dimm.size", full), 64 * gib);
  EXPECT_EQ(text(evidence, "dimm.type", full), "DDR5");
  EXPECT_EQ(text(evidence, "dimm.part_number", full), "M321R8GA0BB0");
  EXPECT_EQ(number(evidence, "dimm.rank", full), 2);
  EXPECT_EQ(number(evidence, "dimm.speed.rated", full), 4800);
  EXPECT_EQ(number(evidence, "dimm.speed.configured", full), 4000);
  EXPECT_EQ(value<bool>(evidence, "dimm.ecc", full), true);
  EXPECT_EQ(absence(evidence, "dimm.size", "dimm:P0 CHANNEL B DIMM 0"), Absence::not_supported);
  EXPECT_EQ(all_of(evidence, "dimm.type", "dimm:P0 CHANNEL B DIMM 0").size(), 0U);
  EXPECT_EQ(number(evidence, "dimm.speed.configured", "dimm:A1"), 2133);
  EXPECT_EQ(absence(evidence, "dimm.type", "dimm:A1"), Absence::malformed);
  EXPECT_EQ(value<bool>(evidence, "dimm.ecc", "dimm:A1"), false);
}

TEST(DmidecodeTest, MemoryArraysAddUp) {
  const std::string array =
      "Physical Memory Array\n\tUse: System Memory\n\tError Correction Type: Multi-bit ECC\n"
      "\tMaximum Capacity: 2 TB\n";
  const std::string flash =
      "Physical Memory Array\n\tUse: Flash Memory\n\tError Correction Type: None\n"
      "\tMaximum Capacity: 16 MB\n";
  const auto evidence = understood(
      importer, structure(1, 16, array) + structure(2, 16, array) + structure(3, 16, flash));
  EXPECT_EQ(number(evidence, "node.memory.max"), 4096 * gib);
  EXPECT_EQ(text(evidence, "node.memory.ecc"), "Multi-bit ECC");
  const auto unknown = understood(
      importer,
      structure(1, 16, array) +
          structure(2, 16,
                    "Physical Memory Array\n\tUse: System Memory\n\tMaximum Capacity: Unknown\n"));
  EXPECT_EQ(absence(unknown, "node.memory.max"), Absence::not_supported);
}

TEST(DmidecodeTest, Slots) {
  const auto slot = [](std::string_view type, std::string_view usage, std::string_view address) {
    return "System Slot Information\n\tDesignation: PCIE\n\tType: " + std::string(type) +
           "\n\tCurrent Usage: " + std::string(usage) + "\n\tBus Address: " + std::string(address) +
           "\n";
  };
  const auto evidence = understood(
      importer,
      structure(1, 9, slot("x8 PCI Express 4 x16", "In Use", "0000:41:00.0")) +
          structure(2, 9, slot("x16 <OUT OF SPEC>", "Available", "0000:42:00.0")) +
          structure(3, 9, slot("x4 M.2 Socket 3", "Unavailable", "0000:ff:1f.7")) +
          structure(4, 9, slot("x16 PCI Express", "In Use", "0000:00:00.0")) +
          structure(
              5, 9,
              "System Slot Information\n\tDesignation: NEW\n\tType: PCI Express 5\n"
              "\tData Bus Width: x16\n\tSlot Physical Width: x16\n\tCurrent Usage: Available\n"));
  EXPECT_EQ(number(evidence, "slot.lanes", "slot:PCIE"), 8);
  EXPECT_EQ(number(evidence, "slot.width", "slot:PCIE"), 16);
  EXPECT_EQ(number(evidence, "slot.generation", "slot:PCIE"), 4);
  EXPECT_EQ(text(evidence, "slot.usage", "slot:PCIE"), "used");
  EXPECT_EQ(text(evidence, "slot.pci.address", "slot:PCIE"), "0000:41:00.0");
  EXPECT_EQ(number(evidence, "slot.lanes", "slot:PCIE#2"), 16);
  EXPECT_EQ(absence(evidence, "slot.generation", "slot:PCIE#2"), Absence::not_supported);
  EXPECT_EQ(absence(evidence, "slot.type", "slot:PCIE#2"), Absence::malformed);
  EXPECT_EQ(text(evidence, "slot.usage", "slot:PCIE#2"), "free");
  EXPECT_EQ(only(evidence, "slot.pci.address", "slot:PCIE#2"), nullptr);
  EXPECT_EQ(text(evidence, "slot.usage", "slot:PCIE#3"), "unknown");
  EXPECT_EQ(only(evidence, "slot.generation", "slot:PCIE#3"), nullptr);
  EXPECT_EQ(absence(evidence, "slot.pci.address", "slot:PCIE#4"), Absence::not_supported);
  EXPECT_EQ(number(evidence, "slot.lanes", "slot:NEW"), 16);
  EXPECT_EQ(number(evidence, "slot.width", "slot:NEW"), 16);
  EXPECT_EQ(number(evidence, "slot.generation", "slot:NEW"), 5);
}

TEST(DmidecodeTest, PowerSupplies) {
  const auto supply = [](std::string_view location, std::string_view status,
                         std::string_view plugged) {
    return "System Power Supply\n\tLocation: " + std::string(location) +
           "\n\tName: PWR,2400W\n\tModel Part Number: 0ABC\n\tMax Power Capacity: 2400 W\n"
           "\tStatus: " +
           std::string(status) + "\n\tPlugged: " + std::string(plugged) + "\n";
  };
  const auto evidence = understood(
      importer, structure(1, 39, supply("PSU1", "Present, OK", "Yes")) +
                    structure(2, 39, supply("PSU2", "Present, OK", "No")) +
                    structure(3, 39, supply("PSU3", "Not Present", "No")) +
                    structure(4, 39, supply("PSU4", "Present, Critical", "Yes")) +
                    structure(5, 39, supply("Not Specified", "Present, Unknown", "Yes")));
  EXPECT_EQ(text(evidence, "psu.health", "psu:PSU1"), "ok");
  EXPECT_EQ(number(evidence, "psu.capacity", "psu:PSU1"), 2400);
  EXPECT_EQ(text(evidence, "psu.model", "psu:PSU1"), "0ABC");
  EXPECT_EQ(text(evidence, "psu.health", "psu:PSU2"), "no_input");
  EXPECT_EQ(text(evidence, "psu.health", "psu:PSU3"), "absent");
  EXPECT_EQ(only(evidence, "psu.capacity", "psu:PSU3"), nullptr);
  EXPECT_EQ(text(evidence, "psu.health", "psu:PSU4"), "critical");
  EXPECT_EQ(absence(evidence, "psu.health", "psu:PWR,2400W"), Absence::not_supported);
}

TEST(DmidecodeTest, QuietOutputHasNoHandles) {
  const auto evidence = understood(importer, std::string(bios) + "\n" + std::string(module) + "\n");
  EXPECT_EQ(text(evidence, "node.bios.version"), "2.7");
  EXPECT_EQ(number(evidence, "dimm.size", "dimm:DIMM 0"), 64 * gib);
}

TEST(DmidecodeTest, AWholeListingNeedsItsEnd) {
  std::string given(banner);
  for (int i = 0; i < 8; ++i)
    given += structure(i, 40 + i, "Some Information " + std::to_string(i) + "\n\tA: b\n");
  expect_error(importer, given, 36, "ends early");
  expect_error(importer, "# dmidecode 3.4\nTable at 0x794B5000.\n\n" + structure(3, 4, processor),
               13, "ends early");
  EXPECT_TRUE(
      understood(importer, given + structure(99, 127, "End Of Table\n")).observations.empty());
}

TEST(DmidecodeTest, TheSameTwiceIsOnceAndTwoMachinesAreRefused) {
  const auto twice = understood(importer, structure(1, 17, module) + structure(1, 17, module));
  EXPECT_EQ(all_of(twice, "dimm.size").size(), 1U);
  expect_error(importer, structure(1, 17, module) + structure(1, 17, no_module), 17,
               "another structure in line 2");
}

TEST(DmidecodeTest, HostileAndErrors) {
  expect_error(importer, "# dmidecode 3.3\n/dev/mem: Permission denied\n", 2, "as root");
  expect_error(importer, "# dmidecode 3.3\n# No SMBIOS nor DMI entry point found, sorry.\n", 2,
               "as root");
  expect_error(importer, "nothing\n", 1, "no structure");
  expect_error(importer, structure(1, 17, "Memory Device\n\tSize: 1,5 GB\n"), 3, "decimal comma");
  expect_error(importer, std::string("Handle 0x1, DMI type 17\n\0\n", 26), 2, "NUL");
  const auto odd = understood(
      importer,
      structure(1, 17, "Memory Device\n\tSize: -4 GB\n\tLocator: \n") +
          structure(2, 17, "Memory Device\n\tSize: 1e999 GB\n") +
          structure(3, 9,
                    "System Slot Information\n\tDesignation: \x1b[31m\n\tType: x99 PCI Express\n"));
  EXPECT_EQ(absence(odd, "dimm.size", "dimm:unnamed"), Absence::not_supported);
  EXPECT_EQ(absence(odd, "dimm.size", "dimm:unnamed#2"), Absence::not_supported);
  EXPECT_EQ(only(odd, "slot.lanes", "slot:\\x1b[31m"), nullptr);
}

TEST(DmidecodeTest, RecognisesItsOutputOnly) {
  EXPECT_TRUE(importer.recognises("/sbin/dmidecode\n\n" + std::string(banner)));
  EXPECT_TRUE(importer.recognises(structure(1, 17, module)));
  EXPECT_TRUE(importer.recognises("# dmidecode 3.3\n/dev/mem: Permission denied\n"));
  EXPECT_FALSE(importer.recognises("[    0.000000] DMI: Supermicro SYS-1, BIOS 1.0 01/01/2020\n"));
  EXPECT_FALSE(importer.recognises("Handle with care\n"));
  EXPECT_FALSE(importer.recognises(""));
}

}  // namespace
}  // namespace testing
}  // namespace gpuvet::ingest
