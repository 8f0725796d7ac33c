// SPDX-License-Identifier: Apache-2.0
// What vet and report share: options for judging and printing, and the way from targets to a
// verdict.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "gpuvet/commands.hpp"
#include "gpuvet/live_machine.hpp"
#include "gpuvet/probing.hpp"
#include "judge/verdict.hpp"

namespace gpuvet::app {

struct JudgingOptions {
  std::vector<std::string> targets;  ///< none: this machine, as `live` says
  LiveOptions live;
  int level = 1;  ///< from 2 on probes run on the machine
  ProbingOptions probing;
  ProbeTarget target;  ///< of the probes
  std::string bundle;  ///< folder that keeps what probes found as they go; empty: none
  std::string stage;   ///< empty: purchase for files; for a machine prejob, from level 2 acceptance
  std::vector<std::string> workloads;
  std::string server;
  std::string thermal;  ///< "48h"; empty: by stage
  bool strict = false;
  bool verbose = false;
  std::map<std::string, std::string> outputs;  ///< format -> file or "-"
};

/// Options that vet and report have in common, bound to `options`.
std::vector<Option> judging_options(JudgingOptions& options);

/// Gathers, derives, judges, prints, and says how it went.
Result<Exit> judge_and_print(const JudgingOptions& options, const Context& context);

}  // namespace gpuvet::app
