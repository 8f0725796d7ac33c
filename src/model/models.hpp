// SPDX-License-Identifier: Apache-2.0
// All models, built once from the catalogue's constants.
#pragma once

#include "model/collectives.hpp"
#include "model/constants.hpp"
#include "model/convergence.hpp"
#include "model/host_sizing.hpp"
#include "model/inference.hpp"
#include "model/kernels.hpp"
#include "model/layered_mlperf.hpp"
#include "model/layered_training.hpp"
#include "model/memory.hpp"
#include "model/power.hpp"
#include "model/serving_benchmarks.hpp"
#include "model/serving_sizing.hpp"
#include "model/training.hpp"

namespace gpuvet::model {

struct Models {
  explicit Models(const Constants& c)
      : kernels(c),
        collectives(c),
        memory(c),
        training(c),
        convergence(c),
        layered_training(c, collectives),
        layered_mlperf(c, layered_training),
        inference(c),
        serving_benchmarks(c),
        power(c),
        host_sizing(c) {}
  // Models hold on to one another.
  Models(const Models&) = delete;
  Models& operator=(const Models&) = delete;

  Kernels kernels;
  Collectives collectives;
  Memory memory;
  Training training;
  Convergence convergence;
  LayeredTraining layered_training;
  LayeredMlperf layered_mlperf;
  Inference inference;
  ServingBenchmarks serving_benchmarks;
  Power power;
  HostSizing host_sizing;
};

}  // namespace gpuvet::model
