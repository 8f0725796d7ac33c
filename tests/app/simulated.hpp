// SPDX-License-Identifier: Apache-2.0
// A simulated server judged twice: through its NVML and tree, as a machine; and from the files that
// its tools print.
#pragma once

#include <gtest/gtest.h>

#include <fmt/format.h>

#include <chrono>
#include <cstdlib>
#include <string>
#include <vector>

#include "catalogue/catalogue.hpp"
#include "catalogue/packed.hpp"
#include "derive/derive.hpp"
#include "gpuvet/evidence_files.hpp"
#include "gpuvet/live_machine.hpp"
#include "gpuvet/simulated_files.hpp"
#include "judge/judge.hpp"
#include "platform/self.hpp"
#include "sim/simulation.hpp"

namespace gpuvet::app::testing {

inline const catalogue::Catalogue& knowledge() {
  static const auto all = catalogue::built_in();
  return all;
}

inline judge::Verdict judged(std::vector<derive::FileEvidence> files) {
  auto one = derive::one_server(std::move(files), {});
  EXPECT_TRUE(one) << (one ? "" : one.error().message());
  if (!one) return {};
  constexpr double thermal_seconds = 4 * 3600;
  return judge::judge(derive::derive(std::move(*one), knowledge(), {thermal_seconds}), knowledge(),
                      {catalogue::Stage::prejob, {}});
}

/// A server of the built-in scenarios, in a folder that goes with it.
class Simulated {
 public:
  /// After `seconds`, with all GPUs that busy; negative: as the scenario says.
  explicit Simulated(const std::string& scenario, const std::string& faults = "",
                     double seconds = 0, double load = -1) {
    std::vector<sim::Injected> injected;
    if (!faults.empty()) injected.push_back(sim::parse_injected(faults).value());
    auto simulation = sim::Simulation::start(sim::scenario_named(scenario).value(), injected);
    possible_ = simulation.has_value();
    if (!possible_) return;
    if (load >= 0) simulation->set_load(load);
    world_ = simulation->at(seconds);
    EXPECT_TRUE(write_tree(world_, folder_.path() + "/tree"));
    EXPECT_TRUE(write_rendered({world_}, folder_.path() + "/files"));
    // The library reads them in the child process that asks it.
    ::setenv("GPUVET_SIM", scenario.c_str(), 1);
    ::setenv("GPUVET_SIM_FAULTS", faults.c_str(), 1);
    const double now =
        std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
    ::setenv("GPUVET_SIM_SPEED", seconds > 0 ? "1" : "0", 1);
    ::setenv("GPUVET_SIM_START", fmt::format("{:.3f}", now - seconds).c_str(), 1);
    ::setenv("GPUVET_SIM_LOAD", load >= 0 ? fmt::format("{}", load).c_str() : "", 1);
  }

  /// Whether that fault makes sense for that server.
  [[nodiscard]] bool possible() const { return possible_; }
  [[nodiscard]] const sim::World& world() const { return world_; }
  [[nodiscard]] std::string folder() const { return folder_.path(); }

  [[nodiscard]] judge::Verdict as_machine() const {
    LiveOptions options;
    options.root = folder_.path() + "/tree";
    options.nvml = GPUVET_NVML;
    options.call_limit = "3s";
    auto live = gather_live(options);
    EXPECT_TRUE(live);
    return live ? judged(std::move(live->gathered.evidence)) : judge::Verdict{};
  }
  [[nodiscard]] judge::Verdict as_files() const {
    auto gathered = gather({folder_.path() + "/files"}, false);
    EXPECT_TRUE(gathered);
    if (!gathered) return {};
    for (const auto& complaint : gathered->complaints) ADD_FAILURE() << complaint;
    return judged(std::move(gathered->evidence));
  }

 private:
  /// In memory where there is room: a tree is thousands of files.
  platform::ScratchFolder folder_ = platform::ScratchFolder::make().value();
  sim::World world_;
  bool possible_ = false;
};

}  // namespace gpuvet::app::testing
