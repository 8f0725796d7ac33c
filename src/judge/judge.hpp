// SPDX-License-Identifier: Apache-2.0
// Evidence + catalogue -> verdict. The only place that has opinions, and it gets all of them from
// the catalogue. Pure.
#pragma once

#include <string>
#include <vector>

#include "judge/verdict.hpp"

namespace gpuvet::judge {

struct Request {
  catalogue::Stage stage = catalogue::Stage::purchase;
  std::vector<std::string> workloads;  ///< asked for by id; the verdict counts them
};

/// `inputs` and `server` of the result are left to the caller. Unknown workload ids are ignored:
/// check them against the catalogue first.
Verdict judge(Evidence evidence, const catalogue::Catalogue& catalogue, const Request& request);

}  // namespace gpuvet::judge
