// SPDX-License-Identifier: Apache-2.0
// The rings that collectives run around inside one server, searched on the graph of its pairs.
#pragma once

#include "model/fabric.hpp"

namespace gpuvet::model {

/// What the best set of rings carries at data-sheet rates, one way. Rings share slots, the uplinks
/// of PCIe switches and the link between sockets: capacity is divided by the hops that cross an
/// element in the same direction. Every ring is tried for up to eight GPUs; for more, the one in
/// the order of the matrix. Fabrics without pairs are taken as a usual server of their kind.
Fabric::Rings best_rings(const Fabric&);

/// The fabric with its rings searched, so that predictions need not search again.
Fabric with_rings(Fabric);

}  // namespace gpuvet::model
