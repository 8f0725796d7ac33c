// SPDX-License-Identifier: Apache-2.0
// What a server can become, by documents. What it would gain is for the models of speed to say: ask
// them with `to` in place of the GPU.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "catalogue/catalogue.hpp"

namespace gpuvet::model {

enum class UpgradeStatus { documented, contradicted, not_documented };

std::string_view name(UpgradeStatus);

struct UpgradePath {
  std::string kind;  ///< "baseboard", "cards", "firmware", "network", "node"
  UpgradeStatus status = UpgradeStatus::not_documented;
  std::string to;    ///< GPU in the catalogue; empty where the GPU stays
  std::string what;  ///< for people
  catalogue::Source source;
};

/// All five kinds at least once, in that order; without a document a kind is "not documented". A
/// server that the catalogue lacks has documents for nothing. `gpu`: what it holds now.
std::vector<UpgradePath> upgrade_paths(const catalogue::Catalogue&, std::string_view server,
                                       std::string_view gpu);

}  // namespace gpuvet::model
