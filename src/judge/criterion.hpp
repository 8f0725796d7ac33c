// SPDX-License-Identifier: Apache-2.0
// One criterion against the evidence: a finding for each subject, or one that says why there is
// none.
#pragma once

#include <vector>

#include "judge/index.hpp"
#include "judge/verdict.hpp"

namespace gpuvet::judge {

std::vector<Finding> judge_criterion(const catalogue::Criterion&, const Index&, catalogue::Stage);

}  // namespace gpuvet::judge
