// SPDX-License-Identifier: Apache-2.0
// Peaks against hand-made sums and published figures, and properties that no constant may break.
#include "model/memory.hpp"

#include <gtest/gtest.h>

#include <rapidcheck/gtest.h>
#include "catalogue/packed.hpp"

#include <cmath>

namespace gpuvet::model {
namespace {

using namespace units;

const catalogue::Catalogue& catalogue() {
  static const auto c = catalogue::built_in();
  return c;
}

const Memory& memory() {
  static const Memory m{Constants(catalogue())};
  return m;
}

Transformer net(std::string_view id) {
  return transformer_from(*catalogue().architecture(id)).value();
}

Gpu gpu(std::string_view id) { return gpu_from(*catalogue().gpu(id)).value(); }

/// GPT of arXiv 2205.05198 without its embeddings' share.
TrainingJob gpt(double layers, double hidden, double heads, double micro_batch, int pipeline) {
  TrainingJob job;
  job.net.layers = layers;
  job.net.hidden = hidden;
  job.net.heads = job.net.kv_heads = heads;
  job.net.head_dim = hidden / heads;
  job.net.ffn = 4 * hidden;
  job.net.vocabulary = 51200;
  job.net.tied_embeddings = true;
  job.sequence = 2048;
  job.micro_batch = micro_batch;
  job.tensor = 8;
  job.pipeline = pipeline;
  job.flash_attention = false;
  job.framework = "megatron";
  return job;
}

TrainingJob llama_70b(Sharding sharding) {
  TrainingJob job;
  job.net = net("llama-3-70b");
  job.sharding = sharding;
  job.sequence = 8192;
  job.recompute = Recompute::full;
  job.framework = "deepspeed";
  return job;
}

TEST(Memory, SavedTensorsOfGpt22BAreThoseOfItsPaper) {
  // s b h L (10 + 24/t + 5as/(ht)) with s 2048, b 4, h 6144, L 48, a 64, t 8: 63.6 GB.
  auto job = gpt(48, 6144, 64, 4, 1);
  const auto none = memory().training(job, 8);
  ASSERT_TRUE(none);
  EXPECT_NEAR(none->activations.in(GiB), 59.25, 0.01);
  // 34 s b h L / t with selective recompute and sequence parallelism: figure 7.
  job.recompute = Recompute::selective;
  job.sequence_parallel = true;
  const auto selective = memory().training(job, 8);
  ASSERT_TRUE(selective);
  EXPECT_NEAR(selective->activations.in(GiB), 9.5625, 0.01);
}

TEST(Memory, PipelinesKeepMicrobatchesInFlight) {
  // 530B on 280 GPUs, three stages a rank: L (1 + (p - 1) / (p m)) = 1.324 of all layers.
  auto job = gpt(105, 20480, 128, 1, 35);
  job.interleave = 3;
  const auto m = memory().training(job, 280);
  ASSERT_TRUE(m);
  EXPECT_NEAR(m->activations.in(GiB), 114.02, 0.05);
}

TEST(Memory, StatesFollowTheAccountingOfEachProgram) {
  TrainingJob job;
  job.net = net("llama-2-7b");
  const double p = job.net.parameters();
  const auto states = [&](Sharding sharding, std::string framework) {
    job.sharding = sharding;
    job.framework = std::move(framework);
    const auto m = memory().training(job, 8).value();
    return (m.weights + m.gradients + m.optimizer).base() / p;
  };
  EXPECT_NEAR(states(Sharding::none, "deepspeed"), 16, 0.01);
  EXPECT_NEAR(states(Sharding::optimizer, "deepspeed"), 4 + 12.0 / 8, 0.01);
  EXPECT_NEAR(states(Sharding::gradients, "deepspeed"), 2 + 14.0 / 8, 0.01);
  EXPECT_NEAR(states(Sharding::weights, "deepspeed"), 16.0 / 8, 0.01);
  EXPECT_NEAR(states(Sharding::none, "megatron"), 18, 0.01);
  EXPECT_NEAR(states(Sharding::optimizer, "megatron"), 6 + 12.0 / 8, 0.01);
}

TEST(Memory, Llama70BOnEight80GBWithZero2IsImpossibleAndSaysWhy) {
  const auto m = memory().training(llama_70b(Sharding::gradients), 8);
  ASSERT_TRUE(m);
  const auto usable = memory().usable(gpu("a100-sxm4-80gb"));
  EXPECT_EQ(verdict(*m, usable), Fits::does_not_fit);
  EXPECT_GT(m->weights, usable) << "the weights alone are too much";
  const auto sum = parts(*m);
  EXPECT_EQ(sum.front().first, "weights");
  EXPECT_NEAR(sum.front().second.in(GB), 141.1, 0.1);
  EXPECT_EQ(sum.back().first, "total");
  const std::string words = arithmetic(*m);
  EXPECT_NE(words.find("141.1 GB weights"), std::string::npos) << words;
  EXPECT_NE(words.find(" = "), std::string::npos) << words;
  // 16 bytes of each parameter are 1.13 TB: no way of spreading them over 640 GB fits either.
  const auto zero3 = memory().training(llama_70b(Sharding::weights), 8);
  ASSERT_TRUE(zero3);
  EXPECT_EQ(verdict(*zero3, usable), Fits::does_not_fit) << arithmetic(*zero3);
}

TEST(Memory, Llama70BOnSixtyFour80GBWithZero3Fits) {
  const auto m = memory().training(llama_70b(Sharding::weights), 64);
  ASSERT_TRUE(m);
  EXPECT_EQ(verdict(*m, memory().usable(gpu("a100-sxm4-80gb"))), Fits::fits) << arithmetic(*m);
}

TEST(Memory, QuantisedWeightsCountTheirScales) {
  EXPECT_DOUBLE_EQ(bytes_of(StoredWeights::nf4), 0.5625);
  // QLoRA, section 3: double quantisation saves 0.373 bits a parameter.
  EXPECT_NEAR((bytes_of(StoredWeights::nf4) - bytes_of(StoredWeights::nf4_double)) * 8, 0.373,
              0.001);
}

TEST(Memory, GenerationIsWeightsAndCache) {
  InferenceSetup s;
  s.net = net("llama-2-13b");
  s.engine = Generator::preallocated;
  s.context = 4096;
  const auto m = memory().inference(s, 1);
  ASSERT_TRUE(m);
  EXPECT_NEAR(m->weights.in(GB), 26.03, 0.05);
  EXPECT_NEAR(m->activations.in(GiB), 800.0 * 4096 / (1 << 20), 0.01) << "800 KiB a token";
}

TEST(Memory, LayerwiseGenerationBringsTheCacheToOneGpu) {
  InferenceSetup s;
  s.net = net("bloom-176b");
  s.batch = 64;
  s.context = 110;
  const auto eight = memory().inference(s, 8), sixteen = memory().inference(s, 16);
  ASSERT_TRUE(eight && sixteen);
  EXPECT_EQ(eight->activations, sixteen->activations);
  EXPECT_NEAR(eight->weights.in(sixteen->weights), 2, 1e-9);
}

TEST(Memory, ContextsThatVllmFindsRoomFor) {
  InferenceSetup s;
  s.net = net("mixtral-8x22b");
  const auto a100 = gpu("a100-sxm4-80gb"), small = gpu("a100-sxm4-40gb");
  // LambdaLabsML/vllm-benchmark@0e8fc5d: none on two GPUs, 16384 on four, all 65536 on eight.
  EXPECT_EQ(memory().max_context(s, a100, 2, 65536), 0);
  EXPECT_EQ(memory().max_context(s, a100, 4, 65536), 16384);
  EXPECT_EQ(memory().max_context(s, a100, 8, 65536), 65536);
  EXPECT_EQ(memory().max_context(s, small, 4, 65536), 0);
}

TEST(Memory, RefusesWhatCannotBeDividedOrHasNoTokens) {
  auto job = gpt(48, 6144, 64, 4, 1);
  const auto six = memory().training(job, 6);
  ASSERT_FALSE(six);
  EXPECT_NE(six.error().reason.find("cannot be divided"), std::string::npos);
  job.sequence = 0;
  EXPECT_FALSE(memory().training(job, 8));
  EXPECT_FALSE(memory().training({}, 1));
  EXPECT_FALSE(memory().inference({}, 1));
}

TEST(Memory, UsableIsBelowTheSheetsGiB) {
  EXPECT_NEAR(memory().usable(gpu("a100-sxm4-80gb")).in(GiB), 79, 0.5);
  EXPECT_NEAR(memory().usable(gpu("l4-24gb")).in(GiB), 22.5, 0.5) << "ECC in GDDR";
}

TrainingJob any_job() {
  const auto& names = *rc::gen::element<std::string>("llama-2-7b", "llama-3-70b", "falcon-40b",
                                                     "bloom-176b", "mixtral-8x7b");
  TrainingJob job;
  job.net = net(names);
  job.method = *rc::gen::element(Method::full, Method::lora, Method::qlora);
  job.sharding = *rc::gen::element(Sharding::none, Sharding::optimizer, Sharding::gradients,
                                   Sharding::weights);
  job.recompute = *rc::gen::element(Recompute::none, Recompute::selective, Recompute::full);
  job.tensor = *rc::gen::element(1, 2, 8);
  job.pipeline = *rc::gen::element(1, 2, 4);
  job.sequence_parallel = *rc::gen::arbitrary<bool>();
  job.compiled = *rc::gen::arbitrary<bool>();
  job.sequence = *rc::gen::element(256.0, 4096.0, 32768.0);
  job.micro_batch = *rc::gen::inRange(1, 5);
  job.framework = *rc::gen::element<std::string>("litgpt", "qwen", "torchtitan", "llm-foundry",
                                                 "megatron", "deepspeed", "");
  return job;
}

RC_GTEST_PROP(MemoryProperties, PartsAddUpToTheTotal, ()) {
  const auto m = memory().training(any_job(), 64).value();
  Bytes sum;
  for (const auto& [what, bytes] : parts(m))
    if (what != "total") sum = sum + bytes;
  RC_ASSERT(std::abs(sum.in(m.total) - 1) < 1e-9);
}

RC_GTEST_PROP(MemoryProperties, MoreMemoryNeverStopsFitting, ()) {
  const auto m = memory().training(any_job(), 64).value();
  const Bytes usable = *rc::gen::inRange(1, 2000) * GB;
  const Bytes more = usable + *rc::gen::inRange(0, 2000) * GB;
  if (verdict(m, usable) == Fits::fits) {
    RC_ASSERT(verdict(m, more) == Fits::fits);
  }
  if (verdict(m, more) == Fits::does_not_fit) {
    RC_ASSERT(verdict(m, usable) == Fits::does_not_fit);
  }
}

RC_GTEST_PROP(MemoryProperties, LongerSequencesAndBatchesNeverNeedLess, ()) {
  auto job = any_job();
  const auto before = memory().training(job, 64).value();
  (*rc::gen::arbitrary<bool>() ? job.sequence : job.micro_batch) *= 2;
  RC_ASSERT(memory().training(job, 64).value().total >= before.total);
}

RC_GTEST_PROP(MemoryProperties, MoreRanksNeverNeedMoreOfEachOnce, ()) {
  auto job = any_job();
  const auto few = memory().training(job, 64).value(), many = memory().training(job, 512).value();
  RC_ASSERT(many.total <= few.total * (1 + 1e-12));
}

RC_GTEST_PROP(MemoryProperties, QuantisingFrozenWeightsNeverNeedsMoreForThem, ()) {
  auto job = any_job();
  job.method = Method::lora;
  const auto lora = memory().training(job, 64).value();
  job.method = Method::qlora;
  RC_ASSERT(memory().training(job, 64).value().weights <= lora.weights * (1 + 1e-12));
}

}  // namespace
}  // namespace gpuvet::model
