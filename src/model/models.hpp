// SPDX-License-Identifier: Apache-2.0
// All models, built once from the catalogue's constants.
#pragma once

#include "model/collectives.hpp"
#include "model/constants.hpp"
#include "model/host_sizing.hpp"
#include "model/kernels.hpp"
#include "model/memory.hpp"
#include "model/power.hpp"
#include "model/training.hpp"

namespace gpuvet::model {

struct Models {
  explicit Models(const Constants& c)
      : kernels(c), collectives(c), memory(c), training(c), power(c), host_sizing(c) {}

  Kernels kernels;
  Collectives collectives;
  Memory memory;
  Training training;
  Power power;
  HostSizing host_sizing;
};

}  // namespace gpuvet::model
