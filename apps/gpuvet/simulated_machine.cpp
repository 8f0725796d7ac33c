// SPDX-License-Identifier: Apache-2.0
#include "gpuvet/simulated_machine.hpp"

#include <fmt/format.h>

#include <chrono>

#include "core/text.hpp"
#include "platform/files.hpp"
#include "platform/terminal.hpp"

namespace gpuvet::app {
namespace {

constexpr std::string_view library_name = "libnvidia-ml.so.1";

/// Beside the program in a build, in ../lib/gpuvet once installed.
Result<std::string> find_library() {
  GPUVET_TRY(const auto own, platform::own_path());
  const auto folder = own.substr(0, own.rfind('/'));
  for (const auto* place :
       {"/lib/gpuvet/", "/../lib/gpuvet/", "/../lib/x86_64-linux-gnu/gpuvet/", "/"}) {
    auto path = folder + place + std::string(library_name);
    if (platform::file_size(path) > 0) return path;
  }
  return fail(Errc::not_found, fmt::format("the simulated {} is neither in {}/lib/gpuvet nor in "
                                           "{}/../lib/gpuvet: build or install the "
                                           "target gpuvet_nvml",
                                           library_name, folder, folder));
}

Result<double> measured(const std::string& text, const char* option, Unit unit, double otherwise) {
  if (text.empty()) return otherwise;
  const auto measure = parse_measure(text);
  if (!measure || (measure->unit != unit && measure->unit != Unit::none) || measure->value < 0)
    return fail(Errc::usage, fmt::format("{} {}: not understood", option, printable(text)));
  return measure->value;
}

}  // namespace

Result<sim::Scenario> scenario_of(const std::string& name) {
  if (name.find('/') == std::string::npos && !name.ends_with(".toml"))
    return sim::scenario_named(name);
  constexpr std::size_t most = std::size_t{1} << 20;
  GPUVET_TRY(const auto text, platform::read_file(name, most));
  return in_context(sim::parse_scenario(text), name);
}

Result<Faults> faults_of(const SimulationOptions& options) {
  Faults out;
  for (const auto& text : options.faults) {
    if (device::plant_named(text.substr(0, text.find(':'))) != nullptr) {
      GPUVET_TRY(const auto plant, device::parse_plant(text));
      out.plants.push_back(plant);
      continue;
    }
    GPUVET_TRY(const auto fault, sim::parse_injected(text));
    out.server.push_back(fault);
    out.server_texts.push_back(text);
  }
  return out;
}

std::vector<Option> simulation_options(SimulationOptions& options) {
  return {
      {"--fault",
       "What goes wrong, with which part and when: gpu-hot:5@4h (gpuvet sim list)",
       &options.faults,
       "F[:N][@T],…",
       false,
       {}},
      {"--speed", "Simulated seconds that pass in one (default 1)", &options.speed, "N", false, {}},
      {"--at", "Simulated moment to begin at (default 0 s)", &options.at, "TIME", false, {}},
      {"--load",
       "How busy all simulated GPUs are: 100 % (default: as the scenario says)",
       &options.load,
       "SHARE",
       false,
       {}},
  };
}

Result<SimulatedMachine> simulate(const std::string& name, const SimulationOptions& options) {
  GPUVET_TRY(const auto scenario, scenario_of(name));
  GPUVET_TRY(const double speed, measured(options.speed, "--speed", Unit::none, 1));
  GPUVET_TRY(const double at, measured(options.at, "--at", Unit::second, 0));
  GPUVET_TRY(const double load, measured(options.load, "--load", Unit::ratio, 0));
  if (load > 1) return fail(Errc::usage, "--load " + printable(options.load) + ": at most 100 %");
  GPUVET_TRY(const auto faults, faults_of(options));
  for (const auto& plant : faults.plants)
    if (static_cast<std::size_t>(plant.gpu) >= scenario.gpus.size())
      return fail(Errc::usage, fmt::format("--fault {}:{}: the server has no such GPU",
                                           device::info(plant.kind).name, plant.gpu));
  GPUVET_TRY(auto simulation, sim::Simulation::start(scenario, faults.server));
  if (!options.load.empty()) simulation.set_load(load);
  GPUVET_TRY(auto library, find_library());
  GPUVET_TRY(auto folder, platform::ScratchFolder::make());

  // All programs that are started agree on the moment when the simulated time began.
  using Seconds = std::chrono::duration<double>;
  const double now = Seconds(std::chrono::system_clock::now().time_since_epoch()).count();
  const double began = speed > 0 ? now - at / speed : now;
  platform::set_environment("GPUVET_SIM", name);
  platform::set_environment("GPUVET_SIM_FAULTS", join(faults.server_texts, ","));
  platform::set_environment("GPUVET_SIM_SPEED", fmt::format("{}", speed));
  platform::set_environment("GPUVET_SIM_START", fmt::format("{:.6f}", began));
  platform::set_environment("GPUVET_SIM_LOAD", options.load.empty() ? "" : fmt::format("{}", load));
  auto world = simulation.at(at);
  for (const auto& [variable, value] : world.environment)
    platform::set_environment(variable, value);
  return SimulatedMachine{std::move(library), std::move(folder), std::move(world)};
}

}  // namespace gpuvet::app
