// SPDX-License-Identifier: Apache-2.0
#include "gpuvet/commands.hpp"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <optional>

#include "catalogue/packed.hpp"
#include "core/text.hpp"
#include "platform/files.hpp"

namespace gpuvet::app {

Command collect_command(const Context&);
Command compare_command(const Context&);
Command docs_command(const Context&);
Command explain_command(const Context&);
Command list_command(const Context&);
Command predict_command(const Context&);
Command probe_command(const Context&);
Command report_command(const Context&);
Command request_command(const Context&);
Command size_command(const Context&);
Command tco_command(const Context&);
Command sim_command(const Context&);
Command sim_files_command(const Context&);
Command vet_command(const Context&);

const std::string_view about =
    "gpuvet decides whether a GPU server is right for AI work, from the files that a vendor "
    "sends.\n"
    "\n"
    "  gpuvet vet evidence/            judge a folder of evidence\n"
    "  gpuvet request                  what to ask a vendor for\n"
    "  gpuvet compare OFFERS --for W   the best buy for a workload, and why\n"
    "  gpuvet explain thermal.core     what a criterion means and where its limit comes from";

const std::string_view exit_codes =
    "Exit codes: 0 fit, 1 unfit, 2 wrong usage or unreadable input, 3 inconclusive\n"
    "(a required criterion has no evidence), 4 internal error.";

namespace {

CLI::Option* bind(CLI::App& app, const Option& option) {
  if (const auto* flag = std::get_if<bool*>(&option.to))
    return app.add_flag(option.name, **flag, option.help);
  if (const auto* text = std::get_if<std::string*>(&option.to))
    return app.add_option(option.name, **text, option.help)->capture_default_str();
  auto* list =
      app.add_option(option.name, *std::get<std::vector<std::string>*>(option.to), option.help);
  // "--for a,b TARGET": the commas list, the blank ends the list.
  if (option.type.find(',') != std::string::npos) list->delimiter(',')->allow_extra_args(false);
  return list;
}

void add_option(CLI::App& app, const Option& option) {
  auto* bound = bind(app, option);
  if (!option.type.empty()) bound->type_name(option.type);
  if (!option.choices.empty()) bound->check(CLI::IsMember(option.choices));
  bound->required(option.required);
}

void add_command(CLI::App& cli, const Command& command, const Command*& chosen) {
  auto* app = cli.add_subcommand(command.name, command.title);
  for (const auto& option : command.options) add_option(*app, option);
  app->footer("Examples:\n" + command.examples);
  app->callback([&command, &chosen] { chosen = &command; });
}

}  // namespace

std::vector<Command> all_commands(const Context& context) {
  return {
      vet_command(context),     collect_command(context),   probe_command(context),
      report_command(context),  request_command(context),   predict_command(context),
      compare_command(context), size_command(context),      tco_command(context),
      explain_command(context), list_command(context),      docs_command(context),
      sim_command(context),     sim_files_command(context),
  };
}

std::vector<Option> global_options(Context& context) {
  return {
      {"--data-dir",
       "Use the catalogue in this folder instead of the built-in one",
       &context.data_dir,
       "DIR",
       false,
       {}},
      {"--quiet,-q", "Print only the verdict line", &context.quiet, "", false, {}},
      {"--no-color",
       "No colour, even on a terminal (so does NO_COLOR)",
       &context.no_color,
       "",
       false,
       {}},
  };
}

Result<Exit> run(int argc, char** argv) {
  Context context;
  CLI::App cli{std::string(about)};
  cli.footer(std::string(exit_codes));
  cli.set_version_flag("--version", version_line());
  for (const auto& option : global_options(context)) add_option(cli, option);
  cli.fallthrough();
  cli.require_subcommand(1);
  const auto commands = all_commands(context);
  const Command* chosen = nullptr;
  for (const auto& command : commands) add_command(cli, command, chosen);
  try {
    cli.parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    return cli.exit(e) == 0 ? Exit::fit : Exit::usage;
  }
  return chosen->run();
}

Result<catalogue::Catalogue> load_catalogue(const Context& context, catalogue::Parts parts) {
  if (context.data_dir.empty()) return catalogue::built_in(parts);
  constexpr std::size_t largest = std::size_t{16} << 20;
  GPUVET_TRY(const auto texts, platform::texts_below(context.data_dir, ".toml", largest));
  std::vector<catalogue::File> files;
  for (const auto& [name, text] : texts) files.push_back({name, text});
  return in_context(catalogue::parse(files, parts), context.data_dir);
}

std::string version_line() { return std::string("gpuvet ") + GPUVET_VERSION; }

Result<void> print(const std::string& text) { return platform::write_file("-", text); }

void complain(const std::string& text) {
  std::fprintf(stderr, "gpuvet: %s\n", printable(text).c_str());
}

}  // namespace gpuvet::app
