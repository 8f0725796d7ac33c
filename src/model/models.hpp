// SPDX-License-Identifier: Apache-2.0
// All models, built once from the catalogue's constants.
#pragma once

#include "model/collectives.hpp"
#include "model/constants.hpp"
#include "model/kernels.hpp"
#include "model/memory.hpp"

namespace gpuvet::model {

struct Models {
  explicit Models(const Constants& c) : kernels(c), collectives(c), memory(c) {}

  Kernels kernels;
  Collectives collectives;
  Memory memory;
};

}  // namespace gpuvet::model
