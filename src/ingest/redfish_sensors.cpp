// SPDX-License-Identifier: Apache-2.0
// Power, cooling and single sensors, in the schemas of before 2020 (Power and Thermal, all in one
// document) and after (a resource for each supply, fan and sensor).
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>

#include "core/text.hpp"
#include "ingest/redfish_resources.hpp"
#include "ingest/sensor_names.hpp"

namespace gpuvet::ingest::bmc {
namespace {

/// The name of a part in a list; with its member number where several have the same.
class PartNames {
 public:
  PartNames(const std::vector<JsonNode>& parts, std::string_view preferred)
      : preferred_{preferred} {
    for (const JsonNode& part : parts) ++count_[plain(part)];
  }

  [[nodiscard]] std::string of(const JsonNode& part) const {
    const std::string name = plain(part);
    return count_.find(name)->second == 1
               ? name
               : fmt::format("{}#{}", name, name_of(part.words("MemberId")));
  }

 private:
  [[nodiscard]] std::string plain(const JsonNode& part) const {
    const auto name = part.words(preferred_);
    return name_of(name.empty() ? part.words("Name") : name);
  }

  std::string_view preferred_;
  std::map<std::string, int> count_;
};

/// Older HPE and Gigabyte controllers give 0 or null for a limit that isn't there.
void record_limit(Context& context, const JsonNode& sensor, const std::string& subject,
                  std::string_view path) {
  const JsonNode* limit = sensor.at(path);
  if (limit == nullptr) return;
  if (!limit->is(JsonNode::Kind::number) || limit->number <= 0) {
    context.out.line(limit->line);
    return context.out.absent("sensor.temperature.critical"_id, subject, Absence::not_supported);
  }
  record(context, sensor, subject, {"sensor.temperature.critical"_id, Kind::number, path});
}

/// Whether the sensor is the server's inlet. By its name: Gigabyte gives the context Intake to
/// every sensor that there is, Dell gives SystemBoard to the inlet, HPE calls each supply's sensor
/// one.
bool is_inlet(const JsonNode& sensor) {
  return names_inlet(sensor.words("Name")) && sensor.words("PhysicalContext") != "PowerSupply";
}

/// A supply that lost its input is there, and its controller calls it critical or merely offline.
void record_supply_health(Context& context, const JsonNode& supply, const std::string& subject) {
  const auto input = supply.words("LineInputStatus");
  const auto volts = supply.number_at("LineInputVoltage");
  const auto health = supply.words("Status/Health"), state = supply.words("Status/State");
  const bool dead = volts && *volts == 0 && !health.empty() && health != "OK";
  if (state != "Absent" && (input == "LossOfInput" || dead)) {
    context.out.line(supply.line);
    return context.out.text("psu.health"_id, subject, "no_input");
  }
  if (supply.at("Status") == nullptr) {
    context.out.line(supply.line);
    return context.out.absent("psu.health"_id, subject, Absence::not_supported,
                              "the controller lists it and says nothing about it");
  }
  record_health(context, supply, subject, "psu.health"_id);
}

void record_supply(Context& context, const JsonNode& supply, const std::string& subject) {
  record_supply_health(context, supply, subject);
  if (supply.words("Status/State") == "Absent") return;
  record(context, supply, subject, {"psu.model"_id, Kind::text, "Model"});
  if (supply.number_at("PowerCapacityWatts").value_or(1) != 0)
    record(context, supply, subject, {"psu.capacity"_id, Kind::number, "PowerCapacityWatts"});
}

/// What a supply draws and delivers, as far as the figures can be that.
void record_supply_power(Context& context, const JsonNode& supply, const std::string& subject,
                         std::optional<double> node_power, bool alone) {
  // Older iDRACs give the rating in place of the reading.
  const auto input = supply.number_at("PowerInputWatts");
  if (input && input == supply.number_at("Oem/Dell/DellPowerSupplyView/Range1MaxInputPowerWatts")) {
    context.out.line(supply.at("PowerInputWatts")->line);
    context.out.absent("psu.input"_id, subject, Absence::malformed, "the rating, not a reading");
  } else if (input) {
    record_reading(context, supply, subject, "psu.input"_id, "PowerInputWatts");
  }
  if (supply.at("PowerOutputWatts") != nullptr)
    return record_reading(context, supply, subject, "psu.output"_id, "PowerOutputWatts");
  // iLO repeats the whole server's power at each supply of an enclosure.
  const auto last = supply.number_at("LastPowerOutputWatts");
  if (last && !alone && last == node_power) {
    context.out.line(supply.at("LastPowerOutputWatts")->line);
    context.out.absent("psu.output"_id, subject, Absence::malformed, "the whole server's power");
  } else if (last) {
    record_reading(context, supply, subject, "psu.output"_id, "LastPowerOutputWatts");
  }
}

/// The vendor's own name for a supply: Dell's newer schema uses it too, and HPE gives all supplies
/// one name and the empty bays none.
std::string vendor_name(const JsonNode& supply) {
  for (const std::string_view path : {"Oem/Dell/DellPowerSupply/Id", "MemberId", "Id"})
    if (const auto id = supply.words(path); id.starts_with("PSU.")) return name_of(id);
  const auto bay = supply.number_at("Oem/Hpe/BayNumber");
  return bay ? "Bay " + format_number(*bay) : std::string();
}

/// Part of a sensor's Id on an HGX baseboard -> what it measures of the GPU before it. The second
/// temperature is the distance to the limit, in the same unit and with a name like the first's.
struct GpuSensor {
  std::string_view suffix;
  Id id;
};
constexpr std::array gpu_sensors{
    GpuSensor{"_dram_0_temp_0", "gpu.temperature.memory"_id},
    GpuSensor{"_temp_0", "gpu.temperature.core"_id},
    GpuSensor{"_temp_1", "gpu.temperature.margin"_id},
    GpuSensor{"_power_0", "gpu.power.draw"_id},
};

bool record_gpu_sensor(Context& context, const JsonNode& sensor) {
  const auto id = sensor.words("Id");
  const std::string low = lower(id);
  for (const GpuSensor& s : gpu_sensors) {
    if (!low.ends_with(s.suffix)) continue;
    const auto gpu = gpu_in(id.substr(0, id.size() - s.suffix.size()));
    if (gpu.empty()) continue;
    record_reading(context, sensor, "gpu:bmc#" + gpu, s.id, "Reading");
    return true;
  }
  return false;
}

void record_fan_speed(Context& context, const JsonNode& fan, const std::string& subject) {
  const auto unit = fan.words("ReadingUnits");
  // Before 2017 it was CurrentReading, in percent or in revolutions without saying which.
  if (unit == "RPM") record_reading(context, fan, subject, "fan.speed"_id, "Reading");
  if (unit == "Percent")
    record_reading(context, fan, subject, "fan.speed.ratio"_id, "Reading", 0.01);
}

}  // namespace

void read_power(Context& context, const JsonNode& power) {
  std::optional<double> node_power;
  const auto& controls = power.list("PowerControl");
  // The first is the whole; Dell and HPE list processors and memory after it.
  if (!controls.empty() && !is_inner(power)) {
    const JsonNode& whole = controls.front();
    node_power = whole.number_at("PowerConsumedWatts");
    if (whole.at("PowerConsumedWatts") != nullptr)
      record_reading(context, whole, "node", "node.power.consumed"_id, "PowerConsumedWatts");
  }
  const auto& supplies = power.list("PowerSupplies");
  const PartNames names(supplies, "Name");
  for (const JsonNode& supply : supplies) {
    const std::string named = vendor_name(supply);
    const std::string subject = "psu:" + (named.empty() ? names.of(supply) : named);
    record_supply(context, supply, subject);
    if (supply.words("Status/State") != "Absent")
      record_supply_power(context, supply, subject, node_power, supplies.size() == 1);
  }
  const auto& voltages = power.list("Voltages");
  const PartNames sensors(voltages, "Name");
  for (const JsonNode& sensor : voltages)
    record_health(context, sensor, "sensor:" + sensors.of(sensor), "sensor.health"_id);
}

void read_power_supply(Context& context, const JsonNode& supply) {
  const auto id = supply.words("Id");
  const std::string named = vendor_name(supply);
  const std::string subject =
      "psu:" + (named.empty() ? name_of(id.empty() ? supply.words("Name") : id) : named);
  record_supply(context, supply, subject);
}

void read_power_supply_metrics(Context& context, const JsonNode& metrics) {
  const auto supply = address_part(metrics, "PowerSupplies");
  if (supply.empty()) return;
  const std::string subject = "psu:" + name_of(supply);
  for (const auto& [id, path] : {std::pair{"psu.input"_id, "InputPowerWatts/Reading"},
                                 std::pair{"psu.output"_id, "OutputPowerWatts/Reading"}})
    if (metrics.at(path) != nullptr) record_reading(context, metrics, subject, id, path);
}

void read_thermal(Context& context, const JsonNode& thermal) {
  const auto& fans = thermal.list("Fans");
  const PartNames fan_names(fans, "FanName");
  for (const JsonNode& fan : fans) {
    const std::string subject = "fan:" + fan_names.of(fan);
    record_fan_speed(context, fan, subject);
    record_health(context, fan, subject, "fan.health"_id);
  }
  const auto& temperatures = thermal.list("Temperatures");
  const PartNames names(temperatures, "Name");
  for (const JsonNode& sensor : temperatures) {
    const std::string subject = "sensor:" + names.of(sensor);
    record_reading(context, sensor, subject, "sensor.temperature"_id, "ReadingCelsius");
    record_limit(context, sensor, subject, "UpperThresholdCritical");
    record_health(context, sensor, subject, "sensor.health"_id);
    if (is_inlet(sensor) && !is_inner(thermal))
      record_reading(context, sensor, "node", "node.temperature.inlet"_id, "ReadingCelsius");
  }
}

void read_fan(Context& context, const JsonNode& fan) {
  const auto name = fan.words("Name");
  const std::string subject = "fan:" + name_of(name.empty() ? fan.words("Id") : name);
  if (fan.at("SpeedPercent/SpeedRPM") != nullptr)
    record_reading(context, fan, subject, "fan.speed"_id, "SpeedPercent/SpeedRPM");
  if (fan.at("SpeedPercent/Reading") != nullptr)
    record_reading(context, fan, subject, "fan.speed.ratio"_id, "SpeedPercent/Reading", 0.01);
  record_health(context, fan, subject, "fan.health"_id);
}

void read_sensor(Context& context, const JsonNode& sensor) {
  const auto name = sensor.words("Name");
  const std::string subject = "sensor:" + name_of(name.empty() ? sensor.words("Id") : name);
  record_health(context, sensor, subject, "sensor.health"_id);
  if (record_gpu_sensor(context, sensor)) return;
  if (sensor.words("ReadingType") != "Temperature") return;
  record_reading(context, sensor, subject, "sensor.temperature"_id, "Reading");
  record_limit(context, sensor, subject, "Thresholds/UpperCritical/Reading");
  if (is_inlet(sensor) && !is_inner(sensor))
    record_reading(context, sensor, "node", "node.temperature.inlet"_id, "Reading");
}

void read_thermal_metrics(Context& context, const JsonNode& metrics) {
  constexpr std::string_view intake = "TemperatureSummaryCelsius/Intake/Reading";
  if (metrics.at(intake) != nullptr && !is_inner(metrics))
    record(context, metrics, "node", {"node.temperature.inlet"_id, Kind::number, intake});
  for (const JsonNode& reading : metrics.list("TemperatureReadingsCelsius")) {
    const auto name = reading.words("DeviceName");
    if (!name.empty())
      record(context, reading, "sensor:" + name_of(name),
             {"sensor.temperature"_id, Kind::number, "Reading"});
  }
}

/// Of a GPU, or of the server's chassis; of other parts the figures have no place here.
void read_environment(Context& context, const JsonNode& metrics) {
  for (const std::string_view collection : {"Processors", "Chassis"})
    if (const auto gpu = gpu_in(address_part(metrics, collection)); !gpu.empty()) {
      const std::string subject = "gpu:bmc#" + gpu;
      record(context, metrics, subject, {"gpu.power.draw"_id, Kind::number, "PowerWatts/Reading"});
      record(context, metrics, subject,
             {"gpu.power.limit"_id, Kind::number, "PowerLimitWatts/SetPoint"});
      return record(context, metrics, subject,
                    {"gpu.temperature.core"_id, Kind::number, "TemperatureCelsius/Reading"});
    }
  for (const JsonNode& fan : metrics.list("FanSpeedsPercent"))
    if (const auto name = fan.words("DeviceName"); !name.empty()) {
      record(context, fan, "fan:" + name_of(name), {"fan.speed"_id, Kind::number, "SpeedRPM"});
      record(context, fan, "fan:" + name_of(name),
             {"fan.speed.ratio"_id, Kind::number, "Reading", 0.01});
    }
}

}  // namespace gpuvet::ingest::bmc
