// SPDX-License-Identifier: Apache-2.0
#include "device/cuda/management.hpp"

#include <array>

namespace gpuvet::device::cuda {

using nvml::Return;
using platform::call;

Management::Management() {
  auto opened = platform::Nvml::open("libnvidia-ml.so.1");
  if (opened && opened->start()) nvml_.emplace(std::move(*opened));
}

Management::~Management() {
  if (nvml_) nvml_->stop();
}

std::string Management::driver_version() const {
  std::array<char, 96> text{};
  if (!nvml_ || call(nvml_->nvmlSystemGetDriverVersion, text.data(),
                     static_cast<unsigned>(text.size() - 1)) != Return::success)
    return {};
  return text.data();
}

nvml::Device Management::handle(const std::string& address) {
  const std::lock_guard lock(mutex_);
  if (const auto known = handles_.find(address); known != handles_.end()) return known->second;
  nvml::Device device = nullptr;
  if (call(nvml_->nvmlDeviceGetHandleByPciBusId_v2, address.c_str(), &device) != Return::success)
    device = nullptr;
  handles_[address] = device;
  return device;
}

std::string Management::uuid_at(const std::string& address) {
  std::array<char, 96> text{};
  auto* device = nvml_ ? handle(address) : nullptr;
  if (device == nullptr || call(nvml_->nvmlDeviceGetUUID, device, text.data(),
                                static_cast<unsigned>(text.size() - 1)) != Return::success)
    return {};
  return text.data();
}

Telemetry Management::telemetry(const std::string& address) {
  Telemetry out;
  auto* device = nvml_ ? handle(address) : nullptr;
  if (device == nullptr) return out;
  const auto& n = *nvml_;
  const auto ask = [&](auto function, auto... arguments) {
    return call(function, device, arguments...) == Return::success;
  };
  unsigned number = 0;
  if (ask(n.nvmlDeviceGetClockInfo, static_cast<unsigned>(nvml::sm), &number))
    out.clock = number * 1e6;
  if (ask(n.nvmlDeviceGetClockInfo, static_cast<unsigned>(nvml::memory), &number))
    out.memory_clock = number * 1e6;
  if (ask(n.nvmlDeviceGetPowerUsage, &number)) out.power = number * 1e-3;
  if (ask(n.nvmlDeviceGetTemperature, 0U, &number)) out.temperature = number;
  unsigned long long wide = 0;
  if (ask(n.nvmlDeviceGetCurrentClocksEventReasons, &wide) ||
      ask(n.nvmlDeviceGetCurrentClocksThrottleReasons, &wide))
    out.reasons = wide;
  const auto errors = [&](nvml::ErrorType type) -> std::optional<std::uint64_t> {
    if (!ask(n.nvmlDeviceGetTotalEccErrors, static_cast<unsigned>(type),
             static_cast<unsigned>(nvml::volatile_errors), &wide))
      return {};
    return wide;
  };
  out.corrected = errors(nvml::corrected);
  out.uncorrected = errors(nvml::uncorrected);
  unsigned by_corrected = 0, by_uncorrected = 0, pending = 0, failed = 0;
  if (ask(n.nvmlDeviceGetRemappedRows, &by_corrected, &by_uncorrected, &pending, &failed)) {
    out.remapped = by_uncorrected;
    out.remap_pending = pending != 0;
  }
  return out;
}

}  // namespace gpuvet::device::cuda
