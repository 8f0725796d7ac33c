// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "ingest/reading.hpp"

namespace gpuvet::ingest {

Importer nvidia_smi_topo();

namespace testing {
namespace {

const Importer importer = nvidia_smi_topo();

using Texts = std::vector<std::string>;

Texts texts(const Evidence& evidence, std::string_view id, std::string_view subject) {
  return value<Texts>(evidence, id, subject).value_or(Texts{"absent"});
}

TEST(NvidiaSmiTopoTest, TabsWithLegendAndAdapters) {
  const auto evidence = read(importer,
                             "\tGPU0\tGPU1\tNIC0\tCPU Affinity\tNUMA Affinity\tGPU NUMA ID\n"
                             "GPU0\t X \tNV12\tPXB\t0-31,64-95\t0\t\tN/A\n"
                             "GPU1\tNV12\t X \tSYS\t32-63,96-127\t1\t\tN/A\n"
                             "NIC0\tPXB\tSYS\t X \t\t\t\t\n"
                             "\nLegend:\n\n  X    = Self\n\nNIC Legend:\n\n  NIC0: mlx5_3\n");
  ASSERT_TRUE(evidence) << evidence.error().message();
  EXPECT_EQ(texts(*evidence, "topology.columns", "node"), (Texts{"GPU0", "GPU1", "NIC0"}));
  EXPECT_EQ(texts(*evidence, "topology.row", "gpu:smi#0"), (Texts{"X", "NV12", "PXB"}));
  EXPECT_EQ(texts(*evidence, "topology.row", "nic:NIC0"), (Texts{"PXB", "SYS", "X"}));
  EXPECT_EQ(text(*evidence, "topology.affinity.cpu", "gpu:smi#1"), "32-63,96-127");
  EXPECT_EQ(text(*evidence, "topology.affinity.numa", "gpu:smi#1"), "1");
  EXPECT_EQ(text(*evidence, "nic.name", "nic:NIC0"), "mlx5_3");
  EXPECT_EQ(number(*evidence, "node.gpu.attached"), 2);
  EXPECT_EQ(only(*evidence, "topology.row", "gpu:smi#1")->line, 3U);
}

TEST(NvidiaSmiTopoTest, BlanksEscapesAndCrLf) {
  const auto evidence = read(importer,
                             "      \x1b[4mGPU0  GPU1  CPU Affinity  NUMA Affinity\x1b[0m\r\n"
                             "GPU0   X    PHB   0-11          N/A\r\n"
                             "GPU1  PHB    X    0-11          N/A\r\n");
  ASSERT_TRUE(evidence) << evidence.error().message();
  EXPECT_EQ(texts(*evidence, "topology.row", "gpu:smi#1"), (Texts{"PHB", "X"}));
  EXPECT_EQ(text(*evidence, "topology.affinity.cpu", "gpu:smi#0"), "0-11");
  EXPECT_EQ(absence(*evidence, "topology.affinity.numa", "gpu:smi#0"), Absence::not_supported);
}

TEST(NvidiaSmiTopoTest, EmptyAffinityKeepsItsColumn) {
  const auto evidence =
      read(importer, "\tGPU0\tCPU Affinity\tNUMA Affinity\tGPU NUMA ID\nGPU0\t X \t\t\t\tN/A\n");
  ASSERT_TRUE(evidence) << evidence.error().message();
  EXPECT_EQ(absence(*evidence, "topology.affinity.cpu", "gpu:smi#0"), Absence::not_supported);
  EXPECT_EQ(absence(*evidence, "topology.affinity.numa", "gpu:smi#0"), Absence::not_supported);
}

TEST(NvidiaSmiTopoTest, CutAdapterNamesStayApart) {
  const auto evidence = read(importer,
                             "\tGPU0\tmlx5_ib\tmlx5_ib\tCPU Affinity\n"
                             "GPU0\t X \tNODE\tSYS\t0-23\n"
                             "mlx5_ib\tNODE\t X \tSYS\t\n"
                             "mlx5_ib\tSYS\tSYS\t X \t\n");
  ASSERT_TRUE(evidence) << evidence.error().message();
  EXPECT_EQ(texts(*evidence, "topology.row", "nic:mlx5_ib#0"), (Texts{"NODE", "X", "SYS"}));
  EXPECT_EQ(texts(*evidence, "topology.row", "nic:mlx5_ib#1"), (Texts{"SYS", "SYS", "X"}));
}

TEST(NvidiaSmiTopoTest, MatrixWithoutAffinityOrAdapterRows) {
  const auto evidence = read(importer, "GPU0 GPU1 NIC0\nGPU0 X PIX NODE\nGPU1 PIX X NODE\n");
  ASSERT_TRUE(evidence) << evidence.error().message();
  EXPECT_EQ(number(*evidence, "node.gpu.attached"), 2);
  EXPECT_EQ(only(*evidence, "topology.affinity.cpu", "gpu:smi#0"), nullptr);
}

TEST(NvidiaSmiTopoTest, BrokenMatricesNameTheLine) {
  expect_error(importer, "\tGPU0\tGPU1\nGPU0\t X \tNV4\n", 2, "cut off");
  expect_error(importer, "\tGPU0\tGPU1\nGPU0\t X \n", 2, "1 readable cells");
  expect_error(importer, "\tGPU0\tGPU1\nGPU0\t X \tNV\nGPU1\tNV4\t X \n", 2, "1 readable cells");
  expect_error(importer, "\tGPU0\tGPU1\nGPU0\tNV4\t X \nGPU1\tNV4\t X \n", 2, "diagonal");
  expect_error(importer, "\tGPU0\tGPU1\tGPU2\nGPU0\t X \tNV4\tNV4\nGPU2\tNV4\tNV4\t X \n", 3,
               "row of GPU2 where the row of GPU1 is due");
  expect_error(importer, "nothing here\n", 1, "no matrix");
  expect_error(importer,
               "ERROR: Option -m is missing its value. Please run 'nvidia-smi -h' for help.\n", 1,
               "printed an error");
}

TEST(NvidiaSmiTopoTest, HugeMatrixIsRefused) {
  std::string header = "\tGPU0";
  for (int i = 1; i < 2000; ++i) header += "\tGPU" + std::to_string(i);
  expect_error(importer, header + "\n", 1, "more than 1024 devices");
}

TEST(NvidiaSmiTopoTest, RecognisesMatricesOnly) {
  EXPECT_TRUE(importer.recognises(
      "# host a\n$ nvidia-smi topo -m\n\tGPU0\tGPU1\tCPU Affinity\nGPU0\t X \tNV4\t0-3\n"));
  EXPECT_TRUE(importer.recognises("\tGPU0\tCPU Affinity\nGPU0\t X \t0-3\n"));
  EXPECT_FALSE(importer.recognises("timestamp,GPU0,GPU1\n1,2,3\n"));
  EXPECT_FALSE(importer.recognises("GPU0: busy\nGPU1: idle\n"));
  EXPECT_FALSE(importer.recognises("   GPU0 GPU1\n GPU0 0.0 24.3\n"));
  EXPECT_FALSE(importer.recognises(" \tGPU0\tGPU1\n GPU0\tX\tOK\n GPU1\tOK\tX\n"));  // topo -p2p
  EXPECT_FALSE(importer.recognises(""));
}

}  // namespace
}  // namespace testing
}  // namespace gpuvet::ingest
