// SPDX-License-Identifier: Apache-2.0
// Evidence -> evidence: who is who, how the GPUs are joined, what a log shows, where sources
// disagree. Pure: the same evidence and catalogue give the same answer anywhere.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "catalogue/catalogue.hpp"
#include "core/result.hpp"
#include "evidence/evidence.hpp"

namespace gpuvet::derive {

/// What one file said.
struct FileEvidence {
  std::string file;  ///< as given, for messages
  Evidence evidence;
};

/// The files of one server, joined. Two machines (two host names, two sets of GPUs) are an error
/// that names them, unless `server` picks one by host name, folder or file.
Result<Evidence> one_server(std::vector<FileEvidence> files,
                            const std::optional<std::string>& server);

struct Options {
  double thermal_asked = 48 * 3600.0;  ///< seconds that a thermal log must last
};

/// `evidence` with aliases joined and everything derived added.
Evidence derive(Evidence evidence, const catalogue::Catalogue& catalogue, const Options& options);

}  // namespace gpuvet::derive
