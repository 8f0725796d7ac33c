// SPDX-License-Identifier: Apache-2.0
// What the names that management controllers give their sensors tell.
#pragma once

#include <string_view>

namespace gpuvet::ingest {

/// Whether a temperature of this name is the air at the server's inlet: "Inlet Temp",
/// "01-Inlet Ambient", "System Board Inlet Temp", "TEMP_AMBIENT"; never "P/S 1 Inlet" or
/// "11-Board Inlet", which lie inside.
bool names_inlet(std::string_view sensor);

/// Whether a reading in watts of this name is what the whole server draws: "Pwr Consumption",
/// "Avg Power", "Total_Power".
bool names_node_power(std::string_view sensor);

}  // namespace gpuvet::ingest
