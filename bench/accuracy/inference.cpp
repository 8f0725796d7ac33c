// SPDX-License-Identifier: Apache-2.0
// Rows of kind inference: MLPerf's offline and server scenarios, passes of nets in PyTorch, images;
// language models in inference_language.cpp.
#include <algorithm>
#include <cmath>

#include "accuracy/inference_rows.hpp"
#include "accuracy/score.hpp"
#include "core/text.hpp"

namespace gpuvet::accuracy {
namespace {

using model::Precision;

struct MlperfRun {
  std::string net;     ///< as Inference::samples has it
  std::string family;  ///< "bert", "resnet50": as the server's bound goes
  Precision precision = Precision::int8;
};

/// "MLPerf Inference v3.0 bert-99.9 Offline TensorRT".
model::Answer<MlperfRun> mlperf_of(const Row& row, const model::Gpu& gpu) {
  MlperfRun run;
  const std::string& w = row.workload;
  const bool first = contains(w, "v0.") || contains(w, "v1.");
  if (contains(w, "bert")) {
    run.net = run.family = "bert";
    // int8 does not reach 99.9 % of the accuracy: fp16, and fp8 where submitters had it.
    if (contains(w, "99.9"))
      run.precision = gpu.peak(Precision::fp8).base() > 0 ? Precision::fp8 : Precision::fp16;
  } else if (contains(w, "resnet")) {
    run.net = run.family = "resnet50";
  } else if (contains(w, "3d-unet")) {
    if (first) return model::refuse("before v2.0 3d-unet was another net on other scans");
    run.net = contains(w, "v2.") ? "3d-unet-2022" : "3d-unet";
    run.family = run.net;
  } else {
    return model::refuse("no work figure for " + w);
  }
  return run;
}

model::Answer<model::Estimate> predict_mlperf(const Row& row, const World& world) {
  GPUVET_ANSWER(const auto gpu, gpu_of(row, world));
  GPUVET_ANSWER(const auto run, mlperf_of(row, gpu));
  GPUVET_ANSWER(const double each, world.models.inference.samples(run.net, run.precision, gpu));
  const double capacity = each * row.gpus;
  // Every GPU has its own copy of the net: nothing passes between them.
  model::Estimate e{"inference.offline", capacity, {gpu.id, "tensorrt", "single", 0}, 1, {}};
  if (row.metric == "throughput") return e;
  const auto rate = row.number("poisson_qps");
  if (!rate) return model::refuse("the row does not give the rate of queries");
  const double quantile = contains(row.metric, "p50")   ? 0.5
                          : contains(row.metric, "p90") ? 0.9
                          : contains(row.metric, "p95") ? 0.95
                          : contains(row.metric, "p99") ? 0.99
                                                        : 0;
  GPUVET_ANSWER(const Seconds latency, world.models.serving_benchmarks.mlperf_server(
                                           run.family, gpu, quantile, *rate / capacity));
  e.family = "serving.batches";
  e.value = latency.base();
  return e;
}

/// Numbers of the net from the row where it gives them.
model::Answer<model::Transformer> net_of(const Row& row, const World& world) {
  if (row.number("d_model") && row.number("experts")) {
    model::Transformer t;
    t.id = "mixture of experts";
    t.layers = row.number("L").value_or(24);
    t.hidden = row.number("d_model").value_or(1024);
    // Switch-XL is T5-3B with experts: 32 heads of 128 on a width of 1024 (arXiv 1910.10683).
    t.heads = t.kv_heads = row.number("heads").value_or(32);
    t.head_dim = 128;
    t.ffn = row.number("d_ff").value_or(4 * t.hidden);
    t.vocabulary = row.number("vocab").value_or(32128);
    // Without capacity limits that matter here, every expert's matrices see every token.
    t.experts = t.active_experts = *row.number("experts");
    return t;
  }
  if (row.number("L") && row.number("h") && row.number("heads")) {
    model::Transformer t;
    t.id = row.workload;
    t.layers = *row.number("L");
    t.hidden = *row.number("h");
    t.heads = t.kv_heads = *row.number("heads");
    t.head_dim = t.hidden / t.heads;
    t.ffn = row.number("ffn").value_or(4 * t.hidden);
    t.vocabulary = row.number("vocab").value_or(50257);
    return t;
  }
  if (const auto* a = architecture_in(world.catalogue, row.workload))
    return model::transformer_from(*a);
  return model::refuse("no architecture is known for " + row.workload);
}

model::Answer<model::Estimate> predict_pass(const Row& row, const World& world) {
  GPUVET_ANSWER(const auto gpu, gpu_of(row, world));
  GPUVET_ANSWER(const auto net, net_of(row, world));
  const auto sequence = row.number("seq");
  const auto batch = row.number("global_batch") ? row.number("global_batch") : row.number("batch");
  if (!sequence || !batch) return model::refuse("the row does not give batch and sequence");
  const auto precision = contains(row.param("precision"), "fp32")   ? Precision::fp32
                         : contains(row.param("precision"), "tf32") ? Precision::tf32
                         : contains(row.param("precision"), "bf16") ? Precision::bf16
                                                                    : Precision::fp16;
  const bool compiled = contains(row.param("fusion"), "compile");
  GPUVET_ANSWER(const Seconds time,
                world.models.inference.forward(net, gpu, *batch, *sequence, precision, compiled));
  return model::Estimate{"inference.pass", time.base(), {gpu.id, "pytorch", "single", 0}, 1, {}};
}

model::Answer<model::Estimate> predict_image(const Row& row, const World& world) {
  GPUVET_ANSWER(const auto gpu, gpu_of(row, world));
  const auto before = std::string_view(row.workload).substr(0, row.workload.find(" steps"));
  const auto said = words(before);
  const double steps =
      row.number("steps").value_or(said.empty() ? 30 : parse_number(said.back()).value_or(30));
  const double batch = row.number("batch").value_or(1);
  const bool tensorrt = contains_ignoring_case(row.param("engine"), "tensorrt");
  GPUVET_ANSWER(const Seconds time, world.models.inference.sdxl(gpu, steps, tensorrt));
  const bool rate = contains(row.metric, "throughput");
  return model::Estimate{"inference.pass",
                         rate ? 1 / time.base() : batch * time.base(),
                         {gpu.id, tensorrt ? "tensorrt" : "pytorch", "single", 0},
                         1,
                         {}};
}

model::Answer<model::Estimate> predict(const Row& row, const World& world) {
  if (contains(row.workload, "MLPerf")) return predict_mlperf(row, world);
  if (contains_ignoring_case(row.workload, "sdxl")) return predict_image(row, world);
  if (row.metric == "iteration_time") return predict_pass(row, world);
  return predict_language(row, world);
}

/// What rows of other systems with the same GPU got for the same work: by GPU where it is a rate.
model::Answer<double> same_gpu(const Row& row, const World&, const std::vector<const Row*>& known) {
  const auto is_rate = [](const Row& r) {
    return contains(r.metric, "throughput") && !contains(r.metric, "per_gpu");
  };
  const auto work = [](const Row& r) {
    std::string w = r.workload;
    if (const auto v = w.find("Inference v"); v != std::string::npos) w.erase(v, 14);
    return w;
  };
  std::vector<double> values;
  for (const auto* other : known)
    if (other->gpu_norm == row.gpu_norm && other->metric == row.metric && work(*other) == work(row))
      values.push_back(*other->value / (is_rate(row) ? other->gpus : 1));
  if (values.empty()) return model::refuse("no row of the same GPU");
  return quantile(values, 0.5) * (is_rate(row) ? row.gpus : 1);
}

model::Answer<double> roofline(const Row& row, const World& world, const std::vector<const Row*>&) {
  GPUVET_ANSWER(const auto gpu, gpu_of(row, world));
  if (contains(row.workload, "MLPerf")) {
    if (row.metric != "throughput") return model::refuse("a roofline has no queue");
    GPUVET_ANSWER(const auto run, mlperf_of(row, gpu));
    // Multiply-adds of the published nets, twice: ResNet-50 at 224, BERT-Large at 384, KiTS19.
    const double flop = run.family == "bert" ? 2.4e11 : run.family == "resnet50" ? 8.2e9 : 3.5e13;
    return row.gpus * gpu.peak(run.precision).base() / flop;
  }
  if (row.metric == "iteration_time") {
    GPUVET_ANSWER(const auto net, net_of(row, world));
    const double tokens = row.number("seq").value_or(1) * row.number("global_batch").value_or(1);
    return tokens * net.forward_flop(row.number("seq").value_or(1)) /
           gpu.peak(Precision::fp32).base();
  }
  if (contains_ignoring_case(row.workload, "sdxl"))
    return 30 * 1.2e13 / gpu.peak(Precision::fp16).base();
  return language_roofline(row, world);
}

}  // namespace

Kind inference_kind() {
  return {"inference",
          [](const Row& row) { return row.kind == "inference"; },
          predict,
          {{"median of the same GPU", same_gpu}, {"data-sheet roofline", roofline}},
          {"inference", "serving"}};
}

}  // namespace gpuvet::accuracy
