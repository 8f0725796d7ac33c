// SPDX-License-Identifier: Apache-2.0
// Training rows of nets that are no large language models: MLPerf's ResNet-50, BERT and Stable
// Diffusion, and single benchmarks of conv nets, encoders, UNets and speech models.
#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

#include "accuracy/layered_rows.hpp"
#include "accuracy/score.hpp"
#include "core/text.hpp"

namespace gpuvet::accuracy {
namespace {

using model::MlperfBenchmark;

// ---- MLPerf -------------------------------------------------------------------------------------

std::optional<MlperfBenchmark> benchmark_of(const Row& row) {
  if (!contains(row.workload, "MLPerf")) return {};
  if (contains_ignoring_case(row.workload, "resnet")) return MlperfBenchmark::resnet50;
  if (contains_ignoring_case(row.workload, "bert")) return MlperfBenchmark::bert;
  if (contains_ignoring_case(row.workload, "stable diffusion"))
    return MlperfBenchmark::stable_diffusion;
  return {};
}

model::Answer<model::MlperfEntry> entry_of(const Row& row, MlperfBenchmark benchmark) {
  model::MlperfEntry entry;
  entry.benchmark = benchmark;
  for (const auto word : words(row.workload))
    if (word.size() > 1 && word[0] == 'v') {
      if (const auto round = model::mlperf_round(word.substr(1))) {
        entry.round = *round;
        break;
      }
    }
  const auto batch = row.number("global_batch");
  if (!batch) return model::refuse("the row does not give the global batch");
  entry.global_batch = *batch;
  entry.passes = std::max(1.0, row.number("gradient_accumulation_steps").value_or(1));
  return entry;
}

model::Answer<model::Estimate> predict_mlperf(const Row& row, const World& world,
                                              MlperfBenchmark benchmark) {
  GPUVET_ANSWER(const auto gpu, powered_gpu_of(row, world));
  GPUVET_ANSWER(const auto fabric, described_fabric_of(row, gpu));
  GPUVET_ANSWER(const auto entry, entry_of(row, benchmark));
  constexpr std::array<std::string_view, 3> nets = {"resnet50", "bert-large", "sd-v2-unet"};
  const auto id = nets[static_cast<std::size_t>(benchmark)];
  const auto* architecture = world.catalogue.architecture(id);
  if (architecture == nullptr) return model::refuse("the catalogue lacks " + std::string(id));
  model::Sample sample;
  if (benchmark == MlperfBenchmark::bert)
    sample.sequence = world.models.layered_mlperf.bert_tokens();
  GPUVET_ANSWER(const auto net, model::net_from(*architecture, sample));
  GPUVET_ANSWER(const auto run, world.models.layered_mlperf.run(entry, net, gpu, fabric));
  model::Estimate out;
  out.setting = {gpu.id, "mlperf", std::string(topology_class(fabric)),
                 static_cast<double>(fabric.ranks())};
  if (row.metric == "throughput")
    out.value = run.throughput;
  else if (row.metric == "throughput_incl_eval")
    out.value = run.with_evaluation;
  else if (row.metric == "throughput_per_gpu")
    out.value = run.throughput / fabric.ranks();
  else if (row.metric == "time_to_train")
    out.value = run.to_quality.base();
  else
    return model::refuse("no model for the metric " + row.metric);
  // Many servers leave less to tell a benchmark by than how many they are; BERT's convergence is
  // luckier than that of images.
  out.family = "training.mlperf";
  if (fabric.servers > 1) {
    out.family += ".nodes";
    out.difficulty = 1 + 0.1 * std::log2(fabric.servers);
  } else {
    out.family += benchmark == MlperfBenchmark::bert ? ".bert" : ".images";
  }
  if (row.metric == "time_to_train") out.family += ".time";
  return out;
}

// ---- Single benchmarks --------------------------------------------------------------------------

std::string framework_of(const Row& row) {
  if (contains(row.workload, "pretrain PyTorch")) return "pretraining";
  if (contains(row.workload, "DeepLearningExamples")) return "deeplearningexamples";
  if (contains(row.workload, "synthetic data")) return "ddpbench";
  if (contains(row.workload, "PyTorch DDP")) return "superbench";
  if (contains(row.workload, "fwd+bwd")) return "pytorch";
  if (contains(row.workload, "Stable Diffusion")) return "composer";
  return "pytorch";
}

model::Precision precision_of(const Row& row) {
  std::string_view text = row.param("precision");
  if (text.empty()) text = row.param("dtype");
  if (contains(text, "bf16")) return model::Precision::bf16;
  if (contains(text, "TF32 off")) return model::Precision::fp32;
  // PyTorch's convolutions and SuperBench's products use TF32 where the GPU has it.
  if (contains(text, "32")) return model::Precision::tf32;
  return model::Precision::fp16;
}

struct Question {
  model::Net net;
  model::LayeredJob job;
  double per_sample = 1;  ///< tokens or audio samples of one sample, as the metric counts
};

model::Answer<Question> question_of(const Row& row, const catalogue::Architecture& architecture) {
  Question q;
  q.job.framework = framework_of(row);
  q.job.precision = precision_of(row);
  q.job.tuned = q.job.framework == "pretraining";
  q.job.fused_attention =
      !row.param("xformers").empty() || q.job.framework == "composer" || q.job.tuned;
  q.job.channels_last = q.job.framework != "superbench";
  q.job.optimizer = q.job.framework != "pytorch" && q.job.framework != "ddpbench";
  model::Sample sample;
  sample.sequence = row.number("seq").value_or(0);
  if (sample.sequence <= 0 && contains_ignoring_case(row.workload, "squad")) sample.sequence = 384;
  if (sample.sequence <= 0 && architecture.layers.empty() && q.job.framework == "superbench")
    sample.sequence = 512;  // SuperBench's default
  const double size = architecture.number("size").value_or(0);
  auto pixels = row.number("img");
  if (!pixels) pixels = row.number("resolution");
  if (!pixels) pixels = number_before(row.workload, "px");
  if (pixels && size > 0) sample.resolution = *pixels / size;
  if (const auto tokens = architecture.number("tokens"); tokens && row.unit == "tokens/s")
    q.per_sample = *tokens;
  if (const auto audio = architecture.number("audio_samples"); audio && row.unit == "samples/s")
    q.per_sample = *audio;
  GPUVET_ANSWER(q.net, model::net_from(architecture, sample));
  if (const auto one = row.number("batch_per_gpu"))
    q.job.batch = *one;
  else if (const auto all = row.number("batch"); all && *all >= row.gpus)
    q.job.batch = *all / row.gpus;
  else if (const auto global = row.number("global_batch"))
    q.job.batch = *global / row.gpus;
  else if (q.job.framework == "composer")
    q.job.batch = 2048.0 / row.gpus;
  else
    q.job.batch = architecture.family == "convolutional" ? 128 : 32;
  if (const auto micro = row.number("device_microbatch"))
    q.job.passes = std::max(1.0, q.job.batch / *micro);
  if (const auto accumulated = row.number("accum"); accumulated && *accumulated >= 1) {
    q.job.passes = *accumulated;
    q.job.batch *= *accumulated;
  }
  return q;
}

/// Seconds of a step whose layers are divided over the GPUs: by tensor parallelism, or in stages of
/// which one works at a time.
model::Answer<double> divided_step(const Row& row, const World& world, Question q,
                                   const model::Gpu& gpu, const model::Fabric& fabric) {
  const auto parallel = row.param("parallel");
  q.job.batch *= fabric.ranks();
  model::Fabric one;
  GPUVET_ANSWER(const auto step, world.models.layered_training.step(q.net, q.job, gpu, one));
  if (parallel.rfind("PP", 0) == 0) return step.total().base();
  const double hidden = row.number("h").value_or(0), layers = row.number("L").value_or(0);
  const auto bytes = Bytes::base(q.job.batch * row.number("seq").value_or(0) * hidden * 4);
  GPUVET_ANSWER(const auto one_sum,
                world.models.collectives.time(model::Collective::all_reduce, bytes, fabric));
  return step.total().base() / fabric.ranks() + 4 * layers * one_sum.base();
}

model::Answer<model::Estimate> predict_single(const Row& row, const World& world) {
  GPUVET_ANSWER(const auto gpu, powered_gpu_of(row, world));
  GPUVET_ANSWER(const auto fabric, described_fabric_of(row, gpu));
  GPUVET_ANSWER(const auto architecture, architecture_of(row, world));
  GPUVET_ANSWER(const auto q, question_of(row, architecture));
  const auto parallel = row.param("parallel");
  double seconds = 0;
  if (parallel.rfind("TP", 0) == 0 || parallel.rfind("PP", 0) == 0) {
    GPUVET_ANSWER(seconds, divided_step(row, world, q, gpu, fabric));
  } else {
    GPUVET_ANSWER(const auto step, world.models.layered_training.step(q.net, q.job, gpu, fabric));
    seconds = step.total().base();
  }
  const double rate = q.job.batch * q.per_sample / seconds;
  model::Estimate out;
  out.family = q.job.framework == "deeplearningexamples" ? "training.examples" : "training.layered";
  // Their kernels are small and many: how many was guessed.
  if (architecture.id == "gnmt" || architecture.id == "waveglow") out.difficulty = 2.5;
  out.setting = {gpu.id, q.job.framework, std::string(topology_class(fabric)),
                 static_cast<double>(fabric.ranks())};
  if (row.metric == "throughput") {
    out.value = rate * fabric.ranks();
  } else if (row.metric == "throughput_per_gpu") {
    out.value = rate;
  } else if (row.metric == "iteration_time") {
    out.value = seconds;
  } else if (row.metric == "scaling_efficiency") {
    model::Fabric one;
    GPUVET_ANSWER(const auto alone, world.models.layered_training.step(q.net, q.job, gpu, one));
    out.value = alone.total().base() / seconds;
    out.difficulty = 0.3;  // a ratio of two steps, whose common errors cancel
  } else {
    return model::refuse("no model for the metric " + row.metric);
  }
  return out;
}

model::Answer<model::Estimate> predict(const Row& row, const World& world) {
  if (const auto benchmark = benchmark_of(row)) return predict_mlperf(row, world, *benchmark);
  return predict_single(row, world);
}

// ---- Null models --------------------------------------------------------------------------------

/// The workload without its round: "MLPerf Training v2.0 BERT-Large" and v2.1 are one.
std::string benchmark_name(const Row& row) {
  std::string out;
  for (const auto word : words(row.workload))
    if (word.size() < 2 || word[0] != 'v' || !model::mlperf_round(word.substr(1)))
      out += std::string(word) + " ";
  return out + row.metric + std::string(row.param("precision"));
}

bool is_time(const Row& row) { return contains(row.metric, "time"); }

/// Work a second of one GPU, in the row's own measure.
double per_gpu(const Row& row, double value) {
  if (is_time(row)) return 1 / (value * row.gpus);
  return row.metric == "throughput" || row.metric == "throughput_incl_eval" ? value / row.gpus
                                                                            : value;
}

double of_all(const Row& row, double each) {
  if (is_time(row)) return 1 / (each * row.gpus);
  return row.metric == "throughput" || row.metric == "throughput_incl_eval" ? each * row.gpus
                                                                            : each;
}

model::Answer<double> lookup(const Row& row, const World&, const std::vector<const Row*>& known) {
  std::vector<double> same;
  for (const auto* other : known)
    if (other->gpu_norm == row.gpu_norm && benchmark_name(*other) == benchmark_name(row))
      same.push_back(per_gpu(*other, *other->value));
  if (same.empty()) return model::refuse("nothing is known of this GPU at this");
  return of_all(row, quantile(same, 0.5));
}

model::Answer<double> constant_share(const Row& row, const World& world,
                                     const std::vector<const Row*>& known) {
  GPUVET_ANSWER(const auto gpu, powered_gpu_of(row, world));
  std::vector<double> same;
  for (const auto* other : known)
    if (benchmark_name(*other) == benchmark_name(row))
      if (const auto its = powered_gpu_of(*other, world))
        same.push_back(per_gpu(*other, *other->value) / its->peak(model::Precision::fp16).base());
  if (same.empty()) return model::refuse("nothing is known of this workload");
  return of_all(row, quantile(same, 0.5) * gpu.peak(model::Precision::fp16).base());
}

}  // namespace

Kind vision_training_kind() {
  return {"vision_training",
          [](const Row& row) { return row.kind == "training" && !is_language_model(row); },
          predict,
          {{"median of the same GPU", lookup}, {"constant share of the peak", constant_share}},
          {"layered"}};
}

}  // namespace gpuvet::accuracy
