// SPDX-License-Identifier: Apache-2.0
#include "accuracy/kind.hpp"

namespace gpuvet::accuracy {
namespace {

model::Answer<model::Estimate> predict(const Row& row, const World&) {
  return model::refuse("no model for " + row.workload);
}

}  // namespace

Kind power_kind() {
  return {"power", [](const Row& row) { return row.kind == "power"; }, predict, {}, {}};
}

}  // namespace gpuvet::accuracy
