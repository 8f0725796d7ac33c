// SPDX-License-Identifier: Apache-2.0
// Parameters and operations of the catalogue's nets against those that their authors publish.
#include "model/layered.hpp"

#include <gtest/gtest.h>

#include "catalogue/packed.hpp"

namespace gpuvet::model {
namespace {

const catalogue::Catalogue& catalogue() {
  static const auto c = catalogue::built_in();
  return c;
}

Net net(const char* name, const Sample& sample = {}) {
  const auto* a = catalogue().architecture(name);
  EXPECT_NE(a, nullptr) << name;
  return net_from(*a, sample).value();
}

double layers_flop(const Net& n, LayerKind kind) {
  double sum = 0;
  for (const auto& layer : n.layers)
    if (layer.kind == kind) sum += layer.repeat * layer.flop;
  return sum;
}

TEST(Layered, CountsPublishedParameters) {
  EXPECT_NEAR(net("resnet50").parameters(), 25.56e6, 0.1e6);
  EXPECT_NEAR(net("resnet152").parameters(), 60.19e6, 0.2e6);
  EXPECT_NEAR(net("vgg16").parameters(), 138.36e6, 0.1e6);
  EXPECT_NEAR(net("densenet169").parameters(), 14.15e6, 0.3e6);
  EXPECT_NEAR(net("vit-b16").parameters(), 86.6e6, 0.5e6);
  EXPECT_NEAR(net("bert-large").parameters(), 335e6, 3e6);
  EXPECT_NEAR(net("bert-base").parameters(), 109e6, 2e6);
  EXPECT_NEAR(net("sd-v2-unet").parameters(), 865.9e6, 2e6);
  EXPECT_NEAR(net("sdxl-unet").parameters(), 2567e6, 15e6);
  EXPECT_NEAR(net("whisper-large-v3").parameters(), 1543e6, 3e6);
}

TEST(Layered, CountsPublishedOperations) {
  EXPECT_NEAR(net("resnet50").forward_flop(), 2 * 4.09e9, 0.1e9);
  EXPECT_NEAR(net("resnet152").forward_flop(), 2 * 11.51e9, 0.2e9);
  EXPECT_NEAR(net("vgg16").forward_flop(), 2 * 15.47e9, 0.1e9);
  EXPECT_NEAR(net("vit-b16").forward_flop(), 2 * 17.56e9, 0.3e9);
}

TEST(Layered, FrozenLayersAreNotTrained) {
  EXPECT_DOUBLE_EQ(net("sd-v2").parameters(), net("sd-v2-unet").parameters());
  EXPECT_GT(net("sd-v2").forward_flop(), net("sd-v2-unet").forward_flop() * 1.5);
}

TEST(Layered, ConvolutionsGrowWithTheImagesArea) {
  const auto whole = net("sd-v2-unet"), half = net("sd-v2-unet", {0, 0.5, 0});
  EXPECT_NEAR(layers_flop(half, LayerKind::convolution),
              layers_flop(whole, LayerKind::convolution) / 4, 1e6);
  EXPECT_LT(layers_flop(half, LayerKind::attention), layers_flop(whole, LayerKind::attention) / 10)
      << "scores between pixels grow with the square";
  EXPECT_DOUBLE_EQ(half.parameters(), whole.parameters());
}

TEST(Layered, TransformersTakeTheirSequence) {
  const auto longer = net("bert-large", {512, 1, 0}), shorter = net("bert-large", {128, 1, 0});
  EXPECT_NEAR(layers_flop(longer, LayerKind::gemm), 4 * layers_flop(shorter, LayerKind::gemm), 1e6);
  EXPECT_NEAR(layers_flop(longer, LayerKind::attention),
              16 * layers_flop(shorter, LayerKind::attention), 1e6);
}

TEST(Layered, RefusesWhatItCannotList) {
  catalogue::Architecture a;
  a.title = "Nothing";
  EXPECT_FALSE(net_from(a));
  a.layers.push_back({"wormhole", 1, {}});
  const auto unknown = net_from(a);
  ASSERT_FALSE(unknown);
  EXPECT_NE(unknown.error().reason.find("wormhole"), std::string::npos);
  EXPECT_FALSE(net_from(*catalogue().architecture("resnet50"), {0, 0, 0}));
}

}  // namespace
}  // namespace gpuvet::model
