// SPDX-License-Identifier: Apache-2.0
// The commands: each has one file cmd_<name>.cpp and one line in commands.cpp.
#pragma once

#include <CLI/CLI.hpp>
#include <functional>
#include <string>

#include "catalogue/catalogue.hpp"
#include "core/result.hpp"

namespace gpuvet::app {

/// Exit codes, as scripts rely on them.
enum class Exit { fit = 0, unfit = 1, usage = 2, inconclusive = 3, internal = 4 };

/// What every command shares. A command sets `run` when it was chosen.
struct Context {
  std::string data_dir;  ///< catalogue to use instead of the embedded one
  bool quiet = false;
  bool no_color = false;
  std::function<Result<Exit>()> run;
};

/// Adds all commands to `cli`.
void add_commands(CLI::App& cli, Context& context);

/// The embedded catalogue, or the one in --data-dir.
Result<catalogue::Catalogue> load_catalogue(const Context& context);

/// "gpuvet 0.1.0"
std::string version_line();

/// Prints `text` to standard output; a full disk or closed pipe is an error.
Result<void> print(const std::string& text);

}  // namespace gpuvet::app
