// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "ingest/reading.hpp"

namespace gpuvet::ingest {

Importer lscpu();

namespace testing {
namespace {

const Importer importer = lscpu();

constexpr std::string_view x86 =
    "$ lscpu\n"
    "Architecture:             x86_64\n"
    "  CPU op-mode(s):         32-bit, 64-bit\n"
    "CPU(s):                   96\n"
    "  On-line CPU(s) list:    0-94\n"
    "Vendor ID:                AuthenticAMD\n"
    "  Model name:             AMD EPYC: 9274F 24-Core Processor\n"
    "    Thread(s) per core:   2\n"
    "    Core(s) per socket:   24\n"
    "    Socket(s):            2\n"
    "    Flags:                fpu vme de\n"
    "                          pse tsc\n"
    "Virtualization features:  \n"
    "  Virtualization:         AMD-V\n"
    "NUMA:                     \n"
    "  NUMA node(s):           2\n"
    "  NUMA node0 CPU(s):      0-23,48-71\n"
    "  NUMA node1 CPU(s):      24-47,72-95\n";

TEST(LscpuTest, IndentedOutput) {
  const auto evidence = understood(importer, x86);
  EXPECT_EQ(text(evidence, "node.cpu.architecture"), "x86_64");
  EXPECT_EQ(text(evidence, "node.cpu.model"), "AMD EPYC: 9274F 24-Core Processor");
  EXPECT_EQ(number(evidence, "node.cpu.sockets"), 2);
  EXPECT_EQ(number(evidence, "node.cpu.cores"), 48);
  EXPECT_EQ(number(evidence, "node.cpu.threads"), 96);
  EXPECT_EQ(only(evidence, "node.cpu.threads", "node")->detail, "95 of them on-line");
  EXPECT_EQ(text(evidence, "numa.cpus", "numa:1"), "24-47,72-95");
  EXPECT_EQ(number(evidence, "node.cpu.numa_nodes"), 2);
  EXPECT_EQ(text(evidence, "node.virtualization"), "none");
  EXPECT_EQ(only(evidence, "node.cpu.sockets", "node")->line, 10U);
}

TEST(LscpuTest, MemoryOnlyNodesAreNoProcessorNodes) {
  const auto evidence =
      understood(importer,
                 "\xef\xbb\xbf"
                 "Architecture:        ppc64le\nCPU(s):              8\nOn-line CPU(s) list: 0-7\n"
                 "Core(s) per socket:  1\nSocket(s):           2\nNUMA node(s):        3\n"
                 "NUMA node0 CPU(s):   0,1,2,3\nNUMA node8 CPU(s):   4-7\nNUMA node252 CPU(s): \n");
  EXPECT_EQ(number(evidence, "node.cpu.numa_nodes"), 2);
  EXPECT_EQ(text(evidence, "numa.cpus", "numa:0"), "0-3");
  EXPECT_EQ(absence(evidence, "numa.cpus", "numa:252"), Absence::not_supported);
  EXPECT_EQ(only(evidence, "node.virtualization", "node"), nullptr);  // POWER doesn't tell
}

TEST(LscpuTest, ArmCountsClusters) {
  const auto evidence =
      understood(importer,
                 "Architecture: aarch64\nCPU(s): 80\nOn-line CPU(s) list: 0-79\nModel name: -\n"
                 "Thread(s) per core: 1\nCore(s) per cluster: 80\nSocket(s): -\nCluster(s): 1\n");
  EXPECT_EQ(number(evidence, "node.cpu.cores"), 80);
  EXPECT_EQ(absence(evidence, "node.cpu.sockets"), Absence::not_supported);
  EXPECT_EQ(absence(evidence, "node.cpu.model"), Absence::not_supported);
}

TEST(LscpuTest, Hypervisors) {
  const std::string start =
      "Architecture: x86_64\nCPU(s): 4\nCore(s) per socket: 4\nSocket(s): 1\n";
  EXPECT_EQ(text(understood(importer, start + "Hypervisor vendor: KVM\n"), "node.virtualization"),
            "KVM");
  EXPECT_EQ(text(understood(importer, start + "Flags: fpu\n  tsc hypervisor lahf\n"),
                 "node.virtualization"),
            "unnamed hypervisor");
}

TEST(LscpuTest, TableOfCpus) {
  const std::string table =
      "$ lscpu -e\nCPU NODE SOCKET CORE L1d:L1i:L2:L3 ONLINE    MAXMHZ\n"
      "  0    0      0    0 0:0:0:0          yes 3850.0000\n"
      "  1    0      0    1 1:1:1:0          yes 3850.0000\n"
      "  2    1      1    2 8:8:8:2          yes 3850.0000\n"
      "  3    1      1    2 8:8:8:2          yes 3850.0000\n";
  const auto evidence = understood(importer, table);
  EXPECT_EQ(number(evidence, "node.cpu.threads"), 4);
  EXPECT_EQ(number(evidence, "node.cpu.cores"), 3);
  EXPECT_EQ(number(evidence, "node.cpu.sockets"), 2);
  EXPECT_EQ(text(evidence, "numa.cpus", "numa:1"), "2-3");
  expect_error(importer, table.substr(0, table.size() - 30), 6, "cut");
  expect_error(importer, table.substr(0, table.size() - 3), 6, "ends early");
}

TEST(LscpuTest, NumbersThatCannotBe) {
  const auto evidence = understood(
      importer,
      "Architecture: x86_64\nCPU(s): 1\nOn-line CPU(s) list: 0-95\nCore(s) per socket: -3\n"
      "Socket(s): 99999999999\n");
  EXPECT_EQ(absence(evidence, "node.cpu.threads"), Absence::malformed);
  EXPECT_EQ(absence(evidence, "node.cpu.sockets"), Absence::not_supported);
  EXPECT_EQ(absence(evidence, "node.cpu.cores"), Absence::not_supported);
  expect_error(importer, "Architecture: x86_64\nCPU(s): 1\nNUMA node0 CPU(s): 0-99999999\n", 3,
               "unreadable");
}

TEST(LscpuTest, NoPrefixGivesAWrongNumber) {
  for (std::size_t n = 0; n < x86.size(); ++n) {
    const auto evidence = read(importer, x86.substr(0, n));
    if (!evidence) continue;
    EXPECT_EQ(number(*evidence, "node.cpu.cores"), 48) << n;
    EXPECT_EQ(number(*evidence, "node.cpu.threads"), 96) << n;
    const auto nodes = number(*evidence, "node.cpu.numa_nodes");
    EXPECT_TRUE(!nodes || nodes == 2) << n;
  }
}

TEST(LscpuTest, Refused) {
  expect_error(importer, "lscpu: cannot open /proc/cpuinfo\n", 1, "printed an error");
  expect_error(importer, "Architektur: x86_64\nOn-line CPU(s) list: 0-3\n", 2, "LC_ALL=C");
  expect_error(importer, "Architecture: x86_64\nCPU(s): 4\nCPU(s): 8\n", 3, "stands twice");
  expect_error(importer, std::string_view("CPU(s): 4\n\0\n", 12), 2, "NUL");
}

TEST(LscpuTest, RecognisesItsOutputOnly) {
  EXPECT_TRUE(importer.recognises(x86));
  EXPECT_TRUE(importer.recognises("CPU NODE SOCKET CORE L1d:L1i:L2:L3 ONLINE\n"));
  EXPECT_FALSE(importer.recognises("available: 2 nodes (0-1)\n"));
  EXPECT_FALSE(importer.recognises("Product Architecture: Hopper\n"));
  EXPECT_FALSE(importer.recognises(""));
}

}  // namespace
}  // namespace testing
}  // namespace gpuvet::ingest
