// SPDX-License-Identifier: Apache-2.0
// Bundles on disk: evidence of this machine or of files, with the verbatim sources.
#pragma once

#include <string>

#include "evidence/bundle.hpp"
#include "gpuvet/live_machine.hpp"

namespace gpuvet::app {

/// An empty bundle's heading: this host, this moment, this version.
Bundle new_bundle();

/// "sources/007-topo.txt": numbered, and only letters that every file system takes.
std::string stored_name(std::size_t number, const std::string& name);

/// Refuses a folder that holds a bundle already.
Result<void> refuse_existing(const std::string& folder);

/// Writes bundle.json and tables/* below `folder`, each file as a whole or not at all.
Result<void> write_files(const Bundle& bundle, const std::string& folder);

/// Keeps what collectors found and `more`, what probes did, below `folder`; called again as more
/// comes. Whatever ends gpuvet, what the last call was given can be read.
Result<void> keep_bundle(const std::string& folder, const LiveEvidence& live, const Evidence& more);

}  // namespace gpuvet::app
