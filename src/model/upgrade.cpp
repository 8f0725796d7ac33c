// SPDX-License-Identifier: Apache-2.0
#include "model/upgrade.hpp"

#include <algorithm>
#include <array>

namespace gpuvet::model {
namespace {

constexpr std::array<std::string_view, 5> kinds = {"baseboard", "cards", "firmware", "network",
                                                   "node"};

bool starts_from(const catalogue::Upgrade& u, std::string_view gpu) {
  return u.from.empty() || std::find(u.from.begin(), u.from.end(), gpu) != u.from.end();
}

}  // namespace

std::string_view name(UpgradeStatus status) {
  switch (status) {
    case UpgradeStatus::documented:
      return "documented";
    case UpgradeStatus::contradicted:
      return "contradicted";
    case UpgradeStatus::not_documented:
      return "not documented";
  }
  return "";
}

std::vector<UpgradePath> upgrade_paths(const catalogue::Catalogue& catalogue,
                                       std::string_view server, std::string_view gpu) {
  std::vector<UpgradePath> out;
  for (const auto kind : kinds) {
    const std::size_t before = out.size();
    for (const auto& u : catalogue.upgrades)
      if (u.server == server && u.kind == kind && starts_from(u, gpu))
        out.push_back({u.kind,
                       u.documented ? UpgradeStatus::documented : UpgradeStatus::contradicted, u.to,
                       u.what, u.source});
    if (out.size() > before) continue;
    // A new node needs no promise of the old one.
    const bool node = kind == "node";
    out.push_back(
        {std::string(kind),
         node ? UpgradeStatus::documented : UpgradeStatus::not_documented,
         "",
         node ? "Another node beside or in place of it; multi-node work needs fast network "
                "adapters in both."
              : "No document that gpuvet knows says so; ask for one.",
         {}});
  }
  return out;
}

}  // namespace gpuvet::model
