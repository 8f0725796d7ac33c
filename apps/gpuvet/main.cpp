// SPDX-License-Identifier: Apache-2.0
// Runs the chosen command and turns what went wrong into a message and an exit code.
#include <csignal>
#include <exception>

#include "gpuvet/commands.hpp"

int main(int argc, char** argv) {
  using gpuvet::app::Exit;
  std::signal(SIGPIPE, SIG_IGN);  // a closed pipe is an error of write(), not our end
  Exit code = Exit::internal;
  try {
    if (const auto ran = gpuvet::app::run(argc, argv)) {
      code = *ran;
    } else {
      gpuvet::app::complain(ran.error().message());
      code = Exit::usage;
    }
  } catch (const std::exception& e) {
    gpuvet::app::complain(std::string("internal error: ") + e.what());
  } catch (...) {
    gpuvet::app::complain("internal error");
  }
  return static_cast<int>(code);
}
