// SPDX-License-Identifier: Apache-2.0
// From an offer file to the inputs of the cost model: the offer's own figures win, the power model
// and assumptions fill in what it leaves open.
#pragma once

#include "catalogue/offer.hpp"
#include "model/cost.hpp"
#include "model/intervals.hpp"
#include "model/power.hpp"

namespace gpuvet::model {

/// The offer as the power meter sees it; 500 W modules where the catalogue's server has them.
Answer<PoweredServer> powered_server(const catalogue::Offer&, const catalogue::Catalogue&);

/// Wall power under `load` and idle as the offer states it, else as the model predicts it, with the
/// model's interval.
Answer<CostInputs> cost_inputs(const catalogue::Offer&, const catalogue::Catalogue&, const Power&,
                               const Intervals&, const Costs&, Load load);

/// Rent of one GPU-hour of this kind from data/prices.toml; refuses GPUs whose rent nobody looked
/// up.
Answer<Input<UsdPerSecond>> rent_of(std::string_view gpu, const catalogue::Catalogue&);

}  // namespace gpuvet::model
