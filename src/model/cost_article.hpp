// SPDX-License-Identifier: Apache-2.0
// The article's cost figures, as far as its own inputs give them back. A demonstration: nothing
// else in gpuvet uses them.
#pragma once

#include "model/cost_input.hpp"
#include "model/estimate.hpp"

namespace gpuvet::model::article {

/// As its value section states them.
struct Server {
  Usd price;
  Watts mean_power;
  double utilisation = 0;
};

inline constexpr Server nvlink{Usd::base(37700), Watts::base(1400), 0.89};
inline constexpr Server pcie{Usd::base(28500), Watts::base(1800), 0.63};
inline constexpr Seconds life = Seconds::base(26280.0 * 3600);  ///< three years

/// (price + energy) over the useful hours of three years; `rate` is the electricity price times
/// PUE. Not the formula of its footnote: that one is taken_literally().
UsdPerSecond per_useful_hour(const Server&, UsdPerJoule rate);

/// The rate at which per_useful_hour() is `wanted`; refuses where price alone exceeds it.
Answer<UsdPerJoule> rate_for(const Server&, UsdPerSecond wanted);

/// What its footnote says: three-year cost = dollars per hour x hours of 100 jobs.
Usd taken_literally(UsdPerSecond per_hour, Seconds job, double jobs = 100);

/// Its "hidden" cost of the cheaper server: the capacity that lower utilisation wastes, and the
/// energy it draws more.
struct Hidden {
  Usd capacity, energy;
  [[nodiscard]] Usd total() const { return capacity + energy; }
};
Hidden hidden_cost(const Server& cheap, const Server& dear, UsdPerJoule rate);

}  // namespace gpuvet::model::article
