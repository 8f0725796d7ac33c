// SPDX-License-Identifier: Apache-2.0
#include "accuracy/kind.hpp"

namespace gpuvet::accuracy {
namespace {

model::Answer<model::Estimate> predict(const Row& row, const World&) {
  return model::refuse("no model for " + row.workload);
}

}  // namespace

Kind collectives_kind() {
  return {"collectives",
          [](const Row& row) {
            return row.kind == "allreduce" || row.kind == "allgather" ||
                   row.kind == "reducescatter" || row.kind == "alltoall" || row.kind == "p2p";
          },
          predict,
          {},
          {}};
}

}  // namespace gpuvet::accuracy
