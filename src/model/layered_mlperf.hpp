// SPDX-License-Identifier: Apache-2.0
// Entries of MLPerf Training for ResNet-50, BERT and Stable Diffusion: how fast, and how long until
// the benchmark's quality is reached.
#pragma once

#include <optional>
#include <string_view>

#include "model/layered_training.hpp"

namespace gpuvet::model {

enum class MlperfBenchmark { resnet50, bert, stable_diffusion };

/// "1.1" is 0, "2.0" 1, ... "4.1" 6, and so on: two rounds a year. Nothing for what is no round.
std::optional<double> mlperf_round(std::string_view version);

struct MlperfEntry {
  MlperfBenchmark benchmark{};
  double round = 3;         ///< as mlperf_round() counts
  double global_batch = 0;  ///< samples of one optimizer step
  double passes = 1;        ///< gradient accumulation
};

struct MlperfRun {
  double throughput = 0;       ///< samples a second while training
  double with_evaluation = 0;  ///< the same over the whole run
  Seconds to_quality;          ///< from start to the quality that ends the run
  double samples = 0;          ///< trained on until then
  LayeredStep step;
};

class LayeredMlperf {
 public:
  LayeredMlperf(const Constants&, const LayeredTraining&);

  /// `net`: ResNet-50, BERT-Large or the UNet of Stable Diffusion 2, BERT without padding (see
  /// bert_tokens()). Refuses what LayeredTraining refuses, and entries without a batch.
  [[nodiscard]] Answer<MlperfRun> run(const MlperfEntry&, const Net& net, const Gpu&,
                                      const Fabric&) const;

  /// Tokens of a sequence of 512 that are no padding, which tuned entries skip.
  [[nodiscard]] double bert_tokens() const { return 512 * bert_tokens_; }

 private:
  struct Benchmark {
    double gain;        ///< of speed, a round
    double evaluation;  ///< share of a run
    double samples;     ///< to quality, at small global batches
    double doubling;    ///< global batch that needs twice as many
    double small;       ///< global batch below which samples do not fall
    double early;       ///< more samples a round before `settled`
    double settled;
    double accumulated;  ///< more samples where gradients are accumulated: entries of few or small
                         ///< GPUs, which keep the settings of larger systems
  };
  [[nodiscard]] const Benchmark& of(MlperfBenchmark b) const {
    return benchmarks_[static_cast<std::size_t>(b)];
  }

  std::array<Benchmark, 3> benchmarks_;
  double start_, bert_tokens_;
  const LayeredTraining* training_;
};

}  // namespace gpuvet::model
