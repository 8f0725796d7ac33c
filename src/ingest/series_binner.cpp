// SPDX-License-Identifier: Apache-2.0
// Bins that double in width: memory for 1024 bins a GPU, whether the log lasts a minute or a month.
#include "ingest/series_binner.hpp"

#include <algorithm>
#include <utility>

namespace gpuvet::ingest {
namespace {

// NaN compares false with everything: it never replaces a value and is always replaced by one.
void raise(double& highest, double value) {
  if (value > highest || highest != highest) highest = value;
}
void lower_to(double& lowest, double value) {
  if (value < lowest || lowest != lowest) lowest = value;
}

}  // namespace

void SeriesBinner::Bin::add(const Sample& s) {
  if (samples == 0) start = s.time;
  end = s.time;
  samples += 1;
  raise(gap_max, s.gap);
  raise(core_max, s.core);
  raise(memory_max, s.memory);
  lower_to(margin_min, s.margin);
  core.add(s.core);
  power.add(s.power);
  utilization.add(s.utilization);
  hardware_throttled.add(s.hardware_throttled);
  sw_thermal.add(s.sw_thermal);
  power_cap.add(s.power_cap);
  if (s.utilization != s.utilization) return;
  const bool is_busy = s.utilization >= busy_from;
  busy.add(is_busy ? 1 : 0);
  if (!is_busy) return;
  core_busy.add(s.core);
  power_busy.add(s.power);
  clock_busy.add(s.clock);
}

void SeriesBinner::Bin::merge(const Bin& later) {
  end = later.end;
  samples += later.samples;
  raise(gap_max, later.gap_max);
  raise(core_max, later.core_max);
  raise(memory_max, later.memory_max);
  lower_to(margin_min, later.margin_min);
  busy.add(later.busy);
  core.add(later.core);
  core_busy.add(later.core_busy);
  power.add(later.power);
  power_busy.add(later.power_busy);
  clock_busy.add(later.clock_busy);
  utilization.add(later.utilization);
  hardware_throttled.add(later.hardware_throttled);
  sw_thermal.add(later.sw_thermal);
  power_cap.add(later.power_cap);
}

void SeriesBinner::add(const Sample& sample) {
  // The width is a power of two, so the position in the bin is in the low bits.
  if ((samples_ & (width_ - 1)) == 0) {
    while (bins_.size() >= most_bins_) halve();
    if ((samples_ & (width_ - 1)) == 0) bins_.emplace_back();
  }
  bins_.back().add(sample);
  ++samples_;
}

void SeriesBinner::limit(std::size_t most_bins) {
  most_bins_ = std::max<std::size_t>(most_bins, 2);
  while (bins_.size() > most_bins_) halve();
  if (bins_.capacity() > 2 * most_bins_) bins_.shrink_to_fit();
}

void SeriesBinner::halve() {
  std::size_t kept = 0;
  for (std::size_t i = 0; i < bins_.size(); i += 2) {
    if (i + 1 < bins_.size()) bins_[i].merge(bins_[i + 1]);
    bins_[kept++] = bins_[i];
  }
  bins_.resize(kept);
  width_ *= 2;
}

Table SeriesBinner::table(std::string name, std::string subject) const {
  Table out;
  out.name = std::move(name);
  out.subject = std::move(subject);
  const auto column = [&](const char* title, Unit unit, auto value) {
    Column made{title, unit, {}};
    made.values.reserve(bins_.size());
    for (const Bin& bin : bins_) made.values.push_back(value(bin));
    out.columns.push_back(std::move(made));
  };
  column("start", Unit::second, [](const Bin& b) { return b.start; });
  column("end", Unit::second, [](const Bin& b) { return b.end; });
  column("samples", Unit::none, [](const Bin& b) { return b.samples; });
  column("busy", Unit::none, [](const Bin& b) { return b.busy.total(); });
  column("core_max", Unit::celsius, [](const Bin& b) { return b.core_max; });
  column("core_mean_busy", Unit::celsius, [](const Bin& b) { return b.core_busy.mean(); });
  column("core_mean", Unit::celsius, [](const Bin& b) { return b.core.mean(); });
  column("memory_max", Unit::celsius, [](const Bin& b) { return b.memory_max; });
  column("margin_min", Unit::kelvin, [](const Bin& b) { return b.margin_min; });
  column("power_mean_busy", Unit::watt, [](const Bin& b) { return b.power_busy.mean(); });
  column("power_mean", Unit::watt, [](const Bin& b) { return b.power.mean(); });
  column("clock_sm_mean_busy", Unit::hertz, [](const Bin& b) { return b.clock_busy.mean(); });
  column("utilization_mean", Unit::ratio, [](const Bin& b) { return b.utilization.mean(); });
  column("hardware_throttled", Unit::none,
         [](const Bin& b) { return b.hardware_throttled.total(); });
  column("sw_thermal", Unit::none, [](const Bin& b) { return b.sw_thermal.total(); });
  column("power_cap", Unit::none, [](const Bin& b) { return b.power_cap.total(); });
  column("gap_max", Unit::second, [](const Bin& b) { return b.gap_max; });
  return out;
}

}  // namespace gpuvet::ingest
