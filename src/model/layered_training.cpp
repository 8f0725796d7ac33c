// SPDX-License-Identifier: Apache-2.0
#include "model/layered_training.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "core/result.hpp"

namespace gpuvet::model {
namespace {

constexpr std::array<std::string_view, 4> generation_names = {"volta", "ampere", "ada", "hopper"};

/// Blackwell counts as Hopper: no training of such nets on it is published that could tell.
Answer<std::size_t> generation_of(const Gpu& gpu) {
  if (gpu.architecture == "Volta" || gpu.architecture == "Turing") return 0;
  if (gpu.architecture == "Ampere") return 1;
  if (gpu.architecture.rfind("Ada", 0) == 0) return 2;
  if (gpu.architecture == "Hopper" || gpu.architecture == "Blackwell") return 3;
  return refuse("no training of such nets is known on " + gpu.architecture);
}

/// Kernels of one forward and backward pass of a layer: one each forward, for the gradient of its
/// input and of its weights, and four for normalisation and activation.
double kernels_of(const Layer& layer) {
  double kernels = layer.normed > 0 ? 4 : 0;
  if (layer.kind != LayerKind::elementwise) kernels += layer.frozen ? 1 : 3;
  return layer.repeat * kernels * layer.sequential;
}

}  // namespace

LayeredTraining::LayeredTraining(const Constants& c, const Collectives& collectives)
    : convolution_{},
      gemm_{},
      watt_{},
      attention_(c.at("layered.attention")),
      vector_(c.at("layered.vector")),
      fp8_(c.at("layered.fp8")),
      streaming_(c.at("layered.streaming")),
      eager_convolution_(c.at("layered.eager_convolution")),
      eager_gemm_(c.at("layered.eager_gemm")),
      planar_(c.at("layered.planar")),
      hidden_(c.at("layered.hidden")),
      frozen_(c.at("layered.frozen")),
      passes_(c.at("layered.passes")),
      eager_passes_(c.at("layered.eager_passes")),
      score_passes_(c.at("layered.score_passes")),
      gap_(c.at("layered.gap")),
      launch_(c.at("layered.launch")),
      optimizer_bytes_(c.at("layered.optimizer_bytes")),
      eager_optimizer_(c.at("layered.eager_optimizer")),
      exposed_(c.at("layered.exposed")),
      collectives_(&collectives) {
  for (std::size_t g = 0; g < generations; ++g) {
    const std::string name(generation_names[g]);
    convolution_[g] = c.at("layered.convolution_" + name);
    gemm_[g] = c.at("layered.gemm_" + name);
    watt_[g] = c.at("layered.watt_" + name);
  }
  for (const auto* framework : {"superbench", "composer", "ddpbench", "pretraining"})
    slower_.emplace(framework, c.at(std::string("layered.slower_") + framework));
  // Each of NVIDIA's examples is a program of its own.
  for (const auto& [net, constant] :
       {std::pair{"bert-base", "bert_base"}, std::pair{"bert-large", "bert_large"},
        std::pair{"resnet50", "resnet50"}, std::pair{"ssd300-resnet50", "ssd"},
        std::pair{"gnmt", "gnmt"}, std::pair{"waveglow", "waveglow"}})
    slower_.emplace(std::string("deeplearningexamples ") + net,
                    c.at(std::string("layered.example_") + constant));
}

Answer<LayeredTraining::Rates> LayeredTraining::rates(const LayeredJob& job, const Gpu& gpu) const {
  GPUVET_ANSWER(const auto g, generation_of(gpu));
  const double bandwidth = streaming_ * gpu.memory_bandwidth.base();
  auto precision = job.precision;
  if (precision == Precision::fp8) precision = Precision::bf16;
  if (precision == Precision::bf16 && gpu.peak(precision).base() <= 0) precision = Precision::fp16;
  if (precision == Precision::tf32 && gpu.peak(precision).base() <= 0) precision = Precision::fp32;
  const double peak = gpu.peak(precision).base();
  if (peak <= 0)
    return refuse(gpu.id + ": its rate at " + std::string(name(precision)) + " is not known");
  if (precision == Precision::fp32) {
    const double rate = vector_ * peak;
    return Rates{rate, rate, rate, bandwidth};
  }
  // Tensor cores draw more than the board may at their full rate; clocks fall until they don't.
  const double wanted = gpu.peak(Precision::fp16).base();
  const double granted = gpu.power.base() > 0 ? watt_[g] * 1e12 * gpu.power.base() : 1e30;
  const double clocked = peak / std::sqrt(1 + (wanted / granted) * (wanted / granted));
  const bool fp8 = job.precision == Precision::fp8 && gpu.peak(Precision::fp8).base() > 0;
  const double layout = job.channels_last ? 1 : planar_;
  return Rates{convolution_[g] * clocked * (job.tuned ? 1 : eager_convolution_ * layout),
               gemm_[g] * clocked * (job.tuned ? 1 : eager_gemm_) * (fp8 ? fp8_ : 1),
               attention_ * gemm_[g] * clocked, bandwidth};
}

Answer<LayeredStep> LayeredTraining::step(const Net& net, const LayeredJob& job, const Gpu& gpu,
                                          const Fabric& fabric) const {
  if (job.batch <= 0 || job.passes <= 0 || job.software_speed <= 0)
    return refuse("a step needs samples");
  GPUVET_ANSWER(const auto rate, rates(job, gpu));
  const double micro = job.batch / job.passes;  // may be a fraction: a mean over GPUs
  const double width =
      element(job.precision == Precision::fp8 ? Precision::bf16 : job.precision).base();
  const double passes = job.tuned ? passes_ : eager_passes_;
  double layers = 0, kernels = 0;
  for (const auto& layer : net.layers) {
    const double directions = layer.frozen ? 1 : 3;  // forward, and twice the work backward
    const double operations = layer.kind == LayerKind::convolution ? rate.convolution
                              : layer.kind == LayerKind::attention ? rate.attention
                                                                   : rate.gemm;
    const double moved = (micro * (layer.input + layer.output) + layer.weights) * width;
    double touched = micro * layer.normed * passes;
    if (!job.fused_attention) touched += micro * layer.scores * score_passes_;
    touched *= width * (layer.frozen ? 1.0 / 3 : 1);
    const double computing = micro * layer.flop / operations, moving = moved / rate.bandwidth;
    const double both = std::max(computing, moving) + (1 - hidden_) * std::min(computing, moving);
    layers += layer.repeat *
              (directions * both * (layer.frozen ? frozen_ : 1) + touched / rate.bandwidth);
    kernels += kernels_of(layer);
  }
  auto found = slower_.find(job.framework);
  if (found == slower_.end()) found = slower_.find(job.framework + " " + net.id);
  const double slower = found == slower_.end() ? 1 : found->second;
  layers *= slower / job.software_speed;
  LayeredStep out;
  out.layers = Seconds::base(layers * job.passes);
  // Graphs leave a small gap after each kernel; Python falls behind the GPU where kernels are
  // short.
  out.gaps = Seconds::base(
      job.passes * (job.tuned ? kernels * gap_ : std::max(0.0, kernels * launch_ - layers)));
  const double parameters = net.parameters();
  if (job.optimizer)
    out.optimizer = Seconds::base(parameters * optimizer_bytes_ *
                                  (job.tuned ? 1 : eager_optimizer_) / rate.bandwidth);
  if (fabric.ranks() > 1) {
    const double gradient = job.precision == Precision::fp32 || !job.tuned ? 4 : 2;
    GPUVET_ANSWER(const auto all, collectives_->time(Collective::all_reduce,
                                                     Bytes::base(parameters * gradient), fabric));
    out.exposed = exposed_ * all;
  }
  return out;
}

Answer<LayeredStep> LayeredTraining::step(const catalogue::Architecture& architecture,
                                          const LayeredJob& job, const Gpu& gpu,
                                          const Fabric& fabric) const {
  GPUVET_ANSWER(const auto net, net_from(architecture));
  return step(net, job, gpu, fabric);
}

}  // namespace gpuvet::model
