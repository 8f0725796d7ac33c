// SPDX-License-Identifier: Apache-2.0
// `nvidia-smi -q` in small: drivers' labels, excerpts, absences, identities, and files cut off.
#include <gtest/gtest.h>

#include <string>

#include "ingest/importer.hpp"
#include "reading.hpp"

namespace gpuvet::ingest {

Importer nvidia_smi_q();

namespace {

using namespace testing;

constexpr const char* gpu = "gpu:GPU-12345678-aaaa-bbbb-cccc-1234567890ab";
constexpr const char* unnamed = "gpu:unnamed";

/// A report of one GPU with `inside` below its line; the first line of `inside` is line 9.
std::string report(const std::string& inside, const std::string& attached = "1") {
  return "==============NVSMI LOG==============\n\n"
         "Timestamp                     : Mon Jan  5 10:00:00 2026\n"
         "Driver Version                : 535.10\n"
         "CUDA Version                  : 12.2\n"
         "Attached GPUs                 : " +
         attached +
         "\n"
         "GPU 00000000:1B:00.0\n"
         "    GPU UUID                  : GPU-12345678-aaaa-bbbb-cccc-1234567890ab\n" +
         inside;
}

Evidence understood(std::string_view text) {
  auto read_back = read(nvidia_smi_q(), text);
  EXPECT_TRUE(read_back) << (read_back ? "" : read_back.error().message());
  return read_back ? *read_back : Evidence{};
}
Evidence facts(const std::string& inside) { return understood(report(inside)); }

Error refusal(std::string_view text) {
  const auto read_back = read(nvidia_smi_q(), text);
  EXPECT_FALSE(read_back);
  return read_back ? Error{} : read_back.error();
}

std::optional<bool> flag(const Evidence& e, std::string_view id, std::string_view subject = gpu) {
  return value<bool>(e, id, subject);
}

TEST(NvidiaSmiQ, ReadsNodeAndIdentity) {
  const Evidence e = facts("    Product Name              : NVIDIA H100 80GB HBM3\n");
  EXPECT_EQ(text(e, "node.driver.version"), "535.10");
  EXPECT_EQ(text(e, "node.cuda.version"), "12.2");
  EXPECT_EQ(number(e, "node.gpu.attached"), 1);
  EXPECT_EQ(e.observations[0].provenance->tool, "nvidia-smi -q");
  EXPECT_EQ(e.observations[0].provenance->when, "Mon Jan  5 10:00:00 2026");
  EXPECT_EQ(text(e, "gpu.uuid", gpu), "GPU-12345678-aaaa-bbbb-cccc-1234567890ab");
  EXPECT_EQ(text(e, "gpu.pci.address", gpu), "0000:1b:00.0");
  EXPECT_EQ(text(e, "gpu.name", gpu), "NVIDIA H100 80GB HBM3");
  EXPECT_EQ(only(e, "gpu.name", gpu)->line, 9U);
  EXPECT_EQ(number(e, "gpu.index", gpu), 0);
  EXPECT_EQ(flag(e, "gpu.lost"), false);
}

TEST(NvidiaSmiQ, ReadsTheCellsOfARecentDriver) {
  const Evidence e = facts(
      "    Display Active            : Disabled\n"
      "    Persistence Mode          : Enabled\n"
      "    Addressing Mode           : HMM\n"
      "    MIG Mode\n"
      "        Current               : Disabled\n"
      "        Pending               : Disabled\n"
      "    Accounting Mode           : Enabled\n"
      "    Serial Number             : 165\n"
      "    Board Part Number         : 692-2G520-0200-000\n"
      "    GPU Part Number           : 2330-885-A1\n"
      "    Inforom Version\n"
      "        Image Version         : G520.0200.00.05\n"
      "    GPU Virtualization Mode\n"
      "        Virtualization Mode   : Pass-Through\n"
      "    GPU Recovery Action       : Drain and Reset\n"
      "    GSP Firmware Version      : 535.10\n"
      "    PCI\n"
      "        Device Id             : 0x233010DE\n"
      "        GPU Link Info\n"
      "            PCIe Generation\n"
      "                Max           : 5\n"
      "                Current       : 4\n"
      "                Device Max    : 5\n"
      "            Link Width\n"
      "                Max           : 16x\n"
      "                Current       : 8x\n"
      "        Replays Since Reset   : 9\n"
      "    Clocks Event Reasons\n"
      "        Idle                  : Not Active\n"
      "        HW Slowdown           : Active\n"
      "            HW Thermal Slowdown     : Not Active\n"
      "            HW Power Brake Slowdown : Active\n"
      "    Clocks Event Reasons Counters\n"
      "        HW Thermal Slowdown   : 2500000 us\n"
      "    FB Memory Usage\n"
      "        Total                 : 81559 MiB\n"
      "        Reserved              : 479 MiB\n"
      "        Used                  : 1 MiB\n"
      "        Free                  : 81080 MiB\n"
      "    BAR1 Memory Usage\n"
      "        Total                 : 131072 MiB\n"
      "        Used                  : 2 MiB\n"
      "    Compute Mode              : Default\n"
      "    Utilization\n"
      "        Gpu                   : 7 %\n"
      "        Memory                : 3 %\n");
  EXPECT_EQ(flag(e, "gpu.display"), false);
  EXPECT_EQ(text(e, "gpu.addressing_mode", gpu), "HMM");
  EXPECT_EQ(flag(e, "gpu.mig.mode"), false);
  EXPECT_EQ(number(e, "gpu.mig.instances", gpu), 0);
  EXPECT_EQ(flag(e, "gpu.accounting"), true);
  EXPECT_EQ(text(e, "gpu.serial", gpu), "165");
  EXPECT_EQ(text(e, "gpu.part_number", gpu), "692-2G520-0200-000");
  EXPECT_EQ(text(e, "gpu.inforom.image", gpu), "G520.0200.00.05");
  EXPECT_EQ(text(e, "gpu.virtualization", gpu), "Pass-Through");
  EXPECT_EQ(text(e, "gpu.recovery_action", gpu), "Drain and Reset");
  EXPECT_EQ(text(e, "gpu.gsp.firmware", gpu), "535.10");
  EXPECT_EQ(text(e, "gpu.pci.device_id", gpu), "2330");
  EXPECT_EQ(number(e, "gpu.pcie.generation", gpu), 4);
  EXPECT_EQ(number(e, "gpu.pcie.generation.max", gpu), 5);
  EXPECT_EQ(number(e, "gpu.pcie.width", gpu), 8);
  EXPECT_EQ(number(e, "gpu.pcie.width.max", gpu), 16);
  EXPECT_EQ(number(e, "gpu.pcie.replays", gpu), 9);
  EXPECT_EQ(flag(e, "gpu.clock_event.idle"), false);
  EXPECT_EQ(flag(e, "gpu.clock_event.hw_slowdown"), true);
  EXPECT_EQ(flag(e, "gpu.clock_event.hw_thermal"), false);
  EXPECT_EQ(flag(e, "gpu.clock_event.hw_power_brake"), true);
  EXPECT_EQ(number(e, "gpu.clock_event.hw_thermal.time", gpu), 2.5);
  EXPECT_EQ(number(e, "gpu.memory.total", gpu), 81559. * 1024 * 1024);
  EXPECT_EQ(number(e, "gpu.memory.reserved", gpu), 479. * 1024 * 1024);
  EXPECT_EQ(number(e, "gpu.memory.free", gpu), 81080. * 1024 * 1024);
  EXPECT_EQ(number(e, "gpu.bar1.total", gpu), 131072. * 1024 * 1024);
  EXPECT_EQ(number(e, "gpu.bar1.used", gpu), 2. * 1024 * 1024);
  EXPECT_EQ(text(e, "gpu.compute_mode", gpu), "Default");
  EXPECT_EQ(number(e, "gpu.utilization", gpu), 0.07);
  EXPECT_EQ(number(e, "gpu.utilization.memory", gpu), 0.03);
}

TEST(NvidiaSmiQ, ReadsMemoryErrorsRetirementAndRemapping) {
  const Evidence e = facts(
      "    ECC Mode\n"
      "        Current               : Enabled\n"
      "        Pending               : Disabled\n"
      "    ECC Errors\n"
      "        Volatile\n"
      "            SRAM Correctable            : 0\n"
      "            SRAM Uncorrectable Parity   : 2\n"
      "            SRAM Uncorrectable SEC-DED  : 3\n"
      "            DRAM Correctable            : 177\n"
      "            DRAM Uncorrectable          : 1\n"
      "        Aggregate\n"
      "            SRAM Uncorrectable          : 5\n"
      "            SRAM Threshold Exceeded     : Yes\n"
      "        Channel Repair Pending          : Yes\n"
      "        TPC Repair Pending              : No\n"
      "        Unrepairable Memory             : Yes\n"
      "    Retired Pages\n"
      "        Single Bit ECC        : 4\n"
      "        Double Bit ECC        : 61\n"
      "        Pending Page Blacklist: Yes\n"
      "    Remapped Rows\n"
      "        Correctable Error     : 1\n"
      "        Uncorrectable Error   : 2\n"
      "        Pending               : Yes\n"
      "        Remapping Failure Occurred : Yes\n"
      "        Bank Remap Availability Histogram\n"
      "            Max               : 639 bank(s)\n"
      "            None              : 1 bank(s)\n");
  EXPECT_EQ(flag(e, "gpu.ecc.mode"), true);
  EXPECT_EQ(flag(e, "gpu.ecc.mode.pending"), false);
  EXPECT_EQ(number(e, "gpu.ecc.volatile.uncorrected.sram", gpu), 5);
  EXPECT_EQ(number(e, "gpu.ecc.volatile.corrected.dram", gpu), 177);
  EXPECT_EQ(number(e, "gpu.ecc.volatile.uncorrected.dram", gpu), 1);
  EXPECT_EQ(number(e, "gpu.ecc.aggregate.uncorrected.sram", gpu), 5);
  EXPECT_EQ(flag(e, "gpu.ecc.sram_threshold_exceeded"), true);
  EXPECT_EQ(flag(e, "gpu.repair.channel_pending"), true);
  EXPECT_EQ(flag(e, "gpu.repair.tpc_pending"), false);
  EXPECT_EQ(flag(e, "gpu.memory.unrepairable"), true);
  EXPECT_EQ(number(e, "gpu.retired_pages.single_bit", gpu), 4);
  EXPECT_EQ(number(e, "gpu.retired_pages", gpu), 65);
  EXPECT_EQ(flag(e, "gpu.retired_pages.pending"), true);
  EXPECT_EQ(number(e, "gpu.remap.correctable", gpu), 1);
  EXPECT_EQ(number(e, "gpu.remap.uncorrectable", gpu), 2);
  EXPECT_EQ(flag(e, "gpu.remap.pending"), true);
  EXPECT_EQ(flag(e, "gpu.remap.failure"), true);
  EXPECT_EQ(number(e, "gpu.remap.banks.max", gpu), 639);
  EXPECT_EQ(number(e, "gpu.remap.banks.none", gpu), 1);
}

TEST(NvidiaSmiQ, ReadsThermalPowerAndClocks) {
  const Evidence e = facts(
      "    Temperature\n"
      "        GPU Current Temp      : 59 C\n"
      "        GPU T.Limit Temp      : 26 C\n"
      "        GPU Slowdown T.Limit Temp : -2 C\n"
      "        GPU Slowdown Temp     : 97 C\n"
      "        Memory Current Temp   : 55 C\n"
      "    GPU Power Readings\n"
      "        Average Power Draw    : 90.00 W\n"
      "        Instantaneous Power Draw : 88.50 W\n"
      "        GPU Ceiling Power Limit\n"
      "            Current Power Limit  : 250.00 W\n"
      "        Max Power Limit       : 300.00 W\n"
      "    Module Power Readings\n"
      "        Current Power Limit   : 1000.00 W\n"
      "    Clocks\n"
      "        Graphics              : 1 MHz\n"
      "        SM                    : 1980 MHz\n"
      "        Memory                : 2619 MHz\n"
      "    Fabric\n"
      "        State                 : Completed\n"
      "        Status                : Success\n");
  EXPECT_EQ(number(e, "gpu.temperature.core", gpu), 59);
  EXPECT_EQ(number(e, "gpu.temperature.margin", gpu), 26);
  EXPECT_EQ(number(e, "gpu.temperature.limit.slowdown", gpu), 97) << "a margin is not a limit";
  EXPECT_EQ(number(e, "gpu.temperature.memory", gpu), 55);
  EXPECT_EQ(number(e, "gpu.power.draw", gpu), 88.5);
  EXPECT_EQ(number(e, "gpu.power.limit", gpu), 250) << "neither the module's nor none";
  EXPECT_EQ(number(e, "gpu.power.limit.max", gpu), 300);
  EXPECT_EQ(number(e, "gpu.clock.sm", gpu), 1.98e9);
  EXPECT_EQ(number(e, "gpu.clock.memory", gpu), 2.619e9);
  EXPECT_EQ(text(e, "gpu.fabric.state", gpu), "Completed");
  EXPECT_EQ(text(e, "gpu.fabric.status", gpu), "Success");
}

TEST(NvidiaSmiQ, ReadsTheLabelsOfOldDrivers) {
  const Evidence e = facts(
      "    Clocks Throttle Reasons\n"
      "        SW Power Cap          : Active\n"
      "    Ecc Mode\n"
      "        Current               : Enabled\n"
      "    Power Readings\n"
      "        Power Draw            : 229.00 W\n"
      "        Power Limit           : 270.00 W\n"
      "        Enforced Power Limit  : 260.00 W\n"
      "    Retired pages\n"
      "        Pending               : No\n");
  EXPECT_EQ(flag(e, "gpu.clock_event.sw_power_cap"), true);
  EXPECT_EQ(flag(e, "gpu.ecc.mode"), true);
  EXPECT_EQ(number(e, "gpu.power.draw", gpu), 229);
  EXPECT_EQ(number(e, "gpu.power.limit", gpu), 260);
  EXPECT_EQ(flag(e, "gpu.retired_pages.pending"), false);
}

TEST(NvidiaSmiQ, ADeprecatedVersionYieldsToItsSuccessor) {
  const Evidence e = understood(
      "Driver Version     : 610.62 [Deprecated; will be removed. Use KMD Version instead]\n"
      "CUDA Version       : 13.3 [Deprecated; will be removed]\n"
      "KMD Version        : 610.63\n"
      "Attached GPUs      : 0\n");
  EXPECT_EQ(text(e, "node.driver.version"), "610.63");
  EXPECT_EQ(text(e, "node.cuda.version"), "13.3");
}

/// Eleven lines of a Volta GPU's errors, in `last` the total.
std::string by_location(const std::string& last) {
  return "    ECC Errors\n"
         "        Volatile\n"
         "            Double Bit\n"
         "                Device Memory   : 4\n"
         "                Register File   : 1\n"
         "                L1 Cache        : N/A\n"
         "                L2 Cache        : 2\n"
         "                Texture Shared  : 5\n" +
         last;
}

TEST(NvidiaSmiQ, AddsUpErrorsByLocationOnlyWhenAllAreThere) {
  const Evidence whole = facts(by_location("                Total           : 12\n"));
  EXPECT_EQ(number(whole, "gpu.ecc.volatile.uncorrected.dram", gpu), 4);
  EXPECT_EQ(number(whole, "gpu.ecc.volatile.uncorrected.sram", gpu), 8);
  for (const char* last : {"", "                ...\n                Total           : 12\n"}) {
    const Evidence cut = facts(by_location(last));
    EXPECT_EQ(number(cut, "gpu.ecc.volatile.uncorrected.dram", gpu), 4) << last;
    EXPECT_EQ(only(cut, "gpu.ecc.volatile.uncorrected.sram", gpu), nullptr) << last;
  }
}

TEST(NvidiaSmiQ, SaysWhyAValueIsAbsent) {
  const Evidence e = facts(
      "    Product Name              : \n"
      "    Serial Number             : N/A\n"
      "    Addressing Mode           : Unknown Error\n"
      "    Performance State         : [Insufficient Permissions]\n"
      "    MIG Mode\n"
      "        Current               : N/A\n"
      "    Remapped Rows             : N/A\n"
      "    Temperature\n"
      "        GPU Current Temp      : hot\n"
      "    Processes                 : N/A\n");
  EXPECT_EQ(absence(e, "gpu.name", gpu), Absence::not_supported);
  EXPECT_EQ(absence(e, "gpu.serial", gpu), Absence::not_supported);
  EXPECT_EQ(absence(e, "gpu.addressing_mode", gpu), Absence::malformed);
  EXPECT_EQ(absence(e, "gpu.performance_state", gpu), Absence::permission);
  EXPECT_EQ(absence(e, "gpu.mig.mode", gpu), Absence::not_supported);
  EXPECT_EQ(absence(e, "gpu.mig.instances", gpu), Absence::not_supported);
  EXPECT_EQ(absence(e, "gpu.remap.failure", gpu), Absence::not_supported) << "its group says so";
  EXPECT_EQ(absence(e, "gpu.temperature.core", gpu), Absence::malformed);
  EXPECT_EQ(absence(e, "gpu.processes", gpu), Absence::not_supported);
  EXPECT_EQ(only(e, "gpu.clock.sm", gpu), nullptr) << "not in this file at all";
}

TEST(NvidiaSmiQ, CountsComputeProcesses) {
  const auto process = [](const std::string& type) {
    return "        GPU instance ID       : N/A\n"
           "        Process ID            : 77\n" +
           (type.empty() ? "" : "            Type              : " + type + "\n") +
           "            Name              : C:\\Temp\\a.exe\n";
  };
  const std::string list = "    Processes\n" + process("C") + process("G") + process("C+G") +
                           process("M+C") + process("");
  const std::string behind = "    Capabilities\n        EGM : disabled\n";
  EXPECT_EQ(number(facts(list + behind), "gpu.processes", gpu), 4);
  EXPECT_EQ(only(facts(list + "        ...\n" + behind), "gpu.processes", gpu), nullptr);
  EXPECT_EQ(number(facts("    Processes : None\n[...]\n"), "gpu.processes", gpu), 0);
}

TEST(NvidiaSmiQ, CountsMigInstancesAndKeepsTheirCellsApart) {
  const std::string mode =
      "    MIG Mode\n        Current             : Enabled\n        Pending             : "
      "Enabled\n";
  const std::string instance =
      "    MIG Device\n"
      "        Index               : 0\n"
      "        FB Memory Usage\n"
      "            Total           : 10 MiB\n"
      "        ECC Errors\n"
      "            Volatile\n"
      "                SRAM Uncorrectable : 7\n";
  const std::string behind = "    FB Memory Usage\n        Total               : 70 MiB\n";
  const Evidence two = facts(mode + instance + instance + behind);
  EXPECT_EQ(number(two, "gpu.mig.instances", gpu), 2);
  EXPECT_EQ(number(two, "gpu.memory.total", gpu), 70. * 1024 * 1024);
  EXPECT_EQ(only(two, "gpu.ecc.volatile.uncorrected.sram", gpu), nullptr);
  EXPECT_EQ(number(facts(mode + behind), "gpu.mig.instances", gpu), 0);
  EXPECT_EQ(only(facts(mode), "gpu.mig.instances", gpu), nullptr) << "they may have followed";
  EXPECT_EQ(only(facts(mode + "    [...]\n" + behind), "gpu.mig.instances", gpu), nullptr);
}

TEST(NvidiaSmiQ, AnExcerptOfOneGpuOfEightCountsNothing) {
  const Evidence e = understood(report("    [...]\n    Fan Speed : 30 %\n[...]\n", "8"));
  EXPECT_EQ(all_of(e, "node.gpu.attached").size(), 1U);
  EXPECT_EQ(number(e, "node.gpu.attached"), 8);
  EXPECT_EQ(only(e, "gpu.index", gpu), nullptr) << "which of the eight is not said";
}

TEST(NvidiaSmiQ, ASectionAloneIsAboutAGpuWithoutAName) {
  for (const std::string indent : {"", "    "}) {
    const Evidence e = understood(indent + "Retired pages\n        Single Bit ECC : 2\n" +
                                  "        Pending Page Blacklist    : Yes\n");
    EXPECT_EQ(number(e, "gpu.retired_pages.single_bit", unnamed), 2);
    EXPECT_EQ(flag(e, "gpu.retired_pages.pending", unnamed), true);
    EXPECT_EQ(only(e, "gpu.retired_pages", unnamed), nullptr) << "half of a sum";
    EXPECT_TRUE(all_of(e, "gpu.name").empty() && all_of(e, "gpu.index").empty());
  }
}

TEST(NvidiaSmiQ, RefusesASectionTwiceWithoutTheGpusLine) {
  const std::string section = "    Retired Pages\n        Single Bit ECC : 2\n";
  EXPECT_EQ(refusal(section + section).what,
            "the same section twice, without the line that names its GPU");
  EXPECT_EQ(refusal(report(section + "...\n" + section)).input_line, 13U);
}

TEST(NvidiaSmiQ, DotsInTheFirstColumnDoNotEndAGpu) {
  const Evidence e = facts("...\n    Remapped Rows\n        Pending : Yes\n");
  EXPECT_EQ(flag(e, "gpu.remap.pending"), true);
}

std::string two_gpus(const std::string& first, const std::string& second) {
  return "Attached GPUs : 1\nGPU 00000000:0A:00.0\n    GPU UUID : " + first +
         "\nGPU 00000000:0B:00.0\n    GPU UUID : " + second + "\n";
}

TEST(NvidiaSmiQ, AUuidThatIsNoUuidYieldsToTheAddress) {
  const Evidence e = understood(two_gpus("GPU-00000000-0000-0000-0000-000000000000",
                                         "GPU-12345678-aaaa-bbbb-cccc-1234567890ab"));
  EXPECT_EQ(absence(e, "gpu.uuid", "gpu:0000:0a:00.0"), Absence::malformed);
  EXPECT_EQ(text(e, "gpu.pci.address", gpu), "0000:0b:00.0");
  const auto counts = all_of(e, "node.gpu.attached");
  ASSERT_EQ(counts.size(), 2U) << "the file shows more than it counts";
  EXPECT_EQ(*counts[1].number(), 2);
}

TEST(NvidiaSmiQ, KnowsALostGpuByItsCellsItsResetStatusAndItsMessage) {
  EXPECT_EQ(flag(facts("    Product Name : GPU is lost\n"), "gpu.lost"), true);
  EXPECT_EQ(flag(facts("    Board ID : [GPU requires reset]\n"), "gpu.lost"), true);
  EXPECT_EQ(flag(facts("    GPU Reset Status\n        Reset Required : Yes\n"), "gpu.lost"), true);
  const Evidence e =
      understood(report("    Compute Mode : Default\n") +
                 "Unable to determine the device handle for GPU0000:5E:00.0: Unknown Error\n");
  EXPECT_EQ(flag(e, "gpu.lost"), false);
  EXPECT_EQ(flag(e, "gpu.lost", "gpu:0000:5e:00.0"), true);
  EXPECT_EQ(only(e, "gpu.lost", "gpu:0000:5e:00.0")->line, 10U);
  for (const std::string where : {"gpu 0000:1B:00.0", "GPU0: 0000:1B:00.0"})
    EXPECT_EQ(flag(facts("Unable to determine the device handle for " + where +
                         ": GPU is lost.  Reboot the system to recover this GPU\n"),
                   "gpu.lost"),
              true)
        << where;
}

TEST(NvidiaSmiQ, KnowsACorruptInforomOnlyWhereItIsSaid) {
  const std::string whole = report("    Compute Mode : Default\n");
  EXPECT_TRUE(all_of(understood(whole), "gpu.inforom.valid").empty());
  const Evidence e = understood(whole +
                                "WARNING: infoROM is corrupted at gpu 0000:1B:00.0\n"
                                "WARNING: infoROM is corrupted at gpu 0000:2B:00.0\n");
  EXPECT_EQ(flag(e, "gpu.inforom.valid"), false);
  EXPECT_EQ(flag(e, "gpu.inforom.valid", "gpu:0000:2b:00.0"), false);
}

TEST(NvidiaSmiQ, RefusesAnErrorInPlaceOfAReport) {
  const std::string text =
      "$ nvidia-smi -q\n\nFailed to initialize NVML: Driver/library version mismatch\n";
  EXPECT_TRUE(nvidia_smi_q().recognises(text));
  const Error e = refusal(text);
  EXPECT_EQ(e.code, Errc::vendor_failure);
  EXPECT_EQ(e.input_line, 3U);
  EXPECT_NE(e.what.find("Driver/library version mismatch"), std::string::npos);
}

TEST(NvidiaSmiQ, RefusesAHeaderWithoutGpus) {
  EXPECT_EQ(refusal("==============NVSMI LOG==============\nAttached GPUs : 8\n").what,
            "no GPU follows: the file is cut off, or shows units only");
  EXPECT_EQ(refusal("==============NVSMI LOG==============\nHIC Info : N/A\n").what,
            "no GPU and no section of one");
}

TEST(NvidiaSmiQ, RefusesASecondReport) {
  const std::string one = report("    Compute Mode : Default\n");
  EXPECT_EQ(refusal(one + one).what, "a second report: give one report a file");
  EXPECT_EQ(refusal(one + one).input_line, 16U);
  EXPECT_TRUE(read(nvidia_smi_q(), one + "nvidia-smi -q -u\n==============NVSMI LOG=========="
                                         "====\nTimestamp : x\nAttached Units : 0\n"));
}

TEST(NvidiaSmiQ, ALineWithoutItsEndMayBeCutOff) {
  const std::string pages = "    Retired Pages\n        Single Bit ECC : 0\n";
  const Evidence cut = facts(pages + "        Double Bit ECC : 6");
  EXPECT_EQ(number(cut, "gpu.retired_pages.single_bit", gpu), 0);
  EXPECT_EQ(only(cut, "gpu.retired_pages.double_bit", gpu), nullptr) << "it may have been 61";
  EXPECT_EQ(only(cut, "gpu.retired_pages", gpu), nullptr);
  EXPECT_EQ(number(facts(pages + "        Double Bit ECC : 6\n"), "gpu.retired_pages", gpu), 6);
  EXPECT_EQ(flag(facts(pages + "        Pending : Yes"), "gpu.retired_pages.pending"), true);
}

TEST(NvidiaSmiQ, NoTruncationInventsAValue) {
  const std::string whole = report(by_location("                Total           : 12\n") +
                                   "    Retired Pages\n        Double Bit ECC : 61\n"
                                   "    Processes : None\n");
  const Evidence all = understood(whole);
  for (std::size_t n = 0; n < whole.size(); ++n) {
    const auto e = read(nvidia_smi_q(), whole.substr(0, n));
    if (!e) continue;
    for (const Observation& o : e->observations) {
      if (o.subject != gpu) continue;
      const Observation* same = only(all, o.id.name(), o.subject);
      ASSERT_NE(same, nullptr) << o.id.name() << " after " << n << " bytes";
      EXPECT_EQ(o.value, same->value) << o.id.name() << " after " << n << " bytes";
    }
  }
}

TEST(NvidiaSmiQ, RefusesADecimalCommaWithItsLine) {
  const Error e = refusal(report("    Power Readings\n        Power Draw : 217,24 W\n"));
  EXPECT_EQ(e.what, "number with a decimal comma: rerun with LC_ALL=C");
  EXPECT_EQ(e.input_line, 10U);
}

TEST(NvidiaSmiQ, SurvivesHostileText) {
  EXPECT_EQ(refusal(report(std::string("    Serial\0Number : 1\n", 22))).input_line, 9U);
  const Evidence e = facts("    " + std::string(100'000, 'x') +
                           " : 1\n    Product Name : " + std::string(100'000, 'y') +
                           "\n    Clocks\n        SM : -5 MHz\n        Memory : 1e999 MHz\n"
                           "    VBIOS Version : a\x1b[31mb\x01\n");
  EXPECT_EQ(absence(e, "gpu.name", gpu), Absence::malformed);
  EXPECT_EQ(absence(e, "gpu.clock.sm", gpu), Absence::malformed);
  EXPECT_EQ(absence(e, "gpu.clock.memory", gpu), Absence::malformed);
  EXPECT_EQ(text(e, "gpu.vbios.version", gpu), "ab");
  std::string deep = report("");
  for (std::size_t i = 0; i < 300; ++i) deep += std::string(i, ' ') + "a\n";
  EXPECT_TRUE(read(nvidia_smi_q(), deep));
  std::string many;
  for (int i = 0; i < 1025; ++i) many += "GPU 00000000:1B:00.0\n";
  EXPECT_EQ(refusal(many).input_line, 1025U);
}

TEST(NvidiaSmiQ, RecognisesReportsAndTheirExcerptsOnly) {
  const auto recognises = nvidia_smi_q().recognises;
  EXPECT_TRUE(
      recognises("```\r\n$ nvidia-smi -q\r\n\r\n==============NVSMI LOG==============\r\n"));
  EXPECT_TRUE(recognises("GPU 00000000:1B:00.0\n    Product Name : x\n"));
  EXPECT_TRUE(recognises("    ECC Errors\n        Volatile\n            SRAM Correctable : 0\n"));
  EXPECT_TRUE(recognises("No devices were found\n"));
  EXPECT_FALSE(recognises("GPU 00000000:1B:00.0\n"));
  EXPECT_FALSE(recognises("GPU 0: NVIDIA A100 (UUID: GPU-1)\n\t Link 0: 25 GB/s\n"));
  EXPECT_FALSE(recognises("Product Name : PowerEdge\nSerial Number : 1\n"));
  EXPECT_FALSE(recognises("Handle 0x0001\nSystem Information\n\tSerial Number: 1\n"));
  EXPECT_FALSE(recognises("a log\nFailed to initialize NVML: Unknown Error\n"));
  EXPECT_FALSE(recognises("<nvidia_smi_log>\n<gpu>\n"));
  EXPECT_FALSE(recognises(""));
}

}  // namespace
}  // namespace gpuvet::ingest
