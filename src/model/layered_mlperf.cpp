// SPDX-License-Identifier: Apache-2.0
#include "model/layered_mlperf.hpp"

#include <algorithm>
#include <cmath>

#include "core/result.hpp"
#include "core/text.hpp"

namespace gpuvet::model {
namespace {

constexpr double settled_bert = 2;       // 2.1: later rounds converge alike
constexpr double settled_diffusion = 6;  // 4.1

}  // namespace

std::optional<double> mlperf_round(std::string_view version) {
  const auto dot = version.find('.');
  if (dot == std::string_view::npos) return {};
  const auto major = parse_number(version.substr(0, dot));
  const auto minor = parse_number(version.substr(dot + 1));
  if (!major || !minor || *major < 1 || *minor < 0 || *minor > 1) return {};
  return 2 * *major + *minor - 3;
}

LayeredMlperf::LayeredMlperf(const Constants& c, const LayeredTraining& training)
    : benchmarks_{{
          {c.at("layered.round_resnet"), c.at("layered.evaluation_resnet"),
           c.at("layered.samples_resnet"), c.at("layered.batch_resnet"), 3300, 0, 0, 0},
          {c.at("layered.round_bert"), 0, c.at("layered.samples_bert"), c.at("layered.batch_bert"),
           0, c.at("layered.early_bert"), settled_bert, c.at("layered.accumulated_bert")},
          {c.at("layered.round_diffusion"), 0, c.at("layered.samples_diffusion"),
           c.at("layered.batch_diffusion"), 0, c.at("layered.early_diffusion"), settled_diffusion,
           0},
      }},
      start_(c.at("layered.start")),
      bert_tokens_(c.at("layered.bert_tokens")),
      training_(&training) {}

Answer<MlperfRun> LayeredMlperf::run(const MlperfEntry& entry, const Net& net, const Gpu& gpu,
                                     const Fabric& fabric) const {
  if (entry.global_batch <= 0) return refuse("the entry's global batch is not given");
  const auto& benchmark = of(entry.benchmark);
  LayeredJob job;
  job.batch = entry.global_batch / fabric.ranks();
  job.passes = std::max(1.0, entry.passes);
  job.tuned = true;
  job.framework = "mlperf";
  // NVIDIA's BERT runs its matrix products in fp8 where the GPU can.
  const bool fp8 = entry.benchmark == MlperfBenchmark::bert && gpu.architecture != "Ada";
  job.precision = fp8 && gpu.peak(Precision::fp8).base() > 0 ? Precision::fp8 : Precision::fp16;
  job.software_speed = std::exp(benchmark.gain * (entry.round - 3));
  MlperfRun out;
  GPUVET_ANSWER(out.step, training_->step(net, job, gpu, fabric));
  out.throughput = entry.global_batch / out.step.total().base();
  out.with_evaluation = out.throughput * (1 - benchmark.evaluation);
  out.samples = benchmark.samples *
                (1 + std::max(0.0, entry.global_batch - benchmark.small) / benchmark.doubling) *
                (1 + benchmark.early * std::max(0.0, benchmark.settled - entry.round)) *
                (1 + (job.passes > 1 ? benchmark.accumulated : 0));
  out.to_quality = Seconds::base(start_ + out.samples / out.with_evaluation);
  return out;
}

}  // namespace gpuvet::model
