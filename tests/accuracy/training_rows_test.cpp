// SPDX-License-Identifier: Apache-2.0
#include "accuracy/training_rows.hpp"

#include <gtest/gtest.h>

#include "catalogue/packed.hpp"

namespace gpuvet::accuracy {
namespace {

const World& world() {
  static const auto catalogue = catalogue::built_in();
  static const model::Models models{model::Constants(catalogue)};
  static const World w{catalogue, models};
  return w;
}

Row row(const std::string& gpu, const std::string& ranks, const std::string& topology,
        const std::string& workload, const std::string& params, const std::string& metric,
        const std::string& unit) {
  const std::string text =
      "id\tkind\tgpu_norm\tgpu\tn_gpus\tn_nodes\ttopology\tworkload\tparams\tmetric\tvalue\tunit\t"
      "split\tgroup\n"
      "r\ttraining\t" +
      gpu + "\t" + gpu + "\t" + ranks + "\t" + topology + "\t" + workload + "\t" + params + "\t" +
      metric + "\t1\t" + unit + "\ts\tg\n";
  return read_rows(text).value().front();
}

TEST(TrainingRows, ReadComposersSpelling) {
  const auto what = training_row(
      row("A100-SXM-80", "16\t2", "NVSwitch + 1600Gb/s RoCE per node", "MPT-3b pretrain, Composer",
          "layers=32;d_model=2560;heads=20;vocab=50368;seq=2048;microbatch=5;grad_accum=2;"
          "global_batch=160;precision=amp_bf16;shard=FULL_SHARD;act_ckpt=True",
          "throughput", "tokens/s"),
      world());
  ASSERT_TRUE(what) << what.error().reason;
  const auto& job = what->job;
  EXPECT_NEAR(job.net.parameters(), 2.65e9, 0.02e9);
  EXPECT_EQ(job.sharding, model::Sharding::weights);
  EXPECT_EQ(job.recompute, model::Recompute::full);
  EXPECT_TRUE(job.autocast);
  EXPECT_EQ(job.framework, "llm-foundry");
  EXPECT_EQ(job.micro_batch, 5);
  EXPECT_EQ(job.global_batch, 160);
  EXPECT_DOUBLE_EQ(what->fabric.network.base(), 200e9);
}

TEST(TrainingRows, ReadDegreesWithinWords) {
  const auto what = training_row(
      row("H100-SXM-96", "512\t64", "NVSwitch; 400 Gb/s RDMA per GPU", "torchtitan Llama-3.1-405B",
          "seq=8192;local_batch=32;activation_ckpt=full;parallel=FSDP8 TP8 PP8 interleaved 1F1B + "
          "asyncTP;dtype=fp8",
          "throughput_per_gpu", "tokens/s/GPU"),
      world());
  ASSERT_TRUE(what) << what.error().reason;
  EXPECT_EQ(what->job.net.id, "llama-3-405b");
  EXPECT_EQ(what->job.tensor, 8);
  EXPECT_EQ(what->job.pipeline, 8);
  EXPECT_EQ(what->job.micro_batch, 1);
  EXPECT_EQ(what->job.global_batch, 256);
  EXPECT_TRUE(what->job.overlapped);
  EXPECT_EQ(what->job.precision, model::Precision::fp8);
  EXPECT_DOUBLE_EQ(what->fabric.network.base(), 400e9);
  EXPECT_DOUBLE_EQ(what->gpu.memory_bandwidth.base(), 2.4e12);
}

TEST(TrainingRows, ShareOneSequenceAsMlperfDoes) {
  const auto what = training_row(
      row("H100-SXM-80", "64\t8", "NVLINK", "MLPerf Training v4.1 Llama-2-70B LoRA r16 seq8192",
          "global_batch=8;net=Compute: 8x ConnectX-7 IB NDR 400Gb/s;gradient_accumulation_steps=1",
          "time_to_train", "min"),
      world());
  ASSERT_TRUE(what) << what.error().reason;
  EXPECT_EQ(what->job.tensor, 4);
  EXPECT_EQ(what->job.context, 2);
  EXPECT_EQ(what->job.method, model::Method::lora);
  EXPECT_TRUE(what->to_target);
  EXPECT_DOUBLE_EQ(what->fabric.network.base(), 400e9);
}

TEST(TrainingRows, TurnAStepIntoEveryMetric) {
  const auto in = [&](const char* metric, const char* unit) {
    const auto r = row("A100-SXM-80", "8\t1", "NVSwitch", "torchtitan Llama-2-7B",
                       "seq=4096;batch_per_gpu=2;global_batch=16", metric, unit);
    const auto what = training_row(r, world());
    EXPECT_TRUE(what);
    return metric_of(r, *what, 2);
  };
  EXPECT_DOUBLE_EQ(*in("throughput", "tokens/s"), 32768);
  EXPECT_DOUBLE_EQ(*in("throughput_per_gpu", "tokens/s/GPU"), 4096);
  EXPECT_DOUBLE_EQ(*in("throughput", "seq/s"), 8);
  EXPECT_DOUBLE_EQ(*in("throughput_per_gpu", "samples/s/GPU"), 1);
  EXPECT_DOUBLE_EQ(*in("step_time", "s"), 2);
  EXPECT_NEAR(*in("model_flops_per_gpu", "TFLOPS/GPU") / 1e12, 4096 * 6 * 6.74e9 / 1e12, 25);
  EXPECT_FALSE(in("scaling_efficiency", "%"));
}

TEST(TrainingRows, RefuseWhatTheyCannotRead) {
  EXPECT_FALSE(training_row(
      row("A100-SXM-80", "8\t1", "", "torchtitan Llama-9-3T", "seq=4096", "throughput", "tokens/s"),
      world()));
  EXPECT_FALSE(training_row(
      row("A100-SXM-80", "8\t1", "", "torchtitan Llama-2-7B", "", "throughput", "tokens/s"),
      world()))
      << "without the length of sequences";
  EXPECT_FALSE(training_row(
      row("TPU-v5", "8\t1", "", "torchtitan Llama-2-7B", "seq=4096", "throughput", "tokens/s"),
      world()));
}

TEST(TrainingRows, KnowLanguageModels) {
  const auto about = [](const char* workload) {
    Row r;
    r.workload = workload;
    return is_language_model(r);
  };
  EXPECT_TRUE(about("MLPerf Training v3.0 GPT-3 175B"));
  EXPECT_TRUE(about("PyTorch 2.1 train fwd+bwd, OPT-1.3B"));
  EXPECT_FALSE(about("MLPerf Training v3.0 BERT"));
  EXPECT_FALSE(about("PyTorch DDP ResNet-152 synthetic data"));
  EXPECT_FALSE(about("Stable Diffusion 2 UNet only"));
}

}  // namespace
}  // namespace gpuvet::accuracy
