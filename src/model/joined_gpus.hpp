// SPDX-License-Identifier: Apache-2.0
// A server as the models see it: its GPU and its fabric, from a bundle or from the catalogue.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "catalogue/catalogue.hpp"
#include "evidence/evidence.hpp"
#include "model/fabric.hpp"
#include "model/gpu.hpp"

namespace gpuvet::model {

struct JoinedGpus {
  Gpu gpu;
  Fabric fabric;                   ///< one server; `network` is what it has for more of them
  std::vector<std::string> notes;  ///< what had to be taken for granted
};

/// What a buyer chose where a server is sold with several GPUs.
struct Choice {
  std::string gpu;              ///< id in the catalogue; empty: the one that the server comes with
  int gpus = 0;                 ///< 0: as many as it comes with
  std::optional<bool> bridges;  ///< between neighbouring cards
};

/// Refuses servers that are sold with several GPUs or counts when `choice` leaves it open, mixed
/// ones, and GPUs that the catalogue doesn't have.
Answer<JoinedGpus> fabric_of_server(const catalogue::Server&, const catalogue::Catalogue&,
                                    const Choice& choice = {});

/// From derived evidence: the SKU, the matrix of `nvidia-smi topo -m`, slots and adapters. Refuses
/// mixed or unknown GPUs, and several cards without a matrix.
Answer<JoinedGpus> fabric_from(const Evidence&, const catalogue::Catalogue&);

}  // namespace gpuvet::model
