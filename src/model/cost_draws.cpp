// SPDX-License-Identifier: Apache-2.0
#include "model/cost_draws.hpp"

#include <algorithm>
#include <cmath>
#include <string>

namespace gpuvet::model::draws {
namespace {

constexpr std::array<std::string_view, columns> labels = {
    "price",      "options",     "network",      "support",         "space",    "staff",
    "busy power", "idle power",  "PUE",          "electricity",     "interest", "resale",
    "life",       "utilisation", "availability", "time of the work"};

constexpr bool share_column(std::size_t c) { return c == utilisation || c == availability; }

}  // namespace

std::string_view label(std::size_t column) { return labels[column]; }

bool own(std::size_t column) {
  switch (column) {
    case price:
    case options:
    case network:
    case support:
    case busy_power:
    case idle_power:
    case availability:
    case work_time:
      return true;
    default:  // a site's own, whatever stands there
      return false;
  }
}

Costed costed(const Values& v, int servers) {
  const double n = servers;
  const double years = v[life] / year.base();
  Costed out;
  out.bought = n * v[price];
  out.options = n * v[options];
  out.network = n * v[network];
  // Paid back evenly over the life at a steady rate.
  const double r = v[interest] * years;
  const double paid = std::abs(r) < 1e-9 ? 1 : r / (1 - std::exp(-r));
  out.financing = (paid - 1) * (out.bought + out.options + out.network);
  out.support = n * v[support] * v[life];
  out.space = n * v[space] * v[life];
  out.staff = n * v[staff] * v[life];
  const double busy = v[utilisation] * v[availability];
  const double watts = v[idle_power] + busy * (v[busy_power] - v[idle_power]);
  out.energy = n * watts * v[life] * v[electricity];
  out.cooling = out.energy * (v[pue] - 1);
  out.resale = -std::pow(v[kept], years) * (out.bought + out.options);
  out.useful = v[life] * busy;
  return out;
}

double Table::uniform_of(std::size_t column, std::uint64_t seed, int draw) const {
  return uniform(seed, keys[column], static_cast<std::uint64_t>(draw));
}

Values Table::drawn(std::uint64_t seed, int draw) const {
  Values out{};
  for (std::size_t c = 0; c < columns; ++c)
    out[c] = inputs[c].certain() ? inputs[c].likely : inputs[c].quantile(uniform_of(c, seed, draw));
  // A tail beyond 1 would make hours from nothing.
  for (const auto c : {utilisation, availability, kept}) out[c] = std::min(out[c], 1.0);
  out[idle_power] = std::min(out[idle_power], out[busy_power]);
  return out;
}

Values Table::middle() const {
  Values out{};
  for (std::size_t c = 0; c < columns; ++c) out[c] = inputs[c].quantile(0.5);
  return out;
}

double Table::metric(const Values& v) const {
  const Costed c = costed(v, servers);
  const double rate = c.total() / c.useful;
  return has_work ? rate * v[work_time] : rate;
}

Answer<Table> table_of(const CostInputs& in, const Work* work, bool need_price) {
  if (need_price && !in.price)
    return refuse("no price is given; ask for the break-even price instead");
  if (in.servers < 1 || in.gpus < 1) return refuse("a cost needs at least one server and one GPU");
  Table out;
  out.servers = in.servers;
  out.gpus = in.gpus;
  out.has_work = work != nullptr;
  out.inputs = {in.price ? in.price->figure : Uncertain{},
                in.options.figure,
                in.network.figure,
                in.support.figure,
                in.space.figure,
                in.staff.figure,
                in.busy_power.figure,
                in.idle_power.figure,
                in.pue.figure,
                in.electricity.figure,
                in.interest.figure,
                in.kept_per_year.figure,
                in.life.figure,
                in.utilisation.figure,
                in.availability.figure,
                work != nullptr ? work->time.figure : Uncertain{}};
  for (std::size_t c = 0; c < columns; ++c) {
    const Uncertain& figure = out.inputs[c];
    const std::string what(label(c));
    if (!figure.valid()) return refuse(what + ": low, likely and high are not in order");
    if (figure.likely < 0 || figure.low < 0) return refuse(what + " is negative");
    if (share_column(c) && figure.likely > 1) return refuse(what + " is above 100 %");
    const bool divides = c == life || share_column(c) || (c == work_time && work != nullptr);
    if (divides && std::min(figure.likely, figure.certain() ? figure.likely : figure.low) <= 0)
      return refuse(what + " must be above 0");
    out.keys[c] = key_of(own(c) ? what + "\n" + in.offer : what);
  }
  if (out.inputs[pue].likely < 1) return refuse("PUE is below 1");
  if (out.inputs[kept].likely > 1) return refuse("resale: a year keeps more than 100 %");
  return out;
}

double quantile_of(std::vector<double>& values, double share) {
  const auto at =
      static_cast<std::ptrdiff_t>(std::lround(share * static_cast<double>(values.size() - 1)));
  std::nth_element(values.begin(), values.begin() + at, values.end());
  return values[static_cast<std::size_t>(at)];
}

double first_order(const std::vector<double>& u, const std::vector<double>& y) {
  constexpr std::size_t bins = 32;
  std::array<double, bins> sum{}, count{};
  double total = 0, squares = 0;
  const auto n = static_cast<double>(y.size());
  for (std::size_t i = 0; i < y.size(); ++i) {
    const auto bin = std::min(bins - 1, static_cast<std::size_t>(u[i] * bins));
    sum[bin] += y[i];
    count[bin] += 1;
    total += y[i];
  }
  const double mean = total / n;
  for (const double v : y) squares += (v - mean) * (v - mean);
  if (squares <= 0) return 0;
  double between = 0;
  for (std::size_t b = 0; b < bins; ++b)
    if (count[b] > 0) between += (sum[b] / count[b] - mean) * (sum[b] / count[b] - mean) * count[b];
  const double share = between / squares;
  // An input that matters not at all still has bins/n between its bins.
  const double noise = (bins - 1) / n;
  return std::clamp((share - noise) / (1 - noise), 0.0, 1.0);
}

}  // namespace gpuvet::model::draws
