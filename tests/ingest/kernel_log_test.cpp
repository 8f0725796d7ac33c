// SPDX-License-Identifier: Apache-2.0
// Kernel logs: which lines count, in whatever dress they come, and what they are about.
#include <gtest/gtest.h>

#include "reading.hpp"

namespace gpuvet::ingest {
Importer kernel_log();
}

namespace gpuvet::ingest::testing {
namespace {

using Codes = std::vector<double>;

Evidence good(std::string_view log) {
  auto evidence = read(kernel_log(), log);
  if (!evidence) ADD_FAILURE() << evidence.error().message();
  return evidence ? *std::move(evidence) : Evidence{};
}

TEST(KernelLog, ReadsAnXidInEveryDress) {
  const std::string_view lines[] = {
      "NVRM: Xid (PCI:0000:0f:00): 94, pid=7, Contained ECC error",
      "NVRM: Xid (0000:0f:00): 94, Channel 00000001",
      "[   12.345678] NVRM: Xid (PCI:0000:0f:00): 94, pid=7, name=train",
      "[   12.345678] [ T1946] NVRM: Xid (PCI:0000:0f:00): 94, pid=7",
      "[Mon Mar  3 09:08:07 2025] NVRM: Xid (PCI:0000:0f:00): 94, pid=7",
      "kern  :warn  : 2025-03-03T09:08:07,123456+00:00 NVRM: Xid (PCI:0000:0f:00): 94, pid=7",
      "4,812,4711000,-;NVRM: Xid (PCI:0000:0f:00): 94, pid=7",
      "Mar  3 09:08:07 rack7 kernel: [   12.345678] NVRM: Xid (PCI:0000:0F:00): 94, pid=7",
      "2025-03-03T09:08:07.1+00:00 rack7 kernel: NVRM: Xid (PCI:0000:0f:00): 94, pid=7",
      "<4>[   12.345678] NVRM: Xid (PCI:0000:0f:00): 94, pid=7",
      "\x1b[32m[   12.345678] \x1b[0m\x1b[33mNVRM: \x1b[0mXid (PCI:0000:0f:00): 94, pid=7",
      "NVRM: Xid (PCI:0000:0f:00): 94",
      "NVRM: Xid (PCI:0000:0f:00): 94, pid=7\r",
  };
  for (const auto line : lines) {
    SCOPED_TRACE(line);
    EXPECT_TRUE(kernel_log().recognises(line));
    const Evidence evidence = good(line);
    EXPECT_EQ(numbers(evidence, "gpu.xid", "gpu:0000:0f:00.0"), Codes{94});
    EXPECT_EQ(number(evidence, "kernel_log.gpu_events"), 1);
  }
}

TEST(KernelLog, ListsEachCodeOnceInOrderWithItsFirstMessage) {
  const Evidence evidence = good(
      "[    1.000000] something else\n"
      "[    2.000000] NVRM: Xid (PCI:0000:0f:00): 79, pid=1, GPU has fallen off the bus.\n"
      "[    3.000000] NVRM: Xid (PCI:0000:0f:00): 31, pid=1\n"
      "[    4.000000] NVRM: Xid (PCI:0000:0f:00): 79, pid=1, again\n"
      "[    5.000000] NVRM: Xid (PCI:0001:0f:00): 48, DBE\n");
  EXPECT_EQ(numbers(evidence, "gpu.xid", "gpu:0000:0f:00.0"), (Codes{31, 79}));
  EXPECT_EQ(numbers(evidence, "gpu.xid", "gpu:0001:0f:00.0"), Codes{48});
  const Observation* xid = only(evidence, "gpu.xid", "gpu:0000:0f:00.0");
  ASSERT_NE(xid, nullptr);
  EXPECT_EQ(xid->line, 2U);
  EXPECT_EQ(xid->detail, "NVRM: Xid (PCI:0000:0f:00): 79, pid=1, GPU has fallen off the bus.");
  EXPECT_EQ(number(evidence, "kernel_log.gpu_events"), 4);
  EXPECT_EQ(number(evidence, "kernel_log.lines"), 5);
}

TEST(KernelLog, ShortensALongMessageWithoutCuttingACharacter) {
  const std::string head = "NVRM: Xid (PCI:0000:0f:00): 13, ";
  std::string line = head + std::string(199 - head.size(), 'x') + "\xc3\xa9\xc3\xa9";
  const Evidence evidence = good(line);
  const Observation* xid = only(evidence, "gpu.xid", "gpu:0000:0f:00.0");
  ASSERT_NE(xid, nullptr);
  EXPECT_EQ(xid->detail, line.substr(0, 199));
}

TEST(KernelLog, AnEventItCantReadStillMakesTheLogUnclean) {
  const std::string_view lines[] = {
      "NVRM: Xid (PCI:0000:0f:00): xyz, message",
      "NVRM: Xid (PCI:0000:0f:00): 12345678901, message",
      "NVRM: Xid (PCI:0000:0f:00): 31x, message",
      "NVRM: Xid (invalid): 31, message",
      "NVRM: Xid (PCI:0000:0f:00",
      "nvidia-nvswitch0: SXid (PCI:0000:06:00.0): xyz, Fatal",
  };
  for (const auto line : lines) {
    SCOPED_TRACE(line);
    const Evidence evidence = good(line);
    EXPECT_EQ(number(evidence, "kernel_log.gpu_events"), 1);
    EXPECT_TRUE(all_of(evidence, "gpu.xid").empty());
    EXPECT_TRUE(all_of(evidence, "nvswitch.sxid").empty());
  }
}

TEST(KernelLog, SortsSwitchCodesBySeverity) {
  const Evidence evidence = good(
      "nvidia-nvswitch1: SXid (PCI:0000:06:00.0): 12028, Non-fatal, Link 32 egress\n"
      "nvidia-nvswitch1: SXid (PCI:0000:06:00.0): 20034, Severity 1 Engine instance 60\n"
      "nvidia-nvswitch1: SXid (PCI:0000:06:00.0): 20034, Fatal, Link 48 LTSSM Fault Up\n"
      "nvidia-nvswitch1: SXid (PCI:0000:06:00.0): 20034, Data {0x1, 0x2}\n"
      "nvidia-nvswitch1: SXid (PCI:0000:06:00.0): 11111, Data {0x1, 0x2}\n"
      "nvidia-nvswitch2: SXid (PCI:0000:07:00.0): 22013, Non-fatal, Link 57\n");
  EXPECT_EQ(numbers(evidence, "nvswitch.sxid", "nvswitch:0000:06:00.0"),
            (Codes{11111, 12028, 20034}));
  EXPECT_EQ(numbers(evidence, "nvswitch.sxid.fatal", "nvswitch:0000:06:00.0"), Codes{20034});
  EXPECT_EQ(numbers(evidence, "nvswitch.sxid.nonfatal", "nvswitch:0000:06:00.0"),
            (Codes{11111, 12028}));
  EXPECT_EQ(only(evidence, "nvswitch.sxid", "nvswitch:0000:06:00.0")->line, 1U);
  EXPECT_EQ(only(evidence, "nvswitch.sxid.fatal", "nvswitch:0000:06:00.0")->line, 3U);
  EXPECT_EQ(numbers(evidence, "nvswitch.sxid.fatal", "nvswitch:0000:07:00.0"), Codes{});
  EXPECT_EQ(numbers(evidence, "nvswitch.sxid.nonfatal", "nvswitch:0000:07:00.0"), Codes{22013});
  EXPECT_TRUE(all_of(evidence, "gpu.xid").empty());
}

TEST(KernelLog, FatalOnceIsFatalForGood) {
  const Evidence evidence = good(
      "nvidia-nvswitch1: SXid (PCI:0000:06:00.0): 20034, Fatal, Link 48\n"
      "nvidia-nvswitch1: SXid (PCI:0000:06:00.0): 20034, Non-fatal, Link 48\n");
  EXPECT_EQ(numbers(evidence, "nvswitch.sxid.fatal", "nvswitch:0000:06:00.0"), Codes{20034});
  EXPECT_EQ(numbers(evidence, "nvswitch.sxid.nonfatal", "nvswitch:0000:06:00.0"), Codes{});
}

TEST(KernelLog, NamesGpusWithoutInventingXids) {
  const Evidence evidence = good(
      "[    2.000000] NVRM: GPU at PCI:0000:9b:00: GPU-01234567-89ab-cdef-0123-456789abcdef\n"
      "[    3.000000] NVRM: Rate limiting prints for GPU at PCI:0000:9c:00 (1 of 30).\n"
      "[    4.000000] NVRM: GPU at PCI:0000:9d:00: GPU-short\n");
  EXPECT_EQ(text(evidence, "gpu.uuid", "gpu:0000:9b:00.0"),
            "GPU-01234567-89ab-cdef-0123-456789abcdef");
  EXPECT_EQ(text(evidence, "gpu.pci.address", "gpu:0000:9b:00.0"), "0000:9b:00.0");
  EXPECT_EQ(all_of(evidence, "gpu.uuid").size(), 1U);
  EXPECT_TRUE(all_of(evidence, "gpu.xid").empty());
  EXPECT_EQ(number(evidence, "kernel_log.gpu_events"), 0);
}

TEST(KernelLog, TheLastDriverLoadedIsTheOneThatRuns) {
  const Evidence evidence = good(
      "NVRM: loading NVIDIA UNIX x86_64 Kernel Module  535.104.05  Sat Aug 19 01:15:15 UTC 2023\n"
      "NVRM: loading NVIDIA UNIX Open Kernel Module for x86_64  550.144.03  Release Build\n");
  EXPECT_EQ(text(evidence, "node.driver.version"), "550.144.03");
  EXPECT_EQ(only(evidence, "node.driver.version", "node")->line, 2U);
}

TEST(KernelLog, JournalsOfEarlierBootsDoNotSayWhatRuns) {
  const std::string_view earlier =
      "  journalctl -b -1:\n"
      "NVRM: loading NVIDIA UNIX x86_64 Kernel Module  430.50  Thu Sep  5 22:36:31 CDT 2019\n"
      "NVRM: Xid (PCI:0000:0f:00): 79, pid=1\n";
  const std::string current =
      "  journalctl -b -0:\n"
      "NVRM: loading NVIDIA UNIX x86_64 Kernel Module  440.31  Sun Oct 27 02:19:35 UTC 2019\n";
  const Evidence both = good(current + std::string(earlier));
  EXPECT_EQ(text(both, "node.driver.version"), "440.31");
  EXPECT_EQ(numbers(both, "gpu.xid", "gpu:0000:0f:00.0"), Codes{79});
  EXPECT_EQ(text(good(earlier), "node.driver.version"), "430.50");  // better than nothing
}

TEST(KernelLog, NamesEachHostOnce) {
  const Evidence evidence = good(
      "Mar  3 09:08:07 rack7 kernel: [    1.000000] a\n"
      "Mar  3 09:08:08 rack7 kernel: [    2.000000] b\n"
      "2025-03-03T09:08:09+00:00 rack-8.example kernel: c\n"
      "[    2.871705] kernel: d\n"
      "Mar  3 09:08:07 ba$d kernel: e\n");
  const auto hosts = all_of(evidence, "node.hostname");
  ASSERT_EQ(hosts.size(), 2U);
  EXPECT_EQ(*hosts[0].text(), "rack-8.example");
  EXPECT_EQ(hosts[0].line, 3U);
  EXPECT_EQ(*hosts[1].text(), "rack7");
  EXPECT_EQ(hosts[1].line, 1U);
}

TEST(KernelLog, StopsNamingHostsAtSixteen) {
  std::string log;
  for (int i = 0; i < 40; ++i) log += "Mar  3 09:08:07 h" + std::to_string(i) + " kernel: a\n";
  EXPECT_EQ(all_of(good(log), "node.hostname").size(), 16U);
}

TEST(KernelLog, RecognisesHealthyLogsByTheirPrefixes) {
  const std::string_view logs[] = {
      "dmesg:\n\n[    0.000000] Linux version\n[    0.000000] Command line\n[    0.100000] x\n",
      "[Mon Mar  3 09:08:07 2025] a\n[Mon Mar  3 09:08:07 2025] b\n[Mon Mar  3 09:08:08 2025] c\n",
      "6,1,100,-;a\n6,2,101,-;b\n6,3,102,-;c\n",
      "<6>[    2.608284] a\n<6>[    2.646272] b\n<6>[    2.700000] c\n",
      "Mar  3 09:08:07 r kernel: a\nMar  3 09:08:07 r kernel: b\nMar  3 09:08:07 r kernel: c\n",
      "6,3964,206764307,-;nvidia-nvswitch2: open (major=510)\n",
  };
  for (const auto log : logs) {
    SCOPED_TRACE(log);
    EXPECT_TRUE(kernel_log().recognises(log));
    EXPECT_EQ(number(good(log), "kernel_log.gpu_events"), 0);
  }
}

TEST(KernelLog, DoesNotRecogniseOtherText) {
  const std::string_view texts[] = {
      "",
      "[    0.000000] a\n[    0.000000] only two\n",
      "\tKernel driver in use: nvidia-nvswitch\n\tKernel modules: nvidia\n",
      "[    21.123] (II) Xorg\n[    21.124] (II) Xorg\n[    21.125] (II) Xorg\n",
      "[Feb 25 2025 13:59:45] [INFO] [tid 1] a\n[Feb 25 2025 13:59:45] [INFO] [tid 1] b\n"
      "[Feb 25 2025 13:59:46] [INFO] [tid 1] c\n",
      "host:1:2 [0] NCCL INFO a\nhost:1:2 [0] NCCL INFO b\nhost:1:2 [0] NCCL INFO c\n",
      "1,2,3,4\n5,6,7,8\n9,10,11,12\n",
  };
  for (const auto other : texts) {
    SCOPED_TRACE(other);
    EXPECT_FALSE(kernel_log().recognises(other));
  }
}

TEST(KernelLog, RefusesWhatIsNoLogRatherThanCallItClean) {
  for (const std::string_view other : {"", "\n\n", "hello\nworld\n"}) {
    const auto evidence = read(kernel_log(), other);
    ASSERT_FALSE(evidence) << other;
    EXPECT_EQ(evidence.error().code, Errc::malformed);
    EXPECT_EQ(evidence.error().what, "no line looks like a kernel log");
  }
}

TEST(KernelLog, RefusesBinaryFilesWithTheLine) {
  using namespace std::string_view_literals;
  const auto evidence = read(kernel_log(), "[    1.000000] a\nb\0c\n"sv);
  ASSERT_FALSE(evidence);
  EXPECT_EQ(evidence.error().code, Errc::malformed);
  EXPECT_EQ(evidence.error().input_line, 2U);
}

std::string hex(int n, int digits) {
  std::string out;
  for (; digits > 0; --digits, n /= 16) out.insert(out.begin(), "0123456789abcdef"[n % 16]);
  return out;
}

TEST(KernelLog, BoundsDevicesAndCodes) {
  std::string devices, codes;
  for (int i = 0; i < 4097; ++i) {
    devices += "NVRM: Xid (PCI:" + hex(i, 4) + ":01:00): 31, a\n";
    codes += "NVRM: Xid (PCI:0000:01:00): " + std::to_string(i) + ", a\n";
  }
  for (const auto& log : {devices, codes}) {
    const auto evidence = read(kernel_log(), log);
    ASSERT_FALSE(evidence);
    EXPECT_EQ(evidence.error().code, Errc::too_large);
    EXPECT_EQ(evidence.error().input_line, 4097U);
    EXPECT_TRUE(read(kernel_log(), std::string_view(log).substr(0, log.rfind("NVRM"))));
  }
}

}  // namespace
}  // namespace gpuvet::ingest::testing
