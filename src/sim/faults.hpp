// SPDX-License-Identifier: Apache-2.0
// What can go wrong with a simulated server: each fault is a named change of the world, from a
// given time on, with what should find it.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "sim/world.hpp"

namespace gpuvet::sim {

/// Who can see it.
enum class Seen { nvml, log, tree, controller, environment };

struct Fault {
  std::string_view id, title;
  Seen seen;
  std::string_view criterion;  ///< the criterion that must find it; empty: see `title`
  std::string_view subject;    ///< kind: "gpu", "node", "nic", "bmc"
  /// Criteria that the same cause may set off too: a lost GPU also leaves a log line.
  std::string_view also;
  /// Changes `world`, `seconds` after it began; `target` is a GPU's index or another part's number.
  /// Called for every moment anew, on a world without it. Returns why it makes no sense here.
  Result<void> (*apply)(World& world, int target, double seconds);
};

/// Sorted by id.
std::span<const Fault> faults();
const Fault* fault_named(std::string_view id);

/// "hot-gpu", "hot-gpu:5" (which GPU, adapter, ...), "airflow-blocked@4h", "hot-gpu:5@90min".
struct Injected {
  const Fault* fault = nullptr;
  int target = -1;  ///< -1: the fault's own choice
  double at = 0;    ///< simulated seconds
};
Result<Injected> parse_injected(std::string_view text);

}  // namespace gpuvet::sim
