// SPDX-License-Identifier: Apache-2.0
// The labels of `nvidia-smi -q` as the names that the same cells have in its XML.
#pragma once

#include <string>
#include <string_view>

namespace gpuvet::ingest {

/// The XML's name of the cell or group `label` below the group `above`, which is such a name or
/// empty: "Current" below "mig_mode" is "mig_mode/current_mig".
std::string report_name(std::string_view above, std::string_view label);

}  // namespace gpuvet::ingest
