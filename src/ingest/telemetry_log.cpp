// SPDX-License-Identifier: Apache-2.0
// Names are matched as a whole: "gpu_util" is a utilization, "gpu_util_target" is not.
#include "ingest/telemetry_log.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include "core/statistics.hpp"
#include "core/text.hpp"
#include "ingest/query_fields.hpp"

namespace gpuvet::ingest {
namespace {

constexpr std::size_t most_gpus = 1024;
constexpr std::size_t most_bins = 32 * SeriesBinner::default_bins;  // of all GPUs together
constexpr std::int64_t second = 1'000'000;

using S = Sample;

constexpr auto core = "gpu.temperature.core"_id, memory = "gpu.temperature.memory"_id,
               power = "gpu.power.draw"_id, clock = "gpu.clock.sm"_id,
               utilization = "gpu.utilization"_id;

constexpr std::array telemetry{
    Telemetry{"temp_c", "C", core, &S::core},
    Telemetry{"temperature_c", "C", core, &S::core},
    Telemetry{"temperature", "C", core, &S::core},
    Telemetry{"gpu_temp", "C", core, &S::core},
    Telemetry{"gpu_temp_c", "C", core, &S::core},
    Telemetry{"gpu_temperature", "C", core, &S::core},
    Telemetry{"gpu_temperature_c", "C", core, &S::core},
    Telemetry{"bmc_temp_c", "C", core, &S::core},
    Telemetry{"dcgm_fi_dev_gpu_temp", "C", core, &S::core},
    Telemetry{"mem_temp_c", "C", memory, &S::memory},
    Telemetry{"memory_temp_c", "C", memory, &S::memory},
    Telemetry{"hbm_temp_c", "C", memory, &S::memory},
    Telemetry{"memory_temperature", "C", memory, &S::memory},
    Telemetry{"dcgm_fi_dev_memory_temp", "C", memory, &S::memory},
    Telemetry{"power_w", "W", power, &S::power},
    Telemetry{"power_draw_w", "W", power, &S::power},
    Telemetry{"gpu_power_w", "W", power, &S::power},
    Telemetry{"board_power_draw", "W", power, &S::power},
    Telemetry{"dcgm_fi_dev_power_usage", "W", power, &S::power},
    Telemetry{"sm_clock_mhz", "MHz", clock, &S::clock},
    Telemetry{"clock_sm_mhz", "MHz", clock, &S::clock},
    Telemetry{"gpu_clock", "MHz", clock, &S::clock},
    Telemetry{"dcgm_fi_dev_sm_clock", "MHz", clock, &S::clock},
    Telemetry{"util_pct", "%", utilization, &S::utilization},
    Telemetry{"gpu_util_pct", "%", utilization, &S::utilization},
    Telemetry{"gpu_utilization_pct", "%", utilization, &S::utilization},
    Telemetry{"utilization_pct", "%", utilization, &S::utilization},
    Telemetry{"gpu_load", "%", utilization, &S::utilization},
    Telemetry{"gpu_usage", "%", utilization, &S::utilization},
    Telemetry{"dcgm_fi_dev_gpu_util", "%", utilization, &S::utilization},
};

}  // namespace

std::string telemetry_name(std::string_view title) {
  title = trim(title.substr(0, std::min<std::size_t>(title.find('['), 128)));
  if (title.size() > 1 && title.front() == '"' && title.back() == '"')
    title = trim(title.substr(1, title.size() - 2));
  std::string name = lower(title);
  std::ranges::replace(name, ' ', '_');
  return name;
}

const Telemetry* find_telemetry(std::string_view name) {
  const auto found = std::ranges::find(telemetry, name, &Telemetry::name);
  return found == telemetry.end() ? nullptr : &*found;
}

void set_clock_events(Sample& sample, std::uint64_t bits) {
  const auto any = [bits](auto... events) {
    return (bits & (static_cast<std::uint64_t>(events) | ...)) != 0 ? 1.0 : 0.0;
  };
  sample.hardware_throttled =
      any(ClockEvent::hw_slowdown, ClockEvent::hw_thermal, ClockEvent::hw_power_brake);
  sample.sw_thermal = any(ClockEvent::sw_thermal);
  sample.power_cap = any(ClockEvent::sw_power_cap);
}

void Thinned::add(double value) {
  if (seen_++ % stride_ != 0) return;
  values_.push_back(value);
  if (values_.size() < most) return;
  for (std::size_t i = 0; i < most / 2; ++i) values_[i] = values_[2 * i];
  values_.resize(most / 2);
  stride_ *= 2;
}

Result<std::int64_t> TelemetryLog::time(std::string_view text, std::size_t line) {
  const auto now = time_.read(text);
  if (!now)
    return fail(Errc::malformed, "unreadable timestamp: " + printable(text.substr(0, 40)), line);
  if (!first_) first_ = *now;
  return *now;
}

Result<TelemetryLog::Gpu*> TelemetryLog::gpu(const std::string& subject, std::size_t line) {
  const auto found = gpus_.find(subject);
  if (found != gpus_.end()) return &found->second;
  if (gpus_.size() == most_gpus) return fail(Errc::too_large, "rows of more than 1024 GPUs", line);
  Gpu* const added = &gpus_[subject];
  // As many bins for 1024 GPUs as for 32.
  const std::size_t each = most_bins / gpus_.size();
  if (each < SeriesBinner::default_bins) {
    added->series.limit(each);
    if ((gpus_.size() & (gpus_.size() - 1)) == 0)
      for (auto& [name, other] : gpus_) other.series.limit(each);
  }
  return added;
}

void TelemetryLog::add(Gpu& gpu, Sample sample, std::int64_t now, std::size_t line) {
  if (gpu.series.samples() > 0) {
    const std::int64_t step = now - gpu.previous;
    sample.gap = static_cast<double>(step < 0 ? -step : step) / 1e6;
    if (step < -second) {  // the clock was set back: a gap, but time never runs backwards
      gpu.shift -= step;
      ++gpu.jumps;
    }
  }
  sample.time = static_cast<double>(now + gpu.shift - first_.value_or(now)) / 1e6;
  gpu.series.add(sample);
  gpu.last = sample;
  gpu.previous = now;
  gpu.line = line;
}

void TelemetryLog::record(Recorder& out) const {
  for (const auto& [subject, gpu] : gpus_) {
    if (gpu.series.samples() == 0) continue;
    out.line(gpu.line);
    const auto last = [&out, &name = subject](Id id, double value) {
      if (!std::isnan(value)) out.number(id, name, value);
    };
    last(core, gpu.last.core);
    last(memory, gpu.last.memory);
    last(power, gpu.last.power);
    last(clock, gpu.last.clock);
    last(utilization, gpu.last.utilization);
    if (!gpu.rates.values().empty())
      out.number("compute.burn"_id, subject, median(gpu.rates.values()),
                 {{"backend", "telemetry log"}});
    if (gpu.jumps > 0 && !out.evidence().observations.empty())
      out.detail("the log's clock was set back " + std::to_string(gpu.jumps) + " times");
    if (gpu.series.samples() > 1) out.table(gpu.series.table("thermal.log", subject));
  }
}

}  // namespace gpuvet::ingest
