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

std::string whole_log(std::string_view rest) {
  std::string log =
      "[    0.000000] Linux version 6.2.0 (builder@host) #1 SMP\n"
      "[    0.000000] Command line: BOOT_IMAGE=/boot/vmlinuz\n";
  for (int i = 0; i < 100; ++i) log += "[    1.000000] nothing of note\n";
  return log + std::string(rest);
}

TEST(KernelLog, SilenceIsZeroOnlyWhereTheBootIsShownFromItsStart) {
  const std::string_view ids[] = {
      "kernel_log.driver_failures", "kernel_log.edac.corrected", "kernel_log.edac.uncorrected",
      "kernel_log.iommu_faults",    "kernel_log.machine_checks", "kernel_log.nvlink_errors",
      "kernel_log.nvme_errors",     "kernel_log.out_of_memory",  "kernel_log.panics",
  };
  const Evidence whole = good(whole_log(""));
  std::string late;
  for (int i = 0; i < 200; ++i) late += "[    9.000000] nothing of note\n";
  const Evidence excerpt = good(late);
  const Evidence search = good("[    0.000000] Linux version 6\n[    0.000000] Command line: a\n");
  for (const auto id : ids) {
    SCOPED_TRACE(id);
    EXPECT_EQ(number(whole, id), 0);
    EXPECT_EQ(absence(excerpt, id), Absence::not_asked);
    EXPECT_EQ(absence(search, id), Absence::not_asked);
  }
}

TEST(KernelLog, CountsEachEventOnceHoweverOftenTheKernelTellsIt) {
  const Evidence evidence = good(
      "[  1.000000] oom-kill:constraint=CONSTRAINT_NONE,nodemask=(null)\n"
      "[  1.000001] Out of memory: Killed process 4711 (train) total-vm:1kB, anon-rss:1kB\n"
      "[  2.000000] Memory cgroup out of memory: Killed process 4712 (train) total-vm:1kB\n"
      "[  3.000000] BUG: unable to handle page fault for address: ffffffffffffffd8\n"
      "[  3.000001] Oops: 0002 [#1] SMP NOPTI\n"
      "[  3.000002] Kernel panic - not syncing: Fatal exception\n"
      "[  4.000000] NVRM: GPU 0000:0f:00.0: RmInitAdapter failed! (0x62:0x40:2393)\n"
      "[  4.000001] NVRM: GPU 0000:0f:00.0: rm_init_adapter failed, device minor number 0\n"
      "[  5.000000] DMAR: DRHD: handling fault status reg 2\n"
      "[  5.000001] DMAR: [DMA Read NO_PASID] Request device [0f:00.0] fault addr 0xffff0000\n"
      "[  6.000000] mce: [Hardware Error]: Machine check events logged\n"
      "[  6.000001] mce: [Hardware Error]: CPU 3: Machine Check: 0 Bank 7: 8c00004000010091\n");
  EXPECT_EQ(number(evidence, "kernel_log.out_of_memory"), 2);
  EXPECT_EQ(number(evidence, "kernel_log.panics"), 1);
  EXPECT_EQ(number(evidence, "kernel_log.driver_failures"), 1);
  EXPECT_EQ(number(evidence, "kernel_log.iommu_faults"), 1);
  EXPECT_EQ(number(evidence, "kernel_log.machine_checks"), 1);
  EXPECT_EQ(only(evidence, "kernel_log.panics", "node")->detail,
            "Kernel panic - not syncing: Fatal exception");
  EXPECT_EQ(only(evidence, "kernel_log.panics", "node")->line, 6U);
}

TEST(KernelLog, EachKindOfFaultHasItsForms) {
  struct Case {
    std::string_view id, message;
    double count;
  };
  const Case cases[] = {
      {"kernel_log.driver_failures", "NVRM: GPU 0000:0f:00.0: GPU has fallen off the bus.", 1},
      {"kernel_log.driver_failures", "NVRM: API mismatch: the client has the version 1, but", 1},
      {"kernel_log.driver_failures", "NVRM: GPU 0000:0f:00.0 is already bound to nouveau.", 1},
      {"kernel_log.driver_failures",
       "NVRM: The NVIDIA probe routine was not called for 2 device(s).", 1},
      {"kernel_log.driver_failures", "nvidia: probe of 0000:0f:00.0 failed with error -1", 1},
      {"kernel_log.edac.corrected", "EDAC MC0: 3 CE memory read error on CPU_SrcID#0 (page:1)", 3},
      {"kernel_log.edac.corrected", "EDAC MC1: CE page 0x1, offset 0x2, grain 0", 1},
      {"kernel_log.edac.uncorrected", "EDAC MC0: 1 UE memory read error on any memory", 1},
      {"kernel_log.iommu_faults",
       "nvidia 0000:0f:00.0: AMD-Vi: Event logged [IO_PAGE_FAULT domain=0x000c address=0x0]", 1},
      {"kernel_log.nvlink_errors", "NVRM: knvlinkTrain_IMPL: NVLink link training failed", 1},
      {"kernel_log.nvme_errors", "nvme nvme1: I/O 12 QID 3 timeout, aborting", 1},
      {"kernel_log.nvme_errors", "nvme nvme1: controller is down; will reset: CSTS=0xffffffff", 1},
      {"kernel_log.panics", "watchdog: BUG: soft lockup - CPU#3 stuck for 22s! [train:1]", 1},
      {"kernel_log.panics", "NMI watchdog: Watchdog detected hard LOCKUP on cpu 3", 1},
  };
  for (const auto& [id, message, count] : cases) {
    SCOPED_TRACE(message);
    EXPECT_EQ(number(good("[   12.345678] " + std::string(message) + "\n"), id), count);
    EXPECT_EQ(number(good("Mar  3 09:08:07 rack7 kernel: [ 1.000000] [ T12] " +
                          std::string(message) + "\r\n"),
                     id),
              count);
  }
}

TEST(KernelLog, OrdinaryMessagesAreNoFaults) {
  const Evidence evidence = good(whole_log(
      "[  1.000000] EDAC MC0: Giving out device to module skx_edac controller: DEV 0000:00:18.3\n"
      "[  1.000000] EDAC MC: Ver: 3.0.0\n"
      "[  1.000000] nvme nvme0: Shutdown timeout set to 8 seconds\n"
      "[  1.000000] AMD-Vi: Found IOMMU cap 0x40\n"
      "[  1.000000] MCE: In-kernel MCE decoding enabled.\n"
      "[  1.000000] nvidia-nvlink: Nvlink Core is being initialized, major device number 235\n"
      "[  1.000000] audit: apparmor=\"STATUS\" name=\"Oops: Kernel panic - not syncing\"\n"
      "[  1.000000] ata3: SATA link down (SStatus 0 SControl 300)\n"
      "Mar  3 09:08:07 rack7 sudo[7]: root : COMMAND=/bin/grep Out of memory: Killed\n"
      "[  1.000000] NVRM: Xid (PCI:0000:0f:00): 79, pid=1, GPU has fallen off the bus.\n"));
  for (const auto& o : evidence.observations)
    if (o.id.name().starts_with("kernel_log.") && o.id.name() != "kernel_log.lines" &&
        o.id.name() != "kernel_log.gpu_events") {
      EXPECT_EQ(*o.number(), 0) << o.id.name();
    }
  EXPECT_TRUE(all_of(evidence, "nic.link_downs").empty());
}

TEST(KernelLog, PcieErrorsCountForTheDeviceThatMadeThem) {
  const Evidence evidence = good(
      "pcieport 0000:80:01.1: AER: Corrected error received: 0000:0f:00.0\n"
      "nvidia 0000:0f:00.0: PCIe Bus Error: severity=Corrected, type=Physical Layer, (Receiver)\n"
      "pcieport 0000:80:01.1: AER: Correctable error message received from 0000:0f:00.0\n"
      "pcieport 0000:80:01.1: AER: Uncorrected (Non-Fatal) error received: 0000:0f:00.0\n"
      "nvme 0000:01:00.0: PCIe Bus Error: severity=Uncorrected (Fatal), type=Transaction Layer\n"
      "pcieport 0000:80:01.1: AER: Corrected error received: id=00e8\n"
      "aer_ratelimit: 12 callbacks suppressed\n"
      "kauditd_printk_skb: 46 callbacks suppressed\n"
      "[ 1.000000] NVRM: x\n");
  EXPECT_EQ(number(evidence, "pci.aer.corrected", "pci:0000:0f:00.0"), 2);
  EXPECT_EQ(number(evidence, "pci.aer.nonfatal", "pci:0000:0f:00.0"), 1);
  EXPECT_EQ(number(evidence, "pci.aer.fatal", "pci:0000:01:00.0"), 1);
  EXPECT_EQ(only(evidence, "pci.aer.fatal", "pci:0000:0f:00.0"), nullptr);
  EXPECT_NE(only(evidence, "pci.aer.corrected", "pci:0000:0f:00.0")
                ->detail.find("swallowed 12 more messages"),
            std::string::npos);
}

TEST(KernelLog, FirmwareMayReportErrorsFirst) {
  const Evidence evidence = good(
      "[  1.000000] {1}[Hardware Error]: event severity: corrected\n"
      "[  1.000000] {1}[Hardware Error]:  Error 0, type: corrected\n"
      "[  1.000000] {1}[Hardware Error]:   section_type: PCIe error\n"
      "[  1.000000] {1}[Hardware Error]:   device_id: 0000:0f:00.0\n"
      "[  1.000000] {2}[Hardware Error]: event severity: recoverable\n"
      "[  1.000000] {2}[Hardware Error]:   section_type: memory error\n");
  EXPECT_EQ(number(evidence, "pci.aer.corrected", "pci:0000:0f:00.0"), 1);
  EXPECT_EQ(number(evidence, "kernel_log.edac.uncorrected"), 1);
}

TEST(KernelLog, NamesSlowLinksAndLostOnes) {
  const Evidence evidence = good(
      "[ 1.000000] pci 0000:0f:00.0: 31.504 Gb/s available PCIe bandwidth, limited by 8.0 GT/s "
      "PCIe x4 link at 0000:80:03.1 (capable of 126.016 Gb/s with 8.0 GT/s PCIe x16 link)\n"
      "[ 1.000000] pci 0000:10:00.0: 0.000 Gb/s available PCIe bandwidth, limited by Unknown\n"
      "[ 1.000000] mlx5_core 0000:41:00.0: 63.008 Gb/s available PCIe bandwidth (8.0 GT/s x8)\n"
      "[ 2.000000] mlx5_core 0000:41:00.0 ens1np0: Link down\n"
      "[ 3.000000] mlx5_core 0000:41:00.0 ens1np0: Link up\n"
      "[ 4.000000] mlx5_core 0000:41:00.0 ens1np0: Link down\n"
      "[ 4.000000] igb 0000:c2:00.0 eno1: igb: eno1 NIC Link is Down\n"
      "[ 4.000000] igb 0000:c2:00.1 eno2: igb: eno2 NIC Link is Up 1000 Mbps Full Duplex\n");
  EXPECT_EQ(all_of(evidence, "pci.bandwidth.limited").size(), 1U);
  EXPECT_EQ(text(evidence, "pci.bandwidth.limited", "pci:0000:0f:00.0")->substr(0, 20),
            "31.504 Gb/s availabl");
  EXPECT_EQ(number(evidence, "nic.link_downs", "nic:ens1np0"), 2);
  EXPECT_EQ(number(evidence, "nic.link_downs", "nic:eno1"), 1);
  EXPECT_EQ(only(evidence, "nic.link_downs", "nic:eno2"), nullptr);  // an excerpt
  const Evidence whole = good(whole_log("[ 4.000000] ice 0000:c2:00.1 eno2: NIC Link is Up\n"));
  EXPECT_EQ(number(whole, "nic.link_downs", "nic:eno2"), 0);
}

TEST(KernelLog, DriverFailuresOfEarlierBootsAreHistory) {
  const Evidence evidence = good(
      "  journalctl -b -0:\n"
      "NVRM: loading NVIDIA UNIX x86_64 Kernel Module  535.104.05  Sat Aug 19 01:15:15 UTC 2023\n"
      "  journalctl -b -1:\n"
      "NVRM: API mismatch: the client has the version 535.104.05, but\n"
      "Kernel panic - not syncing: hung\n");
  EXPECT_EQ(absence(evidence, "kernel_log.driver_failures"), Absence::not_asked);
  EXPECT_EQ(number(evidence, "kernel_log.panics"), 1);
}

TEST(KernelLog, TheLastWordOnUnifiedMemoryCounts) {
  const std::string loaded = "nvidia-uvm: Loaded the UVM driver, major device number 511.\n";
  const std::string unloaded = "nvidia-uvm: Unloaded the UVM driver.\n[ 1.000000] NVRM: x\n";
  EXPECT_EQ(value<bool>(good(unloaded + loaded), "node.uvm", "node"), true);
  EXPECT_EQ(value<bool>(good(loaded + unloaded), "node.uvm", "node"), false);
  EXPECT_EQ(only(good(unloaded.substr(37)), "node.uvm", "node"), nullptr);
}

TEST(KernelLog, TellsMakerProductAndBoardApartWhereItCan) {
  const Evidence known =
      good("[    0.000000] DMI: Dell Inc. PowerEdge XE9680/0ABCDE, BIOS 2.3.5 09/10/2024\n");
  EXPECT_EQ(text(known, "node.vendor"), "Dell Inc.");
  EXPECT_EQ(text(known, "node.model"), "PowerEdge XE9680");
  EXPECT_EQ(text(known, "node.board.model"), "0ABCDE");
  EXPECT_EQ(text(known, "node.bios.version"), "2.3.5");
  EXPECT_EQ(text(known, "node.bios.date"), "2024-09-10");
  const Evidence unknown = good("[    0.000000] DMI: Acme Servers Box 8/B1, BIOS 7 F\n");
  EXPECT_EQ(absence(unknown, "node.vendor"), Absence::malformed);
  EXPECT_EQ(absence(unknown, "node.model"), Absence::malformed);
  EXPECT_EQ(text(unknown, "node.bios.version"), "7 F");
  const Evidence slashes = good("[    0.000000] DMI: HPE A/B/C, BIOS 7 01/02/2024\n");
  EXPECT_EQ(text(slashes, "node.vendor"), "HPE");
  EXPECT_EQ(absence(slashes, "node.model"), Absence::malformed);
}

TEST(KernelLog, ADumpOfACrashIsOnePanicInSeveralParts) {
  const Evidence evidence = good(
      "Panic#1 Part2\n<6>[    2.608284] a\nPanic#1 Part1\n<6>[    2.646272] b\n<6>[ 2.700000] c\n");
  EXPECT_EQ(number(evidence, "kernel_log.panics"), 1);
}

}  // namespace
}  // namespace gpuvet::ingest::testing
