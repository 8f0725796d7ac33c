// SPDX-License-Identifier: Apache-2.0
// Rows of kind inference, by what was served.
#pragma once

#include "accuracy/kind.hpp"

namespace gpuvet::accuracy {

/// What is served, on how many GPUs, by which engine.
model::Answer<model::Deployment> deployment_of(const Row&, const World&);

/// The architecture whose name stands in `text`, the longest such name; letters and digits count.
const catalogue::Architecture* architecture_in(const catalogue::Catalogue&, std::string_view text);

/// Rows of language models on engines that generate tokens.
model::Answer<model::Estimate> predict_language(const Row&, const World&);
/// The same by reading weights and arithmetic at data-sheet rates.
model::Answer<double> language_roofline(const Row&, const World&);

}  // namespace gpuvet::accuracy
