// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <cmath>
#include <memory>

#include "core/text.hpp"
#include "gpuvet/commands.hpp"
#include "gpuvet/simulated_files.hpp"
#include "platform/files.hpp"
#include "sim/simulation.hpp"

namespace gpuvet::app {
namespace {

struct Options {
  std::string name, out, at, log, load, port;
  std::vector<std::string> faults;
};

Result<double> seconds_of(const std::string& option, const std::string& text) {
  if (text.empty()) return 0;
  const auto time = parse_measure(text);
  if (!time || time->unit != Unit::second || time->value < 0)
    return fail(Errc::usage,
                fmt::format("{} {}: not a duration; write 4h", option, printable(text)));
  return time->value;
}

/// The server at `at`, with what came before it where a log was asked for.
Result<std::vector<sim::World>> worlds(const Options& options, sim::Simulation& simulation) {
  GPUVET_TRY(const double at, seconds_of("--at", options.at));
  GPUVET_TRY(const double log, seconds_of("--log", options.log));
  constexpr double interval = 60, most = 10000;
  if (log / interval > most) return fail(Errc::usage, "--log: 166h at most, a sample a minute");
  std::vector<sim::World> out;
  const auto samples = static_cast<std::size_t>(std::floor(log / interval));
  for (std::size_t i = 0; i <= samples; ++i)
    out.push_back(simulation.at(at + static_cast<double>(i) * interval));
  return out;
}

Result<Exit> write_files(const Options& options, const Context& context) {
  GPUVET_TRY(const auto scenario, sim::scenario_named(options.name));
  std::vector<sim::Injected> faults;
  for (const auto& fault : options.faults) {
    GPUVET_TRY(faults.emplace_back(), sim::parse_injected(fault));
  }
  GPUVET_TRY(auto simulation, sim::Simulation::start(scenario, std::move(faults)));
  if (!options.load.empty()) {
    const auto load = parse_measure(options.load);
    if (!load || load->value < 0 || load->value > 1)
      return fail(Errc::usage, "--load: a share of all that the GPUs can do, 80%");
    simulation.set_load(load->value);
  }
  const auto port = options.port.empty() ? 9623 : parse_integer(options.port).value_or(0);
  if (port < 1 || port > 65535) return fail(Errc::usage, "--ipmi-port: 1 to 65535");
  if (platform::open_file(options.out + "/tree/proc/meminfo"))
    return fail(Errc::usage, options.out + " holds a server already: choose another folder");
  GPUVET_TRY(const auto log, worlds(options, simulation));
  GPUVET_CHECK(write_tree(log.back(), options.out + "/tree"));
  GPUVET_CHECK(write_rendered(log, options.out + "/files"));
  GPUVET_CHECK(write_controller(log.back(), options.out + "/bmc", static_cast<int>(port)));
  if (!context.quiet)
    GPUVET_CHECK(
        print(fmt::format("{0}/tree for vet --root, {0}/files for vet, {0}/bmc for "
                          "ipmi_sim and Redfish\n",
                          options.out)));
  return Exit::fit;
}

}  // namespace

Command sim_files_command(const Context& context) {
  const auto options = std::make_shared<Options>();
  return {"sim-files",
          "Write a simulated server to a folder: its tree, its tools' outputs, its controller",
          "  gpuvet sim-files dgx-a100 --fault nic-down --out rehearsal\n"
          "  gpuvet vet rehearsal/files\n"
          "  gpuvet vet --root rehearsal/tree",
          {{"NAME", "The simulated server (gpuvet sim list)", &options->name, "", true, {}},
           {"--fault",
            "What is wrong with it: nic-down, gpu-hot:3@2h",
            &options->faults,
            "FAULT",
            false,
            {}},
           {"--at", "How long it has been running (default 0)", &options->at, "TIME", false, {}},
           {"--load",
            "How hard the GPUs work (default: as the scenario says)",
            &options->load,
            "SHARE",
            false,
            {}},
           {"--log",
            "Length of a thermal log from then on (default: none)",
            &options->log,
            "TIME",
            false,
            {}},
           {"--ipmi-port", "Port for ipmi_sim (default 9623)", &options->port, "PORT", false, {}},
           {"--out", "Folder to write to", &options->out, "DIR", true, {}}},
          [options, &context] { return write_files(*options, context); }};
}

}  // namespace gpuvet::app
