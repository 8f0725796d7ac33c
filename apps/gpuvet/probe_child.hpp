// SPDX-License-Identifier: Apache-2.0
// The child that probing.cpp starts: opens the devices, runs the probes, and writes what it finds.
// Its lines: observations as JSON, "#probe N", "#progress SHARE WHAT", "#done",
// "#failed CODE\tSUBJECT\tTEXT", and "#end" after the last probe.
#pragma once

#include <string>
#include <vector>

#include "gpuvet/probing.hpp"

namespace gpuvet::app {

/// How one run is set up; the same for every child.
struct ProbeSetup {
  const ProbeTarget& target;
  const ProbingOptions& options;
  std::vector<const probe::Probe*> probes;
  std::vector<double> budgets;  ///< seconds, one for each probe
  bool thorough = false;
  std::uint64_t seed = 1;
  double call_limit = 30;
  std::vector<int> gpus;              ///< by index; none: all
  std::vector<std::string> left_out;  ///< subjects that were lost on the way
};

/// Runs the probes from number `first` on, writes to `fd`, and ends the process.
[[noreturn]] void run_child(int fd, const ProbeSetup& setup, std::size_t first);

}  // namespace gpuvet::app
