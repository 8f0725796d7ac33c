// SPDX-License-Identifier: Apache-2.0
#include "accuracy/kind.hpp"

namespace gpuvet::accuracy {
namespace {

model::Answer<model::Estimate> predict(const Row& row, const World&) {
  return model::refuse("no model for " + row.workload);
}

}  // namespace

Kind inference_kind() {
  return {"inference", [](const Row& row) { return row.kind == "inference"; }, predict, {}, {}};
}

}  // namespace gpuvet::accuracy
