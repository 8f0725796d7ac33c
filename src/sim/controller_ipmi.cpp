// SPDX-License-Identifier: Apache-2.0
// The management controller for ipmi_sim: its network interface, its sensors as SDR records of
// type 1 (IPMI 2.0, table 43-1), its log as SEL records.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "core/text.hpp"
#include "sim/controller.hpp"
#include "sim/render.hpp"

namespace gpuvet::sim {
namespace {

/// How a sensor's byte becomes its reading: reading = byte * factor.
struct Scale {
  unsigned type, unit, factor;  ///< sensor type, unit and M of IPMI's tables
  bool discrete = false;
};

Scale scale_of(const Sensor& sensor) {
  switch (sensor.kind) {
    case SensorKind::temperature:
      return {0x01, 1, 1};
    case SensorKind::fan:
      return {0x04, 18, 100};
    case SensorKind::power:
      return {0x0B, 6, 20};
    case SensorKind::voltage:
      return {0x02, 4, 1};
    case SensorKind::supply:
    case SensorKind::other:
      return {0x08, 0, 1, true};
  }
  return {0x01, 1, 1};
}

unsigned raw(double reading, const Scale& scale) {
  return static_cast<unsigned>(std::clamp(std::lround(reading / scale.factor), 0L, 255L));
}

/// Bits of a power supply's states: present, failure detected, predicted, input lost.
unsigned states_of(const Sensor& sensor) {
  const auto text = supply_states(sensor);
  unsigned out = sensor.present ? 1 : 0;
  if (contains(text, "Failure detected")) out |= 1U << 1U;
  if (contains(text, "AC lost") || contains(text, "input lost")) out |= 1U << 3U;
  return out;
}

std::string record(const World& world, std::size_t index) {
  const auto& sensor = world.sensors[index];
  const auto scale = scale_of(sensor);
  const auto [entity, instance] = sensor_entity(world, index);
  const auto name = sensor.name.substr(0, 16);
  std::array<unsigned, 48> r{};
  r[0] = (index + 1) & 0xffU;  // record id
  r[2] = 0x51;                 // SDR version
  r[3] = 0x01;                 // full sensor record
  r[4] = static_cast<unsigned>(43 + name.size());
  r[5] = 0x20;  // owner
  r[7] = static_cast<unsigned>(index + 1);
  r[8] = static_cast<unsigned>(entity);
  r[9] = static_cast<unsigned>(instance);
  r[10] = 0x7f;                          // initialised
  r[11] = scale.discrete ? 0x40 : 0x68;  // thresholds readable
  r[12] = scale.type;
  r[13] = scale.discrete ? 0x6f : 0x01;  // sensor-specific states, or thresholds
  if (scale.discrete) {
    r[14] = r[16] = r[18] = 0xff;
  } else {
    unsigned readable = 0;  // lower critical, upper non-critical, upper critical
    if (sensor.lower_critical) readable |= 0x02;
    if (sensor.upper_warning) readable |= 0x08;
    if (sensor.upper_critical) readable |= 0x10;
    r[18] = readable;
    r[21] = scale.unit;
    r[24] = scale.factor & 0xffU;
    if (sensor.upper_critical) r[37] = raw(*sensor.upper_critical, scale);
    if (sensor.upper_warning) r[38] = raw(*sensor.upper_warning, scale);
    if (sensor.lower_critical) r[40] = raw(*sensor.lower_critical, scale);
  }
  r[34] = 0xff;                                        // highest reading that the sensor can give
  r[47] = 0xc0U | static_cast<unsigned>(name.size());  // 8-bit ASCII
  std::string out = "main_sdr_add 0x20";
  for (const auto byte : r) out += fmt::format(" 0x{:02x}", byte);
  for (const char c : name) out += fmt::format(" 0x{:02x}", static_cast<unsigned>(c));
  return out + "\n";
}

std::string sensor_commands(const World& world, std::size_t index, const std::string& folder) {
  const auto& sensor = world.sensors[index];
  const auto scale = scale_of(sensor);
  const auto number = index + 1;
  const auto at = fmt::format("0x20 0 {}", number);
  if (scale.discrete) {
    std::string out = fmt::format("sensor_add {} 0x{:x} 0x6f\n", at, scale.type);
    const auto states = states_of(sensor);
    for (unsigned bit = 0; bit < 8; ++bit)
      if ((states >> bit & 1U) != 0) out += fmt::format("sensor_set_bit {} {} 1 0\n", at, bit);
    return out + fmt::format(
                     "sensor_set_event_support {} enable scanning per-state 000000011111111 "
                     "000000011111111 000000000000000 000000000000000\n",
                     at);
  }
  std::string out = fmt::format("sensor_add {} 0x{:x} 0x01 poll 1000 file \"{}/sensor{}\"\n", at,
                                scale.type, folder, number);
  const std::array<std::optional<double>, 6> limits = {std::nullopt,          sensor.upper_critical,
                                                       sensor.upper_warning,  std::nullopt,
                                                       sensor.lower_critical, std::nullopt};
  std::string enabled, values;  // from upper non-recoverable down to lower non-critical
  for (const auto& limit : limits) {
    enabled += limit ? '1' : '0';
    values += fmt::format(" 0x{:02x}", limit ? raw(*limit, scale) : 0);
  }
  out += fmt::format("sensor_set_threshold {} settable {}{}\n", at, enabled, values);
  return out + fmt::format(
                   "sensor_set_value {} 0x{:02x} 0\nsensor_set_event_support {} enable scanning "
                   "per-state 000111111111111 000111111111111 000000000000000 000000000000000\n",
                   at, raw(sensor.reading, scale), at);
}

/// A system event record: sensor type, number and the event's offset, where IPMI has a code for it.
std::string log_command(const World& world, const SelEntry& entry) {
  unsigned type = 0x12, number = 0, offset = 0, kind = 0x6f;
  for (std::size_t i = 0; i < world.sensors.size(); ++i) {
    if (!contains(entry.sensor, world.sensors[i].name)) continue;
    number = static_cast<unsigned>(i + 1);
    const auto scale = scale_of(world.sensors[i]);
    type = scale.type;
    if (!scale.discrete) {
      kind = 0x01;
      offset = contains(entry.event, "Lower") ? 0x02 : 0x09;  // critical, going low or high
    }
  }
  if (contains(entry.event, "AC lost") || contains(entry.event, "input lost")) offset = 3;
  if (contains(entry.event, "Failure")) offset = 1;
  if (contains(entry.event, "Uncorrectable")) {
    type = 0x0c;  // memory
    offset = 1;
  }
  std::string out = "sel_add 0x20 0x02 0x00 0x00 0x00 0x00 0x20 0x00 0x04";
  out += fmt::format(" 0x{:02x} 0x{:02x} 0x{:02x} 0x{:02x} 0xff 0xff\n", type, number,
                     entry.asserted ? kind : kind | 0x80U, offset);
  return out;
}

}  // namespace

std::vector<ControllerFile> ipmi_sim_files(const World& world, const std::string& folder, int port,
                                           const std::string& user, const std::string& password) {
  std::vector<ControllerFile> out;
  out.push_back({"lan.conf",
                 fmt::format("name \"{}\"\nset_working_mc 0x20\nstartlan 1\n  addr 127.0.0.1 {}\n"
                             "  priv_limit admin\n  allowed_auths_callback none md2 md5 straight\n"
                             "  allowed_auths_user none md2 md5 straight\n"
                             "  allowed_auths_operator none md2 md5 straight\n"
                             "  allowed_auths_admin none md2 md5 straight\n"
                             "  guid a123456789abcdefa123456789abcdef\nendlan\n"
                             "user 1 true \"\" \"\" user 10 none md2 md5 straight\n"
                             "user 2 true \"{}\" \"{}\" admin 10 none md2 md5 straight\n",
                             world.hostname, port, user, password)});
  std::string commands =
      "mc_setbmc 0x20\nmc_add 0x20 0x20 no-device-sdrs 0x01 0x01 0x10 0x9f 0x1647 0x0001\n"
      "sel_enable 0x20 1000 0x0a\n";
  for (std::size_t i = 0; i < world.sensors.size() && i < 250; ++i) {
    commands += record(world, i) + sensor_commands(world, i, folder);
    out.push_back({fmt::format("sensor{}", i + 1),
                   fmt::format("{}\n", raw(world.sensors[i].reading, scale_of(world.sensors[i])))});
  }
  for (const auto& entry : world.sel) commands += log_command(world, entry);
  out.push_back({"bmc.emu", commands + "mc_enable 0x20\n"});
  return out;
}

}  // namespace gpuvet::sim
