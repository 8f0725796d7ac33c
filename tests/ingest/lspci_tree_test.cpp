// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "ingest/reading.hpp"

namespace gpuvet::ingest {

Importer lspci_tree();

namespace testing {
namespace {

const Importer importer = lspci_tree();

constexpr std::string_view tree =
    "$ lspci -tv\n"
    "-+-[0000:80]-+-00.0  Intel Corporation Device 09a2\n"
    " |           \\-01.0-[81-88]----00.0-[82-88]--+-00.0-[83]----00.0  NVIDIA Corporation GH100\n"
    " |                                           +-01.0-[84-87]----00.0-[85-87]----00.0-[86]----"
    "00.0  NVIDIA Corporation Device 2331\n"
    " |                                           \\-02.0-[88]--\n"
    " \\-[0000:00]-+-00.0  Intel Corporation Device 09a2\n"
    "             +-01.1-[01]--+-00.0  NVIDIA Corporation GA102GL [A40]\n"
    "             |            \\-00.1  NVIDIA Corporation GA102 High Definition Audio Controller\n"
    "             +-01.2-[02]----00.0  NVIDIA Corporation Device 22a3\n"
    "             \\-01.3-[03]----00.0  Mellanox Technologies MT2910 Family [ConnectX-7]\n";

TEST(LspciTreeTest, SwitchesRootAndParents) {
  const auto evidence = understood(importer, tree);
  EXPECT_EQ(text(evidence, "gpu.pci.root", "gpu:0000:83:00.0"), "0000:80");
  EXPECT_EQ(text(evidence, "gpu.pci.upstream", "gpu:0000:83:00.0"), "0000:81:00.0");
  EXPECT_EQ(number(evidence, "gpu.pci.switches", "gpu:0000:83:00.0"), 1);
  EXPECT_EQ(text(evidence, "pci.parent", "pci:0000:83:00.0"), "0000:82:00.0");
  // Behind a second switch, on the same way to the CPU.
  EXPECT_EQ(text(evidence, "gpu.pci.upstream", "gpu:0000:86:00.0"), "0000:81:00.0");
  EXPECT_EQ(number(evidence, "gpu.pci.switches", "gpu:0000:86:00.0"), 2);
  EXPECT_EQ(text(evidence, "gpu.pci.device_id", "gpu:0000:86:00.0"), "2331");
  // Without a switch a GPU has its root port for itself.
  EXPECT_EQ(text(evidence, "gpu.pci.upstream", "gpu:0000:01:00.0"), "0000:00:01.1");
  EXPECT_EQ(number(evidence, "gpu.pci.switches", "gpu:0000:01:00.0"), 0);
  EXPECT_EQ(only(evidence, "gpu.pci.root", "gpu:0000:86:00.0")->line, 4U);
}

TEST(LspciTreeTest, OnlyGpusAreGpus) {
  const auto evidence = understood(importer, tree);
  EXPECT_EQ(all_of(evidence, "gpu.pci.root").size(), 3U);
  EXPECT_TRUE(all_of(evidence, "pci.name", "gpu:0000:01:00.1").empty());  // its audio function
  EXPECT_TRUE(all_of(evidence, "pci.name", "gpu:0000:02:00.0").empty());  // an NVSwitch
  EXPECT_EQ(text(evidence, "pci.parent", "pci:0000:03:00.0"), "0000:00:01.3");
  EXPECT_TRUE(all_of(evidence, "node.gpu.attached").empty());
  EXPECT_TRUE(all_of(evidence, "gpu.name").empty());
}

TEST(LspciTreeTest, WithoutNamesOnlyParents) {
  const auto evidence = understood(importer,
                                   "-[0000:00]-+-00.0\r\n"
                                   "           +-1c.3-[05-06]----00.0-[06]----00.0\r\n"
                                   "           \\-1f.2\r\n");
  EXPECT_EQ(text(evidence, "pci.parent", "pci:0000:06:00.0"), "0000:05:00.0");
  EXPECT_EQ(text(evidence, "pci.parent", "pci:0000:05:00.0"), "0000:00:1c.3");
  EXPECT_EQ(evidence.observations.size(), 2U);
}

TEST(LspciTreeTest, DomainsOfVirtualMachines) {
  const auto evidence = understood(importer,
                                   "-+-[0001:00]---00.0  NVIDIA Corporation Device [10de:20b2]\n"
                                   " \\-[0000:00]-\n");
  EXPECT_EQ(absence(evidence, "gpu.pci.root", "gpu:0001:00:00.0"), Absence::not_supported);
  EXPECT_EQ(text(evidence, "gpu.pci.device_id", "gpu:0001:00:00.0"), "20b2");
  EXPECT_EQ(text(evidence, "pci.name", "gpu:0001:00:00.0"), "NVIDIA Corporation Device 20b2");
}

TEST(LspciTreeTest, BrokenTreesNameTheLine) {
  expect_error(importer, "-[0000:00]-+-00.0\n           +-01.0-[01]----00.0\n", 2,
               "ends early: siblings of line 1");
  expect_error(importer, "-[0000:00]-+-00.0-[01]--+-00.0\n           \\-01.0\n", 2,
               "siblings of line 1");
  expect_error(importer, "-[0000:00]-+-00.0\n +-01.0\n", 2, "siblings of line 1");
  expect_error(importer, "-[0000:00]-+-00.0\n             \\-01.0\n", 2, "column of its own");
  expect_error(importer, "-[0000:00]-+-00.0\n           \\-01.0-[01\n", 2, "closing bracket");
  expect_error(importer, "-[0000:00]-+-00.0\n           \\-0\n", 2, "neither device nor bus");
  expect_error(importer, "-[0000:00]---00.0-[zz]--\n", 1, "is no bus");
  expect_error(importer, "-[0000:00]---00.0\n-[0000:00]---00.0\n", 2, "second tree");
  expect_error(importer, "-[0000:00]-\n", 1, "no device");
  expect_error(importer, "prose only\n", 1, "no tree");
  expect_error(importer, std::string_view("-[0000:00]---00.0\n\0\n", 20), 2, "NUL");
}

TEST(LspciTreeTest, AnyPrefixIsRefusedOrTheSame) {
  const auto whole = understood(importer, tree);
  for (std::size_t n = 0; n < tree.size(); n += 3) {
    const auto evidence = read(importer, tree.substr(0, n));
    if (!evidence) continue;
    EXPECT_EQ(text(*evidence, "gpu.pci.upstream", "gpu:0000:86:00.0"), "0000:81:00.0") << n;
    EXPECT_EQ(all_of(*evidence, "gpu.pci.root").size(), 3U) << n;
  }
}

TEST(LspciTreeTest, DeepAndWideTreesAreRefused) {
  std::string given = "-[0000:00]-";
  for (int i = 0; i < 5000; ++i) given += "--00.0-[01]";
  expect_error(importer, given + "\n", 1, "more than 4096");
}

TEST(LspciTreeTest, RecognisesTreesOnly) {
  EXPECT_TRUE(importer.recognises(tree));
  EXPECT_TRUE(
      importer.recognises("/usr/bin/lspci -nntv\n\n-[0000:00]-+-00.0  Intel [8086:1237]\n"));
  EXPECT_TRUE(importer.recognises("-[10000:e0]---00.0\n"));
  EXPECT_FALSE(importer.recognises("-[0000]-\n- [x] done\n"));
  EXPECT_FALSE(importer.recognises("00:00.0 Host bridge: Intel Corporation\n"));
  EXPECT_FALSE(importer.recognises(""));
}

}  // namespace
}  // namespace testing
}  // namespace gpuvet::ingest
