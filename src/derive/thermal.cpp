// SPDX-License-Identifier: Apache-2.0
// What a thermal log shows, and whether it counts: a log that is short, idle or full of holes may
// still show a fault, but it satisfies nothing.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "core/statistics.hpp"
#include "core/text.hpp"
#include "derive/steps.hpp"

namespace gpuvet::derive {
namespace {

constexpr double busy_enough = 0.95;  // share of busy samples
constexpr double longest_gap = 10.1;  // seconds: 10, and what a logger on a 10 s beat is late

std::vector<double> present(const Table& table, std::string_view column) {
  std::vector<double> out;
  if (const auto* c = table.column(column))
    std::copy_if(c->values.begin(), c->values.end(), std::back_inserter(out),
                 [](double v) { return !std::isnan(v); });
  return out;
}

std::optional<double> total(const Table& table, std::string_view column) {
  const auto values = present(table, column);
  if (values.empty()) return {};
  double sum = 0;
  for (const double v : values) sum += v;
  return sum;
}

std::optional<double> largest(const Table& table, std::string_view column) {
  const auto values = present(table, column);
  if (values.empty()) return {};
  return *std::max_element(values.begin(), values.end());
}

/// Why a log does not count, in words; empty when it does.
std::vector<std::string> shortfalls(double duration, double asked, std::optional<double> busy,
                                    double gap) {
  std::vector<std::string> out;
  if (duration < asked)
    out.push_back(fmt::format("it lasts {} of the {} asked", format_value(duration, Unit::second),
                              format_value(asked, Unit::second)));
  if (!busy)
    out.emplace_back("it does not log utilization, so it may have been idle");
  else if (*busy < busy_enough)
    out.push_back(fmt::format("only {} of its samples are busy, 95 % are needed",
                              format_value(*busy, Unit::ratio)));
  if (gap > longest_gap)
    out.push_back(
        fmt::format("it has a gap of {}, 10 s are allowed", format_value(gap, Unit::second)));
  return out;
}

/// How long the log covers: each sample stands for the time until the next, the last one too.
double covered(const Table& table, double samples) {
  const auto starts = present(table, "start"), ends = present(table, "end");
  if (starts.empty() || ends.empty() || samples < 2) return 0;
  const double span =
      *std::max_element(ends.begin(), ends.end()) - *std::min_element(starts.begin(), starts.end());
  return span * samples / (samples - 1);
}

void record(Recorder& out, Id id, const std::string& gpu, std::optional<double> value) {
  if (value) out.number(id, gpu, *value);
}

std::optional<double> share(std::optional<double> part, double whole) {
  if (!part) return {};
  return *part / whole;
}

std::optional<double> median_of(std::vector<double> values) {
  if (values.empty()) return {};
  return median(std::move(values));
}

/// Mean of `column` over the rows from `from` to `to`, both shares of the log; nothing when none of
/// them has a value. All bins but the last hold as many samples.
std::optional<double> mean_between(const Table& table, std::string_view column, double from,
                                   double to) {
  const auto* c = table.column(column);
  if (c == nullptr) return {};
  const auto at = [&](double portion) {
    return static_cast<std::size_t>(portion * static_cast<double>(c->values.size()));
  };
  double sum = 0, count = 0;
  for (std::size_t i = at(from); i < at(to); ++i)
    if (!std::isnan(c->values[i])) sum += c->values[i], ++count;
  if (count == 0) return {};
  return sum / count;
}

/// Whether heat still built up at the end, and what it cost. Too few bins would compare single
/// samples.
void record_trends(const Table& table, Recorder& out) {
  constexpr std::size_t fewest_bins = 40;
  if (table.rows() < fewest_bins) return;
  const auto third = mean_between(table, "core_mean_busy", 0.5, 0.75);
  const auto fourth = mean_between(table, "core_mean_busy", 0.75, 1);
  if (third && fourth) out.number("thermal.temperature.drift"_id, table.subject, *fourth - *third);
  const auto first = mean_between(table, "clock_sm_mean_busy", 0, 0.1);
  const auto last = mean_between(table, "clock_sm_mean_busy", 0.9, 1);
  if (first && last && *first > 0)
    out.number("thermal.clock.drop"_id, table.subject, 1 - *last / *first);
}

/// One GPU's log. Returns its median busy temperature.
std::optional<double> analyse(const Table& table, const Options& options, Recorder& out) {
  const auto& gpu = table.subject;
  const double samples = total(table, "samples").value_or(0);
  if (samples < 2) return {};
  const double duration = covered(table, samples);
  const auto busy = share(total(table, "busy"), samples);
  const double gap = largest(table, "gap_max").value_or(0);
  out.number("thermal.log.duration"_id, gpu, duration);
  record(out, "thermal.log.busy"_id, gpu, busy);
  out.number("thermal.log.gap"_id, gpu, gap);
  const auto short_of = shortfalls(duration, options.thermal_asked, busy, gap);
  out.flag("thermal.log.admissible"_id, gpu, short_of.empty());
  if (!short_of.empty()) out.detail("the log does not count: " + join(short_of, "; "));

  record(out, "thermal.temperature.core.max"_id, gpu, largest(table, "core_max"));
  record(out, "thermal.temperature.memory.max"_id, gpu, largest(table, "memory_max"));
  if (const auto margins = present(table, "margin_min"); !margins.empty())
    out.number("thermal.temperature.margin.min"_id, gpu,
               *std::min_element(margins.begin(), margins.end()));
  record(out, "thermal.power.median"_id, gpu, median_of(present(table, "power_mean_busy")));
  record(out, "thermal.throttle.hardware"_id, gpu,
         share(total(table, "hardware_throttled"), samples));
  record(out, "thermal.throttle.sw_thermal"_id, gpu, share(total(table, "sw_thermal"), samples));
  record(out, "thermal.throttle.power_cap"_id, gpu, share(total(table, "power_cap"), samples));
  record_trends(table, out);
  const auto core = median_of(present(table, "core_mean_busy"));
  record(out, "thermal.temperature.core.median"_id, gpu, core);
  return core;
}

}  // namespace

void analyse_thermal_logs(Evidence& evidence, const Options& options) {
  Evidence found;
  std::map<std::string, double> medians;
  for (const auto& table : evidence.tables) {
    if (table.name != "thermal.log") continue;
    Provenance provenance = derived_from({});
    if (table.provenance != nullptr) {
      provenance.custody = table.provenance->custody;
      provenance.source = table.provenance->source;
      provenance.when = table.provenance->when;
    }
    Recorder out(found, provenance);
    if (const auto core = analyse(table, options, out)) medians[table.subject] = *core;
  }
  for (const auto& [gpu, own] : medians) {
    std::vector<double> others;
    for (const auto& [other, theirs] : medians)
      if (other != gpu) others.push_back(theirs);
    if (others.empty()) break;
    const auto* source = find(found, "thermal.temperature.core.median"_id, gpu);
    Recorder out(found, *source->provenance);
    out.number("thermal.temperature.over_siblings"_id, gpu, own - median(others));
  }
  if (!found.observations.empty()) {
    Provenance asked;
    asked.how = How::assumed;
    asked.custody = Custody::own;
    asked.tool = "gpuvet";
    Recorder out(found, asked);
    out.number("thermal.asked"_id, "node", options.thermal_asked);
  }
  evidence.append(std::move(found));
}

}  // namespace gpuvet::derive
