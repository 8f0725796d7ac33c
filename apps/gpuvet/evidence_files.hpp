// SPDX-License-Identifier: Apache-2.0
// Paths on the command line -> what each file says: folders walked, files recognised by content,
// bundles opened, importers run.
#pragma once

#include <string>
#include <vector>

#include "core/result.hpp"
#include "derive/derive.hpp"
#include "evidence/bundle.hpp"
#include "judge/verdict.hpp"

namespace gpuvet::app {

struct Gathered {
  std::vector<judge::Input> inputs;            ///< one for each file, understood or not
  std::vector<derive::FileEvidence> evidence;  ///< of the understood ones
  std::vector<BundleSource> sources;           ///< the same files, as a bundle lists them
  std::vector<std::string> paths;              ///< where each file lies, as `sources`
  std::vector<std::string>
      complaints;  ///< "topo.txt:12: …" for each file that should have been readable
};

/// Reads all of `targets` (files, folders, bundles, "-").
/// A file that nothing recognises is listed; it is a complaint only when it was named itself.
Result<Gathered> gather(const std::vector<std::string>& targets, bool show_progress);

}  // namespace gpuvet::app
