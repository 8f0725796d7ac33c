// SPDX-License-Identifier: Apache-2.0
#include <memory>

#include "gpuvet/judging.hpp"

namespace gpuvet::app {

Command vet_command(const Context& context) {
  const auto options = std::make_shared<JudgingOptions>();
  Command out{"vet",
              "Judge this machine, or a server from files",
              "  gpuvet vet                                    judge this machine, in seconds\n"
              "  gpuvet vet evidence/                          judge all files of a folder, three "
              "levels deep\n"
              "  gpuvet vet topo.txt smi.xml --for serve-13b   ask about a workload too\n"
              "  nvidia-smi topo -m | gpuvet vet -             judge what a tool prints\n"
              "  gpuvet vet evidence/ --json - --html report.html",
              judging_options(*options),
              {}};
  out.options.insert(out.options.begin(),
                     {"TARGET",
                      "Files, folders or bundles of evidence; - reads standard input; none: this "
                      "machine",
                      &options->targets,
                      "",
                      false,
                      {}});
  for (auto& option : live_options(options->live)) out.options.push_back(std::move(option));
  out.run = [options, &context]() -> Result<Exit> {
    for (const auto& target : options->targets)
      if (target.rfind("sim:", 0) == 0)
        return fail(Errc::not_supported,
                    target + ": simulated servers are not part of this version");
    return judge_and_print(*options, context);
  };
  return out;
}

}  // namespace gpuvet::app
