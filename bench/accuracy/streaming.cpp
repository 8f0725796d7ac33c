// SPDX-License-Identifier: Apache-2.0
#include "accuracy/kind.hpp"

namespace gpuvet::accuracy {
namespace {

model::Answer<model::Estimate> predict(const Row& row, const World&) {
  return model::refuse("no model for " + row.workload);
}

}  // namespace

Kind streaming_kind() {
  return {"streaming",
          [](const Row& row) { return row.kind == "hbm" || row.kind == "latency"; },
          predict,
          {},
          {}};
}

}  // namespace gpuvet::accuracy
