// SPDX-License-Identifier: Apache-2.0
// What the ranks of a training step exchange, and how much of it the products can't hide.
#pragma once

#include "model/collectives.hpp"
#include "model/constants.hpp"
#include "model/training_job.hpp"

namespace gpuvet::model {

/// Ranks left for data parallelism; 0 where tensor x pipeline x context do not divide them.
int data_parallel(const TrainingJob&, const Fabric&);

/// The fabric that one of several groups sees when every group takes `ranks` GPUs, each `stride`
/// after the one before: its share of the servers' adapters, none of its neighbours' GPUs.
Fabric group_fabric(const Fabric&, int ranks, int stride);

class TrainingCommunication {
 public:
  explicit TrainingCommunication(const Constants&);

  /// Activations between tensor- and context-parallel ranks, for one layer and micro-batch, as far
  /// as they stop the GPU.
  [[nodiscard]] Answer<Seconds> layer(const TrainingJob&, const Fabric&) const;
  /// Weights and gradients of one micro-batch between ranks that share a copy (ZeRO-3, FSDP), all
  /// of it, hidden or not.
  [[nodiscard]] Answer<Seconds> weights(const TrainingJob&, const Fabric&) const;
  /// Gradients of a whole step between data-parallel ranks, as far as they stop the GPU.
  [[nodiscard]] Answer<Seconds> gradients(const TrainingJob&, const Fabric&) const;

 private:
  Collectives collectives_;
  double tensor_exposed_, overlapped_, gradients_exposed_;
};

}  // namespace gpuvet::model
