// SPDX-License-Identifier: Apache-2.0
// Systems and their parts. Vendors agree on the names of properties and not on what stands in them;
// each oddity below was seen in a controller that sells.
#include "ingest/redfish_resources.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "core/text.hpp"

namespace gpuvet::ingest::bmc {
namespace {

constexpr std::size_t longest_name = 80;
constexpr std::size_t longest_text = 256;
constexpr double gib = 1024. * 1024 * 1024;

template <std::size_t N>
bool one_of(std::string_view text, const std::array<std::string_view, N>& all) {
  return std::ranges::find(all, text) != all.end();
}

/// "bmc", or a name of its own for a controller inside the server.
std::string controller(const JsonNode& resource) {
  return is_inner(resource) ? "bmc:" + name_of(resource.words("Id")) : "bmc";
}

/// OK, Warning or Critical, of the resource with all its parts where it says so.
void record_overall_health(Context& context, const JsonNode& resource, const std::string& subject) {
  for (const std::string_view path : {"Status/HealthRollup", "Status/Health"}) {
    const JsonNode* health = resource.at(path);
    if (health == nullptr || !health->is(JsonNode::Kind::text)) continue;
    record(context, resource, subject, {"bmc.health"_id, Kind::text, path});
    return;
  }
}

void read_root(Context& context, const JsonNode& root) {
  // A BlueField's controller names itself only here.
  const auto product = root.words("Product");
  const bool inner = contains_ignoring_case(root.words("Vendor"), "nvidia") &&
                     (contains(product, "BMCMezz") || contains_ignoring_case(product, "bluefield"));
  record(context, root, inner ? "bmc:" + name_of(product) : "bmc",
         {"bmc.redfish.version"_id, Kind::text, "RedfishVersion"});
  if (!inner) context.version = name_of(root.words("RedfishVersion"));
}

void read_manager(Context& context, const JsonNode& manager) {
  const std::string subject = controller(manager);
  constexpr std::array properties{
      Property{"bmc.model"_id, Kind::text, "Model"},
      Property{"bmc.firmware.version"_id, Kind::text, "FirmwareVersion"},
      Property{"bmc.ipmi.version"_id, Kind::text, "Oem/Dell/DelliDRACCard/IPMIVersion"},
  };
  record_all(context, manager, subject, properties);
  record_overall_health(context, manager, subject);
  if (const auto time = manager.words("DateTime"); subject == "bmc" && !time.empty())
    context.out.when(name_of(time));
}

/// Dell puts the board's number under SerialNumber and the service tag, which the firmware and
/// everybody else calls the serial number, under SKU.
std::string_view serial_path(const JsonNode& system) {
  return system.words("Manufacturer").starts_with("Dell") && !system.words("SKU").empty()
             ? "SKU"
             : "SerialNumber";
}

/// The standard means what the operating system can use, most vendors give what is plugged in, and
/// some count decimal units. Modules always add up to a multiple of 16 GiB in such a server.
void record_memory(Context& context, const JsonNode& system) {
  constexpr std::string_view path = "MemorySummary/TotalSystemMemoryGiB";
  const auto size = system.number_at(path);
  if (size && *size > 0 && *size < 1e9 && std::fmod(*size, 16) != 0) {
    context.out.line(system.at(path)->line);
    context.out.absent("node.memory.installed"_id, "node", Absence::malformed,
                       fmt::format("{} GiB is no sum of memory modules", format_number(*size)));
    return;
  }
  record(context, system, "node", {"node.memory.installed"_id, Kind::number, path, gib});
}

void read_system(Context& context, const JsonNode& system) {
  // "Capabilities" describes what a request may set; it has the type and nothing else.
  if (is_inner(system) || system.words("SystemType") == "DPU" || system.at("Status") == nullptr)
    return;
  constexpr std::array properties{
      Property{"node.vendor"_id, Kind::text, "Manufacturer"},
      Property{"node.model"_id, Kind::text, "Model"},
      Property{"node.hostname"_id, Kind::text, "HostName"},
      Property{"node.bios.version"_id, Kind::text, "BiosVersion"},
      Property{"node.bios.date"_id, Kind::text, "Oem/Dell/DellSystem/BIOSReleaseDate"},
      Property{"node.cpu.sockets"_id, Kind::number, "ProcessorSummary/Count"},
      Property{"node.cpu.model"_id, Kind::text, "ProcessorSummary/Model"},
      Property{"node.cpu.cores"_id, Kind::number, "ProcessorSummary/CoreCount"},
      Property{"node.cpu.threads"_id, Kind::number, "ProcessorSummary/LogicalProcessorCount"},
      Property{"node.dimm.slots"_id, Kind::number, "Oem/Dell/DellSystem/MaxDIMMSlots"},
      Property{"node.dimm.populated"_id, Kind::number, "Oem/Dell/DellSystem/PopulatedDIMMSlots"},
  };
  record_all(context, system, "node", properties);
  record(context, system, "node", {"node.serial"_id, Kind::text, serial_path(system)});
  record_memory(context, system);
  record_overall_health(context, system, "node");
  context.sockets = system.number_at("ProcessorSummary/Count");
  context.cores_stated = system.number_at("ProcessorSummary/CoreCount").has_value();
}

/// A GPU's chassis on an HGX baseboard.
void read_gpu_chassis(Context& context, const JsonNode& chassis, const std::string& gpu) {
  constexpr std::array properties{
      Property{"gpu.serial"_id, Kind::text, "SerialNumber"},
      Property{"gpu.part_number"_id, Kind::text, "PartNumber"},
      Property{"gpu.power.limit.max"_id, Kind::number, "MaxPowerWatts"},
      Property{"gpu.power.limit.min"_id, Kind::number, "MinPowerWatts"},
      Property{"gpu.health"_id, Kind::text, "Status/Health"},
  };
  record_all(context, chassis, "gpu:bmc#" + gpu, properties);
}

/// Only the chassis that is the server; not its enclosure, back-planes and modules. Never the
/// serial number: a chassis has its own.
void read_chassis(Context& context, const JsonNode& chassis) {
  if (const auto gpu = gpu_in(chassis.words("Id")); !gpu.empty())
    return read_gpu_chassis(context, chassis, gpu);
  constexpr std::array<std::string_view, 5> whole{"RackMount", "StandAlone", "Blade", "Sled",
                                                  "Node"};
  if (is_inner(chassis) || !one_of(chassis.words("ChassisType"), whole)) return;
  record(context, chassis, "node", {"node.vendor"_id, Kind::text, "Manufacturer"});
  record(context, chassis, "node", {"node.model"_id, Kind::text, "Model"});
  record_overall_health(context, chassis, "node");
}

void read_gpu(Context& context, const JsonNode& gpu) {
  constexpr std::array properties{
      Property{"gpu.serial"_id, Kind::text, "SerialNumber"},
      Property{"gpu.part_number"_id, Kind::text, "PartNumber"},
      Property{"gpu.vbios.version"_id, Kind::text, "FirmwareVersion"},
      Property{"gpu.ecc.mode"_id, Kind::flag, "MemorySummary/ECCModeEnabled"},
      Property{"gpu.mig.mode"_id, Kind::flag, "Oem/Nvidia/MIGModeEnabled"},
      Property{"gpu.clock.sm"_id, Kind::number, "OperatingSpeedMHz", 1e6},
      Property{"gpu.clock.sm.max"_id, Kind::number, "MaxSpeedMHz", 1e6},
      Property{"gpu.pcie.generation"_id, Kind::generation, "SystemInterface/PCIe/PCIeType"},
      Property{"gpu.pcie.generation.max"_id, Kind::generation, "SystemInterface/PCIe/MaxPCIeType"},
      Property{"gpu.pcie.width"_id, Kind::number, "SystemInterface/PCIe/LanesInUse"},
      Property{"gpu.pcie.width.max"_id, Kind::number, "SystemInterface/PCIe/MaxLanes"},
      Property{"gpu.health"_id, Kind::text, "Status/Health"},
  };
  record_all(context, gpu, "gpu:bmc#" + name_of(gpu.words("Id")), properties);
}

void read_processor(Context& context, const JsonNode& processor) {
  const auto type = processor.words("ProcessorType");
  if (type == "GPU") return read_gpu(context, processor);
  if (type != "CPU" || processor.words("Status/State") == "Absent") return;
  // Grace is "Grace A02" here and "Neoverse-V2" to the operating system.
  if (processor.words("Manufacturer") != "NVIDIA")
    record(context, processor, "node", {"node.cpu.model"_id, Kind::text, "Model"});
  std::string address(processor.words("@odata.id"));
  if (address.empty()) address = processor.words("Id");
  if (!context.cpus.insert(std::move(address)).second) return;
  context.cores += processor.number_at("TotalCores").value_or(0);
  context.threads += processor.number_at("TotalThreads").value_or(0);
}

void read_processor_metrics(Context& context, const JsonNode& metrics) {
  const auto gpu = gpu_in(address_part(metrics, "Processors"));
  if (gpu.empty()) return;
  constexpr std::array properties{
      Property{"gpu.pcie.replays"_id, Kind::number, "PCIeErrors/ReplayCount"},
      Property{"gpu.ecc.aggregate.corrected.sram"_id, Kind::number,
               "CacheMetricsTotal/LifeTime/CorrectableECCErrorCount"},
      Property{"gpu.ecc.aggregate.uncorrected.sram"_id, Kind::number,
               "CacheMetricsTotal/LifeTime/UncorrectableECCErrorCount"},
  };
  record_all(context, metrics, "gpu:bmc#" + gpu, properties);
}

struct Entry {
  std::string_view type;
  Reader reader;
};

constexpr std::array readers{
    Entry{"Chassis", read_chassis},
    Entry{"ComputerSystem", read_system},
    Entry{"Drive", read_drive},
    Entry{"EnvironmentMetrics", read_environment},
    Entry{"EthernetInterface", read_ethernet},
    Entry{"Fan", read_fan},
    Entry{"HpeServerDevice", read_hpe_device},
    Entry{"LogEntry", read_log_entry},
    Entry{"LogEntryCollection", read_log},
    Entry{"Manager", read_manager},
    Entry{"Memory", read_memory},
    Entry{"MemoryCollection", read_memories},
    Entry{"NetworkAdapter", read_adapter},
    Entry{"PCIeDevice", read_pcie_device},
    Entry{"PCIeSlots", read_slots},
    Entry{"Power", read_power},
    Entry{"PowerSupply", read_power_supply},
    Entry{"PowerSupplyMetrics", read_power_supply_metrics},
    Entry{"Processor", read_processor},
    Entry{"ProcessorMetrics", read_processor_metrics},
    Entry{"Sensor", read_sensor},
    Entry{"ServiceRoot", read_root},
    Entry{"SoftwareInventory", read_software},
    Entry{"Thermal", read_thermal},
    Entry{"ThermalMetrics", read_thermal_metrics},
};

/// 4 of "Gen4".
std::optional<double> generation_in(std::string_view text) {
  if (!text.starts_with("Gen")) return {};
  const auto n = parse_integer(text.substr(3));
  return n && *n > 0 && *n < 100 ? std::optional(static_cast<double>(*n)) : std::nullopt;
}

/// The value of `node` as a number in the id's unit; nothing when it is none that can be true.
std::optional<double> number_in(const JsonNode& node, const Property& p) {
  if (p.kind == Kind::generation) return generation_in(trim(node.text));
  if (!node.is(JsonNode::Kind::number)) return {};
  const double value = node.number * p.factor;
  if (!std::isfinite(value)) return {};
  const Unit unit = p.id.info().unit;
  return value < 0 && unit != Unit::celsius && unit != Unit::kelvin ? std::nullopt
                                                                    : std::optional(value);
}

}  // namespace

Reader reader_of(std::string_view type) {
  const auto found = std::ranges::find(readers, type, &Entry::type);
  return found == readers.end() ? nullptr : found->reader;
}

std::string part_name(const JsonNode& part) {
  for (const std::string_view path :
       {"PhysicalLocation/PartLocation/ServiceLabel", "Location/PartLocation/ServiceLabel"})
    if (const auto label = part.words(path); !label.empty()) return name_of(label);
  const auto id = part.words("Id"), name = part.words("Name");
  if (!id.empty() && (name.empty() || !parse_integer(id))) return name_of(id);
  return name_of(id.empty() ? std::string(name) : fmt::format("{}#{}", name, id));
}

bool is_off(const JsonNode& resource) {
  const auto state = resource.words("Status/State");
  return state == "Absent" || state == "UnavailableOffline" || state == "Disabled";
}

std::string name_of(std::string_view text) {
  return printable(trim(trim(text).substr(0, longest_name)));
}

std::string_view address_part(const JsonNode& resource, std::string_view collection) {
  const auto parts = split(resource.words("@odata.id"), '/');
  const auto found = std::ranges::find(parts, collection);
  return found == parts.end() || std::next(found) == parts.end() ? std::string_view{}
                                                                 : *std::next(found);
}

bool is_inner(const JsonNode& resource) {
  return std::ranges::any_of(
      std::array{resource.words("Id"), resource.words("@odata.id")}, [](std::string_view name) {
        return contains(name, "HGX_") || contains_ignoring_case(name, "bluefield") ||
               contains(name, "/Chassis/Card");
      });
}

std::string gpu_in(std::string_view name) {
  if (name.starts_with("HGX_")) name.remove_prefix(4);
  if (!name.starts_with("GPU_")) return {};
  const auto number = name.substr(name.starts_with("GPU_SXM_") ? 8 : 4);
  return parse_integer(number).value_or(-1) >= 0 ? name_of(name) : std::string();
}

void record(Context& context, const JsonNode& in, const std::string& subject, const Property& p) {
  const JsonNode* node = in.at(p.path);
  if (node == nullptr) return;
  Recorder& out = context.out;
  out.line(node->line);
  const bool text_due = p.kind == Kind::text || p.kind == Kind::generation;
  if (node->is(JsonNode::Kind::null) || (text_due && trim(node->text).empty()))
    return out.absent(p.id, subject, Absence::not_supported);
  if (p.kind == Kind::text && node->is(JsonNode::Kind::text)) {
    const auto text = trim(node->text).substr(0, longest_text);
    if (text == "N/A" || text == "NA" || text == "Unknown")
      return out.absent(p.id, subject, Absence::not_supported);
    return out.text(p.id, subject, printable(text));
  }
  if (p.kind == Kind::flag && node->is(JsonNode::Kind::flag))
    return out.flag(p.id, subject, node->flag);
  if (const auto number = number_in(*node, p); number && p.kind != Kind::flag)
    return out.number(p.id, subject, *number);
  out.absent(p.id, subject, Absence::malformed, name_of(node->text));
}

void record_reading(Context& context, const JsonNode& resource, const std::string& subject, Id id,
                    std::string_view path, double factor) {
  if (!is_off(resource))
    return record(context, resource, subject, {id, Kind::number, path, factor});
  const JsonNode* node = resource.at(path);
  context.out.line(node == nullptr ? resource.line : node->line);
  context.out.absent(id, subject, Absence::not_supported,
                     fmt::format("state {}", resource.words("Status/State")));
}

void record_health(Context& context, const JsonNode& resource, const std::string& subject, Id id) {
  const JsonNode* status = resource.at("Status");
  if (status == nullptr) return;
  const auto state = status->words("State"), health = status->words("Health");
  context.out.line(status->line);
  // The health of what is not there says nothing; HPE calls an empty power supply bay a warning.
  if (state == "Absent") return context.out.text(id, subject, "absent");
  if (health.empty())
    return context.out.absent(id, subject, Absence::not_supported, "state " + name_of(state));
  context.out.text(id, subject, name_of(lower(health)));
}

}  // namespace gpuvet::ingest::bmc
