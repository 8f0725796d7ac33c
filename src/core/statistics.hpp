// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

namespace gpuvet {

/// The middle value, or the mean of the two middle ones. `values` must not be empty.
double median(std::vector<double> values);

}  // namespace gpuvet
