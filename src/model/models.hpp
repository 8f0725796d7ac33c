// SPDX-License-Identifier: Apache-2.0
// All models, built once from the catalogue's constants.
#pragma once

#include "model/collectives.hpp"
#include "model/constants.hpp"
#include "model/kernels.hpp"
#include "model/layered_mlperf.hpp"
#include "model/layered_training.hpp"

namespace gpuvet::model {

struct Models {
  explicit Models(const Constants& c)
      : kernels(c),
        collectives(c),
        layered_training(c, collectives),
        layered_mlperf(c, layered_training) {}
  // Models hold on to one another.
  Models(const Models&) = delete;
  Models& operator=(const Models&) = delete;

  Kernels kernels;
  Collectives collectives;
  LayeredTraining layered_training;
  LayeredMlperf layered_mlperf;
};

}  // namespace gpuvet::model
