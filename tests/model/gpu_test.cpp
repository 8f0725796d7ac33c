// SPDX-License-Identifier: Apache-2.0
#include "model/gpu.hpp"

#include <gtest/gtest.h>

#include "catalogue/catalogue.hpp"
#include "catalogue/packed.hpp"

namespace gpuvet::model {
namespace {

using namespace units;

const catalogue::Catalogue& catalogue() {
  static const auto c = catalogue::built_in();
  return c;
}

TEST(Gpu, HasTheDataSheetsFiguresOneWay) {
  const auto gpu = gpu_from(*catalogue().gpu("a100-sxm4-80gb"));
  ASSERT_TRUE(gpu);
  EXPECT_EQ(gpu->sm, 108);
  EXPECT_DOUBLE_EQ(gpu->peak(Precision::bf16).in(TFLOPS), 312);
  EXPECT_DOUBLE_EQ(gpu->peak(Precision::fp64).in(TFLOPS), 19.5) << "tensor cores do fp64 too";
  EXPECT_DOUBLE_EQ(gpu->nvlink.in(GB / s), 300) << "sheets count both directions";
  EXPECT_NEAR(gpu->pcie.in(GB / s), 31.5, 0.02);
  EXPECT_TRUE(gpu->module);
}

TEST(Gpu, LacksWhatItLacks) {
  const auto gpu = gpu_from(*catalogue().gpu("v100-sxm2-16gb"));
  ASSERT_TRUE(gpu);
  EXPECT_EQ(gpu->peak(Precision::bf16).base(), 0);
  EXPECT_EQ(gpu->peak(Precision::fp8).base(), 0);
}

TEST(Gpu, IsRefusedWithoutMemoryOrSms) {
  catalogue::Gpu unknown;
  unknown.title = "NVIDIA Nothing";
  const auto gpu = gpu_from(unknown);
  ASSERT_FALSE(gpu);
  EXPECT_NE(gpu.error().reason.find("NVIDIA Nothing"), std::string::npos);
}

TEST(Gpu, PcieDoublesWithEachGeneration) {
  EXPECT_NEAR(pcie_bandwidth(3, 16).in(GB / s), 15.75, 0.01);
  EXPECT_NEAR(pcie_bandwidth(5, 16).in(pcie_bandwidth(4, 16)), 2, 1e-12);
  EXPECT_NEAR(pcie_bandwidth(1, 1).in(GB / s), 0.25, 1e-9);
  EXPECT_EQ(pcie_bandwidth(0, 16).base(), 0) << "an unknown generation has no rate";
}

}  // namespace
}  // namespace gpuvet::model
