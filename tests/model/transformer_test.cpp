// SPDX-License-Identifier: Apache-2.0
// Parameter counts against the figures of the models' cards.
#include "model/transformer.hpp"

#include <gtest/gtest.h>

#include "catalogue/packed.hpp"

namespace gpuvet::model {
namespace {

const catalogue::Catalogue& catalogue() {
  static const auto c = catalogue::built_in();
  return c;
}

Transformer net(const char* name) {
  const auto* a = catalogue().architecture(name);
  EXPECT_NE(a, nullptr) << name;
  return transformer_from(*a).value();
}

TEST(Transformer, CountsTheParametersOfItsCard) {
  EXPECT_NEAR(net("llama-2-7b").parameters(), 6.738e9, 1e6);
  EXPECT_NEAR(net("llama-2-13b").parameters(), 13.016e9, 1e6);
  EXPECT_NEAR(net("llama-2-70b").parameters(), 68.977e9, 1e7);
  EXPECT_NEAR(net("llama-3-8b").parameters(), 8.030e9, 1e6);
  EXPECT_NEAR(net("llama-3-70b").parameters(), 70.554e9, 1e7);
  EXPECT_NEAR(net("llama-3-405b").parameters(), 405.85e9, 1e8);
  EXPECT_NEAR(net("gpt3-175b").parameters() / 175e9, 1, 0.01);
}

TEST(Transformer, IsFoundByTheNamesOfOthers) {
  EXPECT_EQ(net("meta-llama/Meta-Llama-3-8B").id, "llama-3-8b");
  EXPECT_EQ(net("LLAMA-3.1-70b").id, "llama-3-70b");
}

TEST(Transformer, ForwardTakesTwoFlopsAWeightAndMoreWithContext) {
  const auto t = net("llama-2-7b");
  EXPECT_NEAR(t.forward_flop(0) / (2 * t.parameters()), 0.98, 0.01) << "the embedding is a lookup";
  EXPECT_NEAR(t.forward_flop(4096) - t.forward_flop(0), 4.0 * 32 * 4096 * 4096, 1);
}

TEST(Transformer, IsNotMadeOfConvolutions) {
  catalogue::Architecture net;
  net.title = "ResNet-50";
  EXPECT_FALSE(transformer_from(net));
}

}  // namespace
}  // namespace gpuvet::model
