// SPDX-License-Identifier: Apache-2.0
// Fits the free constants of data/models to measured rows, whole groups at a time, and tells how
// far off predictions are on groups, GPUs, software and topologies that the fit had not seen.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "accuracy/kind.hpp"

namespace gpuvet::accuracy {

/// What was left out of the fit that a prediction comes from.
enum class LeftOut { nothing, group, gpu, framework, topology };

struct Residual {
  const Row* row = nullptr;
  LeftOut left_out{};
  model::Estimate estimate;    ///< by constants fitted without the row
  double log_error = 0;        ///< ln(predicted / measured)
  model::Transfer transfer{};  ///< against the rows that were left in
};

/// Loss of `constants` on `rows`, in e-folds: per group the mean of |e| + e^2, groups weighted by
/// the square root of their rows. Rows that are refused don't count.
double loss(const Kind&, const catalogue::Catalogue&, const model::Constants&,
            const std::vector<const Row*>& rows);

/// `start` with the kind's free constants moved to a minimum of loss() by pattern search: one
/// constant at a time, steps halved when none helps. Deterministic.
model::Constants fit(const Kind&, const catalogue::Catalogue&, model::Constants start,
                     const std::vector<const Row*>& rows, int rounds);

/// Predictions of every measured row by fits that had not seen its group (five folds), its GPU, its
/// software or its topology.
std::vector<Residual> cross_validate(const Kind&, const catalogue::Catalogue&,
                                     const model::Constants& start,
                                     const std::vector<const Row*>& rows, int rounds);

/// What the residuals say about each family, as data/intervals.toml has it.
std::vector<catalogue::IntervalFamily> families_of(const std::vector<Residual>&);

}  // namespace gpuvet::accuracy
