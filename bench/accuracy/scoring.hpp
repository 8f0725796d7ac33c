// SPDX-License-Identifier: Apache-2.0
// A whole table predicted, next to the predictors that anybody could write; and the page of the
// documentation that says how it went.
#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "accuracy/kind.hpp"
#include "accuracy/score.hpp"
#include "model/intervals.hpp"

namespace gpuvet::accuracy {

struct ScoredKind {
  const Kind* kind = nullptr;
  std::vector<std::pair<const Row*, model::Answer<model::Prediction>>> predictions;  ///< all rows
  std::vector<std::pair<const Row*, Scored>> measured;  ///< those whose value is given
  std::map<std::string, std::vector<Scored>> families;
  std::vector<std::pair<std::string, std::vector<Scored>>> nulls;

  [[nodiscard]] std::vector<Scored> all() const;
};

/// `known` are the rows that null models may look at, but for a row's own group.
ScoredKind scored(const Kind&, const std::vector<Row>& rows, const std::vector<Row>& known,
                  const World&, const model::Intervals&);

/// docs/accuracy.md.
std::string page_of(const std::vector<ScoredKind>&, const catalogue::Catalogue&);

}  // namespace gpuvet::accuracy
