// SPDX-License-Identifier: Apache-2.0
// A simulated server as a target, or as the surroundings of any program.
#pragma once

#include <string>
#include <vector>

#include "device/sim/plants.hpp"
#include "gpuvet/commands.hpp"
#include "platform/self.hpp"
#include "sim/simulation.hpp"

namespace gpuvet::app {

struct SimulationOptions {
  std::vector<std::string> faults;  ///< "gpu-hot:5@4h"
  std::string speed;                ///< simulated seconds per second: "3600"
  std::string at;                   ///< simulated moment to begin at: "5h"
  std::string load;                 ///< how busy all GPUs are: "100 %"
};

/// What --fault asks for, apart by who presents it.
struct Faults {
  std::vector<sim::Injected> server;      ///< seen by NVML, files and controller
  std::vector<std::string> server_texts;  ///< the same, as they were written
  std::vector<device::Plant> plants;      ///< strike while probes run
};
Result<Faults> faults_of(const SimulationOptions& options);

/// A built-in scenario, or one in a file.
Result<sim::Scenario> scenario_of(const std::string& name);

std::vector<Option> simulation_options(SimulationOptions& options);

/// A server that programs started from here on take for the one they run on.
struct SimulatedMachine {
  std::string library;             ///< the simulated libnvidia-ml.so.1, by full path
  platform::ScratchFolder folder;  ///< an empty one, for what stands in place of /
  sim::World world;                ///< at the moment asked for
};

/// Checks name and options, and sets GPUVET_SIM and its companions for this process and those that
/// it starts.
Result<SimulatedMachine> simulate(const std::string& name, const SimulationOptions& options);

}  // namespace gpuvet::app
