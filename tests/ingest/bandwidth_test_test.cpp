// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "ingest/reading.hpp"

namespace gpuvet::ingest {

Importer bandwidth_test();

namespace testing {
namespace {

const Importer importer = bandwidth_test();

std::string run(std::string_view device, std::string_view rate) {
  return "[CUDA Bandwidth Test] - Starting...\nRunning on...\n\n Device " + std::string(device) +
         ": NVIDIA A10\n Quick Mode\n\n Host to Device Bandwidth, 1 Device(s)\n"
         " PINNED Memory Transfers\n   Transfer Size (Bytes)\tBandwidth(GB/s)\n   32000000\t\t\t" +
         std::string(rate) +
         "\n\n Device to Device Bandwidth, 1 Device(s)\n PINNED Memory Transfers\n"
         "   Transfer Size (Bytes)\tBandwidth(GB/s)\n   32000000\t\t\t512.5\n\nResult = PASS\n";
}

TEST(BandwidthTestTest, QuickModeOfTwoGpus) {
  const auto evidence = read(importer, run("0", "26.5") + run("3", "13.2"));
  ASSERT_TRUE(evidence) << evidence.error().message();
  EXPECT_EQ(number(*evidence, "hostlink.h2d", "gpu:cuda#0"), 26.5e9);
  const auto* slow = only(*evidence, "hostlink.h2d", "gpu:cuda#3");
  ASSERT_NE(slow, nullptr);
  EXPECT_DOUBLE_EQ(*slow->number(), 13.2e9);
  EXPECT_EQ(slow->line, 27U);
  EXPECT_EQ(dimension(*slow, "bytes"), 32e6);
  EXPECT_EQ(std::get<std::string>(slow->where.at("memory")), "pinned");
  EXPECT_EQ(number(*evidence, "memory.bandwidth.copy", "gpu:cuda#3"), 512.5e9);
  EXPECT_EQ(text(*evidence, "diag.result", "gpu:cuda#3"), "pass");
  EXPECT_TRUE(all_of(*evidence, "gpu.name").empty());
}

TEST(BandwidthTestTest, SweepCountsItsLargestSize) {
  const auto evidence = read(importer,
                             "[CUDA Bandwidth Test] - Starting...\n Device 1: NVIDIA A10\n"
                             ".....\n"
                             "bandwidthTest-H2D-Pageable, Bandwidth = 0.4 GB/s, Time = 0.00000 s, "
                             "Size = 1000 bytes, NumDevsUsed = 1\n"
                             "bandwidthTest-H2D-Pageable, Bandwidth = 9.5 GB/s, Time = 0.00700 s, "
                             "Size = 68000000 bytes, NumDevsUsed = 1\n"
                             "bandwidthTest-D2H-Pinned, Bandwidth = 25.5 GB/s, Time = 0.00007 s, "
                             "Size = 64000 bytes, NumDevsUsed = 1\n");
  ASSERT_TRUE(evidence) << evidence.error().message();
  EXPECT_EQ(number(*evidence, "hostlink.h2d", "gpu:cuda#1"), 9.5e9);
  EXPECT_EQ(std::get<std::string>(all_of(*evidence, "hostlink.h2d")[0].where.at("memory")),
            "pageable");
  EXPECT_EQ(number(*evidence, "hostlink.d2h", "gpu:cuda#1"), 25.5e9);
}

TEST(BandwidthTestTest, OldMegabytesAreMebibytes) {
  const auto evidence =
      read(importer,
           "[CUDA Bandwidth Test] - Starting...\n Device 0: Tesla K80\n"
           " Device to Host Bandwidth, 1 Device(s)\n PINNED Memory Transfers\n"
           "   Transfer Size (Bytes)\tBandwidth(MB/s)\n   33554432\t\t\t10000.0\n");
  ASSERT_TRUE(evidence) << evidence.error().message();
  EXPECT_EQ(number(*evidence, "hostlink.d2h", "gpu:cuda#0"), 10000.0 * 1048576);
}

TEST(BandwidthTestTest, SumOverGpusIsNoFigureOfOne) {
  const auto evidence = read(importer,
                             "[CUDA Bandwidth Test] - Starting...\n Device 0: A\n Device 1: A\n"
                             " Host to Device Bandwidth, 2 Device(s)\n PINNED Memory Transfers\n"
                             "   Transfer Size (Bytes)\tBandwidth(GB/s)\n   32000000\t\t\t50.5\n"
                             "Result = FAIL\n");
  ASSERT_TRUE(evidence) << evidence.error().message();
  EXPECT_EQ(absence(*evidence, "hostlink.h2d", "gpu:cuda#1"), Absence::not_asked);
  EXPECT_EQ(text(*evidence, "diag.result", "gpu:cuda#0"), "fail");
}

TEST(BandwidthTestTest, RefusedWithTheReason) {
  const std::string head = "[CUDA Bandwidth Test] - Starting...\n Device 0: A\n";
  const std::string section =
      " Host to Device Bandwidth, 1 Device(s)\n PINNED Memory Transfers\n"
      "   Transfer Size (Bytes)\tBandwidth(GB/s)\n";
  expect_error(importer, head, 2, "no figure");
  expect_error(importer, head + section + " 32000000 26", 6, "no bandwidth with one decimal");
  expect_error(importer, head + section + " 32000000 26,5\n", 6, "\"26,5\"");
  expect_error(importer, head + section + " 32000000 -26.5\n", 6, "no bandwidth");
  expect_error(importer, head + section + " 32000000 " + std::string(320, '9') + ".5\n", 6,
               "no bandwidth");
  expect_error(importer, head + "bandwidthTest-H2D-Pinned, Bandwidth = 26.5 GB/s, Time = 0.0", 3,
               "ends early");
  expect_error(importer, head + "bandwidthTest-H2D-Pinned, Bandwidth = 1.0 TB/s, Size = 8 bytes\n",
               3, "without a bandwidth");
}

TEST(BandwidthTestTest, RecognisesItsOwnOnly) {
  EXPECT_TRUE(importer.recognises("$ ./bandwidthTest\n[CUDA Bandwidth Test] - Starting...\n"));
  EXPECT_FALSE(importer.recognises("[P2P (Peer-to-Peer) GPU Bandwidth Latency Test]\n"));
  EXPECT_FALSE(importer.recognises(""));
}

}  // namespace
}  // namespace testing
}  // namespace gpuvet::ingest
