// SPDX-License-Identifier: Apache-2.0
// Lists of processors, "0-31,64-95" or "0 1 2 3", in one spelling.
#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "evidence/evidence.hpp"

namespace gpuvet::ingest {

/// Numbers in ascending order, once each; nothing when `text` is no such list. Empty for "".
std::optional<std::vector<int>> read_cpu_list(std::string_view text);

/// "0-31,64-95".
std::string format_cpu_list(const std::vector<int>& cpus);

/// The processors of NUMA nodes, and how many nodes have any: memory alone makes a node too.
void record_numa_cpus(Recorder& out, const std::map<int, std::vector<int>>& nodes);

}  // namespace gpuvet::ingest
