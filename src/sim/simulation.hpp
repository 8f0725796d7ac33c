// SPDX-License-Identifier: Apache-2.0
// A scenario with its faults, advanced through simulated time: heat flows, clocks follow.
#pragma once

#include <map>
#include <vector>

#include "sim/faults.hpp"

namespace gpuvet::sim {

class Simulation {
 public:
  /// Refuses faults that the scenario can't have: a dead fabric manager where there is none.
  static Result<Simulation> start(const Scenario& scenario, std::vector<Injected> faults);

  /// The server at `seconds`. Time never runs backwards: an earlier moment shows the latest.
  const World& at(double seconds);

  /// All GPUs are this busy from now on, whatever the scenario's profile says.
  void set_load(double load) { load_ = load; }

 private:
  /// What one GPU carries from moment to moment.
  struct Carried {
    double temperature = 0, energy = 0;
    std::map<unsigned, double> reason_seconds;
  };

  Simulation(World made, std::vector<Injected> faults)
      : made_{std::move(made)}, faults_{std::move(faults)} {}
  Result<void> show(double seconds);
  [[nodiscard]] double load_at(double seconds) const;
  [[nodiscard]] double next_change(double after) const;
  void flow(double seconds);
  void settle();

  World made_;   ///< without faults, at the beginning
  World shown_;  ///< with the faults of this moment
  std::vector<Carried> carried_;
  std::vector<Injected> faults_;
  double now_ = 0;
  double load_ = -1;
};

/// What power, clocks and reasons follow from a GPU's temperature, limits and load.
void settle_gpu(Gpu& gpu);

}  // namespace gpuvet::sim
