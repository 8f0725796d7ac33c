// SPDX-License-Identifier: Apache-2.0
// Offers side by side: which differences are real, what would change the order, and what to ask.
#pragma once

#include <string>
#include <vector>

#include "model/cost.hpp"

namespace gpuvet::model {

struct Candidate {
  CostInputs cost;           ///< `cost.offer` names it
  std::optional<Work> work;  ///< the same kind for all candidates, or none for all
  double risk = 0;  ///< chance that it does not do the work at all; 0 where nothing speaks for it
};

struct Ranking {
  struct Place {
    std::string offer;
    Range<Usd> metric;  ///< USD per result; without work, per useful GPU-hour
    Seconds time;       ///< likely time of one result; 0 without work
    double risk = 0;
    bool on_front =
        false;        ///< no other is at least as good in cost, time and risk and better in one
    double best = 0;  ///< share of draws in which it is the cheapest
  };
  /// Of two offers next to each other in the order.
  struct Pair {
    std::string cheaper, dearer;
    double probability = 0;  ///< that `cheaper` is the cheaper one
    bool real = false;       ///< at least 0.9
  };
  /// What an input's figure is in, for people.
  enum class In {
    usd,
    usd_per_year,
    watt,
    number,
    usd_per_kwh,
    share_per_year,
    years,
    share,
    second
  };
  /// One input that alone would swap two neighbours, everything else at its median.
  struct Flip {
    std::string cheaper, dearer;
    std::string offer;  ///< whose input it is; empty: of the site, so of both
    std::string input;
    double at = 0;  ///< base units
    In in{};
    double chance = 0;  ///< that the input lies beyond `at`
  };
  /// A figure that is not known exactly.
  struct Question {
    std::string offer, input;  ///< offer empty: a figure of the site
    Known known{};
    double narrows = 0;  ///< share of the width of p10 to p90 of its offer that knowing it removes
    double worth = 0;    ///< USD per result (or useful GPU-hour) that choosing with it saves
  };
  std::vector<Place> order;  ///< by median, the cheapest first
  std::vector<Pair> pairs;   ///< neighbours in that order
  std::vector<Flip> flips;
  std::vector<Question> ask;  ///< the most worth knowing first
};

/// Draws are shared, so what two offers share (electricity, hours) does not blur their difference.
/// Refuses fewer than two, two of one name, and what Costs::cost refuses.
Answer<Ranking> rank(const std::vector<Candidate>&, const Costs&);

}  // namespace gpuvet::model
