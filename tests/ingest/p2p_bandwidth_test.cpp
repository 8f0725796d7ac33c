// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "ingest/reading.hpp"

namespace gpuvet::ingest {

Importer p2p_bandwidth();

namespace testing {
namespace {

const Importer importer = p2p_bandwidth();

constexpr std::string_view link = "link:0000:1b:00.0~0001:c2:00.0";

/// Two GPUs; `can` is CAN or CANNOT.
std::string whole(const std::string& can) {
  return "$ ./p2pBandwidthLatencyTest\n"
         "[P2P (Peer-to-Peer) GPU Bandwidth Latency Test]\n"
         "Device: 0, NVIDIA A40, pciBusID: 1b, pciDeviceID: 0, pciDomainID:0\n"
         "Device: 1, NVIDIA A40, pciBusID: c2, pciDeviceID: 0, pciDomainID:1\n"
         "Device=0 " +
         can +
         " Access Peer Device=1\n"
         "Device=1 " +
         can +
         " Access Peer Device=0\n\n"
         "P2P Connectivity Matrix\n"
         "     D\\D     0     1\n     0\t     1     1\n     1\t     1     1\n"
         "Unidirectional P2P=Disabled Bandwidth Matrix (GB/s)\n"
         "   D\\D     0      1 \n     0 120.50  16.25 \n     1  16.50 600.00 \n"
         "Unidirectional P2P=Enabled Bandwidth (P2P Writes) Matrix (GB/s)\n"
         "   D\\D     0      1 \n     0 610.00  50.25 \n     1  25.50 605.00 \n"
         "Unidirectional P2P=Enabled Bandwidth (P2P Reads) Matrix (GB/s)\n"
         "   D\\D     0      1 \n     0 610.00  49.25 \n     1  49.50 605.00 \n"
         "Bidirectional P2P=Enabled Bandwidth Matrix (GB/s)\n"
         "   D\\D     0      1 \n     0 590.00  99.00 \n     1  98.00 590.00 \n"
         "P2P=Enabled Latency (P2P Writes) Matrix (us)\n"
         "   GPU     0      1 \n     0   1.50   2.25 \n     1   2.50   1.50 \n\n"
         "   CPU     0      1 \n     0   3.50   7.25 \n     1   7.50   3.50 \n"
         "P2P=Enabled Latency (P2P Reads) Matrix (us)\n"
         "   GPU     0      1 \n     0   1.50  12.25 \n     1  12.50   1.50 \n\n"
         "   CPU     0      1 \n     0   3.50   7.25 \n     1   7.50   3.50 \n\n"
         "NOTE: The CUDA Samples are not meant for performance measurements.\n";
}

std::vector<Observation> those(const Evidence& evidence, std::string_view id, std::string_view p2p,
                               std::string_view direction = "") {
  std::vector<Observation> out;
  for (const auto& o : all_of(evidence, id, link)) {
    const auto has = [&](std::string_view name, std::string_view value) {
      const auto found = o.where.find(name);
      return found == o.where.end() ? value.empty() : std::get<std::string>(found->second) == value;
    };
    if (has("p2p", p2p) && has("direction", direction)) out.push_back(o);
  }
  return out;
}

TEST(P2pBandwidthTest, AllMatrices) {
  const auto evidence = read(importer, whole("CAN"));
  ASSERT_TRUE(evidence) << evidence.error().message();
  const auto disabled = those(*evidence, "peer.bandwidth", "disabled", "write");
  ASSERT_EQ(disabled.size(), 2U);
  EXPECT_DOUBLE_EQ(*disabled[0].number(), 16.25e9);
  const auto writes = those(*evidence, "peer.bandwidth", "enabled", "write");
  ASSERT_EQ(writes.size(), 2U);
  EXPECT_DOUBLE_EQ(*writes[1].number(), 25.5e9);
  EXPECT_EQ(writes[1].detail, "GPU 1 writes to GPU 0");
  EXPECT_EQ(writes[1].line, 19U);
  EXPECT_EQ(writes[1].provenance->how, How::measured);
  EXPECT_EQ(those(*evidence, "peer.bandwidth", "enabled", "read").size(), 2U);
  EXPECT_DOUBLE_EQ(*those(*evidence, "peer.bandwidth", "enabled", "both")[0].number(), 99e9);
  // Writes, as the GPU sees them: neither the reads nor the CPU's time.
  const auto latency = those(*evidence, "peer.latency", "enabled");
  ASSERT_EQ(latency.size(), 2U);
  EXPECT_NEAR(*latency[0].number(), 2.25e-6, 1e-12);
  for (const auto& o : all_of(*evidence, "link.p2p.access", link)) EXPECT_EQ(*o.flag(), true);
  EXPECT_EQ(all_of(*evidence, "link.p2p.access", link).size(), 2U);
  EXPECT_EQ(text(*evidence, "gpu.name", "gpu:0001:c2:00.0"), "NVIDIA A40");
}

TEST(P2pBandwidthTest, OwnMemoryIsTheBestOfTheDiagonals) {
  const auto evidence = read(importer, whole("CAN"));
  ASSERT_TRUE(evidence) << evidence.error().message();
  EXPECT_EQ(number(*evidence, "memory.bandwidth.copy", "gpu:0000:1b:00.0"), 610e9);
  EXPECT_NE(only(*evidence, "memory.bandwidth.copy", "gpu:0000:1b:00.0")->detail.find("120.5 GB/s"),
            std::string::npos);
}

TEST(P2pBandwidthTest, WithoutPeerAccessEnabledMeansNothing) {
  const auto evidence = read(importer, whole("CANNOT"));
  ASSERT_TRUE(evidence) << evidence.error().message();
  for (const std::string_view direction : {"write", "read", "both"})
    for (const auto& o : those(*evidence, "peer.bandwidth", "enabled", direction))
      EXPECT_EQ(std::get<Absence>(o.value), Absence::not_supported);
  for (const auto& o : those(*evidence, "peer.latency", "enabled")) EXPECT_EQ(o.number(), nullptr);
  EXPECT_NE(those(*evidence, "peer.bandwidth", "disabled", "write")[0].number(), nullptr);
  EXPECT_EQ(*all_of(*evidence, "link.p2p.access", link)[0].flag(), false);
}

TEST(P2pBandwidthTest, ConnectivityMatrixAlone) {
  const auto evidence =
      read(importer,
           "P2P Connectivity Matrix\n     D\\D     0     1\n     0\t     1     0\n"
           "     1\t     1     1\n");
  ASSERT_TRUE(evidence) << evidence.error().message();
  const auto access = all_of(*evidence, "link.p2p.access", "link:cuda#0~cuda#1");
  ASSERT_EQ(access.size(), 2U);
  EXPECT_EQ(*access[0].flag(), false);
  EXPECT_EQ(*access[1].flag(), true);
}

TEST(P2pBandwidthTest, OldTitlesNameNoDirection) {
  const auto evidence =
      read(importer,
           "Unidirectional P2P=Enabled Bandwidth Matrix (GB/s)\r\n"
           "   D\\D     0      1\r\n     0 610.00  50.25\r\n     1  25.50 605.00\r\n"
           "P2P=Enabled Latency Matrix (us)\r\n"
           "   D\\D     0      1\r\n     0 1.00  2.00\r\n     1  2.00 1.00\r\n");
  ASSERT_TRUE(evidence) << evidence.error().message();
  const auto peers = all_of(*evidence, "peer.bandwidth", "link:cuda#0~cuda#1");
  ASSERT_EQ(peers.size(), 2U);
  EXPECT_FALSE(peers[0].where.contains("direction"));
  EXPECT_EQ(all_of(*evidence, "peer.latency").size(), 2U);
}

TEST(P2pBandwidthTest, FailureOfTheToolIsAFact) {
  const auto evidence =
      read(importer,
           "[P2P (Peer-to-Peer) GPU Bandwidth Latency Test]\n"
           "Cuda failure p2pBandwidthLatencyTest.cu:178: 'uncorrectable ECC error encountered'\n");
  ASSERT_TRUE(evidence) << evidence.error().message();
  EXPECT_EQ(text(*evidence, "diag.result"), "fail");
  EXPECT_NE(text(*evidence, "diag.errors").value_or("").find("ECC"), std::string::npos);
}

TEST(P2pBandwidthTest, RefusedWithTheReason) {
  const std::string head = "Bidirectional P2P=Enabled Bandwidth Matrix (GB/s)\n   D\\D  0  1\n";
  expect_error(importer, head + " 0 590.00 99.00\n", 3, "1 of 2 rows");
  expect_error(importer, head + " 0 590.00 9", 3, "no figure with two decimals");
  expect_error(importer, head + " 0 590,00 99,00\n", 3, "\"590,00\"");
  expect_error(importer, head + " 0 590.00 -1.00\n", 3, "no bandwidth");
  expect_error(importer, head + " 1 590.00 99.00\n", 3, "row 0 of the matrix is due");
  expect_error(importer, head + " 0 590.00 nan\n", 3, "no figure");
  expect_error(importer, "Bidirectional P2P=Enabled Bandwidth Matrix (GB/s)\n", 1,
               "ends inside a matrix");
  expect_error(importer, "[P2P (Peer-to-Peer) GPU Bandwidth Latency Test]\nUsage:\n", 2,
               "no matrix");
  std::string wide = "Bidirectional P2P=Enabled Bandwidth Matrix (GB/s)\n   D\\D";
  for (int i = 0; i < 200; ++i) wide += " " + std::to_string(i);
  expect_error(importer, wide + "\n", 2, "more than 64 GPUs");
}

TEST(P2pBandwidthTest, RecognisesItsOwnOnly) {
  EXPECT_TRUE(importer.recognises(whole("CAN")));
  EXPECT_TRUE(
      importer.recognises("[...]\nUnidirectional P2P=Enabled Bandwidth (P2P Writes) Matrix "
                          "(GB/s)\n   D\\D     0      1\n"));
  EXPECT_FALSE(importer.recognises(" \tGPU0\tGPU1\n GPU0\tX\tOK\n GPU1\tOK\tX\n"));
  EXPECT_FALSE(importer.recognises("memcpy CE GPU(row) -> GPU(column) bandwidth (GB/s)\n"));
  EXPECT_FALSE(importer.recognises(""));
}

}  // namespace
}  // namespace testing
}  // namespace gpuvet::ingest
