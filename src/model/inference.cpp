// SPDX-License-Identifier: Apache-2.0
#include "model/inference.hpp"

#include <algorithm>
#include <cmath>

namespace gpuvet::model {
namespace {

/// The two of a pair of costs that overlap: p = 1 adds them, large p takes the larger.
double joined(double a, double b, double p) {
  const double most = std::max(a, b), least = std::min(a, b);
  if (most <= 0) return 0;
  return most * std::pow(1 + std::pow(least / most, p), 1 / p);
}

constexpr double overlap = 4;  // of a host that launches ahead and the GPU behind it

}  // namespace

std::string_view name(Engine e) {
  constexpr std::array<std::string_view, 6> names = {"eager",    "zero",         "vllm",
                                                     "lmdeploy", "tensorrt-llm", "deepspeed"};
  return names[static_cast<std::size_t>(e)];
}

Bytes stored(Weights w, Precision compute) {
  switch (w) {
    case Weights::as_computed:
      return element(compute);
    case Weights::fp8:
    case Weights::int8:
    case Weights::llm_int8:
      return Bytes::base(1);
    case Weights::int4:
    case Weights::nf4:
      return Bytes::base(0.5 + 4.0 / 64);  // one fp32 scale for 64 weights, or the like
    case Weights::nf4_double:
      return Bytes::base(0.5 + 1.0 / 64);
  }
  return element(compute);
}

double StepTimes::step(double decodes, double context_sum, double prefill, double squares,
                       double prompts) const {
  const double tokens = decodes + prefill;
  double reading = weights;
  if (experts > 1) reading += expert_weights * (1 - std::pow(1 - active_experts / experts, tokens));
  const double gpu = joined(reading, token * tokens, blend) + square * squares +
                     context * context_sum + fixed + each_token * tokens;
  const double on_host = host + host_sequence * (decodes + prompts);
  return host_overlaps ? joined(gpu, on_host, overlap) : gpu + on_host;
}

Inference::Inference(const Constants& c)
    : collectives_(c),
      bandwidth_share_(c.at("inference.bandwidth_share")),
      flop_share_(c.at("inference.flop_share")),
      cache_share_(c.at("inference.cache_share")),
      unpack_share_(c.at("inference.unpack_share")),
      blend_(c.at("inference.blend")),
      fused_layer_(c.at("inference.fused_layer")),
      eager_layer_(c.at("inference.eager_layer")),
      eager_step_(c.at("inference.eager_step")),
      nf4_layer_(c.at("inference.nf4_layer")),
      double_layer_(c.at("inference.double_layer")),
      llm_int8_layer_(c.at("inference.llm_int8_layer")),
      vllm_step_(c.at("inference.vllm_step")),
      vllm_sequence_(c.at("inference.vllm_sequence")),
      new_host_(c.at("inference.new_host")),
      reduce_share_(c.at("inference.reduce_share")),
      zero_share_(c.at("inference.zero_share")),
      hopper_share_(c.at("inference.hopper_share")),
      power_exponent_(c.at("inference.power_exponent")),
      reserve_(c.at("inference.reserve")),
      forward_share_(c.at("inference.forward_share")),
      score_passes_(c.at("inference.score_passes")),
      hidden_passes_(c.at("inference.hidden_passes")),
      compiled_passes_(c.at("inference.compiled_passes")),
      energy_12nm_(c.at("inference.energy_12nm")),
      energy_4nm_(c.at("inference.energy_4nm")),
      early_grouped_(c.at("inference.early_grouped")),
      bert_fp8_(c.at("inference.bert_fp8")),
      eager_rate_(c.at("inference.eager_rate")),
      vllm_layer_(c.at("inference.vllm_layer")),
      expert_layer_(c.at("inference.expert_layer")),
      lmdeploy_grouped_(c.at("inference.lmdeploy_grouped")),
      unet3d_before_(c.at("inference.unet3d_before")),
      resnet_{c.at("inference.resnet_flop"), c.at("inference.resnet_bytes"),
              c.at("inference.resnet_cycles")},
      bert_{c.at("inference.bert_flop"), c.at("inference.bert_bytes"),
            c.at("inference.bert_cycles")},
      unet3d_{c.at("inference.unet3d_flop"), c.at("inference.unet3d_bytes"),
              c.at("inference.unet3d_cycles")},
      image_eager_{c.at("inference.image_flop"), c.at("inference.image_eager_bytes")},
      image_tensorrt_{c.at("inference.image_flop"), c.at("inference.image_tensorrt_bytes")} {}

double Inference::powered(const Gpu& gpu) const {
  const double peak = std::max(gpu.peak(Precision::fp16), gpu.peak(Precision::bf16)).base();
  if (peak <= 0 || gpu.power.base() <= 0) return 1;
  // What the SXM modules of the time give each FLOP/s: A100 400 W for 312 TFLOPS, H100 700 for 989.
  const bool small_process =
      gpu.architecture == "Hopper" || gpu.architecture == "Ada" || gpu.architecture == "Blackwell";
  const double usual = small_process ? 700 / 989.4e12 : 400 / 312e12;
  return std::pow(std::min(1.0, gpu.power.base() / peak / usual), power_exponent_);
}

double Inference::host_speed(const Gpu& gpu) const {
  return gpu.architecture == "Hopper" || gpu.architecture == "Blackwell" ? new_host_ : 1;
}

double Inference::tensor_rate(const Gpu& gpu, Precision p) const {
  return flop_share_ * powered(gpu) * gpu.peak(p).base();
}

double Inference::small_rate(const Gpu& gpu, Precision p) const {
  const bool fast = gpu.architecture == "Hopper" || gpu.architecture == "Blackwell";
  return flop_share_ * (fast ? hopper_share_ : 1) * powered(gpu) * gpu.peak(p).base();
}

Answer<StepTimes> Inference::steps(const Deployment& d, const Gpu& gpu,
                                   const Fabric& fabric) const {
  const bool eager = d.engine == Engine::eager;
  const double rate = tensor_rate(gpu, d.compute) * (eager ? eager_rate_ : 1);
  if (rate <= 0) return refuse(gpu.id + " has no " + std::string(name(d.compute)) + " rate");
  const auto& net = d.net;
  const double gpus = d.tensor;
  const double bandwidth = bandwidth_share_ * gpu.memory_bandwidth.base();
  const bool packed = d.weights != Weights::as_computed && d.weights != Weights::fp8;
  const double weight_rate =
      packed && eager ? unpack_share_ * gpu.memory_bandwidth.base() : bandwidth;
  const double bytes = stored(d.weights, d.compute).base();
  const double head = net.hidden * net.vocabulary * element(d.compute).base();
  const double expert_parameters =
      net.experts > 1 ? net.layers * (net.gated ? 3 : 2) * net.hidden * net.ffn * net.experts : 0;
  const double dense = net.layers * net.layer_parameters() - expert_parameters;

  StepTimes t;
  t.weights = dense * bytes / gpus / weight_rate + head / gpus / bandwidth;
  t.expert_weights = expert_parameters * bytes / gpus / weight_rate;
  t.experts = net.experts;
  t.active_experts = net.active_experts;
  t.token = 2 * net.active_parameters() / gpus / rate;
  t.square = 4 * net.layers * net.heads * net.head_dim / gpus / rate;
  t.context = 2 * net.layers * net.kv_heads * net.head_dim * d.kv_element.base() /
              std::min(gpus, std::max(1.0, net.kv_heads)) /
              (cache_share_ * gpu.memory_bandwidth.base());
  if (d.early)
    t.context *= std::pow(net.heads / std::max(1.0, net.kv_heads),
                          d.engine == Engine::lmdeploy ? lmdeploy_grouped_ : early_grouped_);
  t.blend = eager ? 1 : blend_;  // one kernel ends before the next starts

  switch (d.engine) {
    case Engine::eager: {
      double layer = eager_layer_;
      if (d.weights == Weights::nf4 || d.weights == Weights::nf4_double) layer += nf4_layer_;
      if (d.weights == Weights::nf4_double) layer += double_layer_;
      if (d.weights == Weights::llm_int8) layer += llm_int8_layer_;
      t.host = host_speed(gpu) * (eager_step_ + net.layers * layer);
      t.host_overlaps = true;
      break;
    }
    case Engine::zero: {
      GPUVET_ANSWER(
          const Seconds gather,
          collectives_.time(Collective::all_gather,
                            Bytes::base(net.layers * net.layer_parameters() * bytes), fabric));
      t.fixed = gather.base() / zero_share_;
      break;
    }
    case Engine::vllm:
      t.host = host_speed(gpu) * vllm_step_;
      t.host_sequence = host_speed(gpu) * vllm_sequence_;
      t.fixed = net.layers * vllm_layer_;
      break;
    case Engine::lmdeploy:
    case Engine::tensorrt_llm:
    case Engine::deepspeed:
      t.fixed = net.layers * fused_layer_;
  }
  if (net.experts > 1) t.fixed += net.layers * expert_layer_;
  if (d.tensor > 1 && d.engine != Engine::zero) {
    Fabric group = fabric;
    group.gpus = d.tensor;
    group.servers = 1;
    if (group.kind == Fabric::Kind::single) group = usual_fabric(gpu, d.tensor);
    const Bytes token = net.hidden * element(Precision::fp16);
    constexpr double many = 2048;
    GPUVET_ANSWER(const Seconds small, collectives_.time(Collective::all_reduce, token, group));
    GPUVET_ANSWER(const Seconds large,
                  collectives_.time(Collective::all_reduce, many * token, group));
    const double reductions = 2 * net.layers * reduce_share_;
    t.fixed += reductions * small.base();
    t.each_token = reductions * std::max(0.0, (large - small).base()) / (many - 1);
  }
  return t;
}

Answer<double> Inference::cache_tokens(const Deployment& d, const Gpu& gpu) const {
  const auto& net = d.net;
  const double gpus = d.tensor * d.in_turn;
  const double weights = net.parameters() * stored(d.weights, d.compute).base();
  const double room = 0.9 * gpu.memory.base() * gpus - weights - reserve_ * gpus;
  const double token = 2 * net.layers * net.kv_heads * net.head_dim * d.kv_element.base();
  if (room <= 0)
    return refuse("the weights of " + net.id + " leave no room for a cache on " +
                  std::to_string(d.tensor * d.in_turn) + " " + gpu.id);
  return room / token;
}

Answer<Steady> Inference::steady(const Deployment& d, const Gpu& gpu, const Fabric& fabric,
                                 double sequences, double prompt, double output) const {
  GPUVET_ANSWER(const StepTimes t, steps(d, gpu, fabric));
  GPUVET_ANSWER(const double room, cache_tokens(d, gpu));
  Steady s;
  // Requests are spread over their lives, so that each holds half of its answer on average.
  s.sequences = std::min(sequences, std::max(1.0, room / (prompt + output / 2)));
  const double held = s.sequences * (prompt + output / 2);
  s.between_tokens = Seconds::base(t.decode(s.sequences, held));
  s.first_token = Seconds::base(t.prompt(prompt));
  // Short prompts enter together, a few at a time: slots become free one by one.
  const double together = std::clamp(2048 / prompt, 1.0, std::min(4.0, s.sequences));
  const double entry = t.step(0, 0, together * prompt, together * prompt * prompt / 2, together);
  const double cycle = output * s.between_tokens.base() + s.sequences / together * entry;
  s.tokens_per_second = s.sequences * output / cycle;
  return s;
}

Answer<Seconds> Inference::forward(const Transformer& net, const Gpu& gpu, double batch,
                                   double sequence, Precision precision, bool compiled) const {
  const double peak = gpu.peak(precision).base();
  if (peak <= 0) return refuse(gpu.id + " has no " + std::string(name(precision)) + " rate");
  const double tokens = batch * sequence;
  const double flop =
      tokens * (2 * net.active_parameters() + 4 * net.layers * net.heads * net.head_dim * sequence);
  double arithmetic = flop / (forward_share_ * peak);
  if (precision == Precision::fp32 && gpu.power.base() > 0) {
    // Outside tensor cores the energy of an operation bounds the rate of small boards; Ampere's 7
    // nm boards have power enough.
    const bool four = gpu.architecture == "Hopper" || gpu.architecture == "Ada" ||
                      gpu.architecture == "Blackwell";
    const double energy = four ? energy_4nm_ : gpu.architecture == "Ampere" ? 0 : energy_12nm_;
    arithmetic = joined(arithmetic, flop * energy / gpu.power.base(), overlap);
  }
  const double width = element(precision).base();
  const double passes = compiled ? compiled_passes_ : 1;
  const double moved = net.layers * width * passes *
                       (score_passes_ * batch * net.heads * sequence * sequence +
                        hidden_passes_ * tokens * (net.hidden + net.ffn / 4));
  const double launches = net.layers * 15 * 1e-6;
  return Seconds::base(arithmetic + moved / (bandwidth_share_ * gpu.memory_bandwidth.base()) +
                       launches);
}

Answer<double> Inference::samples(std::string_view net, Precision p, const Gpu& gpu) const {
  const bool before = net == "3d-unet-2022";
  const Work* work = net == "resnet50"            ? &resnet_
                     : net == "bert"              ? &bert_
                     : net == "3d-unet" || before ? &unet3d_
                                                  : nullptr;
  if (work == nullptr) return refuse("no work figure for " + std::string(net));
  const double rate = small_rate(gpu, p) * (p == Precision::fp8 ? bert_fp8_ : 1);
  if (rate <= 0) return refuse(gpu.id + " has no " + std::string(name(p)) + " rate");
  const double bytes = work->bytes * element(p).base();
  const double cycles = gpu.sm * gpu.clock.base() * powered(gpu);
  if (cycles <= 0) return refuse("how many multiprocessors " + gpu.id + " has is not known");
  return (before ? unet3d_before_ : 1) / (work->flop / rate + work->cycles / cycles +
                                          bytes / (bandwidth_share_ * gpu.memory_bandwidth.base()));
}

Answer<Seconds> Inference::sdxl(const Gpu& gpu, double steps, bool tensorrt) const {
  const Work& work = tensorrt ? image_tensorrt_ : image_eager_;
  const double rate = small_rate(gpu, Precision::fp16);
  if (rate <= 0) return refuse(gpu.id + " has no fp16 rate");
  // Encoding the prompt and decoding the image cost about what one and a half steps do.
  return Seconds::base(
      (steps + 1.5) *
      (work.flop / rate + work.bytes / (bandwidth_share_ * gpu.memory_bandwidth.base())));
}

}  // namespace gpuvet::model
