// SPDX-License-Identifier: Apache-2.0
#include "model/training.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <cmath>

#include "catalogue/catalogue.hpp"
#include "catalogue/packed.hpp"
#include "model/intervals.hpp"

namespace gpuvet::model {
namespace {

using namespace units;

const catalogue::Catalogue& catalogue() {
  static const auto c = catalogue::built_in();
  return c;
}

const Training& training() {
  static const Training t{Constants(catalogue())};
  return t;
}

Gpu gpu(const char* id) { return gpu_from(*catalogue().gpu(id)).value(); }

Transformer net(const char* id) { return transformer_from(*catalogue().architecture(id)).value(); }

Fabric servers(const Gpu& of, int count, double gigabytes_per_second = 200) {
  Fabric out = usual_fabric(of, 8, count);
  if (count > 1) out.network = gigabytes_per_second * (GB / s);
  return out;
}

TrainingJob fsdp(const char* model, double sequence = 4096) {
  TrainingJob job;
  job.net = net(model);
  job.sequence = sequence;
  job.sharding = Sharding::weights;
  job.recompute = Recompute::full;
  job.framework = "torchtitan";
  return job;
}

Seconds time_of(const TrainingJob& job, const Gpu& on, const Fabric& fabric) {
  const auto step = training().step(job, on, fabric);
  RC_ASSERT(step.has_value());
  return step->total;
}

TEST(Training, RefusesZero2Of70BillionParametersOnEight80GbGpus) {
  auto job = fsdp("llama-3-70b");
  job.sharding = Sharding::gradients;
  job.global_batch = 8;
  const auto a100 = gpu("a100-sxm4-80gb");
  const auto step = training().step(job, a100, servers(a100, 1));
  ASSERT_FALSE(step);
  // 2 bytes of weights and 14 / 8 of gradients and states: 3.75 x 70.6e9.
  EXPECT_NE(step.error().reason.find("265 GB"), std::string::npos) << step.error().reason;
  EXPECT_NE(step.error().reason.find("80 GB"), std::string::npos) << step.error().reason;
  job.sharding = Sharding::weights;
  EXPECT_FALSE(training().step(job, a100, servers(a100, 1))) << "16 / 8 x 70.6e9 is 141 GB";
}

TEST(Training, Predicts70BillionParametersOn64GpusAsPublished) {
  // 331 tokens/s and GPU were published for Llama-3-70B with ZeRO-3 on 64 A100-80.
  auto job = fsdp("llama-3-70b");
  job.global_batch = 64;
  const auto a100 = gpu("a100-sxm4-80gb");
  const auto step = training().step(job, a100, servers(a100, 8));
  ASSERT_TRUE(step) << step.error().reason;
  const double predicted = step->tokens_per_second() / 64;
  const Intervals intervals(catalogue());
  const auto around = intervals.around(
      {"training.llm", predicted, {a100.id, "torchtitan", "nodes", job.net.parameters()}, 1, {}});
  const double low = around ? around->low : predicted / 1.12;
  const double high = around ? around->high : predicted * 1.12;
  EXPECT_LT(low, 331);
  EXPECT_GT(high, 331);
  EXPECT_NEAR(predicted, 331, 0.15 * 331);
}

TEST(Training, Predicts175BillionParametersAsKorthikantiEtAlMeasured) {
  // arXiv:2205.05198 table 5: 13.75 s with selective recomputation and sequence parallelism.
  TrainingJob job;
  job.net = net("gpt3-175b");
  job.sequence = 2048;
  job.global_batch = 64;
  job.tensor = 8;
  job.pipeline = 8;
  job.interleave = 3;
  job.sequence_parallel = true;
  job.recompute = Recompute::selective;
  job.flash_attention = false;
  job.framework = "megatron";
  const auto a100 = gpu("a100-sxm4-80gb");
  const auto selective = training().step(job, a100, servers(a100, 8));
  ASSERT_TRUE(selective) << selective.error().reason;
  EXPECT_NEAR(selective->total.base(), 13.75, 0.15 * 13.75);
  job.sequence_parallel = false;
  job.recompute = Recompute::full;
  const auto full = training().step(job, a100, servers(a100, 8));
  EXPECT_NEAR((full->total / selective->total).base(), 18.13 / 13.75, 0.15);
}

TEST(Training, CountsStatesAsTheZeroPaperDoes) {
  auto job = fsdp("llama-2-7b");
  const double n = job.net.parameters();
  const auto per_parameter = [&](Sharding sharding) {
    job.sharding = sharding;
    return Training::states(job, 64).base() / n;
  };
  // arXiv:1910.02054 figure 1: 16, 4 + 12/N, 2 + 14/N and 16/N bytes.
  EXPECT_DOUBLE_EQ(per_parameter(Sharding::none), 16);
  EXPECT_DOUBLE_EQ(per_parameter(Sharding::optimizer), 4 + 12.0 / 64);
  EXPECT_DOUBLE_EQ(per_parameter(Sharding::gradients), 2 + 14.0 / 64);
  EXPECT_DOUBLE_EQ(per_parameter(Sharding::weights), 16.0 / 64);
  job.method = Method::lora;
  EXPECT_DOUBLE_EQ(per_parameter(Sharding::none), 2) << "frozen weights alone";
}

TEST(Training, NeedsSixFlopsPerParameterAndToken) {
  auto job = fsdp("gpt3-175b", 2048);
  // Narayanan et al. (arXiv:2104.04473): 72 l h^2 (1 + s/(6h) + V/(12 l h)), attention here causal.
  const double l = 96, h = 12288, s = 2048, v = job.net.vocabulary;
  const double theirs = 72 * l * h * h * (1 + s / 2 / (6 * h) + v / (12 * l * h));
  EXPECT_NEAR(training_flop_per_token(job), theirs, 1e-3 * theirs);
  job.method = Method::lora;
  EXPECT_NEAR(training_flop_per_token(job), theirs * 2 / 3, 1e-3 * theirs);
}

TEST(Training, PipelineBubbleIsItsShareOfThePasses) {
  TrainingJob job;
  job.net = net("gpt3-175b");
  job.sequence = 2048;
  job.tensor = 8;
  job.pipeline = 8;
  job.interleave = 3;
  job.global_batch = 64;
  job.framework = "megatron";
  const auto h100 = gpu("h100-sxm5-80gb");
  const auto step = training().step(job, h100, servers(h100, 8, 400));
  ASSERT_TRUE(step) << step.error().reason;
  // Narayanan et al.: (p - 1) / (v m) of the useful passes.
  EXPECT_NEAR((step->bubble / (step->compute + step->communication)).base(), 7.0 / 3 / 64, 1e-9);
}

TEST(Training, PartsMakeTheWhole) {
  auto job = fsdp("llama-3-8b");
  job.global_batch = 64;
  const auto h100 = gpu("h100-sxm5-80gb");
  const auto step = training().step(job, h100, servers(h100, 4, 400));
  ASSERT_TRUE(step);
  const Seconds sum =
      step->compute + step->communication + step->bubble + step->optimizer + step->stall;
  EXPECT_DOUBLE_EQ(step->total.base(), sum.base());
  EXPECT_GT(step->communication.base(), 0);
  EXPECT_NEAR(step->utilisation, step->model_flop / (step->total.base() * 32 * 989.4e12), 1e-9);
  EXPECT_GT(step->utilisation, 0.2);
  EXPECT_LT(step->utilisation, 0.7);
}

TEST(Training, RefusesWhatCannotBe) {
  const auto a100 = gpu("a100-sxm4-80gb");
  auto job = fsdp("llama-2-7b");
  job.precision = Precision::fp8;
  EXPECT_FALSE(training().step(job, a100, servers(a100, 1))) << "Ampere has no fp8";
  job = fsdp("llama-2-7b");
  job.tensor = 3;
  EXPECT_FALSE(training().step(job, a100, servers(a100, 1))) << "8 is no multiple of 3";
  job = fsdp("llama-2-7b");
  job.net = {};
  EXPECT_FALSE(training().step(job, a100, servers(a100, 1)));
  job = fsdp("llama-2-7b");
  job.cpu_offload = true;
  EXPECT_FALSE(training().step(job, a100, servers(a100, 1)));
  job = fsdp("llama-2-7b");
  Fabric apart = servers(a100, 4);
  apart.network = {};
  EXPECT_FALSE(training().step(job, a100, apart)) << "nobody knows the network";
  apart.servers = 1;
  EXPECT_TRUE(training().step(job, a100, apart));
}

TEST(Training, NamesSoftwareItDoesNotKnow) {
  auto job = fsdp("llama-2-7b");
  job.framework = "home-made";
  const auto a100 = gpu("a100-sxm4-80gb");
  const auto step = training().step(job, a100, servers(a100, 1));
  ASSERT_TRUE(step);
  ASSERT_EQ(step->notes.size(), 1U);
  EXPECT_NE(step->notes.front().find("home-made"), std::string::npos);
}

TEST(Training, GroupsShareTheServersAdapters) {
  const auto a100 = gpu("a100-sxm4-80gb");
  const Fabric whole = servers(a100, 8, 200);
  const Fabric tensor = group_fabric(whole, 8, 1);
  EXPECT_EQ(tensor.servers, 1);
  EXPECT_EQ(tensor.gpus, 8);
  const Fabric data = group_fabric(whole, 8, 8);  // one GPU of every server
  EXPECT_EQ(data.gpus, 1);
  EXPECT_EQ(data.servers, 8);
  EXPECT_DOUBLE_EQ(data.network.in(GB / s), 25);
  const Fabric half = group_fabric(whole, 16, 4);
  EXPECT_EQ(half.gpus, 2);
  EXPECT_EQ(half.servers, 8);
  EXPECT_DOUBLE_EQ(half.network.in(GB / s), 50);
}

/// A job that fits, drawn at random.
TrainingJob any_job() {
  auto job = fsdp(*rc::gen::element("llama-2-7b", "llama-3-8b", "gpt2-large"));
  job.sequence = *rc::gen::element(512.0, 2048.0, 8192.0);
  job.micro_batch = *rc::gen::inRange(1, 9);
  job.global_batch = job.micro_batch * 16 * *rc::gen::inRange(1, 5);
  job.recompute = *rc::gen::element(Recompute::none, Recompute::selective, Recompute::full);
  job.framework = *rc::gen::element<std::string>("torchtitan", "nemo", "transformers", "other");
  job.compiled = *rc::gen::arbitrary<bool>();
  job.autocast = *rc::gen::arbitrary<bool>();
  job.flash_attention = *rc::gen::arbitrary<bool>();
  return job;
}

RC_GTEST_PROP(TrainingProperties, MoreHardwareIsNeverSlower, ()) {
  const auto job = any_job();
  const auto base = gpu("a100-sxm4-80gb");
  const auto fabric = servers(base, 2, 50);
  const Seconds before = time_of(job, base, fabric);
  const double more = 1 + *rc::gen::inRange(0, 300) / 100.0;
  auto better = base;
  better.memory_bandwidth = more * base.memory_bandwidth;
  RC_ASSERT(time_of(job, better, fabric) <= before);
  better = base;
  better.power = more * base.power;
  RC_ASSERT(time_of(job, better, fabric) <= before);
  better = base;
  // At the same watts a higher peak is not kept up in full, but it never costs.
  for (auto& rate : better.dense) rate = more * rate;
  RC_ASSERT(time_of(job, better, fabric) <= before);
  auto faster = fabric;
  faster.network = more * fabric.network;
  faster.nvlink_each = more * fabric.nvlink_each;
  RC_ASSERT(time_of(job, base, faster) <= before);
}

RC_GTEST_PROP(TrainingProperties, MoreWorkIsNeverFaster, ()) {
  auto job = any_job();
  const auto h100 = gpu("h100-sxm5-80gb");
  const auto fabric = servers(h100, 2, 400);
  const Seconds before = time_of(job, h100, fabric);
  auto more = job;
  more.sequence *= 2;
  RC_ASSERT(time_of(more, h100, fabric) > before);
  more = job;
  more.global_batch *= 2;
  RC_ASSERT(time_of(more, h100, fabric) > before);
  more = job;
  more.net.layers += 1;
  RC_ASSERT(time_of(more, h100, fabric) > before);
  more = job;
  more.recompute = Recompute::full;
  RC_ASSERT(time_of(more, h100, fabric) >= before);
  more = job;
  more.autocast = true;
  RC_ASSERT(time_of(more, h100, fabric) >= before);
}

RC_GTEST_PROP(TrainingProperties, CompilingAndLessPrecisionNeverSlowDown, ()) {
  auto job = any_job();
  job.framework = "torchtitan";
  job.compiled = false;
  const auto h100 = gpu("h100-sxm5-80gb");
  const auto fabric = servers(h100, 2, 400);
  const Seconds before = time_of(job, h100, fabric);
  auto less = job;
  less.compiled = true;
  RC_ASSERT(time_of(less, h100, fabric) <= before);
  less = job;
  less.precision = Precision::fp8;
  RC_ASSERT(time_of(less, h100, fabric) <= before);
  less = job;
  less.precision = Precision::fp32;
  RC_ASSERT(time_of(less, h100, fabric) >= before);
}

RC_GTEST_PROP(TrainingProperties, AdaptersSpareTheWeightsGradients, ()) {
  auto job = any_job();
  job.framework = "nemo";
  job.sharding = Sharding::optimizer;
  const auto h100 = gpu("h100-sxm5-80gb");
  const auto fabric = servers(h100, 2, 400);
  job.net = net("llama-3.2-1b");
  const Seconds full = time_of(job, h100, fabric);
  job.method = Method::lora;
  const Seconds lora = time_of(job, h100, fabric);
  RC_ASSERT(lora < full);
  RC_ASSERT(lora > 0.5 * full - Seconds::base(0.1));
}

RC_GTEST_PROP(TrainingProperties, MoreMemoryNeverStopsFitting, ()) {
  auto job = fsdp(*rc::gen::element("llama-2-7b", "llama-2-70b", "gpt3-175b"));
  job.sharding = *rc::gen::element(Sharding::none, Sharding::optimizer, Sharding::gradients,
                                   Sharding::weights);
  job.global_batch = 64;
  auto a100 = gpu("a100-sxm4-40gb");
  const auto fabric = servers(a100, *rc::gen::inRange(1, 17));
  const bool fits = training().step(job, a100, fabric).has_value();
  a100.memory = *rc::gen::inRange(1, 20) * a100.memory;
  if (fits) RC_ASSERT(training().step(job, a100, fabric).has_value());
  const Bytes alone = Training::states(job, fabric.ranks());
  RC_ASSERT(training().step(job, a100, fabric).has_value() == (alone <= a100.memory));
}

}  // namespace
}  // namespace gpuvet::model
