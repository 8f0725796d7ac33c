// SPDX-License-Identifier: Apache-2.0
#include "model/cost.hpp"

#include <algorithm>
#include <cmath>
#include <stdexcept>

#include "core/text.hpp"
#include "model/constants.hpp"
#include "model/cost_draws.hpp"

namespace gpuvet::model {
namespace {

Uncertain priced(const catalogue::Catalogue& catalogue, std::string_view id) {
  const auto* price = catalogue.price(id);
  if (price == nullptr) throw std::out_of_range("prices.toml lacks " + std::string(id));
  return {price->value,    price->low,       price->high,
          Shape::triangle, Known::catalogue, price->source.ref};
}

Uncertain assumed(const Constants& c, const std::string& what, double unit = 1) {
  const auto at = [&](const char* suffix) { return unit * c.at("cost." + what + suffix); };
  return {at(""),          at("_low"),     at("_high"),
          Shape::triangle, Known::assumed, "data/models/cost.toml: " + what};
}

struct LabelledPart {
  const char* label;
  double draws::Costed::*usd;
};

constexpr LabelledPart part_list[] = {
    {"purchase", &draws::Costed::bought}, {"options", &draws::Costed::options},
    {"network", &draws::Costed::network}, {"financing", &draws::Costed::financing},
    {"support", &draws::Costed::support}, {"space", &draws::Costed::space},
    {"staff", &draws::Costed::staff},     {"energy", &draws::Costed::energy},
    {"cooling", &draws::Costed::cooling}, {"resale", &draws::Costed::resale}};

std::vector<std::string> notes_on(const CostInputs& in, const draws::Table& t) {
  std::vector<std::string> out;
  // A line drawn by hand (claim C110): the article's prices for whole servers come near it.
  constexpr double implausible = 2000;
  if (in.price && in.price->figure.likely / in.gpus < implausible)
    out.emplace_back(
        "less than 2,000 USD for each GPU: check that the price is of the whole server");
  if (t.inputs[draws::busy_power].likely < t.inputs[draws::idle_power].likely)
    out.emplace_back("busy power is below idle power");
  std::vector<std::string> missing;
  for (const auto c : {draws::network, draws::support, draws::space, draws::staff})
    if (t.inputs[c].certain() && t.inputs[c].likely <= 0) missing.emplace_back(draws::label(c));
  if (!missing.empty())
    out.push_back("not in it, since nobody said what it costs: " + join(missing, ", "));
  return out;
}

}  // namespace

Costs::Costs(const catalogue::Catalogue& catalogue, int draws, std::uint64_t seed)
    : draws_(std::max(draws, 100)), seed_(seed), electricity_(priced(catalogue, "electricity")) {
  const Constants c(catalogue);
  pue_ = assumed(c, "pue");
  interest_ = assumed(c, "interest");
  kept_ = assumed(c, "kept_per_year");
  life_ = assumed(c, "life", year.base());
  utilisation_ = assumed(c, "utilisation");
  availability_ = assumed(c, "availability");
}

CostInputs Costs::usual(int gpus, Input<Watts> busy, Input<Watts> idle) const {
  CostInputs out;
  out.gpus = gpus;
  out.busy_power = std::move(busy);
  out.idle_power = std::move(idle);
  out.pue.figure = pue_;
  out.electricity.figure = electricity_;
  out.interest.figure = interest_;
  out.kept_per_year.figure = kept_;
  out.life.figure = life_;
  out.utilisation.figure = utilisation_;
  out.availability.figure = availability_;
  return out;
}

Answer<CostResult> Costs::cost(const CostInputs& in, const Work* work) const {
  GPUVET_ANSWER(const auto table, draws::table_of(in, work, true));
  const auto n = static_cast<std::size_t>(draws_);
  std::vector<std::vector<double>> parts(std::size(part_list), std::vector<double>(n));
  std::vector<double> total(n), lost(n), useful(n), rate(n), metric(n);
  for (std::size_t i = 0; i < n; ++i) {
    const auto values = table.drawn(seed_, static_cast<int>(i));
    const auto c = draws::costed(values, table.servers);
    for (std::size_t p = 0; p < parts.size(); ++p) parts[p][i] = c.*part_list[p].usd;
    total[i] = c.total();
    lost[i] = total[i] * (1 - values[draws::availability]);
    useful[i] = c.useful;
    rate[i] = total[i] / c.useful;
    metric[i] = table.has_work ? rate[i] * values[draws::work_time] : rate[i];
  }
  CostResult out;
  std::vector<double> u(n);
  double explained = 0;
  for (std::size_t c = 0; c < draws::columns; ++c) {
    if (table.inputs[c].certain()) continue;
    for (std::size_t i = 0; i < n; ++i) u[i] = table.uniform_of(c, seed_, static_cast<int>(i));
    const double share = draws::first_order(u, metric);
    explained += share;
    out.shares.push_back(
        {std::string(draws::label(c)), share, table.inputs[c].known, table.inputs[c].source});
  }
  std::stable_sort(out.shares.begin(), out.shares.end(),
                   [](const auto& a, const auto& b) { return a.of_variance > b.of_variance; });
  out.interactions = out.shares.empty() ? 0 : std::max(0.0, 1 - explained);
  std::vector<double> per_gpu = rate;
  for (double& v : per_gpu) v /= static_cast<double>(table.gpus) * table.servers;
  out.per_gpu_hour = draws::range_of<UsdPerSecond>(std::move(per_gpu));
  out.per_useful_hour = draws::range_of<UsdPerSecond>(std::move(rate));
  if (table.has_work) out.per_result = draws::range_of<Usd>(std::move(metric));
  for (std::size_t p = 0; p < parts.size(); ++p)
    out.parts.push_back({part_list[p].label, draws::range_of<Usd>(std::move(parts[p]))});
  out.total = draws::range_of<Usd>(std::move(total));
  out.lost_to_downtime = draws::range_of<Usd>(std::move(lost));
  out.useful_time = draws::range_of<Seconds>(std::move(useful));
  out.notes = notes_on(in, table);
  return out;
}

Answer<Range<Usd>> Costs::break_even_price(const CostInputs& in,
                                           const Input<UsdPerSecond>& rent) const {
  if (!rent.figure.valid() || rent.figure.likely <= 0) return refuse("the rent is no price");
  GPUVET_ANSWER(const auto table, draws::table_of(in, nullptr, false));
  std::vector<double> out(static_cast<std::size_t>(draws_));
  const auto rent_key = key_of("rent");
  for (std::size_t i = 0; i < out.size(); ++i) {
    auto v = table.drawn(seed_, static_cast<int>(i));
    const double rate = rent.figure.quantile(uniform(seed_, rent_key, i));
    // The total is a straight line in the price, so two points give it.
    v[draws::price] = 0;
    const double at_zero = draws::costed(v, table.servers).total();
    v[draws::price] = 1e5;
    const auto c = draws::costed(v, table.servers);
    const double slope = (c.total() - at_zero) / 1e5;
    // Price and options that resell for what they cost would make any price break even.
    if (slope <= 0) return refuse("resale returns all of the price");
    out[i] = (rate * table.gpus * table.servers * c.useful - at_zero) / slope;
  }
  return draws::range_of<Usd>(std::move(out));
}

Answer<Range<Seconds>> Costs::break_even_time(const CostInputs& in,
                                              const Input<UsdPerSecond>& rent) const {
  if (!rent.figure.valid() || rent.figure.likely <= 0) return refuse("the rent is no price");
  GPUVET_ANSWER(const auto table, draws::table_of(in, nullptr, true));
  std::vector<double> out(static_cast<std::size_t>(draws_));
  const auto rent_key = key_of("rent");
  for (std::size_t i = 0; i < out.size(); ++i) {
    auto v = table.drawn(seed_, static_cast<int>(i));
    const double rate = rent.figure.quantile(uniform(seed_, rent_key, i));
    const auto full = draws::costed(v, table.servers);
    v[draws::utilisation] = 0;
    const double standing = draws::costed(v, table.servers).total();
    const double running = (full.total() - standing) / full.useful;  // of an hour's work more
    const double saved = rate * table.gpus * table.servers - running;
    if (saved <= 0) return refuse("an hour's energy costs more than an hour's rent");
    out[i] = standing / saved;
  }
  return draws::range_of<Seconds>(std::move(out));
}

Ratio kept_per_year(Ratio kept, Seconds age) {
  return Ratio::base(std::pow(kept.base(), (year / age).base()));
}

}  // namespace gpuvet::model
