// SPDX-License-Identifier: Apache-2.0
// What changes with time: clocks, power, temperatures, memory, PCIe, processes.
#include <fmt/format.h>

#include <array>
#include <vector>

#include "collect/nvml_facts.hpp"
#include "core/text.hpp"

namespace gpuvet::collect {

using nvml::Return;
using platform::call;

namespace {

struct ReasonId {
  Id id;
  unsigned long long bit;
};
constexpr std::array reasons = {
    ReasonId{"gpu.clock_event.idle"_id, nvml::reason_idle},
    ReasonId{"gpu.clock_event.applications_clocks"_id, nvml::reason_applications_clocks},
    ReasonId{"gpu.clock_event.sw_power_cap"_id, nvml::reason_sw_power_cap},
    ReasonId{"gpu.clock_event.hw_slowdown"_id, nvml::reason_hw_slowdown},
    ReasonId{"gpu.clock_event.hw_thermal"_id, nvml::reason_hw_thermal},
    ReasonId{"gpu.clock_event.hw_power_brake"_id, nvml::reason_hw_power_brake},
    ReasonId{"gpu.clock_event.sync_boost"_id, nvml::reason_sync_boost},
    ReasonId{"gpu.clock_event.sw_thermal"_id, nvml::reason_sw_thermal},
};

struct LimitId {
  Id id;
  unsigned threshold;
};
constexpr std::array limits = {
    LimitId{"gpu.temperature.limit.max_operating"_id, nvml::gpu_max},
    LimitId{"gpu.temperature.limit.slowdown"_id, nvml::slowdown},
    LimitId{"gpu.temperature.limit.shutdown"_id, nvml::shutdown},
    LimitId{"gpu.temperature.limit.memory"_id, nvml::memory_max},
};

constexpr double megahertz = 1e6, milliwatt = 1e-3, per_cent = 0.01;

}  // namespace

void NvmlGpu::state() const {
  const auto ask = [&](Id id, auto* function, double factor = 1) {
    number<unsigned>(
        id, [&](unsigned* to) { return call(function, device, to); }, factor);
  };
  const auto ask_of = [&](Id id, auto* function, unsigned which, double factor = 1) {
    number<unsigned>(
        id, [&](unsigned* to) { return call(function, device, which, to); }, factor);
  };
  ask_of("gpu.temperature.core"_id, nvml.nvmlDeviceGetTemperature, 0);
  for (const auto& limit : limits)
    ask_of(limit.id, nvml.nvmlDeviceGetTemperatureThreshold, limit.threshold);
  nvml::MarginTemperature margin{nvml::version_of<nvml::MarginTemperature>(1), 0};
  if (const auto said = call(nvml.nvmlDeviceGetMarginTemperature, device, &margin);
      said == Return::success)
    out.number("gpu.temperature.margin"_id, subject, margin.margin);
  else
    absent("gpu.temperature.margin"_id, said);

  ask("gpu.power.draw"_id, nvml.nvmlDeviceGetPowerUsage, milliwatt);
  ask("gpu.power.limit"_id, nvml.nvmlDeviceGetEnforcedPowerLimit, milliwatt);
  ask("gpu.power.limit.default"_id, nvml.nvmlDeviceGetPowerManagementDefaultLimit, milliwatt);
  unsigned lowest = 0, highest = 0;
  const auto bounds =
      call(nvml.nvmlDeviceGetPowerManagementLimitConstraints, device, &lowest, &highest);
  if (bounds == Return::success) {
    out.number("gpu.power.limit.min"_id, subject, lowest * milliwatt);
    out.number("gpu.power.limit.max"_id, subject, highest * milliwatt);
  } else {
    absent("gpu.power.limit.min"_id, bounds);
    absent("gpu.power.limit.max"_id, bounds);
  }

  ask_of("gpu.clock.sm"_id, nvml.nvmlDeviceGetClockInfo, nvml::sm, megahertz);
  ask_of("gpu.clock.memory"_id, nvml.nvmlDeviceGetClockInfo, nvml::memory, megahertz);
  ask_of("gpu.clock.sm.max"_id, nvml.nvmlDeviceGetMaxClockInfo, nvml::sm, megahertz);
  ask_of("gpu.clock.memory.max"_id, nvml.nvmlDeviceGetMaxClockInfo, nvml::memory, megahertz);
  unsigned long long bits = 0;
  const auto why = nvml.nvmlDeviceGetCurrentClocksEventReasons != nullptr
                       ? call(nvml.nvmlDeviceGetCurrentClocksEventReasons, device, &bits)
                       : call(nvml.nvmlDeviceGetCurrentClocksThrottleReasons, device, &bits);
  for (const auto& reason : reasons)
    if (why == Return::success)
      out.flag(reason.id, subject, (bits & reason.bit) != 0);
    else
      absent(reason.id, why);
  unsigned pstate = 0;
  if (const auto said = call(nvml.nvmlDeviceGetPerformanceState, device, &pstate);
      said == Return::success && pstate < 16)
    out.text("gpu.performance_state"_id, subject, fmt::format("P{}", pstate));
  else
    absent("gpu.performance_state"_id, said);

  nvml::Utilization used{};
  if (const auto said = call(nvml.nvmlDeviceGetUtilizationRates, device, &used);
      said == Return::success) {
    out.number("gpu.utilization"_id, subject, used.gpu * per_cent);
    out.number("gpu.utilization.memory"_id, subject, used.memory * per_cent);
  } else {
    absent("gpu.utilization"_id, said);
  }
  nvml::Memory2 memory{};
  memory.version = nvml::version_of<nvml::Memory2>(2);
  if (call(nvml.nvmlDeviceGetMemoryInfo_v2, device, &memory) == Return::success) {
    out.number("gpu.memory.total"_id, subject, static_cast<double>(memory.total));
    out.number("gpu.memory.used"_id, subject, static_cast<double>(memory.used));
    out.number("gpu.memory.free"_id, subject, static_cast<double>(memory.free));
    out.number("gpu.memory.reserved"_id, subject, static_cast<double>(memory.reserved));
  } else {
    // Before R510: what the driver keeps for itself counts as used.
    nvml::Memory old{};
    const auto said = call(nvml.nvmlDeviceGetMemoryInfo, device, &old);
    if (said == Return::success) {
      out.number("gpu.memory.total"_id, subject, static_cast<double>(old.total));
      out.number("gpu.memory.used"_id, subject, static_cast<double>(old.used));
      out.number("gpu.memory.free"_id, subject, static_cast<double>(old.free));
    } else {
      absent("gpu.memory.total"_id, said);
    }
  }
  nvml::Bar1Memory bar{};
  if (const auto said = call(nvml.nvmlDeviceGetBAR1MemoryInfo, device, &bar);
      said == Return::success) {
    out.number("gpu.bar1.total"_id, subject, static_cast<double>(bar.total));
    out.number("gpu.bar1.used"_id, subject, static_cast<double>(bar.used));
  } else {
    absent("gpu.bar1.total"_id, said);
  }

  ask("gpu.pcie.generation"_id, nvml.nvmlDeviceGetCurrPcieLinkGeneration);
  ask("gpu.pcie.generation.max"_id, nvml.nvmlDeviceGetMaxPcieLinkGeneration);
  ask("gpu.pcie.width"_id, nvml.nvmlDeviceGetCurrPcieLinkWidth);
  ask("gpu.pcie.width.max"_id, nvml.nvmlDeviceGetMaxPcieLinkWidth);
  ask("gpu.pcie.replays"_id, nvml.nvmlDeviceGetPcieReplayCounter);

  std::array<nvml::Process, 64> processes{};
  unsigned count = static_cast<unsigned>(processes.size());
  const auto busy =
      nvml.nvmlDeviceGetComputeRunningProcesses_v3 != nullptr
          ? call(nvml.nvmlDeviceGetComputeRunningProcesses_v3, device, &count, processes.data())
          : call(nvml.nvmlDeviceGetComputeRunningProcesses_v2, device, &count, processes.data());
  if (busy != Return::success && busy != Return::insufficient_size)
    return absent("gpu.processes"_id, busy);
  out.number("gpu.processes"_id, subject, count);
  std::string who;
  for (unsigned i = 0; i < count && i < 4 && busy == Return::success; ++i) {
    char name[96] = {};
    call(nvml.nvmlSystemGetProcessName, processes[i].pid, name,
         static_cast<unsigned>(sizeof name - 1));
    who += fmt::format("{}pid {} {}", who.empty() ? "" : ", ", processes[i].pid, printable(name));
  }
  if (!who.empty()) out.detail(std::move(who));
}

void NvmlGpu::health() const {
  unsigned pending = 0;
  unsigned current = 0;
  if (const auto said = call(nvml.nvmlDeviceGetEccMode, device, &current, &pending);
      said == Return::success) {
    out.flag("gpu.ecc.mode"_id, subject, current != 0);
    out.flag("gpu.ecc.mode.pending"_id, subject, pending != 0);
  } else {
    absent("gpu.ecc.mode"_id, said);
  }
  const auto count = [&](Id id, unsigned type, unsigned counter, unsigned location) {
    number<unsigned long long>(id, [&](unsigned long long* to) {
      return call(nvml.nvmlDeviceGetMemoryErrorCounter, device, type, counter, location, to);
    });
  };
  using namespace nvml;  // the names of its enumerators, below
  count("gpu.ecc.volatile.corrected.dram"_id, corrected, volatile_errors, dram);
  count("gpu.ecc.volatile.uncorrected.dram"_id, uncorrected, volatile_errors, dram);
  count("gpu.ecc.aggregate.corrected.dram"_id, corrected, aggregate_errors, dram);
  count("gpu.ecc.aggregate.uncorrected.dram"_id, uncorrected, aggregate_errors, dram);
  count("gpu.ecc.volatile.corrected.sram"_id, corrected, volatile_errors, sram);
  count("gpu.ecc.volatile.uncorrected.sram"_id, uncorrected, volatile_errors, sram);
  count("gpu.ecc.aggregate.corrected.sram"_id, corrected, aggregate_errors, sram);
  count("gpu.ecc.aggregate.uncorrected.sram"_id, uncorrected, aggregate_errors, sram);
  number<unsigned long long>("gpu.ecc.volatile.uncorrected"_id, [&](unsigned long long* to) {
    return call(this->nvml.nvmlDeviceGetTotalEccErrors, device, unsigned{uncorrected},
                unsigned{volatile_errors}, to);
  });

  std::array<unsigned, 4> rows{};
  if (const auto said = call(this->nvml.nvmlDeviceGetRemappedRows, device, &rows[0], &rows[1],
                             &rows[2], &rows[3]);
      said == Return::success) {
    out.number("gpu.remap.correctable"_id, subject, rows[0]);
    out.number("gpu.remap.uncorrectable"_id, subject, rows[1]);
    out.flag("gpu.remap.pending"_id, subject, rows[2] != 0);
    out.flag("gpu.remap.failure"_id, subject, rows[3] != 0);
  } else {
    absent("gpu.remap.uncorrectable"_id, said);
    absent("gpu.remap.pending"_id, said);
    absent("gpu.remap.failure"_id, said);
  }
  RowRemapperHistogram banks{};
  if (const auto said = call(this->nvml.nvmlDeviceGetRowRemapperHistogram, device, &banks);
      said == Return::success) {
    out.number("gpu.remap.banks.max"_id, subject, banks.max);
    out.number("gpu.remap.banks.high"_id, subject, banks.high);
    out.number("gpu.remap.banks.partial"_id, subject, banks.partial);
    out.number("gpu.remap.banks.low"_id, subject, banks.low);
    out.number("gpu.remap.banks.none"_id, subject, banks.none);
  } else {
    absent("gpu.remap.banks.none"_id, said);
  }

  std::array<unsigned, 2> pages{};
  Return said = Return::success;
  for (unsigned cause = 0; cause < 2 && said == Return::success; ++cause) {
    pages[cause] = 0;
    said = call(this->nvml.nvmlDeviceGetRetiredPages, device, cause, &pages[cause],
                static_cast<unsigned long long*>(nullptr));
    if (said == Return::insufficient_size) said = Return::success;  // asked for the count alone
  }
  if (said == Return::success) {
    out.number("gpu.retired_pages.single_bit"_id, subject, pages[0]);
    out.number("gpu.retired_pages.double_bit"_id, subject, pages[1]);
    out.number("gpu.retired_pages"_id, subject, pages[0] + pages[1]);
  } else {
    absent("gpu.retired_pages"_id, said);
  }
  flag("gpu.retired_pages.pending"_id, [&](unsigned* to) {
    return call(this->nvml.nvmlDeviceGetRetiredPagesPendingStatus, device, to);
  });
  RepairStatus repair{version_of<RepairStatus>(1), 0, 0};
  if (call(this->nvml.nvmlDeviceGetRepairStatus, device, &repair) == Return::success) {
    out.flag("gpu.repair.channel_pending"_id, subject, repair.channel_pending != 0);
    out.flag("gpu.repair.tpc_pending"_id, subject, repair.tpc_pending != 0);
  }
}

}  // namespace gpuvet::collect
