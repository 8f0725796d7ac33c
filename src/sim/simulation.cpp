// SPDX-License-Identifier: Apache-2.0
#include "sim/simulation.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/nvml_abi.hpp"

namespace gpuvet::sim {
namespace {

constexpr double lowest_clock = 210e6;
constexpr double power_exponent = 2.4;  // dynamic power grows with clock and voltage

/// What share of its dynamic power a GPU may use, and why not all of it.
double allowed_share(const Gpu& gpu, double wanted, unsigned long long& reasons) {
  double share = 1;
  const auto hold = [&](double to, unsigned long long why) {
    share = std::min(share, to);
    reasons |= why;
  };
  const double over = gpu.temperature - gpu.limits.max_operating;
  if (gpu.temperature >= gpu.limits.slowdown)
    hold(0.35, nvml::reason_hw_thermal | nvml::reason_hw_slowdown);
  else if (over >= 0)
    hold(std::max(0.4, 0.9 - 0.12 * over), nvml::reason_sw_thermal);
  if ((gpu.held_reasons & nvml::reason_hw_power_brake) != 0) hold(0.25, nvml::reason_hw_slowdown);
  if (gpu.clock_cap > 0)
    share = std::min(share, std::pow(gpu.clock_cap / gpu.clock_max, power_exponent));
  const double room = gpu.power_limit - gpu.thermal.idle_power;
  if (wanted * share > room && wanted > 0)
    hold(std::max(0.0, room / wanted), nvml::reason_sw_power_cap);
  return share;
}

}  // namespace

void settle_gpu(Gpu& gpu) {
  const double dynamic = gpu.thermal.busy_power - gpu.thermal.idle_power;
  const double wanted = gpu.load * dynamic;
  gpu.reasons = gpu.held_reasons;
  const double share = allowed_share(gpu, wanted, gpu.reasons);
  gpu.power = gpu.thermal.idle_power + wanted * share;
  if (gpu.load <= 0) gpu.reasons |= nvml::reason_idle;
  const double ceiling = gpu.clock_cap > 0 ? std::min(gpu.clock_cap, gpu.clock_max) : gpu.clock_max;
  gpu.clock = gpu.load <= 0 ? lowest_clock
                            : std::clamp(gpu.clock_max * std::pow(share, 1 / power_exponent),
                                         std::min(lowest_clock, ceiling), ceiling);
  gpu.utilization = gpu.load;
  gpu.memory_utilization = gpu.load * 0.6;
  // Only stacked memory has sensors that the driver shows.
  constexpr int stacked = 1024;
  gpu.memory_temperature =
      gpu.bus_width < stacked
          ? 0
          : gpu.temperature + gpu.thermal.memory_over * (0.3 + 0.7 * gpu.power / gpu.power_default);
  if (gpu.load > 0 && gpu.processes.empty())
    gpu.processes.push_back(
        {4242U + static_cast<unsigned>(gpu.index), "python3", gpu.memory / 10 * 9});
  gpu.memory_used = 0;
  for (const auto& process : gpu.processes) gpu.memory_used += process.memory;
}

double Simulation::load_at(double seconds) const {
  if (load_ >= 0) return load_;
  double out = 0;
  for (const auto& work : made_.made.profile)
    if (work.start <= seconds) out = work.load;
  return out;
}

double Simulation::next_change(double after) const {
  double out = std::numeric_limits<double>::infinity();
  const auto consider = [&](double at) {
    if (at > after) out = std::min(out, at);
  };
  for (const auto& work : made_.made.profile) consider(work.start);
  for (const auto& fault : faults_) consider(fault.at);
  return out;
}

/// The server of that moment: as made, then faulty, then as warm as it had become.
Result<void> Simulation::show(double seconds) {
  shown_ = made_;
  shown_.time = seconds;
  for (auto& gpu : shown_.gpus) gpu.load = load_at(seconds);
  for (const auto& fault : faults_)
    if (fault.at <= seconds)
      GPUVET_CHECK(fault.fault->apply(shown_, fault.target, seconds - fault.at));
  std::stable_sort(shown_.log.begin(), shown_.log.end(),
                   [](const LogLine& a, const LogLine& b) { return a.at < b.at; });
  return {};
}

void Simulation::settle() {
  for (std::size_t i = 0; i < shown_.gpus.size(); ++i) {
    auto& gpu = shown_.gpus[i];
    gpu.temperature = carried_[i].temperature;
    gpu.energy = carried_[i].energy;
    for (const auto& [bit, seconds] : carried_[i].reason_seconds)
      gpu.reason_seconds[bit] += seconds;
    settle_gpu(gpu);
    const auto name = fmt::format("GPU{} Temp", gpu.index);
    for (auto& sensor : shown_.sensors)
      if (sensor.name == name) sensor.reading = std::round(gpu.temperature);
  }
}

/// Heat flows for `seconds` in which nothing else changes.
void Simulation::flow(double seconds) {
  for (std::size_t i = 0; i < shown_.gpus.size(); ++i) {
    auto& gpu = shown_.gpus[i];
    auto& carried = carried_[i];
    // Air that does not come carries no heat away: convection falls with its speed.
    const double resistance =
        gpu.thermal.resistance / std::pow(std::max(0.02, gpu.thermal.fan_share), 0.8);
    const double settling = resistance * gpu.thermal.capacity;
    const double longest = std::max(1.0, settling / 40);
    for (double left = seconds; left > 0;) {
      const double step = std::min(left, longest);
      gpu.temperature = carried.temperature;
      settle_gpu(gpu);
      const double goal = shown_.ambient + gpu.power * resistance;
      carried.temperature = goal + (carried.temperature - goal) * std::exp(-step / settling);
      carried.energy += gpu.power * step;
      for (const unsigned bit : {0x4U, 0x8U, 0x10U, 0x20U, 0x40U, 0x80U})
        if ((gpu.reasons & bit) != 0) carried.reason_seconds[bit] += step;
      left -= step;
    }
  }
}

Result<Simulation> Simulation::start(const Scenario& scenario, std::vector<Injected> faults) {
  GPUVET_TRY(const auto parts, gpu_parts(scenario.gpus));
  GPUVET_TRY(auto made, build(scenario, parts));
  // What can't happen here is refused now, not hours later.
  for (const auto& fault : faults) {
    World trial = made;
    auto applied = fault.fault->apply(trial, fault.target, 0);
    if (!applied) {
      applied.error().context.push_back("fault " + std::string(fault.fault->id));
      return tl::make_unexpected(std::move(applied).error());
    }
  }
  Simulation out(std::move(made), std::move(faults));
  out.carried_.resize(out.made_.gpus.size());
  GPUVET_CHECK(out.show(0));
  // The machine has been up for a while: it starts in balance, at the work of the first moment.
  for (auto& carried : out.carried_) carried.temperature = out.made_.ambient;
  constexpr double stretch = 3600, steady = 0.01;
  constexpr int most_stretches = 60;
  for (int i = 0; i < most_stretches; ++i) {
    const auto before = out.carried_;
    out.flow(stretch);
    double moved = 0;
    for (std::size_t g = 0; g < before.size(); ++g)
      moved = std::max(moved, std::abs(out.carried_[g].temperature - before[g].temperature));
    if (moved < steady) break;
  }
  for (auto& carried : out.carried_) carried.reason_seconds.clear();
  out.settle();
  return out;
}

const World& Simulation::at(double seconds) {
  while (now_ < seconds) {
    const double until = std::min(seconds, next_change(now_));
    if (!show(now_)) break;  // start() has tried every fault
    flow(until - now_);
    now_ = until;
  }
  if (show(now_)) settle();
  return shown_;
}

}  // namespace gpuvet::sim
