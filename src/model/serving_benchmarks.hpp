// SPDX-License-Identifier: Apache-2.0
// What published serving benchmarks load a server with, and what MLPerf's tuned servers answer.
#pragma once

#include <string_view>

#include "model/serving.hpp"

namespace gpuvet::model {

class ServingBenchmarks {
 public:
  explicit ServingBenchmarks(const Constants&);

  /// Conversations of ShareGPT as vLLM's and LMDeploy's benchmarks filter them: a prompt below 1024
  /// tokens, 2048 in all. The same text has fewer tokens of a larger vocabulary.
  [[nodiscard]] Lengths prompt(double vocabulary) const;
  [[nodiscard]] Lengths output(double vocabulary) const;
  /// Of benchmarks that send all prompts at once and don't tell their lengths.
  [[nodiscard]] Lengths burst_output() const;

  /// Latency that a share `quantile` (0.5, 0.9, 0.95, 0.99) of queries stays below in MLPerf
  /// Inference's server scenario, offered `load` of the offline rate of such GPUs. Submitters
  /// choose batch sizes and time-outs so that the 99th percentile stays under the benchmark's
  /// bound: the bound, not the GPU, sets the scale. "bert": 130 ms, "resnet50": 15 ms. Refuses
  /// other nets and quantiles.
  [[nodiscard]] Answer<Seconds> mlperf_server(std::string_view net, const Gpu&, double quantile,
                                              double load) const;

 private:
  double prompt_mean_, prompt_spread_, output_mean_, output_spread_, vocabulary_, burst_output_,
      burst_spread_;
  double slope_, hopper_, ampere_;
  std::array<double, 4> bert_, resnet_;
};

}  // namespace gpuvet::model
