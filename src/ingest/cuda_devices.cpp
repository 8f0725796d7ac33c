// SPDX-License-Identifier: Apache-2.0
#include "ingest/cuda_devices.hpp"

#include <algorithm>
#include <utility>

#include "core/text.hpp"

namespace gpuvet::ingest {

void CudaDevices::add(std::size_t ordinal, std::string_view name,
                      std::optional<std::string> address, std::size_t line) {
  constexpr std::size_t longest_name = 80;
  if (ordinal >= most) return;
  devices_[ordinal] = {printable(trim(name).substr(0, longest_name)), std::move(address), line};
}

/// MIG slices of one GPU share an address, which then identifies none of them.
const CudaDevices::Device* CudaDevices::identified(std::size_t ordinal) const {
  const auto found = devices_.find(ordinal);
  if (found == devices_.end() || !found->second.address) return nullptr;
  const auto same = [&](const auto& entry) {
    return entry.second.address == found->second.address;
  };
  return std::ranges::count_if(devices_, same) == 1 ? &found->second : nullptr;
}

void CudaDevices::record(Recorder& out) const {
  for (const auto& [ordinal, listed] : devices_) {
    const Device* device = identified(ordinal);
    if (device == nullptr) continue;
    out.line(device->line);
    out.text("gpu.name"_id, gpu(ordinal), device->name);
    out.text("gpu.pci.address"_id, gpu(ordinal), *device->address);
  }
}

std::string CudaDevices::gpu(std::size_t ordinal) const {
  const Device* device = identified(ordinal);
  return "gpu:" + (device != nullptr ? *device->address : "cuda#" + std::to_string(ordinal));
}

std::string CudaDevices::link(std::size_t a, std::size_t b) const {
  constexpr std::size_t prefix = 4;  // "gpu:"
  return "link:" + gpu(std::min(a, b)).substr(prefix) + "~" + gpu(std::max(a, b)).substr(prefix);
}

}  // namespace gpuvet::ingest
