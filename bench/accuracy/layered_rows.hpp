// SPDX-License-Identifier: Apache-2.0
// What rows about nets of layers say: which net, on what, with which batch.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "accuracy/kind.hpp"

namespace gpuvet::accuracy {

/// gpu_of(), and GPUs that the catalogue knows by a name that follows from the table's; with the
/// power limit in watts that the columns `gpu` or `hw_notes` state.
model::Answer<model::Gpu> powered_gpu_of(const Row&, const World&);

/// fabric_of(), with what an MLPerf entry says beside the topology: network cards, bridges in the
/// system's name.
model::Answer<model::Fabric> described_fabric_of(const Row&, const model::Gpu&);

/// The first number in `text` that stands before `unit`: 200 for ("IB HDR 200Gb/Sec", "gb").
std::optional<double> number_before(std::string_view text, std::string_view unit);

/// Bytes a second of all compute cards that `net=` lists: "Storage: 2x ConnectX-6 IB HDR 200Gb/sec,
/// Compute: 8x ConnectX-6 IB HDR 200Gb/Sec" are 8 x 25e9. 0: not told.
double network_in(std::string_view net);

/// The architecture whose id or name the workload mentions, the longest if several; for workloads
/// that no name fits, the transformer that `params` describe.
model::Answer<catalogue::Architecture> architecture_of(const Row&, const World&);

}  // namespace gpuvet::accuracy
