// SPDX-License-Identifier: Apache-2.0
// How much data MLPerf's language models need to reach their target quality.
#pragma once

#include <cmath>

#include "model/constants.hpp"

namespace gpuvet::model {

class Convergence {
 public:
  explicit Convergence(const Constants& c)
      : lora_samples_(c.at("training.lora_samples")),
        lora_growth_(c.at("training.lora_growth")),
        gpt3_samples_(c.at("training.gpt3_samples")) {}

  /// Sequences of 8192 tokens until Llama-2-70B LoRA's target, evaluation pauses included: larger
  /// batches need more data.
  [[nodiscard]] double llama_lora_samples(double global_batch) const {
    return lora_samples_ * std::pow(global_batch / 8, lora_growth_);
  }
  /// Sequences of 2048 tokens of GPT-3's benchmark, at batches of 1536 to 3072.
  [[nodiscard]] double gpt3_samples() const { return gpt3_samples_; }

 private:
  double lora_samples_, lora_growth_, gpt3_samples_;
};

}  // namespace gpuvet::model
