// SPDX-License-Identifier: Apache-2.0
#include "derive/building.hpp"

namespace gpuvet::derive::testing {
namespace {

TEST(SkuTest, NamesAndSumsAreFound) {
  const auto e = derived(from("smi.xml", [](Recorder& out) {
    for (int i = 0; i < 2; ++i) {
      const auto gpu = "gpu:0000:0" + std::to_string(i + 1) + ":00.0";
      out.text("gpu.name"_id, gpu, "NVIDIA A100-SXM4-80GB");
      out.number("gpu.memory.total"_id, gpu, 80.0 * 1024 * 1024 * 1024);
    }
  }));
  EXPECT_EQ(shown(e, "gpu.sku", "gpu:0000:01:00.0"), "a100-sxm4-80gb");
  EXPECT_EQ(shown(e, "node.gpu.sku"), "a100-sxm4-80gb");
  EXPECT_EQ(shown(e, "node.gpu.memory"), "160 GiB");
  EXPECT_EQ(shown(e, "gpu.datacenter", "gpu:0000:01:00.0"), "yes");
  EXPECT_EQ(shown(e, "uniformity.gpu.sku"), "NVIDIA A100-SXM4-80GB");
}

TEST(SkuTest, UnknownModelIsSaidToBeUnknown) {
  const auto e = derived(from("smi.xml", [](Recorder& out) {
    out.text("gpu.name"_id, "gpu:0000:01:00.0", "NVIDIA Z900");
  }));
  EXPECT_EQ(find(e, "gpu.sku", "gpu:0000:01:00.0")->get(), nullptr);
  EXPECT_EQ(find(e, "node.gpu.sku"), nullptr);
  EXPECT_EQ(shown(e, "gpu.datacenter", "gpu:0000:01:00.0"), "no");
}

}  // namespace
}  // namespace gpuvet::derive::testing
