// SPDX-License-Identifier: Apache-2.0
// What another program printed becomes evidence the way a file of a vendor's does: its bytes are
// kept, and the importer that knows them reads them.
#pragma once

#include <functional>
#include <string>

#include "ingest/importer.hpp"
#include "probe/probe.hpp"

namespace gpuvet::probe {

/// Keeps `bytes` as the source `name` and adds what its importer understands; `change` may amend
/// each observation. malformed where no importer knows it.
Result<void> take_output(
    Context& context, const std::string& name, std::string bytes,
    const std::function<void(Observation&)>& change = [](Observation&) {});

/// The last line that says something, for the reason of an absence.
std::string last_words(std::string_view output);

/// Whether the devices are simulated: then what this machine has is nobody's evidence.
bool simulated(const Context& context);

}  // namespace gpuvet::probe
