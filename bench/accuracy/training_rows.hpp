// SPDX-License-Identifier: Apache-2.0
// What a row about training a language model ran: the job, the GPU and the fabric, and how a step's
// time becomes the row's metric.
#pragma once

#include "accuracy/kind.hpp"
#include "model/training_job.hpp"

namespace gpuvet::accuracy {

struct TrainingRow {
  model::TrainingJob job;
  model::Gpu gpu;
  model::Fabric fabric;
  std::string framework;   ///< for intervals: programs of one family share a name
  bool to_target = false;  ///< the metric is the time to a target quality
  double samples = 0;      ///< sequences until that target
  double difficulty = 1;   ///< see model::Estimate
  std::vector<std::string> notes;
};

/// Refuses rows that leave out what was trained, on what, or with how long sequences.
model::Answer<TrainingRow> training_row(const Row&, const World&);

/// The row's metric in base units for steps of `seconds`. Refuses metrics that don't follow from
/// it.
model::Answer<double> metric_of(const Row&, const TrainingRow&, double seconds);

/// FLOPs of the model for one step of all ranks, attention counted in full as benchmarks do.
double nominal_flop(const model::TrainingJob&);

}  // namespace gpuvet::accuracy
