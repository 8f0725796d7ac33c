// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "ingest/reading.hpp"

namespace gpuvet::ingest {

Importer nccl_debug();

namespace testing {
namespace {

const Importer importer = nccl_debug();

using Texts = std::vector<std::string>;

/// A line of rank 0's log.
std::string says(std::string_view words, std::string_view host = "n1", int gpu = 0) {
  return std::string(host) + ":700:701 [" + std::to_string(gpu) + "] NCCL INFO " +
         std::string(words) + "\n";
}

Evidence good(std::string_view log) {
  auto evidence = read(importer, log);
  if (!evidence) ADD_FAILURE() << evidence.error().message();
  return evidence ? *std::move(evidence) : Evidence{};
}

const std::string start =
    says("cudaDriverVersion 12060") + says("NCCL version 2.25.1+cuda12.8") +
    says("Using network IB") +
    says(
        "ncclCommInitRankConfig comm 0x6 rank 0 nranks 16 cudaDev 0 nvmlDev 3 busId 4e000 "
        "commId 0xba - Init START") +
    says("comm 0x6 rank 0 nRanks 16 nNodes 2 localRanks 8 localRank 0 MNNVL 0");

TEST(NcclDebugTest, CommunicatorOfOneHost) {
  const Evidence evidence =
      good(start + says("NCCL_P2P_DISABLE set by environment to 1") +
           says("24 coll channels, 24 collnet channels, 16 nvls channels, 32 p2p channels, 32 p2p "
                "channels per peer") +
           says("Channel 00/24 : 0[0] -> 1[1] via P2P/direct pointer/read") +
           says("Channel 01/0 : 7[7] -> 8[0] [send] via NET/IB/0/GDRDMA"));
  EXPECT_EQ(text(evidence, "node.nccl.version"), "2.25.1");
  EXPECT_EQ(text(evidence, "node.cuda.version"), "12.6");
  EXPECT_EQ(text(evidence, "node.hostname"), "n1");
  EXPECT_EQ(text(evidence, "nccl.net"), "IB");
  EXPECT_EQ(text(evidence, "gpu.pci.address", "gpu:0000:4e:00.0"), "0000:4e:00.0");
  EXPECT_EQ(number(evidence, "gpu.index", "gpu:0000:4e:00.0"), 3);
  EXPECT_EQ(value<Texts>(evidence, "nccl.environment", "node"), Texts{"NCCL_P2P_DISABLE=1"});
  EXPECT_EQ(value<Texts>(evidence, "nccl.transports", "node"), (Texts{"NET", "P2P"}));
  EXPECT_EQ(value<bool>(evidence, "nccl.gdr", "node"), true);
  EXPECT_EQ(value<bool>(evidence, "nccl.nvls", "node"), true);
  const Observation* channels = only(evidence, "nccl.channels", "node");
  ASSERT_NE(channels, nullptr);
  EXPECT_EQ(*channels->number(), 24);
  EXPECT_EQ(dimension(*channels, "gpus"), 16);
  EXPECT_EQ(dimension(*channels, "nodes"), 2);
  EXPECT_EQ(channels->line, 7U);
  EXPECT_EQ(channels->provenance->how, How::reported);
  EXPECT_EQ(value<Texts>(evidence, "nccl.warnings", "node"), Texts{});
}

TEST(NcclDebugTest, OneChannelWithoutGpuDirectSpoilsIt) {
  const std::string with = says("Channel 00/0 : 0[0] -> 8[0] [send] via NET/IB/0/GDRDMA");
  const std::string without = says("Channel 01/0 : 0[0] -> 8[0] [send] via NET/IB/0");
  EXPECT_EQ(value<bool>(good(with + without), "nccl.gdr", "node"), false);
  EXPECT_EQ(only(good(with + without), "nccl.gdr", "node")->detail, "1 of 2 network channels");
  // Where no channel uses the network, what NCCL says of the adapters is the best there is.
  EXPECT_EQ(value<bool>(good(says("NET/IB : GPU Direct RDMA Enabled for HCA 0 'mlx5_0'")),
                        "nccl.gdr", "node"),
            true);
  EXPECT_EQ(value<bool>(good(says("NET/IB : GPU Direct RDMA Disabled for HCA 0 'mlx5_0'") + with),
                        "nccl.gdr", "node"),
            true);
  EXPECT_EQ(only(good(start), "nccl.gdr", "node"), nullptr);
}

TEST(NcclDebugTest, NvlsChannelsCountMoreThanSupport) {
  const std::string support = says("NVLS multicast support is available on dev 0");
  const std::string none =
      says("2 coll channels, 2 collnet channels, 0 nvls channels, 2 p2p channels");
  EXPECT_EQ(value<bool>(good(support), "nccl.nvls", "node"), true);
  EXPECT_EQ(value<bool>(good(support + none), "nccl.nvls", "node"), false);
  EXPECT_EQ(value<bool>(good(none + support), "nccl.nvls", "node"), false);
  EXPECT_EQ(value<bool>(good(says("NVLS multicast support is not available on dev 0")), "nccl.nvls",
                        "node"),
            false);
}

TEST(NcclDebugTest, WarningsOnce) {
  const std::string warning =
      "n1:700:701 [0] transport.cc:41 NCCL WARN No transport found for rank 0[3b000]\n";
  const Evidence evidence = good(start + warning + warning + "\n");
  EXPECT_EQ(value<Texts>(evidence, "nccl.warnings", "node"),
            Texts{"No transport found for rank 0[3b000]"});
  EXPECT_EQ(only(evidence, "nccl.warnings", "node")->line, 6U);
}

TEST(NcclDebugTest, SeveralHostsHaveNoName) {
  const Evidence evidence = good(start + says("a", "n2") + says("b", "n2"));
  EXPECT_EQ(only(evidence, "node.hostname", "node"), nullptr);
  EXPECT_TRUE(all_of(evidence, "gpu.index").empty());
  // Output glued to a row's cell is no second host.
  const Evidence glued = good(start + "sum" + says("c"));
  EXPECT_EQ(text(glued, "node.hostname"), "n1");
}

TEST(NcclDebugTest, TableOfNcclTestsIsReadToo) {
  const Evidence evidence = good(
      "# nThread 1 nGpus 2 minBytes 8 maxBytes 9 iters: 20 validation: 1 graph: 0\n"
      "#  Rank  0 Group  0 Pid  700 on n1 device  0 [0000:4e:00] NVIDIA A100\n"
      "#  Rank  1 Group  0 Pid  700 on n1 device  1 [0000:bd:00] NVIDIA A100\n" +
      start +
      "#  size  count  type  redop  root  time  algbw  busbw #wrong  time  algbw  busbw #wrong\n"
      "    16777216    4194304   float   sum   " +
      says("Channel 00 : 0[0] -> 1[1] via SHM/direct/direct") +
      " -1  100.00  167.77  167.77  0  100.10  167.60  167.60  0\n");
  EXPECT_EQ(number(evidence, "collective.all_reduce.busbw"), 167.77e9);
  EXPECT_EQ(value<Texts>(evidence, "nccl.transports", "node"), Texts{"SHM"});
  EXPECT_EQ(text(evidence, "node.hostname"), "n1");
  EXPECT_EQ(text(evidence, "node.nccl.version"), "2.25.1");
  EXPECT_EQ(text(evidence, "gpu.pci.address", "gpu:0000:4e:00.0"), "0000:4e:00.0");
  EXPECT_EQ(evidence.observations[0].provenance->how, How::measured);
}

TEST(NcclDebugTest, RunWithoutFiguresLeavesAGap) {
  const std::string begun = "# Collective test starting: all_reduce_perf\n" + start;
  EXPECT_EQ(absence(good(begun), "collective.all_reduce.busbw"), Absence::malformed);
  const Evidence failed =
      good(begun + "n1: Test NCCL failure common.cu:400 'unhandled system error / '\n");
  EXPECT_EQ(text(failed, "diag.result"), "fail");
  EXPECT_EQ(text(failed, "nccl.net"), "IB");
}

TEST(NcclDebugTest, PrefixesAndTagsAndHostileLines) {
  const Evidence tagged = good("[1,0]<stdout>:" + says("Using network Socket") +
                               "[2026-01-01 10:00:00] " + says("Using network Socket"));
  EXPECT_EQ(text(tagged, "nccl.net"), "Socket");
  EXPECT_EQ(text(tagged, "node.hostname"), "n1");
  const Evidence hostile = good(start + says("cudaDriverVersion 99999999999999999999") +
                                says("comm 0x1 rank 0 nranks -5 nvmlDev 0 busId zz") +
                                says("-3 coll channels, 0 collnet channels") +
                                says("Channel 00 : 0 -> 1 via " + std::string(100'000, 'x')));
  EXPECT_TRUE(all_of(hostile, "nccl.channels").empty());
  EXPECT_EQ(all_of(hostile, "gpu.index").size(), 1U);
  EXPECT_LE(value<Texts>(hostile, "nccl.transports", "node")->front().size(), 200U);
  const auto nul = read(importer, start + std::string("a\0b\n", 4));
  ASSERT_FALSE(nul);
  EXPECT_EQ(nul.error().input_line, 6U);
  EXPECT_FALSE(read(importer, "nothing of it\n"));
}

TEST(NcclDebugTest, RecognisesItsLinesOnly) {
  EXPECT_TRUE(importer.recognises("$ ./run\njunk\n" + start));
  EXPECT_TRUE(importer.recognises("n1:1:2 [0] a.cc:3 NCCL WARN no\n"));
  EXPECT_FALSE(importer.recognises("run with NCCL_DEBUG=INFO to see NCCL INFO lines\n"));
  EXPECT_FALSE(importer.recognises("NCCL version 2.7.8+cuda10.2\n"));
  EXPECT_FALSE(importer.recognises(""));
}

}  // namespace
}  // namespace testing
}  // namespace gpuvet::ingest
