// SPDX-License-Identifier: Apache-2.0
// Inside the cost model: inputs as numbered columns of draws, and the arithmetic of one draw.
#pragma once

#include <array>
#include <string_view>
#include <vector>

#include "model/cost.hpp"

namespace gpuvet::model::draws {

enum Column : std::size_t {
  price,
  options,
  network,
  support,
  space,
  staff,
  busy_power,
  idle_power,
  pue,
  electricity,
  interest,
  kept,
  life,
  utilisation,
  availability,
  work_time,
  columns
};

/// "price", "electricity price": as results name inputs.
std::string_view label(std::size_t column);
/// An offer's own: drawn independently of the same input of another offer.
bool own(std::size_t column);

using Values = std::array<double, columns>;

/// What one draw costs, in USD over the life, all servers.
struct Costed {
  double bought = 0, options = 0, network = 0, financing = 0, support = 0, space = 0, staff = 0,
         energy = 0, cooling = 0, resale = 0;
  double useful = 0;  ///< seconds, of one server
  [[nodiscard]] double total() const {
    return bought + options + network + financing + support + space + staff + energy + cooling +
           resale;
  }
};

Costed costed(const Values&, int servers);

/// An offer's inputs by column; `work_time` is a point of 0 without work.
struct Table {
  std::array<Uncertain, columns> inputs;
  int servers = 1, gpus = 8;
  bool has_work = false;
  std::array<std::uint64_t, columns> keys{};

  [[nodiscard]] double uniform_of(std::size_t column, std::uint64_t seed, int draw) const;
  [[nodiscard]] Values drawn(std::uint64_t seed, int draw) const;
  [[nodiscard]] Values middle() const;  ///< every input at its median
  /// USD per job or million tokens with work, else per useful hour of all servers (USD/s).
  [[nodiscard]] double metric(const Values&) const;
};

/// Refuses inputs that make no sense; `need_price`: also a missing price.
Answer<Table> table_of(const CostInputs&, const Work*, bool need_price);

template <class Q>
Range<Q> range_of(std::vector<double> values);

double quantile_of(std::vector<double>& sorted, double share);

/// Var(E[Y | X]) / Var(Y) by equal bins of X's probability, without the bias that finite bins have.
double first_order(const std::vector<double>& u, const std::vector<double>& y);

template <class Q>
Range<Q> range_of(std::vector<double> values) {
  double sum = 0;
  for (const double v : values) sum += v;
  const double mean = sum / static_cast<double>(values.size());
  const double p10 = quantile_of(values, 0.1), p50 = quantile_of(values, 0.5),
               p90 = quantile_of(values, 0.9);
  return {Q::base(p10), Q::base(p50), Q::base(p90), Q::base(mean)};
}

}  // namespace gpuvet::model::draws
