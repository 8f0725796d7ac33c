// SPDX-License-Identifier: Apache-2.0
// NVLinks and the figures that NVML offers as fields: one call for all of them.
#include <array>
#include <vector>

#include "collect/nvml_facts.hpp"
#include "core/text.hpp"

namespace gpuvet::collect {

using nvml::Return;
using platform::call;

namespace {

double value_of(const nvml::FieldValue& field) {
  switch (field.type) {
    case 0:
      return field.value.real;
    case 1:
      return field.value.unsigned_int;
    case 2:
      return static_cast<double>(field.value.unsigned_long);
    case 3:
      return static_cast<double>(field.value.unsigned_long_long);
    case 4:
      return static_cast<double>(field.value.signed_long_long);
    case 5:
      return field.value.signed_int;
    case 6:
      return field.value.unsigned_short;
    default:
      return 0;
  }
}

struct FieldId {
  unsigned field;
  Id id;
  double factor;
};

constexpr double nanosecond = 1e-9, megabyte = 1e6;

/// As NVML numbers them; errors are totals over all links.
constexpr std::array fields = {
    FieldId{nvml::field_memory_temperature, "gpu.temperature.memory"_id, 1},
    FieldId{38, "gpu.nvlink.errors.crc_flit"_id, 1},
    FieldId{45, "gpu.nvlink.errors.crc_data"_id, 1},
    FieldId{52, "gpu.nvlink.errors.replay"_id, 1},
    FieldId{59, "gpu.nvlink.errors.recovery"_id, 1},
    FieldId{160, "gpu.nvlink.errors.ecc"_id, 1},
    FieldId{nvml::field_nvlink_speed_common, "gpu.nvlink.speed"_id, megabyte},
    FieldId{74, "gpu.clock_event.sw_power_cap.time"_id, nanosecond},
    FieldId{76, "gpu.clock_event.sync_boost.time"_id, nanosecond},
    FieldId{269, "gpu.clock_event.sw_thermal.time"_id, nanosecond},
    FieldId{270, "gpu.clock_event.hw_thermal.time"_id, nanosecond},
    FieldId{271, "gpu.clock_event.hw_power_brake.time"_id, nanosecond},
    FieldId{nvml::field_c2c_count, "gpu.c2c.links"_id, 1},
};

constexpr std::array<std::string_view, 6> recovery_actions = {
    "None", "GPU Reset", "Node Reboot", "Drain P2P", "Drain and Reset", "Recover IMEX Domain"};

void record_fields(const NvmlGpu& gpu) {
  std::array<nvml::FieldValue, fields.size() + 1> asked{};
  for (std::size_t i = 0; i < fields.size(); ++i) asked[i].field = fields[i].field;
  asked.back().field = nvml::field_recovery_action;
  const auto said = call(gpu.nvml.nvmlDeviceGetFieldValues, gpu.device,
                         static_cast<int>(asked.size()), asked.data());
  for (std::size_t i = 0; i < fields.size(); ++i) {
    const auto one = said == Return::success ? asked[i].result : said;
    if (one == Return::success)
      gpu.out.number(fields[i].id, gpu.subject, value_of(asked[i]) * fields[i].factor);
    else
      gpu.absent(fields[i].id, one);
  }
  const auto one = said == Return::success ? asked.back().result : said;
  const auto action = static_cast<std::size_t>(value_of(asked.back()));
  if (one != Return::success)
    gpu.absent("gpu.recovery_action"_id, one);
  else
    gpu.out.text("gpu.recovery_action"_id, gpu.subject,
                 action < recovery_actions.size() ? std::string(recovery_actions[action])
                                                  : "unknown (" + std::to_string(action) + ")");
}

}  // namespace

void NvmlGpu::links() const {
  record_fields(*this);
  std::vector<double> inactive;
  std::vector<std::string> ends;
  unsigned total = 0;
  Return said = Return::success;
  for (; total < nvml::most_links; ++total) {
    unsigned up = 0;
    said = call(nvml.nvmlDeviceGetNvLinkState, device, total, &up);
    if (said == Return::invalid_argument && total > 0) break;  // past the last link
    if (said != Return::success) break;
    if (up == 0) {
      inactive.push_back(total);
      ends.emplace_back("down");
      continue;
    }
    nvml::PciInfo remote{};
    const auto found = call(nvml.nvmlDeviceGetNvLinkRemotePciInfo_v2, device, total, &remote);
    remote.bus_id[sizeof remote.bus_id - 1] = '\0';
    const auto address = found == Return::success ? pci_address(remote.bus_id) : std::nullopt;
    ends.push_back(address.value_or("unknown"));
  }
  if (total == 0) {
    absent("gpu.nvlink.links"_id, said == Return::invalid_argument ? Return::not_supported : said);
    return;
  }
  unsigned kind = nvml::link_unknown;
  call(nvml.nvmlDeviceGetNvLinkRemoteDeviceType, device, 0U, &kind);
  out.number("gpu.nvlink.links"_id, subject, total);
  out.number("gpu.nvlink.active"_id, subject, total - static_cast<double>(inactive.size()));
  out.numbers("gpu.nvlink.inactive"_id, subject, std::move(inactive));
  out.texts("gpu.nvlink.ends"_id, subject, std::move(ends));
  if (kind == nvml::link_switch) out.detail("switch");
}

}  // namespace gpuvet::collect
