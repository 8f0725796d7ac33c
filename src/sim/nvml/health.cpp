// SPDX-License-Identifier: Apache-2.0
// How a GPU's memory and fabric are.
#include <algorithm>
#include <cstddef>
#include <cstring>
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

Return nvmlDeviceGetEccMode(Device d, unsigned* current, unsigned* pending) {
  return ask(__func__, d, [&](const Gpu& g) {
    if (!g.ecc_supported) return Return::not_supported;
    put(pending, g.ecc_pending);
    return put(current, g.ecc);
  });
}
Return nvmlDeviceGetDefaultEccMode(Device d, unsigned* to) {
  return ask(__func__, d,
             [&](const Gpu& g) { return g.ecc_supported ? put(to, 1) : Return::not_supported; });
}
Return nvmlDeviceGetMemoryErrorCounter(Device d, unsigned type, unsigned counter, unsigned location,
                                       unsigned long long* to) {
  return ask(__func__, d, [&](const Gpu& g) {
    if (!g.ecc) return Return::not_supported;
    const auto& counts = counter == nvml::volatile_errors ? g.volatile_ecc : g.aggregate_ecc;
    const bool bad = type == nvml::uncorrected;
    if (location == nvml::dram)
      return put(to, bad ? counts.uncorrected_dram : counts.corrected_dram);
    if (location == nvml::sram)
      return put(to, bad ? counts.uncorrected_sram : counts.corrected_sram);
    return Return::not_supported;
  });
}
Return nvmlDeviceGetTotalEccErrors(Device d, unsigned type, unsigned counter,
                                   unsigned long long* to) {
  return ask(__func__, d, [&](const Gpu& g) {
    if (!g.ecc) return Return::not_supported;
    const auto& counts = counter == nvml::volatile_errors ? g.volatile_ecc : g.aggregate_ecc;
    return put(to, type == nvml::uncorrected ? counts.uncorrected_dram + counts.uncorrected_sram
                                             : counts.corrected_dram + counts.corrected_sram);
  });
}
Return nvmlDeviceGetRemappedRows(Device d, unsigned* corrected, unsigned* uncorrected,
                                 unsigned* pending, unsigned* failure) {
  return ask(__func__, d, [&](const Gpu& g) {
    if (!g.remaps_rows) return Return::not_supported;
    put(corrected, g.remap_corrected);
    put(uncorrected, g.remap_uncorrected);
    put(pending, g.remap_pending);
    return put(failure, g.remap_failure);
  });
}
Return nvmlDeviceGetRowRemapperHistogram(Device d, nvml::RowRemapperHistogram* to) {
  return ask(__func__, d, [&](const Gpu& g) {
    if (!g.remaps_rows) return Return::not_supported;
    if (to == nullptr) return Return::invalid_argument;
    *to = {g.remap_banks[0], g.remap_banks[1], g.remap_banks[2], g.remap_banks[3],
           g.remap_banks[4]};
    return Return::success;
  });
}
Return nvmlDeviceGetRetiredPages(Device d, unsigned cause, unsigned* count,
                                 unsigned long long* to) {
  return ask(__func__, d, [&](const Gpu& g) {
    if (g.remaps_rows) return Return::not_supported;
    constexpr unsigned long long page = 0x1000;
    std::vector<unsigned long long> pages(cause == 0 ? g.retired_single : g.retired_double);
    for (std::size_t i = 0; i < pages.size(); ++i) pages[i] = (i + 1) * page;
    return sim::put_list(pages, count, to);
  });
}
Return nvmlDeviceGetRetiredPagesPendingStatus(Device d, unsigned* to) {
  return ask(__func__, d, [&](const Gpu& g) {
    return g.remaps_rows ? Return::not_supported : put(to, g.retired_pending);
  });
}
Return nvmlDeviceGetRepairStatus(Device d, nvml::RepairStatus*) {
  return ask(__func__, d, [](const Gpu&) { return Return::not_supported; });
}

namespace {

template <class Info>
void fill_fabric(const Gpu& g, Info& to) {
  std::memset(to.cluster, 0, sizeof to.cluster);
  to.status = static_cast<Return>(g.fabric_status);
  to.clique = 0;
  to.state = static_cast<unsigned char>(g.fabric_state);
}

}  // namespace

Return nvmlDeviceGetGpuFabricInfo(Device d, nvml::FabricInfo* to) {
  return ask(__func__, d, [&](const Gpu& g) {
    if (to == nullptr) return Return::invalid_argument;
    fill_fabric(g, *to);
    return Return::success;
  });
}
Return nvmlDeviceGetGpuFabricInfoV(Device d, nvml::FabricInfo3* to) {
  return ask(__func__, d, [&](const Gpu& g) {
    if (to == nullptr) return Return::invalid_argument;
    // The second version ends where the summary begins.
    constexpr auto second =
        static_cast<unsigned>(offsetof(nvml::FabricInfo3, health_summary)) | 2U << 24U;
    const bool third = to->version == nvml::version_of<nvml::FabricInfo3>(3);
    if (!third && to->version != second) return Return::argument_version_mismatch;
    fill_fabric(g, *to);
    to->health_mask = 0;
    if (third)
      to->health_summary = static_cast<unsigned char>(g.fabric_state == 0 ? 0 : g.fabric_health);
    return Return::success;
  });
}
