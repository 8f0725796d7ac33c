// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "ingest/reading.hpp"

namespace gpuvet::ingest {

Importer nvidia_smi_topo_p2p();

namespace testing {
namespace {

const Importer importer = nvidia_smi_topo_p2p();

constexpr std::string_view three =
    " \tGPU0\tGPU1\tGPU2\t\r\n GPU0\tX\tOK\tCNS\t\r\n GPU1\tOK\tX\tU\t\r\n GPU2\tCNS\tU\tX\t\r\n"
    "\r\nLegend:\r\n\r\n  X    = Self\r\n  OK   = Status Ok\r\n  CNS  = Chipset not supported\r\n";

TEST(NvidiaSmiTopoP2pTest, TheCommandSaysWhatTheMatrixAnswers) {
  const auto evidence =
      read(importer, "$ nvidia-smi topo -p2p r\n" + std::string(three) +
                         "$ nvidia-smi topo -p2p n\nGPU0 GPU1 GPU2\nGPU0 X OK OK\nGPU1 OK X NS\n"
                         "GPU2 OK NS X\n");
  ASSERT_TRUE(evidence) << evidence.error().message();
  EXPECT_EQ(text(*evidence, "link.p2p.read", "link:smi#0~smi#1"), "OK");
  EXPECT_EQ(text(*evidence, "link.p2p.read", "link:smi#0~smi#2"), "CNS");
  EXPECT_EQ(only(*evidence, "link.p2p.read", "link:smi#0~smi#2")->detail, "chipset not supported");
  EXPECT_EQ(absence(*evidence, "link.p2p.read", "link:smi#1~smi#2"), Absence::malformed);
  EXPECT_EQ(text(*evidence, "link.p2p.nvlink", "link:smi#1~smi#2"), "NS");
  EXPECT_EQ(number(*evidence, "node.gpu.attached"), 3);
  EXPECT_EQ(number(*evidence, "gpu.index", "gpu:smi#2"), 2);
}

TEST(NvidiaSmiTopoP2pTest, WithoutTheCommandTheQuestionStaysOpen) {
  const auto evidence = read(importer, three);
  ASSERT_TRUE(evidence) << evidence.error().message();
  EXPECT_EQ(text(*evidence, "link.p2p.unspecified", "link:smi#0~smi#2"), "CNS");
  EXPECT_EQ(only(*evidence, "link.p2p.unspecified", "link:smi#0~smi#2")->line, 2U);
  const auto second = read(importer,
                           "topo -p2p w\nGPU0 GPU1\nGPU0 X DR\nGPU1 DR X\n"
                           "GPU0 GPU1\nGPU0 X OK\nGPU1 OK X\n");
  ASSERT_TRUE(second) << second.error().message();
  EXPECT_EQ(text(*second, "link.p2p.write", "link:smi#0~smi#1"), "DR");
  EXPECT_EQ(text(*second, "link.p2p.unspecified", "link:smi#0~smi#1"), "OK");
}

TEST(NvidiaSmiTopoP2pTest, DirectionsThatDifferBothStay) {
  const auto evidence = read(importer, "GPU0 GPU1\nGPU0 X OK\nGPU1 TNS X\n");
  ASSERT_TRUE(evidence) << evidence.error().message();
  const auto found = all_of(*evidence, "link.p2p.unspecified", "link:smi#0~smi#1");
  ASSERT_EQ(found.size(), 2U);
  EXPECT_EQ(*found[0].text(), "OK");
  EXPECT_EQ(*found[1].text(), "TNS");
}

TEST(NvidiaSmiTopoP2pTest, OneGpuHasNoPairs) {
  constexpr std::string_view one = "\tGPU0\nGPU0\tX\n\nLegend:\n\n  X = Self\n  OK = Status Ok\n";
  EXPECT_TRUE(importer.recognises(one));
  const auto evidence = read(importer, one);
  ASSERT_TRUE(evidence) << evidence.error().message();
  EXPECT_EQ(number(*evidence, "node.gpu.attached"), 1);
  EXPECT_EQ(evidence->observations.size(), 2U);
}

TEST(NvidiaSmiTopoP2pTest, BrokenMatricesNameTheLine) {
  expect_error(importer, "GPU0 GPU1\nGPU0 X OK\n", 2, "1 rows follow: the file is cut off");
  expect_error(importer, "GPU0 GPU1\nGPU0 X\n", 2, "1 cells, the header has 2");
  expect_error(importer, "GPU0 GPU1\nGPU0 X O\nGPU1 OK X\n", 2, "cell 'O'");
  expect_error(importer, "GPU0 GPU1\nGPU0 OK X\nGPU1 OK X\n", 2, "cell 'OK'");
  expect_error(importer, "GPU0 GPU1\nGPU1 OK X\n", 2, "where the row of GPU0 is due");
  expect_error(importer, "GPU0 GPU1\nGPU0 X OK\nnvidia-smi topo -p2p w\n", 3, "cut off");
  expect_error(importer, "GPU0 GPU1\nGPU0 X OK\nGPU1 OK X\nGPU0 GPU1 GPU2\n", 4,
               "one machine a file");
  expect_error(importer, "GPU0 GPU1\nGPU0 X \x1b[31mNV12\x1b[0m\nGPU1 NV12 X\n", 2, "cell 'NV12'");
  expect_error(importer, std::string("GPU0 GPU1\nGPU0 X \0OK\n", 21), 2, "NUL");
  expect_error(importer, "nothing\n", 1, "no matrix");
  std::string header = "GPU0";
  for (int i = 1; i < 300; ++i) header += " GPU" + std::to_string(i);
  expect_error(importer, header + "\n", 1, "more than 256 GPUs");
  std::string many;
  for (int i = 0; i < 65; ++i) many += "GPU0\nGPU0 X\n";
  expect_error(importer, many, 129, "more than 64 matrices");
}

TEST(NvidiaSmiTopoP2pTest, RecognisesPeerMatricesOnly) {
  EXPECT_TRUE(importer.recognises(three));
  EXPECT_TRUE(importer.recognises("$ nvidia-smi topo -p2p w\nGPU0 GPU1\nGPU0 X NS\n"));
  EXPECT_FALSE(importer.recognises("\tGPU0\tGPU1\nGPU0\tX\tNV4\nGPU1\tNV4\tX\n"));  // topo -m
  EXPECT_FALSE(importer.recognises("\tGPU0\tGPU1\tCPU Affinity\nGPU0\tX\tOK\t0-3\n"));
  EXPECT_FALSE(importer.recognises("GPU0\nGPU0 X\n"));
  EXPECT_FALSE(importer.recognises("   D\\D 0 1\n 0 1.0 2.0\n"));
}

}  // namespace
}  // namespace testing
}  // namespace gpuvet::ingest
