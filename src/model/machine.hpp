// SPDX-License-Identifier: Apache-2.0
// A server as the models see it, from whatever describes one: the catalogue, an offer, evidence.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "catalogue/catalogue.hpp"
#include "catalogue/offer.hpp"
#include "evidence/evidence.hpp"
#include "model/estimate.hpp"
#include "model/fabric.hpp"
#include "model/gpu.hpp"
#include "model/host_sizing.hpp"
#include "model/power.hpp"

namespace gpuvet::model {

struct Machine {
  std::string name;    ///< as the user called it
  std::string server;  ///< id in the catalogue; empty: not a known model
  Gpu gpu;
  Fabric fabric;
  Cooling cooling = Cooling::air;
  Host host;                       ///< what stands beside the GPUs, as far as it is known
  std::vector<std::string> notes;  ///< what was assumed where the description left it open

  [[nodiscard]] int gpus() const { return fabric.ranks(); }
  [[nodiscard]] PoweredServer powered() const;
};

/// Refuses servers whose GPUs the catalogue lacks, mixes of GPUs, and descriptions without any.
Answer<Machine> machine_of(const catalogue::Server&, const catalogue::Catalogue&);
Answer<Machine> machine_of(const catalogue::Offer&, const catalogue::Catalogue&);
/// `evidence` after derive().
Answer<Machine> machine_of(const Evidence& evidence, const catalogue::Catalogue&);
/// `count` GPUs of the catalogue's `gpu` joined as `topology` says (`topology.class`; empty: as
/// such GPUs usually are).
Answer<Machine> machine_of(const catalogue::Gpu& gpu, int count, const std::string& topology);

/// `servers` of them, joined by their own adapters; refuses where those are unknown and servers are
/// more than one.
Answer<Machine> several(const Machine&, int servers);

}  // namespace gpuvet::model
