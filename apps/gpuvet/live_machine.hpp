// SPDX-License-Identifier: Apache-2.0
// This machine, or a tree that stands for one, as a target of vet and collect.
#pragma once

#include <string>
#include <vector>

#include "gpuvet/commands.hpp"
#include "gpuvet/evidence_files.hpp"

namespace gpuvet::app {

struct LiveOptions {
  std::string root;                ///< folder in place of / (a captured or simulated tree)
  std::string nvml;                ///< library in place of libnvidia-ml.so.1
  std::string call_limit;          ///< "8s"
  std::vector<std::string> tools;  ///< "ipmitool=/opt/bin/ipmitool"
  std::string bmc;                 ///< host name or address of a Redfish service
  std::string bmc_credentials;     ///< file with its user and password
  std::string ca;                  ///< certificates to trust
  bool insecure = false;
};

std::vector<Option> live_options(LiveOptions& options);

/// What a collector kept verbatim, for a bundle.
struct Kept {
  std::string name, kind, bytes;
};

struct LiveEvidence {
  Gathered gathered;       ///< inputs name collectors and what they kept
  std::vector<Kept> kept;  ///< in the order of gathered.sources
};

/// Runs every collector; none that fails hurts another.
Result<LiveEvidence> gather_live(const LiveOptions& options);

}  // namespace gpuvet::app
