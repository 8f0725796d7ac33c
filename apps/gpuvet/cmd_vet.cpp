// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <memory>

#include "gpuvet/bundles.hpp"
#include "gpuvet/judging.hpp"
#include "gpuvet/simulated_files.hpp"
#include "gpuvet/simulated_machine.hpp"

namespace gpuvet::app {

namespace {

constexpr std::string_view simulated = "sim:";

bool is_simulated(const std::string& target) { return target.starts_with(simulated); }

/// Judges as on the machine itself, which here has a library and a file tree of its own.
Result<Exit> judge_simulated(JudgingOptions judging, const SimulationOptions& options,
                             const Context& context) {
  if (judging.targets.size() != 1)
    return fail(Errc::usage, "a simulated server is judged alone, without other targets");
  const auto name = judging.targets.front().substr(simulated.size());
  GPUVET_TRY(const auto machine, simulate(name, options));
  GPUVET_CHECK(write_tree(machine.world, machine.folder.path()));
  judging.targets.clear();
  judging.live.root = machine.folder.path();
  judging.live.nvml = machine.library;
  judging.target.scenario = name;
  GPUVET_TRY(auto faults, faults_of(options));
  judging.target.faults = std::move(faults.server);
  judging.target.plants = std::move(faults.plants);
  return judge_and_print(judging, context);
}

}  // namespace

Command vet_command(const Context& context) {
  const auto options = std::make_shared<JudgingOptions>();
  Command out{"vet",
              "Judge this machine, or a server from files",
              "  gpuvet vet                                    judge this machine, in seconds\n"
              "  gpuvet vet evidence/                          judge all files of a folder, three "
              "levels deep\n"
              "  gpuvet vet topo.txt smi.xml --for serve-13b   ask about a workload too\n"
              "  nvidia-smi topo -m | gpuvet vet -             judge what a tool prints\n"
              "  gpuvet vet --level 2 --keep bundle             run quick probes too, two minutes\n"
              "  gpuvet vet sim:dgx-a100 --fault gpu-hot:5      judge a simulated server\n"
              "  gpuvet vet sim:dgx-a100 --level 2 --fault memory-row:3\n"
              "  gpuvet vet evidence/ --json - --html report.html",
              judging_options(*options),
              {}};
  out.options.insert(out.options.begin(),
                     {"TARGET",
                      "Files, folders or bundles of evidence; - reads standard input; none: this "
                      "machine",
                      &options->targets,
                      "",
                      false,
                      {}});
  const auto level = std::make_shared<std::string>();
  out.options.push_back({"--level",
                         "How much is run on this machine: 1 nothing, seconds; 2 quick probes, "
                         "about two minutes; 3 all probes, about a quarter of an hour",
                         level.get(),
                         "",
                         false,
                         {"1", "2", "3"}});
  out.options.push_back({"--keep",
                         "Folder for a bundle of all that was found, written as it comes",
                         &options->bundle,
                         "DIR",
                         false,
                         {}});
  for (auto& option : probing_options(options->probing)) out.options.push_back(std::move(option));
  for (auto& option : live_options(options->live)) out.options.push_back(std::move(option));
  const auto simulation = std::make_shared<SimulationOptions>();
  for (auto& option : simulation_options(*simulation)) out.options.push_back(std::move(option));
  out.run = [options, simulation, level, &context]() -> Result<Exit> {
    if (!level->empty()) options->level = level->front() - '0';
    const bool files = !options->targets.empty() &&
                       std::none_of(options->targets.begin(), options->targets.end(), is_simulated);
    if (files && (options->level > 1 || !options->bundle.empty()))
      return fail(Errc::usage, "--level and --keep are for a machine, not for files");
    if (!options->bundle.empty()) GPUVET_CHECK(refuse_existing(options->bundle));
    if (std::any_of(options->targets.begin(), options->targets.end(), is_simulated))
      return judge_simulated(*options, *simulation, context);
    if (!simulation->faults.empty() || !simulation->speed.empty() || !simulation->at.empty() ||
        !simulation->load.empty())
      return fail(Errc::usage,
                  "--fault, --speed, --at and --load are for simulated servers: sim:NAME");
    return judge_and_print(*options, context);
  };
  return out;
}

}  // namespace gpuvet::app
