// SPDX-License-Identifier: Apache-2.0
// What level 1 (`gpuvet vet` on the machine) costs on a simulated server: NVML calls, wall time
// when each call takes 1 ms, processor time; each next to its limit. The processor time holds what
// the simulated library itself computes, which a driver would not take from us.
//   level1_bench build/release/gpuvet [SERVER [RUNS]]
#include <fcntl.h>
#include <sched.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include "core/statistics.hpp"
#include "platform/files.hpp"
#include "platform/self.hpp"
#include "platform/terminal.hpp"

namespace {

using gpuvet::platform::monotonic_seconds;

constexpr double most_calls = 900, most_wall = 2, most_cpu = 0.150;

struct Cost {
  double wall = 0, cpu = 0;
};

/// Of one run of `arguments` and all processes that it started, its output thrown away.
Cost run(std::vector<std::string> arguments) {
  std::vector<char*> argv;
  for (auto& argument : arguments) argv.push_back(argument.data());
  argv.push_back(nullptr);
  const double start = monotonic_seconds();
  const pid_t child = ::fork();
  if (child == 0) {
    const int null = ::open("/dev/null", O_WRONLY | O_CLOEXEC);
    ::dup2(null, STDOUT_FILENO);
    ::execv(argv[0], argv.data());
    ::_exit(127);
  }
  int status = 0;
  rusage used{};
  ::wait4(child, &status, 0, &used);
  if (!WIFEXITED(status) || WEXITSTATUS(status) == 127 || WEXITSTATUS(status) == 2) {
    std::fprintf(stderr, "level1_bench: %s did not run\n", argv[0]);
    std::exit(1);
  }
  const auto seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) * 1e-6;
  };
  return {monotonic_seconds() - start, seconds(used.ru_utime) + seconds(used.ru_stime)};
}

void show(const char* what, double value, double limit, const char* unit) {
  std::printf("%-28s %8.4g %-5s %5.2f of the limit of %g%s\n", what, value, unit, value / limit,
              limit, value <= limit ? "" : "  OVER");
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) {
    std::fprintf(stderr, "usage: level1_bench GPUVET [SERVER [RUNS]]\n");
    return 2;
  }
  const std::string program = argv[1], server = argc > 2 ? argv[2] : "dgx-h100";
  const int runs = argc > 3 ? std::atoi(argv[3]) : 11;
  const auto folder = gpuvet::platform::ScratchFolder::make();
  if (!folder) return 1;
  const std::string out = folder->path() + "/server", calls = folder->path() + "/calls";
  run({program, "sim-files", server, "--out", out});
  const auto slash = program.rfind('/');
  const std::string library = (slash == std::string::npos ? "." : program.substr(0, slash)) +
                              "/lib/gpuvet/libnvidia-ml.so.1";
  gpuvet::platform::set_environment("GPUVET_SIM", server);
  const std::vector<std::string> vet = {program,  "vet",   "--root", out + "/tree",
                                        "--nvml", library, "--json", "-"};

  gpuvet::platform::set_environment("GPUVET_SIM_CALLS", calls);
  run(vet);
  gpuvet::platform::set_environment("GPUVET_SIM_CALLS", "");
  const auto log = gpuvet::platform::read_file(calls, std::size_t{16} << 20);
  const auto made = log ? static_cast<double>(std::count(log->begin(), log->end(), '\n')) : 0;

  std::vector<double> slow, cpu, wall;
  for (int i = 0; i < runs; ++i) {
    gpuvet::platform::set_environment("GPUVET_SIM_DELAY_US", "1000");
    slow.push_back(run(vet).wall);
    gpuvet::platform::set_environment("GPUVET_SIM_DELAY_US", "0");
    const auto quick = run(vet);
    cpu.push_back(quick.cpu);
    wall.push_back(quick.wall);
  }
  std::printf("gpuvet vet on a simulated %s, median of %d runs\n", server.c_str(), runs);
  show("NVML calls", made, most_calls, "");
  show("wall time, 1 ms a call", gpuvet::median(slow), most_wall, "s");
  show("processor time", gpuvet::median(cpu) * 1e3, most_cpu * 1e3, "ms");
  std::printf("%-28s %8.4g s\n", "wall time, calls for nothing", gpuvet::median(wall));
  return made > 0 && made <= most_calls && gpuvet::median(slow) <= most_wall &&
                 gpuvet::median(cpu) <= most_cpu
             ? 0
             : 1;
}
