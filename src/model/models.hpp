// SPDX-License-Identifier: Apache-2.0
// All models, built once from the catalogue's constants.
#pragma once

#include "model/collectives.hpp"
#include "model/constants.hpp"
#include "model/convergence.hpp"
#include "model/kernels.hpp"
#include "model/training.hpp"

namespace gpuvet::model {

struct Models {
  explicit Models(const Constants& c) : kernels(c), collectives(c), training(c), convergence(c) {}

  Kernels kernels;
  Collectives collectives;
  Training training;
  Convergence convergence;
};

}  // namespace gpuvet::model
