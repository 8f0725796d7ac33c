// SPDX-License-Identifier: Apache-2.0
// What is plugged into a server: memory, drives, cards, adapters; and the firmware on it.
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "core/text.hpp"
#include "ingest/redfish_resources.hpp"

namespace gpuvet::ingest::bmc {
namespace {

constexpr double mib = 1024. * 1024;

/// A slot's label; Dell numbers bays and slots alike, so its own key tells them apart.
std::string slot_name(const JsonNode& slot, std::size_t index) {
  for (const std::string_view path :
       {"Location/PartLocation/ServiceLabel", "Oem/Dell/SlotKey", "Id", "Name"})
    if (const auto label = slot.words(path); !label.empty()) return "slot:" + name_of(label);
  const auto ordinal = slot.number_at("Location/PartLocation/LocationOrdinalValue");
  return fmt::format("slot:{} {}", name_of(slot.words("SlotType")),
                     format_number(ordinal.value_or(static_cast<double>(index))));
}

}  // namespace

void read_memory(Context& context, const JsonNode& module) {
  // An HGX baseboard lists the GPUs' own memory as modules.
  if (module.words("MemoryDeviceType").starts_with("HBM") || contains(module.words("Id"), "_DRAM_"))
    return;
  const auto locator = module.words("DeviceLocator");
  const std::string subject = "dimm:" + (locator.empty() ? part_name(module) : name_of(locator));
  record_reading(context, module, subject, "dimm.size"_id, "CapacityMiB", mib);
  if (is_off(module)) return;
  constexpr std::array properties{
      Property{"dimm.type"_id, Kind::text, "MemoryDeviceType"},
      Property{"dimm.rank"_id, Kind::number, "RankCount"},
      Property{"dimm.manufacturer"_id, Kind::text, "Manufacturer"},
      Property{"dimm.part_number"_id, Kind::text, "PartNumber"},
      Property{"dimm.serial"_id, Kind::text, "SerialNumber"},
      Property{"dimm.speed.configured"_id, Kind::number, "OperatingSpeedMhz"},
      Property{"dimm.health"_id, Kind::text, "Status/Health"},
  };
  record_all(context, module, subject, properties);
  double rated = 0;
  for (const JsonNode& speed : module.list("AllowedSpeedsMHz"))
    if (speed.is(JsonNode::Kind::number)) rated = std::max(rated, speed.number);
  if (rated > 0) context.out.number("dimm.speed.rated"_id, subject, rated);
  if (const auto ecc = module.words("ErrorCorrection"); !ecc.empty())
    context.out.flag("dimm.ecc"_id, subject, ecc != "NoECC");
}

/// HPE counts the sockets of each processor beside the collection, which others don't.
void read_memories(Context& context, const JsonNode& collection) {
  const JsonNode* list = collection.at("Oem/Hpe/MemoryList");
  if (list == nullptr || list->items.empty()) return;
  double sockets = 0, size = 0;
  for (const JsonNode& board : list->items) {
    const auto n = board.number_at("BoardNumberOfSockets");
    const auto m = board.number_at("BoardTotalMemorySize");
    if (!n || !m || *n < 0 || *m < 0 || *n > 1e6 || *m > 1e12) return;
    sockets += *n;
    size += *m;
  }
  context.out.line(list->line);
  context.out.number("node.dimm.slots"_id, "node", sockets);
  context.out.number("node.memory.installed"_id, "node", size * mib);
}

void read_drive(Context& context, const JsonNode& drive) {
  const std::string subject = "drive:" + part_name(drive);
  if (is_off(drive)) return record_health(context, drive, subject, "drive.health"_id);
  constexpr std::array properties{
      Property{"drive.model"_id, Kind::text, "Model"},
      Property{"drive.serial"_id, Kind::text, "SerialNumber"},
      Property{"drive.firmware"_id, Kind::text, "Revision"},
      Property{"drive.firmware"_id, Kind::text, "FirmwareVersion"},
      Property{"drive.form_factor"_id, Kind::text, "DriveFormFactor"},
      Property{"drive.capacity"_id, Kind::number, "CapacityBytes"},
  };
  record_all(context, drive, subject, properties);
  if (const JsonNode* bus = drive.at("Protocol");
      bus != nullptr && !drive.words("Protocol").empty()) {
    const std::string spelled = lower(drive.words("Protocol"));
    context.out.line(bus->line);
    context.out.text("drive.bus"_id, subject, spelled == "pcie" ? "nvme" : name_of(spelled));
  }
  if (const auto left = drive.number_at("PredictedMediaLifeLeftPercent");
      left && *left >= 0 && *left <= 100) {
    context.out.line(drive.at("PredictedMediaLifeLeftPercent")->line);
    context.out.number("drive.wear"_id, subject, (100 - *left) / 100);
  }
  // Some controllers leave Health at OK beside a predicted failure.
  const JsonNode* predicted = drive.at("FailurePredicted");
  if (predicted == nullptr || !predicted->flag)
    return record(context, drive, subject, {"drive.health"_id, Kind::text, "Status/Health"});
  context.out.line(predicted->line);
  context.out.text("drive.health"_id, subject, "Critical");
  context.out.detail("the drive predicts its failure");
}

/// Old entries of the inventory list what was or could be installed.
void read_software(Context& context, const JsonNode& software) {
  const auto id = software.words("Id");
  if (id.starts_with("Previous-") || id.starts_with("Available-")) return;
  const auto name = software.words("Name");
  const bool nameless = name.empty() || name == "Software Inventory" || name == "Software";
  record(context, software, "firmware:" + name_of(nameless ? id : name),
         {"firmware.version"_id, Kind::text, "Version"});
}

void read_pcie_device(Context& context, const JsonNode& device) {
  const auto id = device.words("Id");
  if (const auto gpu = gpu_in(id); !gpu.empty()) {
    constexpr std::array properties{
        Property{"gpu.pcie.generation"_id, Kind::generation, "PCIeInterface/PCIeType"},
        Property{"gpu.pcie.generation.max"_id, Kind::generation, "PCIeInterface/MaxPCIeType"},
        Property{"gpu.pcie.width"_id, Kind::number, "PCIeInterface/LanesInUse"},
        Property{"gpu.pcie.width.max"_id, Kind::number, "PCIeInterface/MaxLanes"},
    };
    record_all(context, device, "gpu:bmc#" + gpu, properties);
    return;
  }
  const auto name = device.words("Name");
  if (!device.words("FirmwareVersion").empty() && !name.empty())
    record(context, device, "firmware:" + name_of(name),
           {"firmware.version"_id, Kind::text, "FirmwareVersion"});
}

void read_slots(Context& context, const JsonNode& slots) {
  const auto& list = slots.list("Slots");
  const auto state_is = [](std::string_view wanted) {
    return [wanted](const JsonNode& slot) { return slot.words("Status/State") == wanted; };
  };
  // Enabled means "holds a card" only to controllers that call the empty ones Absent.
  const bool tells = std::ranges::any_of(list, state_is("Absent"));
  for (std::size_t i = 0; i < list.size(); ++i) {
    const JsonNode& slot = list[i];
    const std::string subject = slot_name(slot, i);
    record(context, slot, subject, {"slot.type"_id, Kind::text, "SlotType"});
    record(context, slot, subject, {"slot.generation"_id, Kind::generation, "PCIeType"});
    record(context, slot, subject, {"slot.lanes"_id, Kind::number, "Lanes"});
    std::string_view usage = "unknown";
    if (const JsonNode* devices = slot.at("Links/PCIeDevice"))
      usage = devices->items.empty() ? "free" : "used";
    else if (state_is("Absent")(slot))
      usage = "free";
    else if (tells && state_is("Enabled")(slot))
      usage = "used";
    context.out.line(slot.line);
    context.out.text("slot.usage"_id, subject, std::string(usage));
  }
}

/// HPE's list of cards, which names the slots as PCIeSlots does.
void read_hpe_device(Context& context, const JsonNode& device) {
  const auto location = device.words("Location");
  if (!location.starts_with("PCI-E Slot")) return;
  context.out.line(device.line);
  const bool empty = device.words("Status/State") == "Absent";
  context.out.text("slot.usage"_id, "slot:" + name_of(location), empty ? "free" : "used");
  if (!empty)
    context.out.detail(
        name_of(fmt::format("{} {}", device.words("Name"), device.words("ProductPartNumber"))));
}

void read_ethernet(Context& context, const JsonNode& port) {
  if (contains(port.words("@odata.id"), "/Managers/")) return;  // the controller's own
  const std::string subject = "nic:" + part_name(port);
  constexpr std::array properties{
      Property{"nic.state"_id, Kind::text, "LinkStatus"},
      Property{"nic.rate"_id, Kind::number, "SpeedMbps", 1e6 / 8},
      Property{"nic.mtu"_id, Kind::number, "MTUSize"},
  };
  record_all(context, port, subject, properties);
}

void read_adapter(Context& context, const JsonNode& adapter) {
  const std::string subject = "nic:" + part_name(adapter);
  record(context, adapter, subject, {"nic.model"_id, Kind::text, "Model"});
  if (const auto& controllers = adapter.list("Controllers"); !controllers.empty())
    record(context, controllers.front(), subject,
           {"nic.firmware"_id, Kind::text, "FirmwarePackageVersion"});
}

}  // namespace gpuvet::ingest::bmc
