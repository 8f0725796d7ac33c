// SPDX-License-Identifier: Apache-2.0
#include "model/cost_input.hpp"

#include <algorithm>
#include <array>
#include <cmath>

namespace gpuvet::model {
namespace {

/// The standard normal's quantile by Newton's method on erfc, from the logistic one.
double normal_quantile(double u) {
  double z = std::log(u / (1 - u)) / 1.702;
  for (int i = 0; i < 4; ++i) {
    const double below = 0.5 * std::erfc(-z * 0.7071067811865476);
    const double density = 0.3989422804014327 * std::exp(-z * z / 2);
    z -= std::clamp((below - u) / density, -0.5, 0.5);
  }
  return z;
}

}  // namespace

std::string_view name(Known known) {
  constexpr std::array<std::string_view, 7> names = {
      "measured", "quoted", "document", "catalogue", "predicted", "assumed", "the article's"};
  return names[static_cast<std::size_t>(known)];
}

double Uncertain::quantile(double u) const {
  if (certain()) return likely;
  if (shape == Shape::triangle) {
    const double width = high - low, left = (likely - low) / width;
    return u < left ? low + std::sqrt(u * width * (likely - low))
                    : high - std::sqrt((1 - u) * width * (high - likely));
  }
  // Two half lognormals, so that an interval need not be even about its middle.
  constexpr double z95 = 1.6448536269514722;
  const double z = normal_quantile(u);
  const double step = z < 0 ? std::log(likely / low) : std::log(high / likely);
  return likely * std::exp(z / z95 * step);
}

bool Uncertain::valid() const {
  if (!std::isfinite(low) || !std::isfinite(likely) || !std::isfinite(high)) return false;
  if (shape == Shape::point) return true;
  return low <= likely && likely <= high && (shape != Shape::lognormal || low > 0);
}

}  // namespace gpuvet::model
