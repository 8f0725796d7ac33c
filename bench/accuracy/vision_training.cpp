// SPDX-License-Identifier: Apache-2.0
#include "accuracy/kind.hpp"

namespace gpuvet::accuracy {
namespace {

model::Answer<model::Estimate> predict(const Row& row, const World&) {
  return model::refuse("no model for " + row.workload);
}

}  // namespace

Kind vision_training_kind() {
  return {"vision_training",
          [](const Row& row) { return row.kind == "training" && !is_language_model(row); },
          predict,
          {},
          {}};
}

}  // namespace gpuvet::accuracy
