// SPDX-License-Identifier: Apache-2.0
#include "gpuvet/judging.hpp"

namespace gpuvet::app {

void add_vet(CLI::App& cli, Context& context) {
  static JudgingOptions options;
  auto* command = cli.add_subcommand("vet", "Judge a server from files");
  command->add_option("TARGET", options.targets, "Files, folders or bundles of evidence; - reads standard input")->required();
  add_judging_options(*command, options);
  command->footer(
      "Examples:\n"
      "  gpuvet vet evidence/                          judge all files of a folder, three levels deep\n"
      "  gpuvet vet topo.txt smi.xml --for serve-13b   ask about a workload too\n"
      "  nvidia-smi topo -m | gpuvet vet -             judge what a tool prints\n"
      "  gpuvet vet evidence/ --json - --html report.html");
  command->callback([&context] {
    context.run = [&context]() -> Result<Exit> {
      for (const auto& target : options.targets)
        if (target.rfind("sim:", 0) == 0) return fail(Errc::not_supported, target + ": simulated servers are not part of this version");
      return judge_and_print(options, context);
    };
  });
}

}  // namespace gpuvet::app
