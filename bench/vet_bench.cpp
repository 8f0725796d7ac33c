// SPDX-License-Identifier: Apache-2.0
// How long `gpuvet vet FOLDER` takes as a whole process on one core, next to what cannot be
// avoided: starting the program and reading the same bytes.
//   vet_bench build/release/gpuvet examples/sick-gpu [RUNS]
#include <fcntl.h>
#include <sched.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "core/statistics.hpp"
#include "platform/files.hpp"
#include "platform/terminal.hpp"

namespace {

using gpuvet::platform::monotonic_seconds;

/// Wall seconds of one run of `arguments`, its output thrown away.
double run(std::vector<std::string> arguments) {
  std::vector<char*> argv;
  for (auto& argument : arguments) argv.push_back(argument.data());
  argv.push_back(nullptr);
  const double start = monotonic_seconds();
  const pid_t child = ::fork();
  if (child == 0) {
    const int null = ::open("/dev/null", O_WRONLY | O_CLOEXEC);
    ::dup2(null, STDOUT_FILENO);
    ::dup2(null, STDERR_FILENO);
    ::execv(argv[0], argv.data());
    ::_exit(127);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  if (!WIFEXITED(status) || WEXITSTATUS(status) == 127) {
    std::fprintf(stderr, "vet_bench: %s did not run\n", argv[0]);
    std::exit(1);
  }
  return monotonic_seconds() - start;
}

double read_folder(const std::string& folder, std::size_t& bytes) {
  const double start = monotonic_seconds();
  bytes = 0;
  const auto files = gpuvet::platform::files_below(folder, 3, 1000);
  if (!files) return 0;
  for (const auto& file : *files)
    if (const auto text = gpuvet::platform::read_file(file, std::size_t{1} << 30))
      bytes += text->size();
  return monotonic_seconds() - start;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) {
    std::fprintf(stderr, "usage: vet_bench GPUVET FOLDER [RUNS]\n");
    return 2;
  }
  const std::string program = argv[1], folder = argv[2];
  const int runs = argc > 3 ? std::atoi(argv[3]) : 21;
  cpu_set_t one;
  CPU_ZERO(&one);
  CPU_SET(0, &one);
  ::sched_setaffinity(0, sizeof one, &one);
  std::vector<double> vet, start, read;
  std::size_t bytes = 0;
  for (int i = 0; i <= runs; ++i) {
    const double a = run({program, "vet", folder, "--json", "-"}), b = run({program, "--version"}),
                 c = read_folder(folder, bytes);
    if (i == 0) continue;  // warm-up
    vet.push_back(a);
    start.push_back(b);
    read.push_back(c);
  }
  const double v = gpuvet::median(vet), s = gpuvet::median(start), r = gpuvet::median(read);
  std::printf("vet %s: %.1f ms (median of %d), %.1f MB/s\n", folder.c_str(), v * 1e3, runs,
              static_cast<double>(bytes) / v / 1e6);
  std::printf("start alone: %.1f ms; reading %.2f MB: %.1f ms; vet / (start + read) = %.1f\n",
              s * 1e3, static_cast<double>(bytes) / 1e6, r * 1e3, v / (s + r));
  return 0;
}
