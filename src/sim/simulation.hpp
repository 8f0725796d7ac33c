// SPDX-License-Identifier: Apache-2.0
// A scenario with its faults, advanced through simulated time: heat flows, clocks follow.
#pragma once

#include <vector>

#include "sim/faults.hpp"

namespace gpuvet::sim {

class Simulation {
 public:
  static Result<Simulation> start(const Scenario& scenario, std::vector<Injected> faults);

  /// The server at `seconds`; time never runs backwards.
  const World& at(double seconds);

  /// All GPUs work this hard from now on, whatever the scenario's profile says.
  void set_load(double load) { load_ = load; }

 private:
  Simulation(World built, std::vector<Injected> faults);
  void refresh(double seconds);
  void step(double seconds);

  World healthy_;  ///< carries heat, energy and counters from moment to moment
  World shown_;    ///< with the faults of this moment
  std::vector<Injected> faults_;
  double load_ = -1;
};

}  // namespace gpuvet::sim
