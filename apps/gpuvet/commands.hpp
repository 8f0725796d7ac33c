// SPDX-License-Identifier: Apache-2.0
// The commands: each has one file cmd_<name>.cpp and one line in commands.cpp. A command declares
// its options as data; only commands.cpp knows the library that parses them.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "catalogue/catalogue.hpp"
#include "core/result.hpp"

namespace gpuvet::app {

/// Exit codes, as scripts rely on them.
enum class Exit { fit = 0, unfit = 1, usage = 2, inconclusive = 3, internal = 4 };

/// What every command shares.
struct Context {
  std::string data_dir;  ///< catalogue to use instead of the embedded one
  bool quiet = false;
  bool no_color = false;
};

/// An option ("--stage", "--verbose,-v") or, without dashes, a positional argument ("TARGET").
struct Option {
  std::string name;
  std::string help;
  std::variant<bool*, std::string*, std::vector<std::string>*> to;  ///< lists split at commas
  std::string type;  ///< what stands for the value in help: "FILE"
  bool required = false;
  std::vector<std::string> choices;  ///< empty: any text
};

/// `--json FILE` of the commands that predict and compare.
inline Option json_option(std::string* to) {
  return {"--json", "Write one JSON document to FILE, or to standard output with -",
          to,       "FILE",
          false,    {}};
}

struct Command {
  std::string name, title, examples;
  std::vector<Option> options;
  std::function<Result<Exit>()> run;
};

/// All commands, in the order in which help shows them.
std::vector<Command> all_commands(const Context& context);

/// The options that stand before or behind any command.
std::vector<Option> global_options(Context& context);

/// What gpuvet is for, and what its exit codes mean: for --help and the man page.
extern const std::string_view about, exit_codes;

/// Parses the arguments and runs the chosen command. Help and version print and are Exit::fit;
/// wrong usage prints why and is Exit::usage.
Result<Exit> run(int argc, char** argv);

/// The embedded catalogue, or the one in --data-dir.
Result<catalogue::Catalogue> load_catalogue(const Context& context,
                                            catalogue::Parts parts = catalogue::Parts::all);

/// "gpuvet 0.1.0"
std::string version_line();

/// Prints `text` to standard output; a full disk or closed pipe is an error.
Result<void> print(const std::string& text);

/// Prints `text`, made safe for a terminal, as "gpuvet: text" to standard error.
void complain(const std::string& text);

}  // namespace gpuvet::app
