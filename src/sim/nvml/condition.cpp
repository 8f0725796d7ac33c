// SPDX-License-Identifier: Apache-2.0
// How a GPU does: clocks, power, heat, memory, PCIe, who uses it.
#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

#include "sim/nvml/exports.hpp"
#include "sim/nvml/state.hpp"

namespace nvml = gpuvet::nvml;
namespace sim = gpuvet::sim;
using nvml::Device;
using nvml::Return;
using sim::ask;
using sim::Gpu;
using sim::put;

namespace {

double megahertz(double hertz) { return std::round(hertz / 1e6); }
double milliwatts(double watts) { return std::round(watts * 1e3); }

Return put_clock(const Gpu& g, unsigned kind, bool most, unsigned* to) {
  switch (kind) {
    case nvml::graphics:
    case nvml::sm:
      return put(to, megahertz(most ? g.clock_max : g.clock));
    case nvml::memory:
      return put(to, megahertz(most ? g.memory_clock_max : g.memory_clock));
    case nvml::video:
      return put(to, megahertz((most ? g.clock_max : g.clock) * 0.9));
    default:
      return Return::invalid_argument;
  }
}

}  // namespace

Return nvmlDeviceGetClockInfo(Device d, unsigned kind, unsigned* to) {
  return ask(__func__, d, [&](const Gpu& g) { return put_clock(g, kind, false, to); });
}
Return nvmlDeviceGetMaxClockInfo(Device d, unsigned kind, unsigned* to) {
  return ask(__func__, d, [&](const Gpu& g) { return put_clock(g, kind, true, to); });
}
Return nvmlDeviceGetMaxCustomerBoostClock(Device d, unsigned kind, unsigned* to) {
  return ask(__func__, d, [&](const Gpu& g) { return put_clock(g, kind, true, to); });
}
Return nvmlDeviceGetClock(Device d, unsigned kind, unsigned which, unsigned* to) {
  return ask(__func__, d, [&](const Gpu& g) { return put_clock(g, kind, which != 0, to); });
}
Return nvmlDeviceGetApplicationsClock(Device d, unsigned kind, unsigned* to) {
  return ask(__func__, d, [&](const Gpu& g) { return put_clock(g, kind, true, to); });
}
Return nvmlDeviceGetDefaultApplicationsClock(Device d, unsigned kind, unsigned* to) {
  return ask(__func__, d, [&](const Gpu& g) { return put_clock(g, kind, true, to); });
}
Return nvmlDeviceGetSupportedMemoryClocks(Device d, unsigned* count, unsigned* to) {
  return ask(__func__, d, [&](const Gpu& g) {
    return sim::put_list(
        std::vector<unsigned>{static_cast<unsigned>(megahertz(g.memory_clock_max))}, count, to);
  });
}
Return nvmlDeviceGetSupportedGraphicsClocks(Device d, unsigned memory, unsigned* count,
                                            unsigned* to) {
  constexpr int step = 15, lowest = 210;
  return ask(__func__, d, [&](const Gpu& g) {
    if (memory != static_cast<unsigned>(megahertz(g.memory_clock_max))) return Return::not_found;
    std::vector<unsigned> all;
    for (int clock = static_cast<int>(megahertz(g.clock_max)); clock >= lowest; clock -= step)
      all.push_back(static_cast<unsigned>(clock));
    return sim::put_list(all, count, to);
  });
}
Return nvmlDeviceGetCurrentClocksEventReasons(Device d, unsigned long long* to) {
  return ask(__func__, d, [&](const Gpu& g) { return put(to, g.reasons); });
}
Return nvmlDeviceGetCurrentClocksThrottleReasons(Device d, unsigned long long* to) {
  return ask(__func__, d, [&](const Gpu& g) { return put(to, g.reasons); });
}
Return nvmlDeviceGetSupportedClocksEventReasons(Device d, unsigned long long* to) {
  return ask(__func__, d, [&](const Gpu&) { return put(to, 0x1ff); });
}
Return nvmlDeviceGetSupportedClocksThrottleReasons(Device d, unsigned long long* to) {
  return ask(__func__, d, [&](const Gpu&) { return put(to, 0x1ff); });
}
Return nvmlDeviceGetViolationStatus(Device d, unsigned policy, nvml::ViolationTime* to) {
  constexpr unsigned power = 0, thermal = 1, sync_boost = 2;
  return ask(__func__, d, [&](const Gpu& g) {
    if (to == nullptr || policy > sync_boost) return Return::not_supported;
    const unsigned long long bit = policy == power     ? nvml::reason_sw_power_cap
                                   : policy == thermal ? nvml::reason_sw_thermal
                                                       : nvml::reason_sync_boost;
    const auto found = g.reason_seconds.find(static_cast<unsigned>(bit));
    *to = {0, static_cast<unsigned long long>(
                  (found == g.reason_seconds.end() ? 0 : found->second) * 1e9)};
    return Return::success;
  });
}
Return nvmlDeviceGetPerformanceState(Device d, unsigned* to) {
  return ask(__func__, d, [&](const Gpu&) { return put(to, 0); });
}
Return nvmlDeviceGetPowerState(Device d, unsigned* to) {
  return nvmlDeviceGetPerformanceState(d, to);
}

// Power.
Return nvmlDeviceGetPowerUsage(Device d, unsigned* to) {
  return ask(__func__, d, [&](const Gpu& g) { return put(to, milliwatts(g.power)); });
}
Return nvmlDeviceGetEnforcedPowerLimit(Device d, unsigned* to) {
  return ask(__func__, d, [&](const Gpu& g) { return put(to, milliwatts(g.power_limit)); });
}
Return nvmlDeviceGetPowerManagementLimit(Device d, unsigned* to) {
  return ask(__func__, d, [&](const Gpu& g) { return put(to, milliwatts(g.power_limit)); });
}
Return nvmlDeviceGetPowerManagementDefaultLimit(Device d, unsigned* to) {
  return ask(__func__, d, [&](const Gpu& g) { return put(to, milliwatts(g.power_default)); });
}
Return nvmlDeviceGetPowerManagementLimitConstraints(Device d, unsigned* lowest, unsigned* highest) {
  return ask(__func__, d, [&](const Gpu& g) {
    put(lowest, milliwatts(g.power_min));
    return put(highest, milliwatts(g.power_max));
  });
}
Return nvmlDeviceGetPowerManagementMode(Device d, unsigned* to) {
  return ask(__func__, d, [&](const Gpu&) { return put(to, 1); });
}
Return nvmlDeviceGetPowerSource(Device d, unsigned* to) {
  return ask(__func__, d, [&](const Gpu&) { return put(to, 0); });
}
Return nvmlDeviceGetTotalEnergyConsumption(Device d, unsigned long long* to) {
  return ask(__func__, d, [&](const Gpu& g) { return put(to, g.energy * 1e3); });
}

// Heat.
Return nvmlDeviceGetTemperature(Device d, unsigned sensor, unsigned* to) {
  return ask(__func__, d, [&](const Gpu& g) {
    return sensor != 0 ? Return::invalid_argument : put(to, std::round(g.temperature));
  });
}
Return nvmlDeviceGetTemperatureV(Device d, nvml::Temperature1* to) {
  return ask(__func__, d, [&](const Gpu& g) {
    if (to == nullptr) return Return::invalid_argument;
    if (to->version != nvml::version_of<nvml::Temperature1>(1))
      return Return::argument_version_mismatch;
    to->temperature = static_cast<int>(std::round(g.temperature));
    return Return::success;
  });
}
Return nvmlDeviceGetTemperatureThreshold(Device d, unsigned which, unsigned* to) {
  return ask(__func__, d, [&](const Gpu& g) {
    if (g.limits.margins) return Return::not_supported;
    switch (which) {
      case nvml::shutdown:
        return put(to, g.limits.shutdown);
      case nvml::slowdown:
        return put(to, g.limits.slowdown);
      case nvml::memory_max:
        return put(to, g.limits.memory);
      case nvml::gpu_max:
        return put(to, g.limits.max_operating);
      default:
        return Return::not_supported;
    }
  });
}
Return nvmlDeviceGetMarginTemperature(Device d, nvml::MarginTemperature* to) {
  return ask(__func__, d, [&](const Gpu& g) {
    if (to == nullptr) return Return::invalid_argument;
    if (to->version != nvml::version_of<nvml::MarginTemperature>(1))
      return Return::argument_version_mismatch;
    if (!g.limits.margins) return Return::not_supported;
    to->margin = static_cast<int>(std::round(g.limits.max_operating - g.temperature));
    return Return::success;
  });
}
Return nvmlDeviceGetNumFans(Device d, unsigned* to) {
  return ask(__func__, d, [&](const Gpu&) { return put(to, 0); });  // the server's own cool it
}
Return nvmlDeviceGetFanSpeed(Device d, unsigned*) {
  return ask(__func__, d, [](const Gpu&) { return Return::not_supported; });
}

// Memory.
Return nvmlDeviceGetMemoryInfo(Device d, nvml::Memory* to) {
  return ask(__func__, d, [&](const Gpu& g) {
    if (to == nullptr) return Return::invalid_argument;
    const auto used = g.memory_used + g.memory_reserved;  // before R510 they were one figure
    *to = {g.memory, g.memory - used, used};
    return Return::success;
  });
}
Return nvmlDeviceGetMemoryInfo_v2(Device d, nvml::Memory2* to) {
  return ask(__func__, d, [&](const Gpu& g) {
    if (to == nullptr) return Return::invalid_argument;
    if (to->version != nvml::version_of<nvml::Memory2>(2)) return Return::argument_version_mismatch;
    *to = {to->version, g.memory, g.memory_reserved, g.memory - g.memory_used - g.memory_reserved,
           g.memory_used};
    return Return::success;
  });
}
Return nvmlDeviceGetBAR1MemoryInfo(Device d, nvml::Bar1Memory* to) {
  return ask(__func__, d, [&](const Gpu& g) {
    if (to == nullptr) return Return::invalid_argument;
    *to = {g.bar1, g.bar1 - g.bar1_used, g.bar1_used};
    return Return::success;
  });
}

// Use.
Return nvmlDeviceGetUtilizationRates(Device d, nvml::Utilization* to) {
  return ask(__func__, d, [&](const Gpu& g) {
    if (to == nullptr) return Return::invalid_argument;
    *to = {static_cast<unsigned>(std::round(g.utilization * 100)),
           static_cast<unsigned>(std::round(g.memory_utilization * 100))};
    return Return::success;
  });
}
Return nvmlDeviceGetEncoderUtilization(Device d, unsigned* to, unsigned* period) {
  return ask(__func__, d, [&](const Gpu&) {
    put(period, 167000);
    return put(to, 0);
  });
}
Return nvmlDeviceGetDecoderUtilization(Device d, unsigned* to, unsigned* period) {
  return ask(__func__, d, [&](const Gpu&) {
    put(period, 167000);
    return put(to, 0);
  });
}

namespace {

Return put_processes(const Gpu& g, unsigned* count, nvml::Process1* to) {
  std::vector<nvml::Process1> all;
  for (const auto& p : g.processes) all.push_back({p.pid, p.memory});
  return sim::put_list(all, count, to);
}
Return put_processes(const Gpu& g, unsigned* count, nvml::Process* to) {
  constexpr unsigned none = 0xffffffff;  // no instance of a divided GPU
  std::vector<nvml::Process> all;
  for (const auto& p : g.processes) all.push_back({p.pid, p.memory, none, none});
  return sim::put_list(all, count, to);
}

}  // namespace

#define GPUVET_COMPUTE(name, type)                                                      \
  Return name(Device d, unsigned* count, type* to) {                                    \
    return ask(__func__, d, [&](const Gpu& g) { return put_processes(g, count, to); }); \
  }
#define GPUVET_NONE(name, type)                                         \
  Return name(Device d, unsigned* count, type*) {                       \
    return ask(__func__, d, [&](const Gpu&) { return put(count, 0); }); \
  }
GPUVET_COMPUTE(nvmlDeviceGetComputeRunningProcesses, nvml::Process1)
GPUVET_COMPUTE(nvmlDeviceGetComputeRunningProcesses_v2, nvml::Process)
GPUVET_COMPUTE(nvmlDeviceGetComputeRunningProcesses_v3, nvml::Process)
GPUVET_NONE(nvmlDeviceGetGraphicsRunningProcesses, nvml::Process1)
GPUVET_NONE(nvmlDeviceGetGraphicsRunningProcesses_v2, nvml::Process)
GPUVET_NONE(nvmlDeviceGetGraphicsRunningProcesses_v3, nvml::Process)
GPUVET_NONE(nvmlDeviceGetMPSComputeRunningProcesses, nvml::Process1)
GPUVET_NONE(nvmlDeviceGetMPSComputeRunningProcesses_v2, nvml::Process)
GPUVET_NONE(nvmlDeviceGetMPSComputeRunningProcesses_v3, nvml::Process)

// PCIe.
Return nvmlDeviceGetCurrPcieLinkGeneration(Device d, unsigned* to) {
  return ask(__func__, d, [&](const Gpu& g) { return put(to, g.pcie.generation); });
}
Return nvmlDeviceGetMaxPcieLinkGeneration(Device d, unsigned* to) {
  return ask(__func__, d, [&](const Gpu& g) { return put(to, g.pcie.generation_max); });
}
Return nvmlDeviceGetGpuMaxPcieLinkGeneration(Device d, unsigned* to) {
  return ask(__func__, d, [&](const Gpu& g) { return put(to, g.pcie.generation_own); });
}
Return nvmlDeviceGetCurrPcieLinkWidth(Device d, unsigned* to) {
  return ask(__func__, d, [&](const Gpu& g) { return put(to, g.pcie.width); });
}
Return nvmlDeviceGetMaxPcieLinkWidth(Device d, unsigned* to) {
  return ask(__func__, d, [&](const Gpu& g) { return put(to, g.pcie.width_max); });
}
Return nvmlDeviceGetPcieReplayCounter(Device d, unsigned* to) {
  return ask(__func__, d, [&](const Gpu& g) { return put(to, g.pcie.replays); });
}
Return nvmlDeviceGetPcieThroughput(Device d, unsigned, unsigned* to) {
  constexpr double busy = 1.2e6;  // KiB/s while it works
  return ask(__func__, d, [&](const Gpu& g) { return put(to, g.load * busy); });
}

Return nvmlDeviceGetPcieLinkMaxSpeed(Device d, unsigned* to) {
  // 1 to 6: 2.5, 5, 8, 16, 32, 64 GT/s, as the generations count.
  return ask(__func__, d, [&](const Gpu& g) { return put(to, g.pcie.generation_max); });
}
Return nvmlDeviceGetPcieSpeed(Device d, unsigned* to) {
  return ask(__func__, d, [&](const Gpu& g) {
    constexpr std::array<unsigned, 6> speeds = {2500, 5000, 8000, 16000, 32000, 64000};  // MT/s
    return put(to, speeds.at(static_cast<std::size_t>(std::clamp(g.pcie.generation, 1, 6) - 1)));
  });
}
