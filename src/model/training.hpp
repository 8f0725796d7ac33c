// SPDX-License-Identifier: Apache-2.0
// How long one optimizer step of a transformer takes, and where the time goes.
#pragma once

#include "model/collectives.hpp"
#include "model/constants.hpp"
#include "model/estimate.hpp"
#include "model/fabric.hpp"
#include "model/gpu.hpp"
#include "model/training_communication.hpp"
#include "model/training_compute.hpp"
#include "model/training_job.hpp"

namespace gpuvet::model {

struct TrainingStep {
  Seconds total;
  Seconds compute;        ///< products, attention, element-wise work, launches
  Seconds communication;  ///< as far as nothing hides it
  Seconds bubble;         ///< of the pipeline
  Seconds optimizer;
  Seconds stall;           ///< loading, logging, clipping: once a step
  double tokens = 0;       ///< of all ranks in one step
  double model_flop = 0;   ///< forward and backward without recomputing, of all ranks
  double utilisation = 0;  ///< MFU: model_flop over what the bf16 data-sheet rates allow
  std::vector<std::string> notes;

  [[nodiscard]] double tokens_per_second() const { return tokens / total.base(); }
};

class Training {
 public:
  explicit Training(const Constants&);

  /// Refuses jobs whose weights, gradients and optimizer states alone exceed the GPU's memory,
  /// ranks that do not divide, types that the GPU lacks, and fabrics whose speed isn't known.
  [[nodiscard]] Answer<TrainingStep> step(const TrainingJob&, const Gpu&, const Fabric&) const;

  /// What weights, gradients and optimizer states take on one GPU at least.
  [[nodiscard]] static Bytes states(const TrainingJob&, int data_parallel_ranks);

 private:
  TrainingCompute compute_;
  TrainingCommunication communication_;
  double weights_exposed_, weights_exposed_scripts_, stall_;
};

/// FLOPs of the model's products and attention for one token, forward and backward.
double training_flop_per_token(const TrainingJob&);

}  // namespace gpuvet::model
