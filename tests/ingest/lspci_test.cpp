// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <cstdio>

#include "ingest/reading.hpp"

namespace gpuvet::ingest {

Importer lspci();

namespace testing {
namespace {

const Importer importer = lspci();

using Texts = std::vector<std::string>;

constexpr double gib = 1024. * 1024 * 1024;

std::string detail_of(const Evidence& evidence, std::string_view id, std::string_view subject) {
  const Observation* o = only(evidence, id, subject);
  return o == nullptr ? "no such observation" : o->detail;
}

constexpr std::string_view list =
    "/usr/bin/lspci -nn\n"
    "\n"
    "00:00.0 Host bridge [0600]: Intel Corporation Device [8086:09a2] (rev 04)\n"
    "00:01.0 PCI bridge [0604]: Intel Corporation Device [8086:352a] (rev 04)\n"
    "17:00.0 3D controller [0302]: NVIDIA Corporation Device [10de:2331] (rev a1)\n"
    "18:00.0 Infiniband controller [0207]: Mellanox Technologies MT2910 [15b3:1021]\n"
    "2a:00.0 VGA compatible controller [0300]: NVIDIA Corporation TU102 [Titan RTX] [10de:1e02]\n"
    "2a:00.1 Audio device [0403]: NVIDIA Corporation TU102 HD Audio [10de:10f7] (rev a1)\n"
    "03:00.0 VGA compatible controller [0300]: ASPEED Technology, Inc. ASPEED [1a03:2000]\n"
    "10000:01:00.0 Non-Volatile memory controller [0108]: Intel Corporation Device [8086:0b60]\n";

TEST(LspciTest, ListWithIds) {
  const auto evidence = understood(importer, list);
  EXPECT_EQ(number(evidence, "node.gpu.attached"), 2);
  EXPECT_EQ(text(evidence, "gpu.pci.address", "gpu:0000:17:00.0"), "0000:17:00.0");
  EXPECT_EQ(text(evidence, "gpu.pci.device_id", "gpu:0000:17:00.0"), "2331");
  EXPECT_EQ(text(evidence, "pci.name", "gpu:0000:17:00.0"), "NVIDIA Corporation Device 2331");
  EXPECT_EQ(text(evidence, "pci.name", "gpu:0000:2a:00.0"), "NVIDIA Corporation TU102 [Titan RTX]");
  EXPECT_EQ(text(evidence, "pci.class", "pci:0000:18:00.0"), "Infiniband controller");
  EXPECT_EQ(text(evidence, "pci.class", "pci:10000:01:00.0"), "Non-Volatile memory controller");
  EXPECT_TRUE(all_of(evidence, "gpu.name").empty());
  EXPECT_TRUE(all_of(evidence, "pci.name", "pci:0000:2a:00.1").empty());
  EXPECT_TRUE(all_of(evidence, "gpu.pci.root").empty());  // a list shows no buses
}

TEST(LspciTest, NamesAndNumbersOnly) {
  const auto names =
      understood(importer,
                 "00:00.0 Host bridge: Intel Corporation Device 09a2\n"
                 "17:00.0 3D controller: NVIDIA Corporation Device 2331 (rev a1)   # <-- ours\n");
  EXPECT_EQ(text(names, "gpu.pci.device_id", "gpu:0000:17:00.0"), "2331");
  EXPECT_EQ(text(names, "pci.name", "gpu:0000:17:00.0"), "NVIDIA Corporation Device 2331");
  const auto numbers =
      understood(importer, "00:00.0 0600: 8086:09a2\n17:00.0 0302: 10de:2331 (rev a1)\n");
  EXPECT_EQ(text(numbers, "gpu.pci.device_id", "gpu:0000:17:00.0"), "2331");
  EXPECT_EQ(number(numbers, "node.gpu.attached"), 1);
}

TEST(LspciTest, CountsOnlyWhatIsWhole) {
  const auto count = [](std::string_view given) {
    return number(understood(importer, given), "node.gpu.attached");
  };
  const std::string gpu = "17:00.0 3D controller: NVIDIA Corporation Device 2331 (rev a1)\n";
  const std::string bridge = "00:00.0 Host bridge: Intel Corporation Device 09a2\n";
  EXPECT_EQ(count(bridge + gpu), 1);
  EXPECT_EQ(count(gpu), std::nullopt);  // `lspci | grep 3D` hides GPUs of class VGA
  EXPECT_EQ(count("$ lspci\n" + bridge + gpu + "...\n"), std::nullopt);
  EXPECT_EQ(count("$ lspci -s 17:00.0\n" + gpu + bridge), std::nullopt);
  EXPECT_EQ(count("$ lspci | grep -e 3D -e Host\n" + bridge + gpu), std::nullopt);
  EXPECT_EQ(count("# lspci -d 10de: -nn\n" + gpu), 1);
  EXPECT_EQ(count(bridge + "17:00.0 3D controller: NVID"), std::nullopt);  // cut
  EXPECT_EQ(count("01:00.0 Ethernet controller: Intel Corporation I350\n"), std::nullopt);
}

TEST(LspciTest, OthersGpusAreNamedAndNotCounted) {
  const auto evidence =
      understood(importer,
                 "00:00.0 Host bridge: AMD Device 14a4\n00:00.2 IOMMU: AMD Device 149e\n"
                 "00:14.0 SMBus: AMD FCH SMBus Controller\n"
                 "43:00.0 Display controller: Advanced Micro Devices, Inc. [AMD/ATI] Aldebaran\n");
  EXPECT_EQ(number(evidence, "node.gpu.attached"), 0);
  EXPECT_NE(detail_of(evidence, "node.gpu.attached", "node").find("Aldebaran"), std::string::npos);
}

constexpr std::string_view blocks =
    "0000:00:00.0 Host bridge [0600]: Intel Corporation Device [8086:09a2]\n"
    "\tControl: I/O- Mem+\n"
    "\n"
    "0000:40:01.0 PCI bridge [0604]: Intel Corporation Device [8086:352a] (prog-if 00 [Normal])\n"
    "\tBus: primary=40, secondary=41, subordinate=45, sec-latency=0\n"
    "\t\tLnkCap:\tPort #1, Speed 32GT/s, Width x16, ASPM L1, Exit Latency L1 <16us\n"
    "\t\tLnkSta:\tSpeed 32GT/s (ok), Width x16 (ok)\n"
    "\t\tACSCtl:\tSrcValid+ TransBlk- ReqRedir+ CmpltRedir+ UpstreamFwd+ EgressCtrl-\n"
    "\n"
    "0000:41:00.0 PCI bridge [0604]: Broadcom / LSI PEX890xx [1000:c030] (rev b0)\n"
    "\tBus: primary=41, secondary=42, subordinate=45, sec-latency=0\n"
    "\n"
    "0000:42:00.0 PCI bridge [0604]: Broadcom / LSI PEX890xx [1000:c030] (rev b0)\n"
    "\tBus: primary=42, secondary=43, subordinate=43, sec-latency=0\n"
    "\t\tLnkCap:\tPort #2, Speed 16GT/s, Width x8, ASPM L1\n"
    "\t\tLnkSta:\tSpeed 16GT/s, Width x8\n"
    "\t\tACSCtl:\tSrcValid+ TransBlk- ReqRedir- CmpltRedir- UpstreamFwd- EgressCtrl-\n"
    "\n"
    "0000:43:00.0 3D controller [0302]: NVIDIA Corporation GH100 [H100] [10de:2331] (rev a1)\n"
    "\tNUMA node: 1\n"
    "\tIOMMU group: 17\n"
    "\tRegion 0: Memory at 900000000 (64-bit, prefetchable) [size=16M]\n"
    "\tRegion 1: Memory at 800000000 (64-bit, prefetchable) [size=128G]\n"
    "\t\tLnkCap:\tPort #0, Speed 32GT/s, Width x16, ASPM not supported\n"
    "\t\tLnkSta:\tSpeed 2.5GT/s (downgraded), Width x8 (downgraded)\n"
    "\t\tLnkSta2: Current De-emphasis Level: -3.5dB\n"
    "\tKernel driver in use: nvidia\n"
    "\n"
    "0000:44:00.0 Infiniband controller [0207]: Mellanox Technologies MT2910 [15b3:1021]\n"
    "\t\tLnkCap:\tPort #0, Speed 32GT/s, Width x16, ASPM not supported\n"
    "\t\tLnkSta:\tSpeed unknown (downgraded), Width x0 (downgraded)\n"
    "\tKernel driver in use: mlx5_core\n";

TEST(LspciTest, BlocksGiveLinkAndTree) {
  const auto evidence = understood(importer, blocks);
  const std::string gpu = "gpu:0000:43:00.0";
  EXPECT_EQ(text(evidence, "gpu.pci.root", gpu), "0000:40");
  EXPECT_EQ(text(evidence, "gpu.pci.upstream", gpu), "0000:41:00.0");
  EXPECT_EQ(number(evidence, "gpu.pci.switches", gpu), 1);
  EXPECT_EQ(text(evidence, "pci.parent", "pci:0000:43:00.0"), "0000:42:00.0");
  EXPECT_EQ(number(evidence, "gpu.pcie.generation", gpu), 1);
  EXPECT_EQ(detail_of(evidence, "gpu.pcie.generation", gpu), "downgraded");
  EXPECT_EQ(number(evidence, "gpu.pcie.generation.max", gpu), 4);  // the switch's
  EXPECT_EQ(number(evidence, "gpu.pcie.width", gpu), 8);
  EXPECT_EQ(number(evidence, "gpu.pcie.width.max", gpu), 16);
  EXPECT_EQ(detail_of(evidence, "gpu.pcie.width.max", gpu), "the port has 8 lanes");
  EXPECT_EQ(number(evidence, "gpu.bar1.total", gpu), 128 * gib);
  EXPECT_EQ(text(evidence, "topology.affinity.numa", gpu), "1");
  EXPECT_EQ(text(evidence, "pci.iommu_group", gpu), "17");
  EXPECT_EQ(text(evidence, "pci.driver", gpu), "nvidia");
  EXPECT_EQ(only(evidence, "gpu.pcie.width", gpu)->line, 25U);
}

TEST(LspciTest, AcsOfBridges) {
  const auto evidence = understood(importer, blocks);
  EXPECT_EQ(value<bool>(evidence, "pci.acs", "pci:0000:40:01.0"), true);
  EXPECT_EQ(value<bool>(evidence, "pci.acs", "pci:0000:42:00.0"),
            false);  // checks, but redirects not
  EXPECT_TRUE(all_of(evidence, "pci.acs", "pci:0000:41:00.0").empty());
}

TEST(LspciTest, LinkThatIsDownHasNoNumbers) {
  const auto evidence = understood(importer, blocks);
  const std::string nic = "pci:0000:44:00.0";
  EXPECT_EQ(absence(evidence, "pci.pcie.generation", nic), Absence::not_supported);
  EXPECT_EQ(absence(evidence, "pci.pcie.width", nic), Absence::not_supported);
  EXPECT_EQ(number(evidence, "pci.pcie.width.max", nic), 16);
}

TEST(LspciTest, OneVerboseLevelDown) {
  const auto evidence = understood(
      importer,
      "            /usr/bin/lspci -d \"10de:*\" -v -xxx\n\n"
      "02:00.0 VGA compatible controller: NVIDIA Corporation GV102 (rev a1) (prog-if 00 [VGA])\n"
      "\tFlags: bus master, fast devsel, latency 0, IRQ 107, NUMA node 1, IOMMU group 20\n"
      "\tMemory at d3000000 (32-bit, non-prefetchable) [size=16M]\n"
      "\tMemory at 383fe0000000 (64-bit, prefetchable) [size=256M]\n"
      "\tMemory at 383ff0000000 (64-bit, prefetchable) [size=32M]\n"
      "00: de 10 07 1e 07 05 10 00 a1 00 00 03 00 00 80 00\n");
  EXPECT_EQ(number(evidence, "gpu.bar1.total", "gpu:0000:02:00.0"), 256 * 1024 * 1024);
  EXPECT_EQ(text(evidence, "topology.affinity.numa", "gpu:0000:02:00.0"), "1");
  EXPECT_EQ(text(evidence, "pci.iommu_group", "gpu:0000:02:00.0"), "20");
  EXPECT_EQ(number(evidence, "node.gpu.attached"), 1);
  EXPECT_TRUE(all_of(evidence, "gpu.pcie.width").empty());
}

TEST(LspciTest, WithoutRootWhatIsDueIsAbsent) {
  const auto evidence =
      understood(importer,
                 "00:01.0 PCI bridge: Intel Corporation Device 352a\n"
                 "\tBus: primary=00, secondary=02, subordinate=02\n"
                 "\tCapabilities: <access denied>\n"
                 "02:00.0 3D controller: NVIDIA Corporation Device 2331 (rev a1)\n"
                 "\tRegion 1: Memory at <unassigned> (64-bit, prefetchable) [size=128G]\n"
                 "\tCapabilities: <access denied>\n");
  EXPECT_EQ(absence(evidence, "gpu.pcie.width", "gpu:0000:02:00.0"), Absence::permission);
  EXPECT_EQ(absence(evidence, "pci.acs", "pci:0000:00:01.0"), Absence::permission);
  EXPECT_EQ(absence(evidence, "gpu.bar1.total", "gpu:0000:02:00.0"), Absence::malformed);
}

TEST(LspciTest, GpuOffTheBus) {
  const auto evidence =
      understood(importer,
                 "17:00.0 3D controller: NVIDIA Corporation Device 2331 (rev ff) (prog-if ff)\n"
                 "\t!!! Unknown header type 7f\n"
                 "2a:00.0 3D controller: NVIDIA Corporation Device 2331 (rev ff)\n"
                 "3d:00.0 3D controller: NVIDIA Corporation Device 2331 (rev a1)\n");
  EXPECT_EQ(value<bool>(evidence, "gpu.lost", "gpu:0000:17:00.0"), true);
  EXPECT_EQ(value<bool>(evidence, "gpu.lost", "gpu:0000:2a:00.0"), true);
  EXPECT_EQ(only(evidence, "gpu.lost", "gpu:0000:3d:00.0"), nullptr);
}

TEST(LspciTest, VirtualMachinesHideTheTree) {
  const auto evidence = understood(
      importer,
      "0001:00:00.0 3D controller: NVIDIA Corporation Device 20b2 (rev a1)\n"
      "\t\tLnkCap:\tPort #0, Speed 16GT/s, Width x16\n\t\tLnkSta:\tSpeed 16GT/s (ok), Width x16\n"
      "0101:00:02.0 Ethernet controller: Mellanox Technologies MT27710\n");
  EXPECT_EQ(absence(evidence, "gpu.pci.root", "gpu:0001:00:00.0"), Absence::not_supported);
  EXPECT_EQ(absence(evidence, "gpu.pci.switches", "gpu:0001:00:00.0"), Absence::not_supported);
}

TEST(LspciTest, BridgesInACircleEnd) {
  const auto evidence = understood(
      importer,
      "00:00.0 PCI bridge: Intel Corporation Device 352a\n\tBus: primary=00, secondary=01, "
      "subordinate=01\n"
      "01:00.0 PCI bridge: Intel Corporation Device 352a\n\tBus: primary=01, secondary=00, "
      "subordinate=00\n"
      "01:01.0 3D controller: NVIDIA Corporation Device 20b2\n\t\tLnkSta: Speed 8GT/s, Width "
      "x16\n");
  EXPECT_EQ(only(evidence, "gpu.pci.root", "gpu:0000:01:01.0"), nullptr);
}

TEST(LspciTest, GreppedAcsLines) {
  const std::string off = "\t\tACSCtl: SrcValid- TransBlk- ReqRedir- CmpltRedir- UpstreamFwd-\n";
  const std::string on = "\t\tACSCtl: SrcValid+ TransBlk- ReqRedir+ CmpltRedir+ UpstreamFwd+\n";
  const std::string prompt = "$ sudo lspci -vvv | grep ACSCtl\n";
  EXPECT_EQ(value<Texts>(understood(importer, prompt + off + off), "node.acs.enabled", "node"),
            Texts{});
  EXPECT_EQ(value<Texts>(understood(importer, prompt + off + on), "node.acs.enabled", "node"),
            Texts{"ACSCtl in line 3"});
  EXPECT_TRUE(importer.recognises(prompt + off));
}

TEST(LspciTest, RefusesWhatItCannotTell) {
  expect_error(importer, "LnkSta: Speed 8GT/s, Width x16\n", 1, "without the devices");
  expect_error(importer, "bash: lspci: command not found\n", 1, "printed an error");
  expect_error(importer, "nothing\nhere\n", 2, "no device");
  expect_error(
      importer,
      "17:00.0 3D controller: NVIDIA Corporation Device 2331\n\t\tLnkSta: Speed 2,5GT/s, Width "
      "x16\n",
      2, "decimal comma");
  expect_error(
      importer,
      "17:00.0 3D controller: NVIDIA Corporation Device 2331\n17:00.0 USB controller: Intel C610\n",
      2, "another device in line 1");
  expect_error(importer, std::string_view("17:00.0 3D controller: NVIDIA\n\0\n", 31), 2, "NUL");
}

TEST(LspciTest, TwoListingsOfOneMachineAreOne) {
  const auto evidence =
      understood(importer,
                 "17:00.0 3D controller [0302]: NVIDIA Corporation Device [10de:2331]\n"
                 "17:00.0 3D controller: NVIDIA Corporation Device 2331\n\tNUMA node: 1\n");
  EXPECT_EQ(text(evidence, "topology.affinity.numa", "gpu:0000:17:00.0"), "1");
  EXPECT_EQ(text(evidence, "gpu.pci.device_id", "gpu:0000:17:00.0"), "2331");
}

TEST(LspciTest, AnyPrefixIsReadWithoutAWrongLink) {
  for (std::size_t n = 0; n < blocks.size(); n += 3) {
    const auto evidence = read(importer, blocks.substr(0, n));
    if (!evidence) continue;
    const auto width = number(*evidence, "gpu.pcie.width.max", "gpu:0000:43:00.0");
    EXPECT_TRUE(!width || width == 16) << n;
    const auto size = number(*evidence, "gpu.bar1.total", "gpu:0000:43:00.0");
    EXPECT_TRUE(!size || size == 128 * gib) << n;
  }
}

TEST(LspciTest, TooManyDevicesAreRefused) {
  std::string given;
  for (int i = 0; i < 5000; ++i) {
    char line[64];
    std::snprintf(line, sizeof line, "%04x:00:00.0 3D controller: NVIDIA Corporation X\n", i);
    given += line;
  }
  expect_error(importer, given, 4097, "more than 4096 devices");
}

TEST(LspciTest, RecognisesListingsOnly) {
  EXPECT_TRUE(importer.recognises(list));
  EXPECT_TRUE(importer.recognises(blocks));
  EXPECT_TRUE(importer.recognises("17:00.0 3D controller: NVIDIA Corporation Device 2331\r\n"));
  EXPECT_FALSE(importer.recognises("-[0000:00]-+-00.0  Intel Corporation Device\n"));
  EXPECT_FALSE(importer.recognises("12:30:01.5 test: started\n"));
  EXPECT_FALSE(importer.recognises("NVRM: Xid (PCI:0000:0f:00): 94\n"));
  EXPECT_FALSE(importer.recognises(""));
}

}  // namespace
}  // namespace testing
}  // namespace gpuvet::ingest
