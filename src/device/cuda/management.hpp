// SPDX-License-Identifier: Apache-2.0
// What NVML tells about the GPUs that CUDA computes on. Where NVML is missing nothing is told.
#pragma once

#include <map>
#include <mutex>
#include <optional>
#include <string>

#include "device/device.hpp"
#include "platform/nvml.hpp"

namespace gpuvet::device::cuda {

class Management {
 public:
  /// Opens the driver's library; without it telemetry() knows nothing.
  Management();
  Management(const Management&) = delete;
  Management& operator=(const Management&) = delete;
  ~Management();

  /// "580.65.06"; empty: unknown.
  [[nodiscard]] std::string driver_version() const;
  /// "GPU-…" as nvidia-smi prints it, of the GPU at a PCI address; empty: unknown.
  [[nodiscard]] std::string uuid_at(const std::string& address);
  [[nodiscard]] Telemetry telemetry(const std::string& address);

 private:
  nvml::Device handle(const std::string& address);

  std::optional<platform::Nvml> nvml_;
  std::mutex mutex_;
  std::map<std::string, nvml::Device> handles_;  ///< by address; null where there is none
};

}  // namespace gpuvet::device::cuda
