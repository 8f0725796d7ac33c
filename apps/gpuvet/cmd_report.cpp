// SPDX-License-Identifier: Apache-2.0
#include <memory>

#include "gpuvet/judging.hpp"

namespace gpuvet::app {

Command report_command(const Context& context) {
  const auto options = std::make_shared<JudgingOptions>();
  Command out{"report",
              "Judge stored evidence again and render it",
              "  gpuvet report bundle/ --html report.html\n"
              "  gpuvet report bundle/ --stage acceptance --junit vet.xml --prometheus gpuvet.prom",
              judging_options(*options),
              {}};
  out.options.insert(
      out.options.begin(),
      {"BUNDLE", "Bundle written by gpuvet collect", &options->targets, "", true, {}});
  out.run = [options, &context] { return judge_and_print(*options, context); };
  return out;
}

}  // namespace gpuvet::app
