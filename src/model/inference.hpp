// SPDX-License-Identifier: Apache-2.0
// How long a net takes to answer on an engine: steps of language models (prefill and decode), whole
// passes, and samples per second of nets that are no language models.
#pragma once

#include <array>
#include <string_view>

#include "model/collectives.hpp"
#include "model/constants.hpp"
#include "model/estimate.hpp"
#include "model/fabric.hpp"
#include "model/gpu.hpp"
#include "model/transformer.hpp"

namespace gpuvet::model {

/// What runs the net, as far as speed tells engines apart.
enum class Engine {
  eager,         ///< PyTorch, one operation at a time: transformers, LitGPT; several GPUs hold
                 ///< layers one after the other (accelerate)
  zero,          ///< DeepSpeed ZeRO-Inference: every rank gathers all weights, layer by layer
  vllm,          ///< a Python scheduler that the GPU waits for
  lmdeploy,      ///< compiled kernels, a scheduler in C++
  tensorrt_llm,  ///< the same, with kernels chosen for the GPU
  deepspeed      ///< DeepSpeed-Inference: fused kernels, no continuous batching
};

std::string_view name(Engine);

/// How weights are stored. Other than as computed, every product unpacks them first.
enum class Weights { as_computed, fp8, int8, int4, nf4, nf4_double, llm_int8 };

/// Bytes of one stored weight, scales included.
Bytes stored(Weights, Precision compute);

struct Deployment {
  Transformer net;
  Engine engine = Engine::vllm;
  Weights weights = Weights::as_computed;
  Precision compute = Precision::fp16;
  Bytes kv_element = Bytes::base(2);
  int tensor = 1;   ///< GPUs that share every layer
  int in_turn = 1;  ///< GPUs that hold layers one after the other
  bool early =
      false;  ///< a release of 2023: attention reads keys again for query heads that share them
};

/// Time of one step as a function of what is in it; all figures in seconds.
struct StepTimes {
  double weights = 0;         ///< reading what every token passes through
  double expert_weights = 0;  ///< reading all experts of all layers
  double experts = 1, active_experts = 1;
  double token = 0;       ///< arithmetic of one token
  double square = 0;      ///< arithmetic of one query on one key, all layers
  double context = 0;     ///< reading one token's keys and values
  double fixed = 0;       ///< launches and reductions, whatever the step holds
  double each_token = 0;  ///< reductions, by token
  double host = 0;        ///< between two steps
  double host_sequence = 0;
  bool host_overlaps = false;  ///< eager: the GPU works while the host launches
  double blend = 1;            ///< p of the norm that joins reading and arithmetic

  /// `decodes` sequences that get one token, whose contexts sum to `context_sum` tokens, beside
  /// `prefill` prompt tokens of `prompts` prompts with `squares` = sum of queries x keys.
  [[nodiscard]] double step(double decodes, double context_sum, double prefill = 0,
                            double squares = 0, double prompts = 0) const;
  [[nodiscard]] double decode(double sequences, double context_sum) const {
    return step(sequences, context_sum);
  }
  [[nodiscard]] double prompt(double tokens) const {
    return step(0, 0, tokens, tokens * tokens / 2, 1);
  }
};

/// A batch of equal requests, served again and again.
struct Steady {
  double sequences = 0;  ///< at once: what was asked, or what the cache holds
  Seconds first_token, between_tokens;
  double tokens_per_second = 0;  ///< generated, of the whole deployment
};

class Inference {
 public:
  explicit Inference(const Constants&);

  /// Refuses precisions that the GPU lacks, and fabrics whose speed is not known.
  [[nodiscard]] Answer<StepTimes> steps(const Deployment&, const Gpu&, const Fabric&) const;

  /// Tokens that the KV cache of all GPUs together holds. Refuses weights that leave no room.
  [[nodiscard]] Answer<double> cache_tokens(const Deployment&, const Gpu&) const;

  /// `sequences` requests of `prompt` and `output` tokens at once, each followed by the next.
  [[nodiscard]] Answer<Steady> steady(const Deployment&, const Gpu&, const Fabric&,
                                      double sequences, double prompt, double output) const;

  /// One pass over `batch` sequences of `sequence` tokens in PyTorch, without a cache; `compiled`:
  /// elementwise operations fused. Attention writes its scores, as it did before FlashAttention.
  [[nodiscard]] Answer<Seconds> forward(const Transformer&, const Gpu&, double batch,
                                        double sequence, Precision, bool compiled) const;

  /// Samples a second of one GPU at full load: "resnet50", "bert", "3d-unet" (by TensorRT
  /// before 8.6: "3d-unet-2022") by compiled int8, fp16 or fp8 engines of TensorRT. Refuses nets it
  /// has no work figure for.
  [[nodiscard]] Answer<double> samples(std::string_view net, Precision, const Gpu&) const;

  /// One 1024 x 1024 image of SDXL with `steps` denoising steps.
  [[nodiscard]] Answer<Seconds> sdxl(const Gpu&, double steps, bool tensorrt) const;

  /// Share of its own data-sheet tensor rate that the board's power lets the GPU keep up.
  [[nodiscard]] double powered(const Gpu&) const;

 private:
  struct Work {
    double flop = 0, bytes = 0, cycles = 0;  ///< of one sample, at the engines' usual shares
  };
  [[nodiscard]] double tensor_rate(const Gpu&, Precision) const;
  /// Of nets with many small kernels, which newer GPUs outrun.
  [[nodiscard]] double small_rate(const Gpu&, Precision) const;
  [[nodiscard]] double host_speed(const Gpu&) const;

  Collectives collectives_;
  double bandwidth_share_, flop_share_, cache_share_, unpack_share_, blend_;
  double fused_layer_, eager_layer_, eager_step_, nf4_layer_, double_layer_, llm_int8_layer_;
  double vllm_step_, vllm_sequence_, new_host_, reduce_share_, zero_share_;
  double hopper_share_, power_exponent_, reserve_;
  double forward_share_, score_passes_, hidden_passes_, compiled_passes_;
  double energy_12nm_, energy_4nm_, early_grouped_, bert_fp8_;
  double eager_rate_, vllm_layer_, expert_layer_, lmdeploy_grouped_;
  double unet3d_before_;
  Work resnet_, bert_, unet3d_, image_eager_, image_tensorrt_;
};

}  // namespace gpuvet::model
