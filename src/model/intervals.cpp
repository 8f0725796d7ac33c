// SPDX-License-Identifier: Apache-2.0
#include "model/intervals.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include "core/text.hpp"

namespace gpuvet::model {
namespace {

/// Beyond a factor of e^4 (55) outside all sizes known, an interval would be a guess.
constexpr double reach = 4;
/// An interval's half width grows by a quarter with each e-fold outside the known sizes.
constexpr double widening = 0.25;

bool knows(const std::vector<std::string>& known, const std::string& what) {
  return what.empty() || std::find(known.begin(), known.end(), what) != known.end();
}

/// Where no measurement tells how far off a transfer may be: the widest that is known, and half of
/// it more.
double half_width(const catalogue::IntervalFamily& f, Transfer transfer) {
  const std::array<std::optional<double>, 4> by = {f.same_gpu, f.new_gpu, f.new_framework,
                                                   f.new_topology};
  const double same = f.same_gpu.value_or(0);
  if (const auto& q = by[static_cast<std::size_t>(transfer)]) return std::max(*q, same);
  double widest = 0;
  for (const auto& q : by) widest = std::max(widest, q.value_or(0));
  return 1.5 * widest;
}

}  // namespace

Transfer transfer_of(const catalogue::IntervalFamily& f, const Setting& s) {
  if (!knows(f.topologies, s.topology)) return Transfer::new_topology;
  if (!knows(f.frameworks, s.framework)) return Transfer::new_framework;
  if (!knows(f.gpus, s.gpu)) return Transfer::new_gpu;
  return Transfer::same_gpu;
}

double distance_of(const catalogue::IntervalFamily& f, double size) {
  if (size <= 0 || f.smallest <= 0) return 0;
  return std::max({0.0, std::log(f.smallest / size), std::log(size / f.largest)});
}

Intervals::Intervals(const catalogue::Catalogue& catalogue) {
  for (const auto& family : catalogue.intervals) families_.emplace(family.id, family);
}

Answer<Prediction> Intervals::around(const Estimate& e) const {
  if (e.decision) return Prediction{e.value, e.value, e.value, Transfer::same_gpu, e.notes};
  const auto found = families_.find(e.family);
  if (found == families_.end())
    return refuse("no measurement is known to hold a prediction of " + e.family + " against");
  const auto& family = found->second;
  const double distance = distance_of(family, e.setting.size);
  if (distance > reach)
    return refuse("size " + format_number(e.setting.size) + " is far outside the measurements of " +
                  e.family + ", " + format_number(family.smallest) + " to " +
                  format_number(family.largest));
  Prediction out{e.value, 0, 0, transfer_of(family, e.setting), e.notes};
  const double half = half_width(family, out.transfer) * e.difficulty * (1 + widening * distance);
  out.low = e.value * std::exp(-half);
  out.high = e.value * std::exp(half);
  return out;
}

}  // namespace gpuvet::model
