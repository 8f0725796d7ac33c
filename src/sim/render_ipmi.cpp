// SPDX-License-Identifier: Apache-2.0
// What ipmitool prints of the management controller.
#include <fmt/format.h>

#include "core/text.hpp"
#include "sim/controller.hpp"
#include "sim/render.hpp"

namespace gpuvet::sim {
namespace {

std::string reading(const Sensor& sensor) {
  if (!sensor.present) return sensor.kind == SensorKind::supply ? "" : "No Reading";
  switch (sensor.kind) {
    case SensorKind::temperature:
      return fmt::format("{:.0f} degrees C", sensor.reading);
    case SensorKind::fan:
      return fmt::format("{:.0f} RPM", sensor.reading);
    case SensorKind::power:
      return fmt::format("{:.0f} Watts", sensor.reading);
    case SensorKind::voltage:
      return fmt::format("{:.2f} Volts", sensor.reading);
    case SensorKind::supply:
      return supply_states(sensor);
    case SensorKind::other:
      break;
  }
  return "";
}

}  // namespace

std::string supply_states(const Sensor& sensor) {
  if (!sensor.present) return "";
  const std::string there = "Presence detected";
  if (sensor.state == "ok") return there;
  for (const std::string_view severity : {"nc", "cr", "nr"})
    if (sensor.state == severity) return there + ", Failure detected";
  return contains_ignoring_case(sensor.state, "presence") ? sensor.state
                                                          : there + ", " + sensor.state;
}

std::string sensor_state(const Sensor& sensor) {
  if (sensor.kind == SensorKind::supply) return "ok";  // of a discrete one: it could be read
  return sensor.present ? sensor.state : "ns";
}

std::pair<int, int> sensor_entity(const World& world, std::size_t index) {
  int instance = 1;
  const auto kind = world.sensors[index].kind;
  for (std::size_t i = 0; i < index; ++i) instance += world.sensors[i].kind == kind ? 1 : 0;
  switch (kind) {
    case SensorKind::fan:
      return {29, instance};
    case SensorKind::supply:
    case SensorKind::power:
      return {10, instance};
    default:
      return {7, instance};
  }
}

std::string render_ipmi_controller(const World& world) {
  return fmt::format(
      "Device ID                 : 32\nDevice Revision           : 1\n"
      "Firmware Revision         : {}\nIPMI Version              : 2.0\n"
      "Manufacturer ID           : 5703\nProduct ID                : 1 (0x0001)\n"
      "Device Available          : yes\nProvides Device SDRs      : yes\n",
      world.made.host.bmc_firmware);
}

std::string render_ipmi_fru(const World& world) {
  const auto& host = world.made.host;
  return fmt::format(
      "FRU Device Description : Builtin FRU Device (ID 0)\n Board Mfg             : {}\n"
      " Board Product         : {}\n Product Manufacturer  : {}\n Product Name          : {}\n"
      " Product Serial        : SIM{}\n\n",
      host.vendor, host.board, host.vendor, host.product, world.made.id);
}

std::string render_ipmi_sensors(const World& world) {
  std::string out;
  for (std::size_t i = 0; i < world.sensors.size(); ++i) {
    const auto& sensor = world.sensors[i];
    const auto [entity, instance] = sensor_entity(world, i);
    out += fmt::format("{:<16} | {:02X}h | {:<3} | {:2}.{} | {}\n", sensor.name, i + 1,
                       sensor_state(sensor), entity, instance, reading(sensor));
  }
  return out;
}

std::string render_ipmi_log(const World& world) {
  if (world.sel.empty()) return "SEL has no entries\n";
  std::string out;
  for (std::size_t i = 0; i < world.sel.size(); ++i) {
    const auto& entry = world.sel[i];
    out += fmt::format("{:4x} | {} | {} | {} | {}\n", i + 1,
                       render_time(world, entry.at, "%m/%d/%Y | %H:%M:%S"), entry.sensor,
                       entry.event, entry.asserted ? "Asserted" : "Deasserted");
  }
  return out;
}

}  // namespace gpuvet::sim
