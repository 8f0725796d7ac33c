// SPDX-License-Identifier: Apache-2.0
#include "accuracy/fit.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <utility>

#include "accuracy/score.hpp"
#include "model/intervals.hpp"

namespace gpuvet::accuracy {
namespace {

constexpr int folds = 5;

/// The same fold for a group on any machine and in any order of rows (FNV-1a).
int fold_of(const std::string& group) {
  std::uint64_t hash = 14695981039346656037ULL;
  for (const unsigned char c : group) hash = (hash ^ c) * 1099511628211ULL;
  return static_cast<int>((hash >> 32) % folds);
}

struct Free {
  std::string name;
  double low = 0, high = 0;
  bool logarithmic = false;  ///< a range over several factors of two is searched by factors

  [[nodiscard]] double moved(double value, double step) const {
    const double to =
        logarithmic ? value * std::pow(high / low, step) : value + step * (high - low);
    return std::clamp(to, low, high);
  }
};

std::vector<Free> free_constants(const Kind& kind, const catalogue::Catalogue& catalogue) {
  std::vector<Free> out;
  for (const auto& model : catalogue.models) {
    if (std::find(kind.constants.begin(), kind.constants.end(), model.id) == kind.constants.end())
      continue;
    for (const auto& [name, constant] : model.constants)
      if (constant.range) {
        const auto [low, high] = *constant.range;
        out.push_back({model.id + "." + name, low, high, low > 0 && high / low > 4});
      }
  }
  return out;
}

/// `family` as it is known from `rows`: what transfer_of() compares with.
std::map<std::string, catalogue::IntervalFamily> known_from(const Kind& kind, const World& world,
                                                            const std::vector<const Row*>& rows) {
  std::map<std::string, catalogue::IntervalFamily> out;
  const auto add = [](std::vector<std::string>& to, const std::string& what) {
    if (!what.empty() && std::find(to.begin(), to.end(), what) == to.end()) to.push_back(what);
  };
  for (const auto* row : rows) {
    const auto estimate = kind.predict(*row, world);
    if (!estimate) continue;
    auto& family = out[estimate->family];
    const auto& setting = estimate->setting;
    add(family.gpus, setting.gpu);
    add(family.frameworks, setting.framework);
    add(family.topologies, setting.topology);
    if (setting.size <= 0) continue;
    family.smallest = family.smallest > 0 ? std::min(family.smallest, setting.size) : setting.size;
    family.largest = std::max(family.largest, setting.size);
  }
  return out;
}

/// Residuals of `out_rows` by a fit to `in_rows`.
void validate(const Kind& kind, const catalogue::Catalogue& catalogue,
              const model::Constants& start, int rounds, LeftOut left_out,
              const std::vector<const Row*>& in_rows, const std::vector<const Row*>& out_rows,
              std::vector<Residual>& out) {
  if (in_rows.empty() || out_rows.empty()) return;
  const auto constants = fit(kind, catalogue, start, in_rows, rounds);
  const model::Models models(constants);
  const World world{catalogue, models};
  const auto known = known_from(kind, world, in_rows);
  for (const auto* row : out_rows) {
    const auto estimate = kind.predict(*row, world);
    if (!estimate || *row->value <= 0 || estimate->value <= 0) continue;
    const auto family = known.find(estimate->family);
    const auto transfer = family == known.end()
                              ? model::Transfer::new_topology
                              : model::transfer_of(family->second, estimate->setting);
    out.push_back({row, left_out, *estimate, std::log(estimate->value / *row->value), transfer});
  }
}

/// One fit for each value of `what` among the rows, without the rows that have it.
void leave_each_out(const Kind& kind, const catalogue::Catalogue& catalogue,
                    const model::Constants& start, int rounds, LeftOut left_out,
                    const std::vector<const Row*>& rows,
                    const std::function<std::string(const model::Setting&)>& what,
                    std::vector<Residual>& out) {
  const model::Models models(start);
  const World world{catalogue, models};
  std::map<std::string, std::vector<const Row*>> by;
  for (const auto* row : rows)
    if (const auto estimate = kind.predict(*row, world)) by[what(estimate->setting)].push_back(row);
  if (by.size() < 2) return;
  for (const auto& [value, out_rows] : by) {
    const std::set<const Row*> gone(out_rows.begin(), out_rows.end());
    std::vector<const Row*> in_rows;
    for (const auto* row : rows)
      if (!gone.contains(row)) in_rows.push_back(row);
    validate(kind, catalogue, start, rounds, left_out, in_rows, out_rows, out);
  }
}

}  // namespace

double loss(const Kind& kind, const catalogue::Catalogue& catalogue,
            const model::Constants& constants, const std::vector<const Row*>& rows) {
  const model::Models models(constants);
  const World world{catalogue, models};
  std::map<std::string_view, std::pair<double, double>> groups;  // sum, rows
  for (const auto* row : rows) {
    if (!row->value || *row->value <= 0) continue;
    const auto estimate = kind.predict(*row, world);
    if (!estimate) continue;
    const double error =
        estimate->value > 0 ? std::abs(std::log(estimate->value / *row->value)) : 10;
    auto& [sum, count] = groups[row->group];
    sum += error + error * error;
    count += 1;
  }
  double total = 0, weights = 0;
  for (const auto& [group, sum_count] : groups) {
    const double weight = std::sqrt(sum_count.second);
    total += weight * sum_count.first / sum_count.second;
    weights += weight;
  }
  return weights > 0 ? total / weights : 0;
}

model::Constants fit(const Kind& kind, const catalogue::Catalogue& catalogue,
                     model::Constants constants, const std::vector<const Row*>& rows, int rounds) {
  const auto free = free_constants(kind, catalogue);
  if (free.empty()) return constants;
  double best = loss(kind, catalogue, constants, rows);
  std::vector<double> step(free.size(), 0.1);
  for (int round = 0; round < rounds; ++round) {
    bool moved = false;
    for (std::size_t i = 0; i < free.size(); ++i) {
      const double from = constants.at(free[i].name);
      bool helped = false;
      for (const double direction : {step[i], -step[i]}) {
        const double to = free[i].moved(from, direction);
        if (to == from) continue;
        constants.set(free[i].name, to);
        const double now = loss(kind, catalogue, constants, rows);
        if (now < best) {
          best = now;
          helped = true;
          break;
        }
      }
      if (!helped) constants.set(free[i].name, from);
      step[i] *= helped ? 1.5 : 0.5;
      step[i] = std::min(step[i], 0.25);
      moved = moved || helped || step[i] > 1e-3;
    }
    if (!moved) break;
  }
  return constants;
}

std::vector<Residual> cross_validate(const Kind& kind, const catalogue::Catalogue& catalogue,
                                     const model::Constants& start,
                                     const std::vector<const Row*>& rows, int rounds) {
  std::vector<Residual> out;
  for (int fold = 0; fold < folds; ++fold) {
    std::vector<const Row*> in_rows, out_rows;
    for (const auto* row : rows) (fold_of(row->group) == fold ? out_rows : in_rows).push_back(row);
    validate(kind, catalogue, start, rounds, LeftOut::group, in_rows, out_rows, out);
  }
  using Setting = model::Setting;
  leave_each_out(
      kind, catalogue, start, rounds, LeftOut::gpu, rows, [](const Setting& s) { return s.gpu; },
      out);
  leave_each_out(
      kind, catalogue, start, rounds, LeftOut::framework, rows,
      [](const Setting& s) { return s.framework; }, out);
  leave_each_out(
      kind, catalogue, start, rounds, LeftOut::topology, rows,
      [](const Setting& s) { return s.topology; }, out);
  return out;
}

std::vector<catalogue::IntervalFamily> families_of(const std::vector<Residual>& residuals) {
  std::map<std::string, catalogue::IntervalFamily> families;
  std::map<std::string, std::map<model::Transfer, std::vector<double>>> errors;
  std::map<std::string, std::set<std::string>> groups;
  const auto add = [](std::vector<std::string>& to, const std::string& what) {
    if (!what.empty() && std::find(to.begin(), to.end(), what) == to.end()) to.push_back(what);
  };
  for (const auto& r : residuals) {
    auto& family = families[r.estimate.family];
    family.id = r.estimate.family;
    const double error = std::abs(r.log_error) / r.estimate.difficulty;
    errors[family.id][r.transfer].push_back(error);
    if (r.left_out != LeftOut::group) continue;
    groups[family.id].insert(r.row->group);
    family.rows += 1;
    add(family.gpus, r.estimate.setting.gpu);
    add(family.frameworks, r.estimate.setting.framework);
    add(family.topologies, r.estimate.setting.topology);
    const double size = r.estimate.setting.size;
    if (size <= 0) continue;
    family.smallest = family.smallest > 0 ? std::min(family.smallest, size) : size;
    family.largest = std::max(family.largest, size);
  }
  std::vector<catalogue::IntervalFamily> out;
  for (auto& [id, family] : families) {
    family.groups = static_cast<double>(groups[id].size());
    // With n residuals the 90 % quantile of a new one is the 0.9 (1 + 1/n) quantile of these.
    const auto of = [&](model::Transfer transfer) -> std::optional<double> {
      const auto found = errors[id].find(transfer);
      if (found == errors[id].end() || found->second.size() < 5) return {};
      const auto n = static_cast<double>(found->second.size());
      return quantile(found->second, std::min(1.0, 0.9 * (1 + 1 / n)));
    };
    const auto errors_without =
        [&](LeftOut what) -> std::optional<catalogue::IntervalFamily::Errors> {
      std::vector<double> list;
      for (const auto& r : residuals)
        if (r.left_out == what && r.estimate.family == id)
          list.push_back(std::abs(std::exp(r.log_error) - 1));
      if (list.empty()) return {};
      return catalogue::IntervalFamily::Errors{quantile(list, 0.5), quantile(list, 0.9)};
    };
    family.without_group = errors_without(LeftOut::group);
    family.without_gpu = errors_without(LeftOut::gpu);
    family.without_software = errors_without(LeftOut::framework);
    family.same_gpu = of(model::Transfer::same_gpu);
    family.new_gpu = of(model::Transfer::new_gpu);
    family.new_framework = of(model::Transfer::new_framework);
    family.new_topology = of(model::Transfer::new_topology);
    for (auto* list : {&family.gpus, &family.frameworks, &family.topologies})
      std::sort(list->begin(), list->end());
    out.push_back(std::move(family));
  }
  return out;
}

}  // namespace gpuvet::accuracy
