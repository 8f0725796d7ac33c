// SPDX-License-Identifier: Apache-2.0
// All models, built once from the catalogue's constants.
#pragma once

#include "model/collectives.hpp"
#include "model/constants.hpp"
#include "model/inference.hpp"
#include "model/kernels.hpp"
#include "model/serving_benchmarks.hpp"

namespace gpuvet::model {

struct Models {
  explicit Models(const Constants& c) : kernels(c), collectives(c), inference(c), serving_benchmarks(c) {}

  Kernels kernels;
  Collectives collectives;
  Inference inference;
  ServingBenchmarks serving_benchmarks;
};

}  // namespace gpuvet::model
