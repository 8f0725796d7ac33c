// SPDX-License-Identifier: Apache-2.0
// What gpuvet knows about a name: as text for `explain`, as Markdown pages for docs/.
#pragma once

#include <optional>
#include <string>

#include "catalogue/catalogue.hpp"

namespace gpuvet::app {

/// Title, then sections of plain text.
struct Explanation {
  std::string id, title;
  std::vector<std::pair<std::string, std::vector<std::string>>> sections;
};

/// A criterion, observation, probe, Xid ("79", "xid:79"), SXid ("sxid:12028"), GPU, server, workload or
/// claim ("C019").
std::optional<Explanation> explain(const std::string& id, const catalogue::Catalogue& catalogue);

/// Ids that look like `id`, for "did you mean".
std::vector<std::string> similar(const std::string& id, const catalogue::Catalogue& catalogue);

/// "pass >= 228 GB/s, fail < 185 GB/s when topology.class is nvswitch, gpus is 8 [tier 2: …]"
std::string describe(const catalogue::Limit& limit);

}  // namespace gpuvet::app
