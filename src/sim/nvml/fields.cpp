// SPDX-License-Identifier: Apache-2.0
// nvmlDeviceGetFieldValues: figures by number.
#include <chrono>
#include <cmath>

#include "sim/nvml/exports.hpp"
#include "sim/nvml/state.hpp"

namespace nvml = gpuvet::nvml;
namespace sim = gpuvet::sim;
using nvml::Device;
using nvml::FieldValue;
using nvml::Return;
using sim::Gpu;

namespace {

enum Type : unsigned {
  of_double,
  of_unsigned,
  of_unsigned_long,
  of_unsigned_long_long,
  of_signed_long_long,
  of_int
};

Return give(FieldValue& to, unsigned number) {
  to.type = of_unsigned;
  to.value.unsigned_int = number;
  return Return::success;
}
Return give_long(FieldValue& to, double number) {
  to.type = of_unsigned_long_long;
  to.value.unsigned_long_long = static_cast<unsigned long long>(number);
  return Return::success;
}
Return give_signed(FieldValue& to, double number) {
  to.type = of_int;
  to.value.signed_int = static_cast<int>(std::round(number));
  return Return::success;
}

/// All links together; not supported where there are none.
Return sum_of_links(const Gpu& g, std::uint64_t sim::NvLink::*counter, FieldValue& to) {
  if (g.links.empty()) return Return::not_supported;
  double sum = 0;
  for (const auto& link : g.links) sum += static_cast<double>(link.*counter);
  return give_long(to, sum);
}

Return time_held(const Gpu& g, unsigned long long reason, FieldValue& to) {
  const auto found = g.reason_seconds.find(static_cast<unsigned>(reason));
  return give_long(to, found == g.reason_seconds.end() ? 0 : found->second * 1e9);
}

Return links_field(const Gpu& g, FieldValue& to) {
  if (g.links.empty()) return Return::not_supported;
  constexpr double megabyte = 1e6;
  switch (to.field) {
    case nvml::field_nvlink_count:
      return give(to, static_cast<unsigned>(g.links.size()));
    case nvml::field_nvlink_speed_common:
      for (const auto& link : g.links)
        if (link.up) return give(to, static_cast<unsigned>(g.link_speed / megabyte));
      return Return::not_supported;  // no link that could have one
    case nvml::field_nvlink_speed:
      if (to.scope >= g.links.size()) return Return::invalid_argument;
      return give(to, g.links[to.scope].up ? static_cast<unsigned>(g.link_speed / megabyte) : 0);
    default:
      return Return::not_supported;
  }
}

Return power_field(const Gpu& g, FieldValue& to) {
  const auto watts = [&](double w) { return give(to, static_cast<unsigned>(std::round(w * 1e3))); };
  switch (to.field) {
    case nvml::field_power_average:
    case nvml::field_power_instant:
      return watts(g.power);
    case 187:
      return watts(g.power_min);
    case 188:
      return watts(g.power_max);
    case 189:
      return watts(g.power_default);
    default:
      return watts(g.power_limit);
  }
}

Return margin_field(const Gpu& g, FieldValue& to) {
  if (!g.limits.margins) return Return::not_supported;
  switch (to.field) {
    case nvml::field_shutdown_margin:
      return give_signed(to, g.limits.max_operating - g.limits.shutdown);
    case nvml::field_slowdown_margin:
      return give_signed(to, g.limits.max_operating - g.limits.slowdown);
    case nvml::field_memory_margin:
      return give_signed(to, g.limits.memory - g.limits.memory);
    default:
      return give_signed(to, 0);
  }
}

Return remap_field(const Gpu& g, FieldValue& to) {
  if (!g.remaps_rows) return Return::not_supported;
  switch (to.field) {
    case 142:
      return give(to, g.remap_corrected);
    case 143:
      return give(to, g.remap_uncorrected);
    case nvml::field_remapped_pending:
      return give(to, g.remap_pending ? 1 : 0);
    default:
      return give(to, g.remap_failure ? 1 : 0);
  }
}

Return field(const Gpu& g, FieldValue& to) {
  switch (to.field) {
    case 1:
      return g.ecc_supported ? give(to, g.ecc ? 1 : 0) : Return::not_supported;
    case 38:
      return sum_of_links(g, &sim::NvLink::crc_flit, to);
    case 45:
      return sum_of_links(g, &sim::NvLink::crc_data, to);
    case 52:
      return sum_of_links(g, &sim::NvLink::replay, to);
    case 59:
      return sum_of_links(g, &sim::NvLink::recovery, to);
    case 160:
      return sum_of_links(g, &sim::NvLink::ecc, to);
    case 74:
      return time_held(g, nvml::reason_sw_power_cap, to);
    case 75:
    case 269:
      return time_held(g, nvml::reason_sw_thermal, to);
    case 76:
      return time_held(g, nvml::reason_sync_boost, to);
    case 270:
      return time_held(g, nvml::reason_hw_thermal, to);
    case 271:
      return time_held(g, nvml::reason_hw_power_brake, to);
    case nvml::field_memory_temperature:
      return g.memory_temperature <= 0
                 ? Return::not_supported
                 : give(to, static_cast<unsigned>(std::round(g.memory_temperature)));
    case nvml::field_energy:
    case 191:
      return give_long(to, g.energy * 1e3);
    case nvml::field_nvlink_count:
    case nvml::field_nvlink_speed_common:
    case nvml::field_nvlink_speed:
      return links_field(g, to);
    case nvml::field_pcie_replays:
      return give_long(to, static_cast<double>(g.pcie.replays));
    case 142:
    case 143:
    case nvml::field_remapped_pending:
    case 145:
      return remap_field(g, to);
    case nvml::field_c2c_count:
      return give(to, 0);
    case nvml::field_recovery_action:
      return g.recovery_supported ? give(to, static_cast<unsigned>(g.recovery_action))
                                  : Return::not_supported;
    case nvml::field_shutdown_margin:
    case nvml::field_slowdown_margin:
    case nvml::field_memory_margin:
    case nvml::field_gpu_max_margin:
      return margin_field(g, to);
    default:
      if (to.field >= nvml::field_power_average && to.field <= 192 && to.field != 191)
        return power_field(g, to);
      return Return::not_supported;
  }
}

}  // namespace

Return nvmlDeviceGetFieldValues(Device d, int count, FieldValue* values) {
  return sim::ask(__func__, d, [&](const Gpu& g) {
    if (values == nullptr || count <= 0) return Return::invalid_argument;
    const auto now = std::chrono::duration_cast<std::chrono::microseconds>(
                         std::chrono::system_clock::now().time_since_epoch())
                         .count();
    for (int i = 0; i < count; ++i) {
      values[i].timestamp = now;
      values[i].latency = 0;
      values[i].result = field(g, values[i]);
    }
    return Return::success;
  });
}
