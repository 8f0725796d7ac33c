// SPDX-License-Identifier: Apache-2.0
#include "gpuvet/judging.hpp"

namespace gpuvet::app {

void add_report(CLI::App& cli, Context& context) {
  static JudgingOptions options;
  auto* command = cli.add_subcommand("report", "Judge stored evidence again and render it");
  command->add_option("BUNDLE", options.targets, "Bundle written by gpuvet collect")->required()->expected(1);
  add_judging_options(*command, options);
  command->footer(
      "Examples:\n"
      "  gpuvet report bundle/ --html report.html\n"
      "  gpuvet report bundle/ --stage acceptance --junit vet.xml --prometheus gpuvet.prom");
  command->callback([&context] { context.run = [&context] { return judge_and_print(options, context); }; });
}

}  // namespace gpuvet::app
