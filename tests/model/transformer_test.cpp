// SPDX-License-Identifier: Apache-2.0
// Parameter counts against the figures of the models' cards.
#include "model/transformer.hpp"

#include <gtest/gtest.h>

#include <map>
#include <string>

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

// One wrong width or depth moves the sum by more than this. Names say what publishers count.
TEST(transformer, SizesAreThoseInThePublishersNames) {
  const std::map<std::string, double> billions = {
      {"bloom-560m", 0.56},     {"bloom-3b", 3.0},          {"bloom-7b1", 7.07},
      {"bloom-176b", 176.2},    {"pythia-70m", 0.0704},     {"pythia-160m", 0.162},
      {"pythia-410m", 0.405},   {"pythia-1b", 1.01},        {"pythia-1.4b", 1.41},
      {"pythia-2.8b", 2.78},    {"pythia-6.9b", 6.86},      {"pythia-12b", 11.85},
      {"opt-1.3b", 1.32},       {"opt-2.7b", 2.65},         {"opt-6.7b", 6.66},
      {"opt-13b", 12.85},       {"opt-30b", 29.97},         {"opt-66b", 65.7},
      {"qwen-1.8b", 1.84},      {"qwen-7b", 7.72},          {"qwen-14b", 14.17},
      {"qwen-72b", 72.3},       {"gemma-2b", 2.51},         {"gemma-7b", 8.54},
      {"mixtral-8x7b", 46.7},   {"mixtral-8x22b", 140.6},   {"t0-3b", 2.85},
      {"gpt-neox-20b", 20.55},  {"gptj-6b", 6.05},          {"llama-30b", 32.5},
      {"llama-65b", 65.3},      {"mistral-7b", 7.24},       {"mistral-nemo-12b", 12.25},
      {"llama-3.2-1b", 1.24},   {"llama-3.2-3b", 3.21},     {"falcon-7b", 6.92},
      {"falcon-40b", 41.3},     {"falcon-180b", 179},       {"qwen3-30b-a3b", 30.5},
      {"qwen3-235b-a22b", 235}, {"mistral-large-2", 122.6}, {"nemotron-340b", 341}};
  for (const auto& [id, count] : billions)
    EXPECT_NEAR(net(id.c_str()).parameters() / 1e9 / count, 1, 0.005) << id;
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
