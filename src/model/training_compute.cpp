// SPDX-License-Identifier: Apache-2.0
// A layer's time is what its matrix products, its attention and its element-wise traffic take, or
// what the host needs to launch it, whichever is longer. Formulas: Narayanan et al. 2021
// (arXiv:2104.04473) for FLOPs, Dao 2023 (arXiv:2307.08691) for attention's.
#include "model/training_compute.hpp"

#include <algorithm>
#include <array>
#include <cmath>

namespace gpuvet::model {
namespace {

// Watts per TFLOP/s of an A100-SXM: what `power_exponent` is relative to.
constexpr double reference_power = 400.0 / 312;
constexpr double logit_bytes = 10;   // per logit and element byte: stored, softmax, its gradient
constexpr double score_passes = 8;   // over the scores of attention that is not fused
constexpr double score_rate = 0.7;   // of large products: many small ones
constexpr double adam_traffic = 36;  // bytes per parameter, clipping and casting included

constexpr std::array<std::string_view, 6> fused_frameworks = {
    "megatron", "nemo", "mlperf", "megatron-bridge", "transformer-engine", "nemo-framework"};
constexpr std::array<std::string_view, 5> script_frameworks = {"transformers", "peft", "deepspeed",
                                                               "axolotl", "llama-factory"};
constexpr std::array<std::string_view, 5> lean_frameworks = {"llm-foundry", "torchtitan",
                                                             "fms-fsdp", "pytorch", "litgpt"};

template <std::size_t N>
bool among(const std::array<std::string_view, N>& list, std::string_view word) {
  return std::find(list.begin(), list.end(), word) != list.end();
}

bool newer_than_ampere(const Gpu& gpu) {
  return gpu.architecture != "Volta" && gpu.architecture != "Turing" &&
         gpu.architecture != "Ampere";
}

}  // namespace

Seconds longer_of(Seconds a, Seconds b, double sharpness) {
  const Seconds most = std::max(a, b);
  if (most.base() <= 0) return most;
  const double other = (std::min(a, b) / most).base();
  return most * std::pow(1 + std::pow(other, sharpness), 1 / sharpness);
}

Stack stack_of(const TrainingJob& job) {
  if (among(fused_frameworks, job.framework)) return Stack::fused;
  if (among(script_frameworks, job.framework)) return Stack::scripts;
  return job.compiled ? Stack::compiled : Stack::eager;
}

bool is_known_framework(std::string_view name) {
  return among(fused_frameworks, name) || among(script_frameworks, name) ||
         among(lean_frameworks, name);
}

TrainingCompute::TrainingCompute(const Constants& c)
    : gemm_(c.at("training.gemm")),
      power_exponent_(c.at("training.power_exponent")),
      gemm_traffic_(c.at("training.gemm_traffic")),
      gemm_fp8_(c.at("training.gemm_fp8")),
      gemm_fp32_(c.at("training.gemm_fp32")),
      elementwise_(c.at("training.elementwise")),
      rms_(c.at("training.eager_llama")),
      autocast_(c.at("training.autocast")),
      compiled_(c.at("training.compiled")),
      fused_(c.at("training.fused")),
      scripts_(c.at("training.scripts")),
      adapters_(c.at("training.adapters")),
      attention_(c.at("training.attention")),
      attention_2_(c.at("training.attention_2")),
      attention_hopper_(c.at("training.attention_hopper")),
      attention_fused_(c.at("training.attention_fused")),
      gradient_traffic_(c.at("training.gradient_traffic")),
      dequantise_(c.at("training.dequantise")),
      launch_(c.at("training.launch")),
      launch_scripts_(c.at("training.launch_scripts")),
      launch_quantised_(c.at("training.launch_quantised")) {}

FlopPerSecond TrainingCompute::sustained(const Gpu& gpu, Precision precision) const {
  const FlopPerSecond peak = gpu.peak(precision);
  if (precision == Precision::fp32 || peak.base() <= 0) return gemm_fp32_ * peak;
  // For hours, clocks follow the power limit: the fewer watts a FLOP may cost, the lower they are.
  if (precision == Precision::fp8) {
    const double power = gpu.power.base() > 0 ? gpu.power.base() / (peak.base() / 1e12) : 0.354;
    return gemm_fp8_ * std::pow(power / (700.0 / 1979), power_exponent_) * peak;
  }
  const double bf16 = gpu.peak(Precision::bf16).base() > 0 ? gpu.peak(Precision::bf16).base()
                                                           : gpu.peak(Precision::fp16).base();
  const double power =
      gpu.power.base() > 0 && bf16 > 0 ? gpu.power.base() / (bf16 / 1e12) : reference_power;
  return gemm_ * std::min(1.15, std::pow(power / reference_power, power_exponent_)) * peak;
}

double TrainingCompute::elementwise_share(const TrainingJob& job, Stack stack) const {
  double share = elementwise_;
  switch (stack) {
    case Stack::eager:
      // RMS norms, rotary embeddings and SwiGLU have no kernel of their own in eager PyTorch.
      share *= job.net.gated ? rms_ : 1;
      break;
    case Stack::compiled:
      // Fusing never adds traffic to what eager code has.
      share *= std::min(compiled_, job.net.gated ? rms_ : 1);
      break;
    case Stack::fused:
      share *= fused_;
      break;
    case Stack::scripts:
      share *= scripts_ * (job.method == Method::full ? 1 : adapters_);
      break;
  }
  return job.autocast ? share * autocast_ : share;
}

TrainingCompute::Passes TrainingCompute::attention(const TrainingJob& job, const Gpu& gpu,
                                                   Stack stack, double tokens) const {
  const auto& net = job.net;
  const double heads = net.heads / job.tensor;
  const auto flop = Flop::base(4 * tokens * job.sequence * heads * net.head_dim);
  if (job.flash_attention) {
    double share = attention_;
    if (stack == Stack::fused)
      share *= attention_fused_;
    else if (!job.flash_attention_1)
      share *= attention_2_;
    if (stack != Stack::fused && newer_than_ampere(gpu)) share *= attention_hopper_;
    // FlashAttention wants 16-bit inputs; its backward pass recomputes the scores.
    const FlopPerSecond peak = gpu.peak(Precision::bf16).base() > 0 ? gpu.peak(Precision::bf16)
                                                                    : gpu.peak(Precision::fp16);
    const Seconds forward = (net.decoder ? 0.5 : 1.0) * flop / (share * peak);
    return {forward, 2.5 * forward};
  }
  const Bytes scores = tokens * job.sequence * heads * element(job.precision);
  const Seconds forward = flop / (score_rate * sustained(gpu, job.precision)) +
                          score_passes * scores / gpu.memory_bandwidth;
  return {forward, 2 * forward};
}

Seconds TrainingCompute::launches(const TrainingJob& job, Stack stack) const {
  double seconds = launch_;
  if (stack == Stack::compiled || stack == Stack::fused) seconds = launch_ / 2;
  if (stack == Stack::scripts) {
    // ZeRO-3's hooks around every module cost the host as much again as launching it.
    seconds = launch_scripts_ * (job.sharding == Sharding::weights ? 2 : 1);
  }
  if (job.method == Method::qlora) seconds += launch_quantised_;
  return Seconds::base(seconds);
}

MicroBatch TrainingCompute::micro_batch(const TrainingJob& job, const Gpu& gpu) const {
  const auto& net = job.net;
  const Stack stack = stack_of(job);
  const double tensor = job.tensor;
  const double tokens = job.micro_batch * job.sequence / job.context;
  const bool fp8 = job.precision == Precision::fp8;
  const Precision outside = fp8 ? Precision::bf16 : job.precision;  // of all but the products
  const Bytes wide = element(outside == Precision::tf32 ? Precision::fp32 : outside);
  const Bytes narrow = fp8 ? element(Precision::fp8) : wide;
  const FlopPerSecond rate = sustained(gpu, job.precision);

  Seconds products;
  double flop = 0;
  const auto product = [&](double k, double n) {
    const double f = 2 * tokens * k * n;
    const Bytes moved = (tokens * k + k * n) * narrow + tokens * n * wide;
    products = products + Flop::base(f) / rate + gemm_traffic_ * moved / gpu.memory_bandwidth;
    flop += f;
  };
  const double gates = net.gated ? 2 : 1;
  product(net.hidden, (net.heads + 2 * net.kv_heads) * net.head_dim / tensor);
  product(net.heads * net.head_dim / tensor, net.hidden);
  product(net.hidden, gates * net.ffn * net.active_experts / tensor);
  product(net.ffn * net.active_experts / tensor, net.hidden);

  const double split = job.sequence_parallel ? tensor : 1;
  const double width = (net.hidden / split + net.ffn * net.active_experts * gates / 4 / tensor) / 2;
  const Seconds elementwise =
      elementwise_share(job, stack) / 3 * tokens * width * wide / gpu.memory_bandwidth;
  const Passes attention = this->attention(job, gpu, stack, tokens);
  const double weights = (net.layer_parameters() - 2 * net.hidden) / tensor;

  const bool full = job.method == Method::full;
  const Seconds forward = products + elementwise + attention.forward;
  Seconds backward = (full ? 2.0 : 1.0) * products + 2 * elementwise + attention.backward;
  if (job.recompute == Recompute::full) backward = backward + forward;
  if (job.recompute == Recompute::selective) {
    // Megatron computes attention's core again; PyTorch's lists save every other product instead.
    backward = backward + (stack == Stack::fused ? attention.forward + 0.5 * elementwise
                                                 : 0.5 * products + elementwise);
  }
  if (full) backward = backward + Bytes::base(gradient_traffic_ * weights) / gpu.memory_bandwidth;
  Seconds layer = forward + backward;
  if (job.method == Method::qlora)
    layer =
        layer + Seconds::base((job.recompute == Recompute::full ? 3 : 2) * weights / dequantise_) *
                    (BytesPerSecond::base(2.039e12) / gpu.memory_bandwidth).base();

  const double passes = full || job.lora_embeddings ? 3 : 2;
  const double logits = tokens * net.vocabulary / tensor;
  const Seconds head = passes * Flop::base(2 * net.hidden * logits) / sustained(gpu, outside) +
                       logit_bytes * logits * wide / gpu.memory_bandwidth;
  constexpr double sharpness = 10;
  return {longer_of(layer, launches(job, stack), sharpness), head, flop};
}

Seconds TrainingCompute::optimizer(const TrainingJob& job, const Gpu& gpu, double shards) const {
  if (!job.optimizer_step || job.method != Method::full) return {};
  const double mine = job.net.parameters() / job.tensor / job.pipeline / shards;
  return Bytes::base(adam_traffic * mine) / gpu.memory_bandwidth;
}

}  // namespace gpuvet::model
