// SPDX-License-Identifier: Apache-2.0
// The management controller's Redfish service, in the schemas that servers of these years have.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "core/text.hpp"
#include "sim/controller.hpp"
#include "sim/render.hpp"

namespace gpuvet::sim {
namespace {

const std::string root = "/redfish/v1";

Json link(const std::string& path) { return Json{{"@odata.id", path}}; }

Json status(const std::string& health, const std::string& state = "Enabled") {
  return Json{{"State", state}, {"Health", health}};
}

/// "OK", "Warning" or "Critical" of a sensor's state.
std::string health_of(const Sensor& sensor) {
  if (sensor.state == "ok") return "OK";
  return sensor.state == "nc" ? "Warning" : "Critical";
}

std::string worst(const World& world) {
  std::string out = "OK";
  for (const auto& sensor : world.sensors) {
    const auto health = sensor.present ? health_of(sensor) : "OK";
    if (health == "Critical" || (health == "Warning" && out == "OK")) out = health;
  }
  return out;
}

/// Whether an event of IPMI's log reports that something failed.
bool is_failure(const SelEntry& entry) {
  constexpr std::array<std::string_view, 6> words = {"lost",           "fail",  "uncorrectable",
                                                     "critical going", "fatal", "non-recoverable"};
  const auto text = lower(entry.event);
  return entry.asserted &&
         std::any_of(words.begin(), words.end(), [&](auto word) { return contains(text, word); });
}

class Service {
 public:
  explicit Service(const World& world) : w_{world} {}

  std::vector<Resource> all() {
    add(root, "ServiceRoot.v1_15_0.ServiceRoot",
        {{"Id", "RootService"},
         {"Name", "Root Service"},
         {"RedfishVersion", "1.15.0"},
         {"UUID", "00000000-0000-0000-0000-000000000001"},
         {"Systems", link(root + "/Systems")},
         {"Chassis", link(root + "/Chassis")},
         {"Managers", link(root + "/Managers")},
         {"UpdateService", link(root + "/UpdateService")},
         {"SessionService", link(root + "/SessionService")},
         {"Links", Json{{"Sessions", link(root + "/SessionService/Sessions")}}}});
    add(root + "/SessionService", "SessionService.v1_1_8.SessionService",
        {{"Id", "SessionService"},
         {"Name", "Session Service"},
         {"ServiceEnabled", true},
         {"Sessions", link(root + "/SessionService/Sessions")}});
    systems();
    chassis();
    managers();
    firmware();
    return std::move(out_);
  }

 private:
  void add(const std::string& path, const std::string& type, Json body) {
    Json whole{{"@odata.id", path}, {"@odata.type", "#" + type}};
    for (auto& [key, value] : body.items()) whole[key] = std::move(value);
    out_.push_back({path, std::move(whole)});
  }
  void collection(const std::string& path, const std::string& kind,
                  const std::vector<std::string>& members) {
    Json list = Json::array();
    for (const auto& member : members) list.push_back(link(member));
    add(path, fmt::format("{0}Collection.{0}Collection", kind),
        {{"Name", kind + " Collection"},
         {"Members@odata.count", members.size()},
         {"Members", std::move(list)}});
  }

  void systems() {
    const std::string at = root + "/Systems/1";
    const auto& host = w_.made.host;
    collection(root + "/Systems", "ComputerSystem", {at});
    double fitted = 0;
    for (const auto& dimm : w_.dimms) fitted += static_cast<double>(dimm.size);
    const int cores = w_.cpu.sockets * w_.cpu.cores;
    Json state = status("OK");
    state["HealthRollup"] = worst(w_);
    add(at, "ComputerSystem.v1_20_0.ComputerSystem",
        {{"Id", "1"},
         {"Name", "System"},
         {"SystemType", "Physical"},
         {"Manufacturer", host.vendor},
         {"Model", host.product},
         {"SerialNumber", "SIM" + w_.made.id},
         {"HostName", w_.hostname},
         {"BiosVersion", host.bios},
         {"PowerState", "On"},
         {"ProcessorSummary", Json{{"Count", w_.cpu.sockets},
                                   {"Model", w_.cpu.model},
                                   {"CoreCount", cores},
                                   {"LogicalProcessorCount", cores * w_.cpu.threads}}},
         {"MemorySummary", Json{{"TotalSystemMemoryGiB", fitted / std::exp2(30)}}},
         {"Status", std::move(state)},
         {"Memory", link(at + "/Memory")},
         {"Processors", link(at + "/Processors")},
         {"Storage", link(at + "/Storage")},
         {"LogServices", link(at + "/LogServices")}});
    memory(at);
    processors(at);
    drives(at);
    log(at);
  }

  void memory(const std::string& system) {
    std::vector<std::string> members;
    for (const auto& dimm : w_.dimms) {
      const auto path = system + "/Memory/" + dimm.locator;
      members.push_back(path);
      Json body{{"Id", dimm.locator}, {"Name", dimm.locator}, {"DeviceLocator", dimm.locator}};
      if (dimm.size == 0) {
        body["Status"] = Json{{"State", "Absent"}, {"Health", nullptr}};
      } else {
        body["CapacityMiB"] = dimm.size >> 20U;
        body["MemoryDeviceType"] = dimm.type;
        body["Manufacturer"] = dimm.manufacturer;
        body["PartNumber"] = dimm.part;
        body["SerialNumber"] = dimm.serial;
        body["RankCount"] = 2;
        body["AllowedSpeedsMHz"] = Json::array({dimm.rate});
        body["OperatingSpeedMhz"] = dimm.configured_rate;
        body["ErrorCorrection"] = "MultiBitECC";
        body["Status"] = status("OK");
      }
      add(path, "Memory.v1_17_0.Memory", std::move(body));
    }
    collection(system + "/Memory", "Memory", members);
  }

  void processors(const std::string& system) {
    std::vector<std::string> members;
    for (int i = 0; i < w_.cpu.sockets; ++i) {
      const auto path = fmt::format("{}/Processors/CPU{}", system, i);
      members.push_back(path);
      add(path, "Processor.v1_18_0.Processor",
          {{"Id", fmt::format("CPU{}", i)},
           {"Name", fmt::format("Processor {}", i)},
           {"ProcessorType", "CPU"},
           {"Manufacturer", contains(w_.cpu.model, "Intel") ? "Intel" : "AMD"},
           {"Model", w_.cpu.model},
           {"TotalCores", w_.cpu.cores},
           {"TotalThreads", w_.cpu.cores * w_.cpu.threads},
           {"Status", status("OK")}});
    }
    collection(system + "/Processors", "Processor", members);
  }

  void drives(const std::string& system) {
    const auto storage = system + "/Storage/NVMe";
    collection(system + "/Storage", "Storage", {storage});
    Json list = Json::array();
    for (std::size_t i = 0; i < w_.drives.size(); ++i) {
      const auto& drive = w_.drives[i];
      const auto path = fmt::format("{}/Drives/Disk.Bay.{}", storage, i);
      list.push_back(link(path));
      add(path, "Drive.v1_17_0.Drive",
          {{"Id", fmt::format("Disk.Bay.{}", i)},
           {"Name", fmt::format("Disk in bay {}", i)},
           {"Model", drive.model},
           {"SerialNumber", drive.serial},
           {"Revision", drive.firmware},
           {"CapacityBytes", drive.capacity},
           {"Protocol", "NVMe"},
           {"MediaType", "SSD"},
           {"Status", status("OK")}});
    }
    add(storage, "Storage.v1_15_0.Storage",
        {{"Id", "NVMe"}, {"Name", "NVMe"}, {"Status", status("OK")}, {"Drives", std::move(list)}});
  }

  void log(const std::string& system) {
    const auto service = system + "/LogServices/SEL";
    collection(system + "/LogServices", "LogService", {service});
    add(service, "LogService.v1_4_0.LogService",
        {{"Id", "SEL"}, {"Name", "System Event Log"}, {"Entries", link(service + "/Entries")}});
    Json entries = Json::array();
    for (std::size_t i = 0; i < w_.sel.size(); ++i) {
      const auto& event = w_.sel[i];
      entries.push_back(Json{{"@odata.id", fmt::format("{}/Entries/{}", service, i + 1)},
                             {"@odata.type", "#LogEntry.v1_15_0.LogEntry"},
                             {"Id", std::to_string(i + 1)},
                             {"Name", "Log Entry"},
                             {"EntryType", "SEL"},
                             {"Created", render_time(w_, event.at, "%Y-%m-%dT%H:%M:%SZ")},
                             {"Severity", is_failure(event) ? "Critical" : "OK"},
                             {"Message", event.sensor + ": " + event.event}});
    }
    add(service + "/Entries", "LogEntryCollection.LogEntryCollection",
        {{"Name", "Log Entries"},
         {"Members@odata.count", w_.sel.size()},
         {"Members", std::move(entries)}});
  }

  void chassis() {
    const std::string at = root + "/Chassis/1";
    collection(root + "/Chassis", "Chassis", {at});
    add(at, "Chassis.v1_23_0.Chassis",
        {{"Id", "1"},
         {"Name", "Chassis"},
         {"ChassisType", "RackMount"},
         {"Manufacturer", w_.made.host.vendor},
         {"Model", w_.made.host.product},
         {"Status", status("OK")},
         {"Thermal", link(at + "/Thermal")},
         {"Power", link(at + "/Power")},
         {"PCIeSlots", link(at + "/PCIeSlots")}});
    thermal(at);
    power(at);
    slots(at);
  }

  void thermal(const std::string& chassis) {
    Json fans = Json::array(), temperatures = Json::array();
    for (const auto& sensor : w_.sensors) {
      const auto state = status(health_of(sensor), sensor.present ? "Enabled" : "Absent");
      if (sensor.kind == SensorKind::fan) {
        fans.push_back(Json{{"@odata.id", fmt::format("{}/Thermal#/Fans/{}", chassis, fans.size())},
                            {"MemberId", std::to_string(fans.size())},
                            {"FanName", sensor.name},
                            {"Name", sensor.name},
                            {"Reading", std::lround(sensor.reading)},
                            {"ReadingUnits", "RPM"},
                            {"Status", state}});
      } else if (sensor.kind == SensorKind::temperature) {
        Json one{
            {"@odata.id", fmt::format("{}/Thermal#/Temperatures/{}", chassis, temperatures.size())},
            {"MemberId", std::to_string(temperatures.size())},
            {"Name", sensor.name},
            {"ReadingCelsius", std::lround(sensor.reading)},
            {"Status", state}};
        if (sensor.upper_critical) one["UpperThresholdCritical"] = *sensor.upper_critical;
        temperatures.push_back(std::move(one));
      }
    }
    add(chassis + "/Thermal", "Thermal.v1_7_1.Thermal",
        {{"Id", "Thermal"},
         {"Name", "Thermal"},
         {"Fans", std::move(fans)},
         {"Temperatures", std::move(temperatures)}});
  }

  void power(const std::string& chassis) {
    Json supplies = Json::array();
    double consumed = 0;
    for (const auto& sensor : w_.sensors) {
      if (sensor.kind != SensorKind::supply) continue;
      const std::string name = sensor.name.substr(0, sensor.name.find(' '));  // "PSU2"
      const auto states = supply_states(sensor);
      const bool input = !contains(states, "AC lost") && !contains(states, "input lost");
      double drawn = 0;
      for (const auto& other : w_.sensors)
        if (other.name == name + " Input Power") drawn = other.reading;
      consumed += drawn;
      supplies.push_back(
          Json{{"@odata.id", fmt::format("{}/Power#/PowerSupplies/{}", chassis, supplies.size())},
               {"MemberId", std::to_string(supplies.size())},
               {"Name", name},
               {"PowerCapacityWatts", w_.made.host.supply_power},
               {"PowerInputWatts", std::lround(drawn)},
               {"LineInputStatus", input ? "Normal" : "LossOfInput"},
               {"Status", status(states == "Presence detected" ? "OK" : "Critical",
                                 sensor.present ? "Enabled" : "Absent")}});
    }
    add(chassis + "/Power", "Power.v1_7_1.Power",
        {{"Id", "Power"},
         {"Name", "Power"},
         {"PowerControl", Json::array({Json{{"@odata.id", chassis + "/Power#/PowerControl/0"},
                                            {"MemberId", "0"},
                                            {"Name", "Server Power Control"},
                                            {"PowerConsumedWatts", std::lround(consumed)}}})},
         {"PowerSupplies", std::move(supplies)}});
  }

  void slots(const std::string& chassis) {
    Json list = Json::array();
    for (const auto& slot : w_.slots) {
      Json one{{"SlotType", "FullLength"},
               {"PCIeType", fmt::format("Gen{}", slot.generation)},
               {"Lanes", slot.lanes},
               {"Location", Json{{"PartLocation", Json{{"ServiceLabel", slot.name}}}}},
               {"Status", Json{{"State", slot.in_use ? "Enabled" : "Absent"}}}};
      list.push_back(std::move(one));
    }
    add(chassis + "/PCIeSlots", "PCIeSlots.v1_5_0.PCIeSlots",
        {{"Id", "PCIeSlots"}, {"Name", "PCIe Slots"}, {"Slots", std::move(list)}});
  }

  void managers() {
    const std::string at = root + "/Managers/1";
    collection(root + "/Managers", "Manager", {at});
    add(at, "Manager.v1_18_0.Manager",
        {{"Id", "1"},
         {"Name", "Manager"},
         {"ManagerType", "BMC"},
         {"Model", "Simulated BMC"},
         {"FirmwareVersion", w_.made.host.bmc_firmware},
         {"DateTime", render_time(w_, w_.booted + w_.time, "%Y-%m-%dT%H:%M:%SZ")},
         {"Status", status("OK")}});
  }

  void firmware() {
    const std::string at = root + "/UpdateService/FirmwareInventory";
    const std::array<std::pair<std::string, std::string>, 2> parts = {
        {{"BIOS", w_.made.host.bios}, {"BMC", w_.made.host.bmc_firmware}}};
    add(root + "/UpdateService", "UpdateService.v1_11_0.UpdateService",
        {{"Id", "UpdateService"}, {"Name", "Update Service"}, {"FirmwareInventory", link(at)}});
    std::vector<std::string> members;
    for (const auto& [name, version] : parts) {
      members.push_back(at + "/" + name);
      add(members.back(), "SoftwareInventory.v1_8_0.SoftwareInventory",
          {{"Id", name}, {"Name", name}, {"Version", version}, {"Status", status("OK")}});
    }
    collection(at, "SoftwareInventory", members);
  }

  const World& w_;
  std::vector<Resource> out_;
};

}  // namespace

std::vector<Resource> redfish_resources(const World& world) { return Service(world).all(); }

}  // namespace gpuvet::sim
