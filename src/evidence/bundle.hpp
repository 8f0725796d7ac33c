// SPDX-License-Identifier: Apache-2.0
// A bundle: evidence as a folder. bundle.json holds the observations, tables/ the series, sources/
// the verbatim inputs, so that an old bundle gains from a new importer. This file knows the bytes;
// the caller puts them into files.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.hpp"
#include "evidence/evidence.hpp"

namespace gpuvet {

struct BundleSource {
  std::string file;    ///< inside the bundle: "sources/01-topo.txt"; empty when only listed
  std::string name;    ///< as the collector was given it
  std::string kind;    ///< importer that understood it; empty when none did
  std::string reason;  ///< why it was not understood; empty when it was
  std::size_t bytes = 0;
};

struct Bundle {
  std::string hostname;   ///< of the collecting machine; may be empty
  std::string collected;  ///< ISO 8601
  std::string gpuvet;     ///< version that wrote it
  std::vector<BundleSource> sources;
  Evidence evidence;  ///< what importers and collectors said, nothing derived
};

struct BundleFile {
  std::string path;  ///< inside the bundle
  std::string bytes;
};

/// bundle.json and tables/*; sources/* are copied by the caller.
std::vector<BundleFile> write_bundle(const Bundle&);

/// Whether a file that starts with `head` is a bundle.json.
bool is_bundle(std::string_view head);

/// The inverse. `table_file` reads one file of the bundle. Paths that leave the bundle are refused.
Result<Bundle> read_bundle(
    std::string_view bundle_json,
    const std::function<Result<std::string>(const std::string&)>& table_file);

}  // namespace gpuvet
