// SPDX-License-Identifier: Apache-2.0
// What one micro-batch costs one GPU in a training step, communication aside.
#pragma once

#include <string_view>

#include "core/quantity.hpp"
#include "model/constants.hpp"
#include "model/gpu.hpp"
#include "model/training_job.hpp"

namespace gpuvet::model {

/// How a training program runs its layers; it decides what element-wise work and launches cost.
enum class Stack {
  eager,    ///< PyTorch kernel by kernel, lean code: llm-foundry, torchtitan, fms-fsdp
  compiled  ///< torch.compile
  ,
  fused,   ///< hand-fused kernels: Megatron, NeMo, Transformer Engine
  scripts  ///< general libraries: Transformers, PEFT, DeepSpeed
};

/// Unknown frameworks count as eager, or compiled where the job says so.
Stack stack_of(const TrainingJob&);
bool is_known_framework(std::string_view);

struct MicroBatch {
  Seconds layer;    ///< one layer, forward, recomputed and backward
  Seconds head;     ///< output projection, softmax and loss
  double flop = 0;  ///< of the layer's forward pass in matrix products and attention
};

class TrainingCompute {
 public:
  explicit TrainingCompute(const Constants&);

  [[nodiscard]] MicroBatch micro_batch(const TrainingJob&, const Gpu&) const;
  /// All ranks' optimizer states in `shards` parts.
  [[nodiscard]] Seconds optimizer(const TrainingJob&, const Gpu&, double shards) const;
  /// FLOP/s that a large matrix product of the job's precision reaches for hours.
  [[nodiscard]] FlopPerSecond sustained(const Gpu&, Precision) const;

 private:
  struct Passes {
    Seconds forward, backward;
  };
  [[nodiscard]] double elementwise_share(const TrainingJob&, Stack) const;
  [[nodiscard]] Passes attention(const TrainingJob&, const Gpu&, Stack, double tokens) const;
  [[nodiscard]] Seconds launches(const TrainingJob&, Stack) const;

  double gemm_, power_exponent_, gemm_traffic_, gemm_fp8_, gemm_fp32_;
  double elementwise_, rms_, autocast_, compiled_, fused_, scripts_, adapters_;
  double attention_, attention_2_, attention_hopper_, attention_fused_;
  double gradient_traffic_, dequantise_;
  double launch_, launch_scripts_, launch_quantised_;
};

/// About the greater of two times that run side by side, rounded where they are alike.
Seconds longer_of(Seconds, Seconds, double sharpness);

}  // namespace gpuvet::model
