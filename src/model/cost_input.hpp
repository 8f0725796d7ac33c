// SPDX-License-Identifier: Apache-2.0
// A figure that is not known exactly: how much it may be, how it is known, and draws from it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "core/quantity.hpp"
#include "model/random.hpp"

namespace gpuvet::model {

using UsdPerSecond = Quantity<0, -1, 0, 0, 1, 0>;
using UsdPerJoule = Quantity<0, 0, -1, 0, 1, 0>;

/// A year of accounts: 8,760 hours, as cost models count it.
inline constexpr Seconds year = Seconds::base(8760.0 * 3600);

/// What a figure rests on, the firmest first.
enum class Known { measured, quoted, document, catalogue, predicted, assumed, article };
std::string_view name(Known);

/// How a figure spreads: not at all; a triangle whose corners are low, likely and high; or
/// lognormal with `likely` in the middle and 5 % on either side of low and high.
enum class Shape { point, triangle, lognormal };

/// One figure's spread in base units.
struct Uncertain {
  double likely = 0, low = 0, high = 0;
  Shape shape = Shape::point;
  Known known = Known::assumed;
  std::string source;

  /// The figure below which it lies with probability `u`, 0 < u < 1. Rises with u.
  [[nodiscard]] double quantile(double u) const;
  [[nodiscard]] bool certain() const { return shape == Shape::point || !(low < high); }
  /// Low <= likely <= high, all finite, and above 0 where lognormal.
  [[nodiscard]] bool valid() const;
};

/// An Uncertain with a dimension.
template <class Q>
struct Input {
  Uncertain figure;

  [[nodiscard]] Q likely() const { return Q::base(figure.likely); }

  static Input exactly(Q v, Known known, std::string source = {}) {
    return {{v.base(), v.base(), v.base(), Shape::point, known, std::move(source)}};
  }
  static Input between(Q low, Q likely, Q high, Known known, std::string source = {}) {
    return {{likely.base(), low.base(), high.base(), Shape::triangle, known, std::move(source)}};
  }
  /// From a prediction with its 90 % interval.
  static Input predicted(Q low, Q value, Q high, std::string source = {}) {
    return {{value.base(), low.base(), high.base(), Shape::lognormal, Known::predicted,
             std::move(source)}};
  }
};

}  // namespace gpuvet::model
