// SPDX-License-Identifier: Apache-2.0
// Active tests, run in a child process: what it measured is kept as it comes, a GPU that hangs or
// falls off the bus ends the test and not gpuvet, and its memory is free when the child is gone.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "device/sim/plants.hpp"
#include "gpuvet/commands.hpp"
#include "gpuvet/live_machine.hpp"
#include "gpuvet/simulated_machine.hpp"
#include "probe/probe.hpp"

namespace gpuvet::app {

struct ProbingOptions {
  std::string on;          ///< "gpu", "host"; of simulated servers the scenario decides
  std::string budget;      ///< "30s" for each probe; empty: as the level says
  std::string gpus;        ///< "0,3"; empty: all
  std::string folder;      ///< for files of storage tests; empty: the current one
  std::string peer;        ///< host that network tests talk to
  std::string seed;        ///< "1"
  std::string call_limit;  ///< "30s": how long one piece of work may take
  bool force = false;      ///< busy GPUs too
};

std::vector<Option> probing_options(ProbingOptions& options);

/// Where probes run.
struct ProbeTarget {
  std::string scenario;  ///< of a simulated server; empty: this machine
  std::vector<sim::Injected> faults;
  std::vector<device::Plant> plants;
};

/// The probes that `vet --level` runs, least time first.
std::vector<const probe::Probe*> probes_of_level(int level);

/// Runs `probes` and adds what they found to `evidence`; `thorough` as at level 3. Calls `kept`
/// after each piece, with all that was found so far. Errors: usage, or a device that is busy.
Result<void> run_probes(const std::vector<const probe::Probe*>& probes, bool thorough,
                        const ProbeTarget& target, const ProbingOptions& options,
                        const Context& context, Evidence& evidence,
                        const std::function<Result<void>(const Evidence&)>& kept);

/// Refuses where a GPU of `inventory` is busy, unless `options` force it.
Result<void> refuse_busy(const Evidence& inventory, const ProbingOptions& options);

}  // namespace gpuvet::app
