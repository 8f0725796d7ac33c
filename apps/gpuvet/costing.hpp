// SPDX-License-Identifier: Apache-2.0
// From offers and workloads to costs: what tco and compare share.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "gpuvet/machines.hpp"
#include "model/cost_offer.hpp"
#include "model/cost_ranking.hpp"
#include "model/outlook.hpp"

namespace gpuvet::app {

/// Costs of owning `named` as its offer and assumptions have them; a machine without an offer is
/// one without a price.
Result<model::CostInputs> cost_inputs_of(const NamedMachine& named, const catalogue::Catalogue&,
                                         const model::Outlooks&, const model::Costs&,
                                         model::Load load);

/// Changes of --what-if: price, electricity, pue, utilisation, ...
Result<void> apply(WhatIf&, model::CostInputs&);

/// What useful hours are spent on: a job, or a million tokens served. Nothing where no time was
/// predicted.
std::optional<model::Work> work_of(const model::Outlook&);

/// The rent to compare with: what the user says, in USD per GPU-hour, else data/prices.toml.
model::Answer<model::Input<model::UsdPerSecond>> rent_for(const std::string& asked,
                                                          const std::string& gpu,
                                                          const catalogue::Catalogue&);

}  // namespace gpuvet::app
