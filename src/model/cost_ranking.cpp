// SPDX-License-Identifier: Apache-2.0
#include "model/cost_ranking.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>
#include <set>
#include <utility>

#include "model/cost_draws.hpp"

namespace gpuvet::model {
namespace {

using draws::Table;

constexpr double real_from = 0.9;

/// USD per result, or per useful GPU-hour, so that servers of different sizes compare.
double metric_of(const Table& t, const draws::Values& v) {
  const double metric = t.metric(v);
  return t.has_work ? metric : metric * units::h.base() / (static_cast<double>(t.gpus) * t.servers);
}

Ranking::In unit_of(std::size_t column) {
  using enum Ranking::In;
  constexpr std::array<Ranking::In, draws::columns> units = {
      usd,   usd,   usd,    usd_per_year, usd_per_year,   usd_per_year,
      watt,  watt,  number, usd_per_kwh,  share_per_year, share_per_year,
      years, share, share,  second};
  return units[column];
}

struct Sampled {
  const Candidate* candidate;
  Table table;
  std::vector<double> metric;
};

Answer<std::vector<Sampled>> sampled(const std::vector<Candidate>& candidates, const Costs& costs) {
  std::set<std::string> names;
  std::vector<Sampled> out;
  for (const auto& candidate : candidates) {
    const auto& id = candidate.cost.offer;
    if (!names.insert(id).second) return refuse("two offers are called '" + id + "'");
    if (candidate.work.has_value() != candidates.front().work.has_value())
      return refuse("some offers have work and some have none");
    auto table = draws::table_of(candidate.cost, candidate.work ? &*candidate.work : nullptr, true);
    if (!table) return refuse(id + ": " + table.error().reason);
    Sampled s{&candidate, std::move(*table), {}};
    s.metric.resize(static_cast<std::size_t>(costs.draws()));
    for (int i = 0; i < costs.draws(); ++i)
      s.metric[static_cast<std::size_t>(i)] = metric_of(s.table, s.table.drawn(costs.seed(), i));
    out.push_back(std::move(s));
  }
  return out;
}

double share_below(const std::vector<double>& a, const std::vector<double>& b) {
  double below = 0;
  for (std::size_t i = 0; i < a.size(); ++i) below += a[i] < b[i] ? 1 : a[i] == b[i] ? 0.5 : 0;
  return below / static_cast<double>(a.size());
}

bool dominates(const Ranking::Place& a, const Ranking::Place& b) {
  const bool no_worse = a.metric.p50 <= b.metric.p50 && a.time <= b.time && a.risk <= b.risk;
  return no_worse && (a.metric.p50 < b.metric.p50 || a.time < b.time || a.risk < b.risk);
}

std::vector<Ranking::Place> places_of(const std::vector<Sampled>& all) {
  std::vector<Ranking::Place> out;
  for (const auto& s : all) {
    Ranking::Place place;
    place.offer = s.candidate->cost.offer;
    place.metric = draws::range_of<Usd>(s.metric);
    place.time = s.candidate->work ? s.candidate->work->time.likely() : Seconds{};
    place.risk = s.candidate->risk;
    out.push_back(place);
  }
  for (std::size_t i = 0; i < all.front().metric.size(); ++i) {
    const auto least = std::min_element(all.begin(), all.end(), [&](const auto& a, const auto& b) {
      return a.metric[i] < b.metric[i];
    });
    out[static_cast<std::size_t>(least - all.begin())].best += 1;
  }
  for (auto& place : out) {
    place.best /= static_cast<double>(all.front().metric.size());
    place.on_front = std::none_of(out.begin(), out.end(),
                                  [&](const auto& other) { return dominates(other, place); });
  }
  return out;
}

/// Where between the ends of column `c`'s probability the order of `a` and `b` turns, if it does.
std::optional<double> turning_point(const Table& a, const Table& b, bool in_a, bool in_b,
                                    std::size_t c) {
  const auto difference = [&](double u) {
    auto va = a.middle(), vb = b.middle();
    if (in_a) va[c] = a.inputs[c].quantile(u);
    if (in_b) vb[c] = b.inputs[c].quantile(u);
    return metric_of(b, vb) - metric_of(a, va);
  };
  double low = 0.001, high = 0.999;
  if ((difference(low) < 0) == (difference(high) < 0)) return {};
  const bool rises = difference(low) < 0;
  for (int i = 0; i < 40; ++i) {
    const double middle = (low + high) / 2;
    ((difference(middle) < 0) == rises ? low : high) = middle;
  }
  return (low + high) / 2;
}

void add_flips(const Sampled& a, const Sampled& b, std::vector<Ranking::Flip>& out) {
  for (std::size_t c = 0; c < draws::columns; ++c) {
    const auto add = [&](bool in_a, bool in_b) {
      const auto& of = in_a ? a : b;
      if (of.table.inputs[c].certain()) return;
      const auto u = turning_point(a.table, b.table, in_a, in_b, c);
      if (!u) return;
      out.push_back({a.candidate->cost.offer, b.candidate->cost.offer,
                     in_a && in_b ? "" : of.candidate->cost.offer, std::string(draws::label(c)),
                     of.table.inputs[c].quantile(*u), unit_of(c), std::min(*u, 1 - *u)});
    };
    if (draws::own(c)) {
      add(true, false);
      add(false, true);
    } else {
      add(true, true);
    }
  }
}

/// What choosing the cheapest saves when the input drawn by `u` is known first: the mean over its
/// bins of the least mean cost, against the least mean cost overall.
double worth_of(const std::vector<double>& u, const std::vector<Sampled>& all) {
  constexpr std::size_t bins = 20;
  std::vector<std::vector<double>> sums(all.size(), std::vector<double>(bins, 0));
  std::vector<double> count(bins, 0);
  for (std::size_t i = 0; i < u.size(); ++i) {
    const auto bin = std::min(bins - 1, static_cast<std::size_t>(u[i] * bins));
    count[bin] += 1;
    for (std::size_t k = 0; k < all.size(); ++k) sums[k][bin] += all[k].metric[i];
  }
  double known = 0;
  for (std::size_t b = 0; b < bins; ++b) {
    double least = sums[0][b];
    for (std::size_t k = 1; k < all.size(); ++k) least = std::min(least, sums[k][b]);
    known += least;
  }
  double unknown = std::accumulate(sums[0].begin(), sums[0].end(), 0.0);
  for (std::size_t k = 1; k < all.size(); ++k)
    unknown = std::min(unknown, std::accumulate(sums[k].begin(), sums[k].end(), 0.0));
  return std::max(0.0, (unknown - known) / static_cast<double>(u.size()));
}

std::vector<Ranking::Question> questions(const std::vector<Sampled>& all, const Costs& costs) {
  std::vector<Ranking::Question> out;
  std::set<std::uint64_t> asked;  // a figure of the site is one question for all
  std::vector<double> u(static_cast<std::size_t>(costs.draws()));
  for (const auto& s : all)
    for (std::size_t c = 0; c < draws::columns; ++c) {
      if (s.table.inputs[c].certain() || !asked.insert(s.table.keys[c]).second) continue;
      for (std::size_t i = 0; i < u.size(); ++i)
        u[i] = s.table.uniform_of(c, costs.seed(), static_cast<int>(i));
      Ranking::Question q;
      q.offer = draws::own(c) ? s.candidate->cost.offer : "";
      q.input = draws::label(c);
      q.known = s.table.inputs[c].known;
      // Widths go with the root of the variance that remains.
      q.narrows = 1 - std::sqrt(std::max(0.0, 1 - draws::first_order(u, s.metric)));
      q.worth = worth_of(u, all);
      out.push_back(std::move(q));
    }
  std::stable_sort(out.begin(), out.end(), [](const auto& a, const auto& b) {
    return std::pair(a.worth, a.narrows) > std::pair(b.worth, b.narrows);
  });
  return out;
}

}  // namespace

Answer<Ranking> rank(const std::vector<Candidate>& candidates, const Costs& costs) {
  if (candidates.size() < 2) return refuse("a ranking needs two offers or more");
  GPUVET_ANSWER(auto all, sampled(candidates, costs));
  auto places = places_of(all);
  std::vector<std::size_t> by(all.size());
  std::iota(by.begin(), by.end(), 0U);
  std::stable_sort(by.begin(), by.end(), [&](std::size_t a, std::size_t b) {
    return places[a].metric.p50 < places[b].metric.p50;
  });
  Ranking out;
  out.ask = questions(all, costs);
  for (std::size_t i = 0; i < by.size(); ++i) {
    out.order.push_back(places[by[i]]);
    if (i == 0) continue;
    const auto &a = all[by[i - 1]], &b = all[by[i]];
    const double p = share_below(a.metric, b.metric);
    out.pairs.push_back({a.candidate->cost.offer, b.candidate->cost.offer, p, p >= real_from});
    add_flips(a, b, out.flips);
  }
  std::stable_sort(out.flips.begin(), out.flips.end(),
                   [](const auto& x, const auto& y) { return x.chance > y.chance; });
  return out;
}

}  // namespace gpuvet::model
