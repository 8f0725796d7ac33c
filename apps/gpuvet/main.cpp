// SPDX-License-Identifier: Apache-2.0
// gpuvet decides whether a GPU server is right for AI work. Chooses the command, runs it, turns what
// went wrong into a message and an exit code.
#include <csignal>
#include <cstdio>
#include <exception>

#include "gpuvet/commands.hpp"

namespace {

constexpr const char* about =
    "gpuvet decides whether a GPU server is right for AI work, from the files that a vendor sends.\n"
    "\n"
    "  gpuvet vet evidence/            judge a folder of evidence\n"
    "  gpuvet request                  what to ask a vendor for\n"
    "  gpuvet explain thermal.core     what a criterion means and where its limit comes from";

constexpr const char* exit_codes =
    "Exit codes: 0 fit, 1 unfit, 2 wrong usage or unreadable input, 3 inconclusive\n"
    "(a required criterion has no evidence), 4 internal error.";

int complain(const char* what) {
  std::fprintf(stderr, "gpuvet: internal error: %s\n", what);
  return static_cast<int>(gpuvet::app::Exit::internal);
}

int run(int argc, char** argv) {
  using gpuvet::app::Exit;
  CLI::App cli{about};
  gpuvet::app::Context context;
  cli.footer(exit_codes);
  cli.set_version_flag("--version", gpuvet::app::version_line());
  cli.add_option("--data-dir", context.data_dir, "Use the catalogue in this folder instead of the built-in one")->type_name("DIR");
  cli.add_flag("--quiet,-q", context.quiet, "Print only the verdict line");
  cli.add_flag("--no-color", context.no_color, "No colour, even on a terminal (so does NO_COLOR)");
  cli.fallthrough();
  cli.require_subcommand(1);
  gpuvet::app::add_commands(cli, context);
  try {
    cli.parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    return cli.exit(e) == 0 ? 0 : static_cast<int>(Exit::usage);
  }
  const auto code = context.run();
  if (code) return static_cast<int>(*code);
  std::fprintf(stderr, "gpuvet: %s\n", code.error().message().c_str());
  return static_cast<int>(Exit::usage);
}

}  // namespace

int main(int argc, char** argv) {
  std::signal(SIGPIPE, SIG_IGN);  // a closed pipe is an error of write(), not our end
  try {
    return run(argc, argv);
  } catch (const std::exception& e) {
    return complain(e.what());
  } catch (...) {
    return complain("unknown exception");
  }
}
