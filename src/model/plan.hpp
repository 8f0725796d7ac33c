// SPDX-License-Identifier: Apache-2.0
// How a training job is best laid out on a machine: the fastest layout that surely fits.
#pragma once

#include <string>

#include "model/machine.hpp"
#include "model/memory.hpp"
#include "model/training.hpp"

namespace gpuvet::model {

/// What the user fixed of the layout; the rest is searched.
struct Fixed {
  bool micro_batch = false, tensor = false, pipeline = false, sharding = false, recompute = false;
};

struct Plan {
  TrainingJob job;
  int ranks = 1;
  MemoryEstimate memory;
  Fits fits = Fits::uncertain;
  TrainingStep step;
};

/// "ZeRO-3 over 8 GPUs, 2 sequences in each pass, layers recomputed": for people.
std::string describe(const Plan&);

class Planner {
 public:
  Planner(const Memory& memory, const Training& training) : memory_{memory}, training_{training} {}

  /// Of the layouts that fit the fastest, else the fastest of those that may. Refuses with the
  /// arithmetic of the smallest where none can fit.
  [[nodiscard]] Answer<Plan> plan(const TrainingJob&, const Fixed&, const Machine&) const;

 private:
  const Memory& memory_;
  const Training& training_;
};

}  // namespace gpuvet::model
