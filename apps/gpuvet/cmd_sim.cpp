// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <array>
#include <memory>

#include "core/text.hpp"
#include "evidence/json.hpp"
#include "gpuvet/simulated_files.hpp"
#include "gpuvet/simulated_machine.hpp"
#include "platform/files.hpp"
#include "platform/mounts.hpp"
#include "platform/root.hpp"
#include "platform/terminal.hpp"

namespace gpuvet::app {
namespace {

struct Options {
  std::string action, name, json;
  std::vector<std::string> command;
  bool library_only = false;
  SimulationOptions simulation;
};

constexpr std::array<std::string_view, 5> seen = {"nvml", "log", "tree", "controller",
                                                  "environment"};

Result<Exit> list(const Options& options) {
  std::string out = "Servers:\n";
  Json servers = Json::array(), faults = Json::array(), planted = Json::array();
  for (const auto& named : sim::scenarios()) {
    GPUVET_TRY(const auto scenario, sim::scenario_named(named.id));
    out += fmt::format("  {:<24}{}\n", scenario.id, scenario.title);
    servers.push_back({{"id", scenario.id}, {"title", scenario.title}});
  }
  out += "\nFaults:\n";
  for (const auto& fault : sim::faults()) {
    out += fmt::format("  {:<24}{}\n", fault.id, fault.title);
    Json also = Json::array();
    for (const auto id : words(fault.also)) also.push_back(id);
    faults.push_back({{"id", fault.id},
                      {"title", fault.title},
                      {"seen", seen[static_cast<std::size_t>(fault.seen)]},
                      {"criterion", fault.criterion},
                      {"subject", fault.subject},
                      {"also", std::move(also)}});
  }
  out += "\nFaults that only probes find (--level 2, gpuvet probe):\n";
  for (const auto& plant : device::plant_kinds()) {
    out += fmt::format("  {:<24}{}\n", plant.name, plant.title);
    planted.push_back({{"id", plant.name}, {"title", plant.title}, {"probe", plant.probe}});
  }
  if (!options.json.empty()) {
    GPUVET_CHECK(platform::write_file(options.json, dump({{"schema", "gpuvet.sim/1"},
                                                          {"servers", servers},
                                                          {"faults", faults},
                                                          {"planted", planted}})));
    if (options.json == "-") return Exit::fit;
  }
  GPUVET_CHECK(print(out));
  return Exit::fit;
}

/// Shows the command /sys of that server, and what /proc says of its processors, memory and driver.
/// Processes, devices and the network stay this machine's.
Result<void> show_machine(const SimulatedMachine& machine, const platform::PrivateMounts& mounts) {
  const std::string& at = machine.folder.path();
  GPUVET_CHECK(write_tree(machine.world, at));
  // What keeps processes in bounds is this machine's: programs that start others look for it.
  constexpr const char* groups = "/sys/fs/cgroup";
  const platform::Root here;
  if (here.exists(groups)) {
    GPUVET_CHECK(platform::make_folder(at + groups));
    GPUVET_CHECK(mounts.show(groups, at + groups));
  }
  const platform::Root simulated(at);
  for (const char* path : {"/sys", "/proc/cpuinfo", "/proc/meminfo", "/proc/swaps", "/proc/version",
                           "/proc/uptime", "/proc/driver"})
    if (here.exists(path) && simulated.exists(path)) GPUVET_CHECK(mounts.show(at + path, path));
  return {};
}

Result<Exit> run_inside(const Options& options) {
  if (options.name.empty() || options.command.empty())
    return fail(Errc::usage,
                "sim run needs a server and a command: gpuvet sim run dgx-a100 -- nvtop");
  // What stays behind is the folder's business: this process becomes the command.
  auto library = std::string();
  {
    GPUVET_TRY(const auto machine, simulate(options.name, options.simulation));
    library = machine.library;
    if (!options.library_only) {
      const auto mounts = platform::PrivateMounts::begin(machine.folder.path());
      if (!mounts)
        complain("sim run: " + mounts.error().message() +
                 ": the command sees the simulated library, and /sys and /proc of this machine");
      else
        GPUVET_CHECK(show_machine(machine, *mounts));
    }
  }
  const auto before = platform::environment("LD_LIBRARY_PATH");
  const auto folder = library.substr(0, library.rfind('/'));
  platform::set_environment("LD_LIBRARY_PATH", before.empty() ? folder : folder + ":" + before);
  return tl::make_unexpected(platform::become(options.command));
}

}  // namespace

Command sim_command(const Context&) {
  const auto options = std::make_shared<Options>();
  Command out{
      "sim",
      "Run any program on a simulated GPU server",
      "  gpuvet sim list                                servers, and what can go wrong\n"
      "  gpuvet sim run dgx-a100 -- nvtop\n"
      "  gpuvet sim run dgx-a100 -- lspci -tv           its PCI tree, NICs and drives too\n"
      "  gpuvet sim run dgx-a100 --fault airflow-blocked@4h --load 1 --speed 3600 -- gpustat -i\n"
      "  gpuvet vet sim:dgx-a100 --fault nvlink-down:3  judge one",
      {
          {"ACTION", "What to do", &options->action, "", true, {"list", "run"}},
          {"NAME", "Which server to simulate, or a scenario's file", &options->name, "", false, {}},
          {"COMMAND", "The program to run there, behind --", &options->command, "", false, {}},
          {"--library-only",
           "Give COMMAND the simulated libnvidia-ml.so.1 alone; else it sees /sys of that server "
           "and "
           "what /proc says of processors, memory and driver too, in mounts of its own. Processes, "
           "/dev and the network are this machine's either way",
           &options->library_only,
           "",
           false,
           {}},
          {"--json",
           "Write the lists as JSON to FILE, or to standard output with -",
           &options->json,
           "FILE",
           false,
           {}},
      },
      {}};
  for (auto& option : simulation_options(options->simulation))
    out.options.push_back(std::move(option));
  out.run = [options]() -> Result<Exit> {
    return options->action == "list" ? list(*options) : run_inside(*options);
  };
  return out;
}

}  // namespace gpuvet::app
