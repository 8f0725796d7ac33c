// SPDX-License-Identifier: Apache-2.0
#include "accuracy/kind.hpp"

namespace gpuvet::accuracy {
namespace {

model::Answer<model::Estimate> predict(const Row& row, const World&) {
  return model::refuse("no model for " + row.workload);
}

}  // namespace

Kind transformer_training_kind() {
  return {"transformer_training",
          [](const Row& row) {
            return row.kind == "training" && row.workload.find("MLPerf") == std::string::npos;
          },
          predict,
          {},
          {}};
}

}  // namespace gpuvet::accuracy
