// SPDX-License-Identifier: Apache-2.0
// One published measurement: a line of a table with the columns id, kind, gpu_norm, gpu, n_gpus,
// n_nodes, topology, workload, params, metric, value, unit, split, group.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.hpp"

namespace gpuvet::accuracy {

struct Row {
  std::string id, kind, gpu_norm, gpu, topology, workload, metric, unit, group, note;
  int gpus = 1, nodes = 1;
  std::map<std::string, std::string, std::less<>> params;
  std::optional<double> value;  ///< in base units; nothing where it is to be predicted
  double scale = 1;             ///< of the row's unit in base units: 1e-6 for "us"

  [[nodiscard]] std::string_view param(std::string_view name) const;  ///< empty: not given
  [[nodiscard]] std::optional<double> number(std::string_view name) const;
};

/// Base units in one of `unit`: "us" 1e-6, "GB/s" 1e9, "GiB/GPU" 2^30, "tokens/s" 1, "%" 0.01.
double scale_of(std::string_view unit);

/// The rows of a table. A line with too few columns or a figure that is none is an error with its
/// number.
Result<std::vector<Row>> read_rows(std::string_view text);

}  // namespace gpuvet::accuracy
