// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "ingest/reading.hpp"

namespace gpuvet::ingest {

Importer nccl_topo_xml();

namespace testing {
namespace {

const Importer importer = nccl_topo_xml();

std::string system(std::string_view inside) {
  return "<system version=\"1\">\n<cpu numaid=\"1\" affinity=\"ff\" arch=\"x86_64\">\n" +
         std::string(inside) + "</cpu>\n</system>\n";
}

How how(const Evidence& evidence) { return evidence.observations.front().provenance->how; }

TEST(NcclTopoXmlTest, DumpWithSwitchesBridgesAndAdapters) {
  const auto evidence = read(
      importer,
      system("<pci busid=\"0000:0c:00.0\" class=\"0x060400\" link_speed=\"32.0 GT/s PCIe\">\n"
             "<pci busid=\"0000:0d:00.0\" class=\"0x060400\">\n"
             "<pci busid=\"0000:0f:00.0\" class=\"0x030200\" vendor=\"0x10de\" device=\"0x2330\" "
             "link_speed=\"32.0 GT/s PCIe\" link_width=\"16\">\n"
             "<gpu dev=\"0\" sm=\"90\" rank=\"0\" gdr=\"1\">\n"
             "<nvlink target=\"0000:a0:00.0\" count=\"4\" tclass=\"0x068000\"/>\n"
             "<nvlink target=\"fffffff:ffff:ff\" count=\"14\" tclass=\"0x068000\"/>\n"
             "</gpu></pci>\n"
             "<pci busid=\"0000:10:00.0\" class=\"0x020700\" vendor=\"0x15b3\" "
             "link_speed=\"16.0 GT/s PCIe\" link_width=\"8\"><nic>\n"
             "<net name=\"mlx5_0\" speed=\"400000\" port=\"1\" guid=\"0x98fe2a0003a86a94\"/>\n"
             "<net name=\"mlx5_1\" speed=\"400000\" port=\"2\" guid=\"0x98fe2a0003a86a94\"/>\n"
             "</nic></pci></pci></pci>\n"
             "<nic><net name=\"tunl0\" speed=\"10000\" port=\"0\" guid=\"0x1\"/></nic>\n"));
  ASSERT_TRUE(evidence) << evidence.error().message();
  EXPECT_EQ(how(*evidence), How::reported);
  const std::string gpu = "gpu:0000:0f:00.0";
  EXPECT_EQ(text(*evidence, "gpu.pci.address", gpu), "0000:0f:00.0");
  EXPECT_EQ(text(*evidence, "gpu.pci.upstream", gpu), "0000:0c:00.0");
  EXPECT_EQ(number(*evidence, "gpu.pci.switches", gpu), 2);
  EXPECT_EQ(text(*evidence, "topology.affinity.numa", gpu), "1");
  EXPECT_EQ(text(*evidence, "gpu.pci.device_id", gpu), "2330");
  EXPECT_EQ(number(*evidence, "gpu.pcie.generation.max", gpu), 5);
  EXPECT_EQ(number(*evidence, "gpu.pcie.width.max", gpu), 16);
  EXPECT_EQ(number(*evidence, "gpu.index", gpu), 0);
  EXPECT_EQ(number(*evidence, "gpu.nvlink.active", gpu), 18);
  EXPECT_EQ(only(*evidence, "gpu.pci.address", gpu)->line, 5U);
  EXPECT_TRUE(all_of(*evidence, "link.nvlink_count").empty());
  EXPECT_EQ(text(*evidence, "nic.pci.address", "nic:mlx5_0"), "0000:10:00.0");
  // The second function's own address is not in the file.
  EXPECT_EQ(only(*evidence, "nic.pci.address", "nic:mlx5_1"), nullptr);
  EXPECT_EQ(text(*evidence, "nic.pci.upstream", "nic:mlx5_1"), "0000:0c:00.0");
  EXPECT_EQ(number(*evidence, "nic.rate", "nic:mlx5_1"), 50e9);
  EXPECT_EQ(number(*evidence, "nic.pcie.generation.max", "nic:mlx5_0"), 4);
  EXPECT_TRUE(all_of(*evidence, "nic.name", "nic:tunl0").empty());
}

TEST(NcclTopoXmlTest, BridgedPairKeepsBothDirections) {
  const std::string one =
      "<pci busid=\"0000:65:00.0\" class=\"0x030200\" vendor=\"0x10de\" link_speed=\"\" "
      "link_width=\"0\"><gpu dev=\"1\" sm=\"80\" rank=\"1\">\n"
      "<nvlink target=\"0000:17:00.0\" count=\"12\" tclass=\"0x030200\"/></gpu></pci>\n"
      "<pci busid=\"0000:17:00.0\" class=\"0x030200\" vendor=\"0x10de\" link_speed=\"Unknown\">"
      "<gpu dev=\"0\" sm=\"80\" rank=\"0\">\n"
      "<nvlink target=\"0000:65:00.0\" count=\"1\" tclass=\"0x030200\"/></gpu></pci>\n";
  const auto evidence = read(importer, system(one));
  ASSERT_TRUE(evidence) << evidence.error().message();
  const auto links = all_of(*evidence, "link.nvlink_count", "link:0000:17:00.0~0000:65:00.0");
  ASSERT_EQ(links.size(), 2U);
  EXPECT_EQ(*links[0].number(), 12);
  EXPECT_EQ(*links[1].number(), 1);
  EXPECT_EQ(absence(*evidence, "gpu.pci.upstream", "gpu:0000:17:00.0"), Absence::not_asked);
  EXPECT_EQ(number(*evidence, "gpu.pci.switches", "gpu:0000:17:00.0"), 0);
  for (const std::string_view id : {"gpu.pcie.generation.max", "gpu.pcie.width.max"})
    for (const std::string_view gpu : {"gpu:0000:65:00.0", "gpu:0000:17:00.0"})
      EXPECT_EQ(absence(*evidence, id, gpu), Absence::not_supported) << id << gpu;
}

TEST(NcclTopoXmlTest, HandWrittenTreeIsAClaim) {
  const auto evidence =
      read(importer,
           "<!-- for one instance type -->\n<system version=\"1\">\n"
           "<cpu numaid=\"-1\">\n"
           "<pci busid=\"ffff:ff:01.0\" class=\"0x060400\" link_width=\"16\">\n"
           "<pci busid=\"0003:00:00.0\" class=\"0x030200\" link_speed=\"16 GT/s\"/>\n"
           "<pci busid=\"0103:00:00.0\" class=\"0x020700\"/></pci></cpu></system>\n");
  ASSERT_TRUE(evidence) << evidence.error().message();
  EXPECT_EQ(how(*evidence), How::claimed);
  EXPECT_EQ(text(*evidence, "gpu.pci.upstream", "gpu:0003:00:00.0"), "ffff:ff:01.0");
  EXPECT_EQ(only(*evidence, "gpu.pcie.generation.max", "gpu:0003:00:00.0"), nullptr);
  EXPECT_EQ(absence(*evidence, "topology.affinity.numa", "gpu:0003:00:00.0"),
            Absence::not_supported);
  EXPECT_EQ(text(*evidence, "nic.pci.upstream", "nic:0103:00:00.0"), "ffff:ff:01.0");
  EXPECT_EQ(only(*evidence, "node.cpu.architecture", "node"), nullptr);
}

TEST(NcclTopoXmlTest, AddressesAloneSayNothingOfGpus) {
  const auto evidence = read(importer, system("<pci busid=\"0000:00:16.0\"/>\n"));
  ASSERT_TRUE(evidence) << evidence.error().message();
  EXPECT_EQ(absence(*evidence, "pci.class", "pci:0000:00:16.0"), Absence::not_asked);
  EXPECT_TRUE(all_of(*evidence, "gpu.pci.address").empty());
}

TEST(NcclTopoXmlTest, FiguresThatAreNoneAreAbsent) {
  const auto evidence = read(
      importer, system("<pci busid=\"0000:17:00.0\" class=\"0x030200\" link_speed=\"16,0 GT/s\" "
                       "link_width=\"-16\"><gpu dev=\"0\" sm=\"80\" rank=\"0\">\n"
                       "<nvlink target=\"0000:17:00.0\" count=\"12\" tclass=\"0x030200\"/></gpu>"
                       "</pci>\n<pci busid=\"0000:18:00.0\" class=\"0x020000\"><nic>\n"
                       "<net name=\"a\" speed=\"99999999999999999999\" guid=\"0x58a32a00\"/>\n"
                       "<net name=\"eth0\" speed=\"10000\" guid=\"0x0\"/></nic></pci>\n"));
  ASSERT_TRUE(evidence) << evidence.error().message();
  const std::string gpu = "gpu:0000:17:00.0";
  EXPECT_EQ(absence(*evidence, "gpu.pcie.generation.max", gpu), Absence::malformed);
  EXPECT_EQ(absence(*evidence, "gpu.pcie.width.max", gpu), Absence::malformed);
  EXPECT_EQ(absence(*evidence, "gpu.nvlink.active", gpu), Absence::malformed);  // to itself
  EXPECT_EQ(absence(*evidence, "nic.rate", "nic:a"), Absence::malformed);
  EXPECT_EQ(absence(*evidence, "nic.rate", "nic:eth0"), Absence::not_supported);
}

TEST(NcclTopoXmlTest, RefusesWhatIsNoWholeTopologyOfOneServer) {
  expect_error(importer,
               "<system version=\"1\">\n<cpu numaid=\"0\">\n<pci busid=\"0000:17:00.0\">\n", 3,
               "cut off");
  expect_error(importer, "<system version=\"1\">\n<cpu numaid=\"0\"/>\n</system>", 1, "no device");
  expect_error(importer, system("<pci busid=\"17\"/>\n"), 3, "busid \"17\" is no PCI address");
  expect_error(importer,
               system("<pci busid=\"0000:03:00.0\" class=\"0x038000\" vendor=\"0x1002\"/>\n"), 3,
               "not NVIDIA's");
  expect_error(importer, "<system>\n<cpu host_hash=\"0x1\"/>\n<cpu host_hash=\"0x2\"/>\n</system>",
               3, "more than one server");
  expect_error(importer, std::string("<system>\n\0</system>", 19), 2, "NUL");
  std::string nets;
  for (int i = 0; i < 5000; ++i) nets += "<net name=\"a\"/>";
  expect_error(importer, system("<pci busid=\"0000:03:00.0\"><nic>" + nets + "</nic></pci>\n"), 3,
               "more than 4096");
  expect_error(importer, "<system>\n<cpu numaid=\"0\">\n<pci busid=\"0000:1", 3, "cut off");
  expect_error(importer, "<graphs version=\"1\"/>", 1, "not <system>");
  std::string deep = "<system>";
  for (int i = 0; i < 200; ++i) deep += "<pci>";
  expect_error(importer, deep, 1, "more than 128 elements");
}

TEST(NcclTopoXmlTest, RecognisesTopologiesOnly) {
  EXPECT_TRUE(importer.recognises("<!-- x -->\n<system version=\"1\">\n<cpu numaid=\"0\">"));
  EXPECT_FALSE(importer.recognises("<system version=\"1\"><node/></system>"));
  EXPECT_FALSE(importer.recognises("<graphs version=\"1\"><graph id=\"0\"/></graphs>"));
  EXPECT_FALSE(importer.recognises("<systems><cpu numaid=\"0\"/></systems>"));
  EXPECT_FALSE(importer.recognises(""));
}

}  // namespace
}  // namespace testing
}  // namespace gpuvet::ingest
