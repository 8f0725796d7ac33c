// SPDX-License-Identifier: Apache-2.0
// When simulated work ends: pieces that run at the same time share the parts that they meet in,
// max-min fair, like fluids in pipes.
#pragma once

#include <cstddef>
#include <vector>

#include "sim/roads.hpp"

namespace gpuvet::device {

/// One piece of work. It starts when all of `after` have ended and `earliest` has come.
struct Flow {
  std::vector<sim::Use> uses;
  double fixed = 0;  ///< seconds that it takes besides, before anything flows
  double earliest = 0;
  std::vector<std::size_t> after;  ///< indices of flows before it
};

/// The moment at which each flow ends.
std::vector<double> end_times(const std::vector<Flow>& flows, const std::vector<double>& capacity);

}  // namespace gpuvet::device
