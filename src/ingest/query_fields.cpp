// SPDX-License-Identifier: Apache-2.0
// Names of query fields over ten years of drivers, and the observations that they become.
#include "ingest/query_fields.hpp"

#include <algorithm>
#include <array>
#include <charconv>

#include "core/text.hpp"

namespace gpuvet::ingest {
namespace {

constexpr std::size_t longest_name = 128;

struct Alias {
  std::string_view old_name, name;
};

/// From `nvidia-smi --help-query-gpu`: "x" or "y", and older drivers' names.
constexpr std::array aliases{
    Alias{"gpu_name", "name"},
    Alias{"gpu_uuid", "uuid"},
    Alias{"gpu_serial", "serial"},
    Alias{"gpu_bus_id", "pci.bus_id"},
    Alias{"clocks.sm", "clocks.current.sm"},
    Alias{"clocks.mem", "clocks.current.memory"},
    Alias{"clocks.max.mem", "clocks.max.memory"},
    Alias{"gpu.power.current_limit", "enforced.power.limit"},
    Alias{"gpu.power.requested_limit", "power.limit"},
    Alias{"gpu.power.draw.average", "power.draw.average"},
    Alias{"gpu.power.draw.instant", "power.draw.instant"},
    Alias{"gpu.power.default_limit", "power.default_limit"},
    Alias{"gpu.power.min_limit", "power.min_limit"},
    Alias{"gpu.power.max_limit", "power.max_limit"},
    Alias{"remapped_rows.sbe", "remapped_rows.correctable"},
    Alias{"remapped_rows.dbe", "remapped_rows.uncorrectable"},
    Alias{"retired_pages.sbe", "retired_pages.single_bit_ecc.count"},
    Alias{"retired_pages.dbe", "retired_pages.double_bit.count"},
};

/// Names that other tools' CSV use too: they alone don't make a file ours.
constexpr std::array<std::string_view, 5> common_names{"timestamp", "index", "name", "count",
                                                       "serial"};
constexpr std::array<std::string_view, 12> own_names{
    "uuid",         "pstate",   "driver_version", "vbios_version",       "persistence_mode",
    "compute_mode", "hostname", "display_active", "gpu_recovery_action", "compute_cap",
    "display_mode", "fan.speed"};
constexpr std::array<std::string_view, 21> own_families{"pci.",
                                                        "pcie.link.",
                                                        "clocks.",
                                                        "clocks_event_reasons",
                                                        "memory.",
                                                        "utilization.",
                                                        "temperature.",
                                                        "power.",
                                                        "enforced.power.",
                                                        "ecc.",
                                                        "retired_pages.",
                                                        "remapped_rows.",
                                                        "mig.mode.",
                                                        "fabric.",
                                                        "gpu.",
                                                        "module.",
                                                        "accounting.",
                                                        "encoder.stats.",
                                                        "inforom.",
                                                        "driver_model.",
                                                        "gom."};

bool starts_with(std::string_view s, std::string_view prefix) {
  return s.substr(0, prefix.size()) == prefix;
}

bool is_common(std::string_view name) {
  return std::ranges::find(common_names, name) != common_names.end();
}

bool is_own(std::string_view name) {
  return std::ranges::find(own_names, name) != own_names.end() ||
         std::ranges::any_of(own_families, [&](auto family) { return starts_with(name, family); });
}

std::string todays_name(std::string_view name) {
  constexpr std::string_view old_family = "clocks_throttle_reasons";
  if (starts_with(name, old_family))
    return "clocks_event_reasons" + std::string(name.substr(old_family.size()));
  const auto found = std::ranges::find(aliases, name, &Alias::old_name);
  return std::string(found == aliases.end() ? name : found->name);
}

using enum CellKind;

constexpr std::array node_fields{
    Field{"node.driver.version"_id, text, "driver_version"},
    Field{"node.gpu.attached"_id, number, "count"},
    Field{"node.hostname"_id, text, "hostname"},
};

// clang-format off
constexpr std::array gpu_fields{
    Field{"gpu.name"_id, text, "name"},
    Field{"gpu.serial"_id, text, "serial"},
    Field{"gpu.vbios.version"_id, text, "vbios_version"},
    Field{"gpu.persistence"_id, flag, "persistence_mode"},
    Field{"gpu.mig.mode"_id, flag, "mig.mode.current"},
    Field{"gpu.recovery_action"_id, text, "gpu_recovery_action"},
    Field{"gpu.pci.device_id"_id, device_id, "pci.device_id"},
    Field{"gpu.pcie.generation"_id, number, "pcie.link.gen.current | pcie.link.gen.gpucurrent"},
    Field{"gpu.pcie.generation.max"_id, number, "pcie.link.gen.max"},
    Field{"gpu.pcie.width"_id, number, "pcie.link.width.current"},
    Field{"gpu.pcie.width.max"_id, number, "pcie.link.width.max"},
    Field{"gpu.performance_state"_id, text, "pstate"},
    Field{"gpu.clock_event.sw_power_cap.time"_id, number, "clocks_event_reasons_counters.sw_power_cap"},
    Field{"gpu.clock_event.sync_boost.time"_id, number, "clocks_event_reasons_counters.sync_boost"},
    Field{"gpu.clock_event.sw_thermal.time"_id, number, "clocks_event_reasons_counters.sw_thermal_slowdown"},
    Field{"gpu.clock_event.hw_thermal.time"_id, number, "clocks_event_reasons_counters.hw_thermal_slowdown"},
    Field{"gpu.clock_event.hw_power_brake.time"_id, number, "clocks_event_reasons_counters.hw_power_brake_slowdown"},
    Field{"gpu.memory.total"_id, number, "memory.total"},
    Field{"gpu.memory.used"_id, number, "memory.used"},
    Field{"gpu.utilization"_id, number, "utilization.gpu"},
    Field{"gpu.utilization.memory"_id, number, "utilization.memory"},
    Field{"gpu.ecc.mode"_id, flag, "ecc.mode.current"},
    Field{"gpu.ecc.mode.pending"_id, flag, "ecc.mode.pending"},
    Field{"gpu.ecc.volatile.corrected.dram"_id, number,
          "ecc.errors.corrected.volatile.dram | ecc.errors.corrected.volatile.device_memory"},
    Field{"gpu.ecc.volatile.uncorrected.dram"_id, number,
          "ecc.errors.uncorrected.volatile.dram | ecc.errors.uncorrected.volatile.device_memory"},
    Field{"gpu.ecc.aggregate.corrected.dram"_id, number,
          "ecc.errors.corrected.aggregate.dram | ecc.errors.corrected.aggregate.device_memory"},
    Field{"gpu.ecc.aggregate.uncorrected.dram"_id, number,
          "ecc.errors.uncorrected.aggregate.dram | ecc.errors.uncorrected.aggregate.device_memory"},
    Field{"gpu.ecc.volatile.corrected.sram"_id, number,
          "ecc.errors.corrected.volatile.sram"
          "| ecc.errors.corrected.volatile.register_file + ecc.errors.corrected.volatile.l1_cache"
          "+ ecc.errors.corrected.volatile.l2_cache + ecc.errors.corrected.volatile.texture_memory"
          "+ ecc.errors.corrected.volatile.cbu"},
    Field{"gpu.ecc.volatile.uncorrected.sram"_id, number,
          "ecc.errors.uncorrected.volatile.sram"
          "| ecc.errors.uncorrected.volatile.sram.parity & ecc.errors.uncorrected.volatile.sram.secded"
          "| ecc.errors.uncorrected.volatile.register_file + ecc.errors.uncorrected.volatile.l1_cache"
          "+ ecc.errors.uncorrected.volatile.l2_cache + ecc.errors.uncorrected.volatile.texture_memory"
          "+ ecc.errors.uncorrected.volatile.cbu"},
    Field{"gpu.ecc.aggregate.corrected.sram"_id, number,
          "ecc.errors.corrected.aggregate.sram"
          "| ecc.errors.corrected.aggregate.register_file + ecc.errors.corrected.aggregate.l1_cache"
          "+ ecc.errors.corrected.aggregate.l2_cache + ecc.errors.corrected.aggregate.texture_memory"
          "+ ecc.errors.corrected.aggregate.cbu"},
    Field{"gpu.ecc.aggregate.uncorrected.sram"_id, number,
          "ecc.errors.uncorrected.aggregate.sram"
          "| ecc.errors.uncorrected.aggregate.sram.parity & ecc.errors.uncorrected.aggregate.sram.secded"
          "| ecc.errors.uncorrected.aggregate.register_file + ecc.errors.uncorrected.aggregate.l1_cache"
          "+ ecc.errors.uncorrected.aggregate.l2_cache + ecc.errors.uncorrected.aggregate.texture_memory"
          "+ ecc.errors.uncorrected.aggregate.cbu"},
    Field{"gpu.ecc.sram_threshold_exceeded"_id, flag, "ecc.errors.uncorrected.aggregate.sram.thresholdExceeded"},
    Field{"gpu.retired_pages.single_bit"_id, number, "retired_pages.single_bit_ecc.count"},
    Field{"gpu.retired_pages.double_bit"_id, number, "retired_pages.double_bit.count"},
    Field{"gpu.retired_pages"_id, number, "retired_pages.single_bit_ecc.count & retired_pages.double_bit.count"},
    Field{"gpu.retired_pages.pending"_id, flag, "retired_pages.pending"},
    Field{"gpu.remap.correctable"_id, number, "remapped_rows.correctable"},
    Field{"gpu.remap.uncorrectable"_id, number, "remapped_rows.uncorrectable"},
    Field{"gpu.remap.pending"_id, flag, "remapped_rows.pending"},
    Field{"gpu.remap.failure"_id, flag, "remapped_rows.failure"},
    Field{"gpu.remap.banks.max"_id, number, "remapped_rows.histogram.max"},
    Field{"gpu.remap.banks.high"_id, number, "remapped_rows.histogram.high"},
    Field{"gpu.remap.banks.partial"_id, number, "remapped_rows.histogram.partial"},
    Field{"gpu.remap.banks.low"_id, number, "remapped_rows.histogram.low"},
    Field{"gpu.remap.banks.none"_id, number, "remapped_rows.histogram.none"},
    Field{"gpu.temperature.core"_id, number, "temperature.gpu"},
    Field{"gpu.temperature.memory"_id, number, "temperature.memory"},
    Field{"gpu.temperature.margin"_id, number, "temperature.gpu.tlimit"},
    Field{"gpu.power.draw"_id, number, "power.draw.instant | power.draw | power.draw.average"},
    Field{"gpu.power.limit"_id, number, "enforced.power.limit | power.limit"},
    Field{"gpu.power.limit.default"_id, number, "power.default_limit"},
    Field{"gpu.power.limit.min"_id, number, "power.min_limit"},
    Field{"gpu.power.limit.max"_id, number, "power.max_limit"},
    Field{"gpu.clock.sm"_id, number, "clocks.current.sm"},
    Field{"gpu.clock.memory"_id, number, "clocks.current.memory"},
    Field{"gpu.clock.sm.max"_id, number, "clocks.max.sm"},
    Field{"gpu.clock.memory.max"_id, number, "clocks.max.memory"},
    Field{"gpu.fabric.state"_id, text, "fabric.state"},
    Field{"gpu.fabric.status"_id, text, "fabric.status"},
    Field{"gpu.fabric.health"_id, text, "fabric.health.summary"},
};
// clang-format on

/// A clock event has a column of its own, or else a bit in the column of all active ones.
struct EventField {
  Field own;
  ClockEvent bit;
};

constexpr std::array event_fields{
    EventField{{"gpu.clock_event.idle"_id, flag, "clocks_event_reasons.gpu_idle"},
               ClockEvent::idle},
    EventField{{"gpu.clock_event.applications_clocks"_id, flag,
                "clocks_event_reasons.applications_clocks_setting"},
               ClockEvent::applications_clocks},
    EventField{{"gpu.clock_event.sw_power_cap"_id, flag, "clocks_event_reasons.sw_power_cap"},
               ClockEvent::sw_power_cap},
    EventField{{"gpu.clock_event.hw_slowdown"_id, flag, "clocks_event_reasons.hw_slowdown"},
               ClockEvent::hw_slowdown},
    EventField{{"gpu.clock_event.hw_thermal"_id, flag, "clocks_event_reasons.hw_thermal_slowdown"},
               ClockEvent::hw_thermal},
    EventField{
        {"gpu.clock_event.hw_power_brake"_id, flag, "clocks_event_reasons.hw_power_brake_slowdown"},
        ClockEvent::hw_power_brake},
    EventField{{"gpu.clock_event.sync_boost"_id, flag, "clocks_event_reasons.sync_boost"},
               ClockEvent::sync_boost},
    EventField{{"gpu.clock_event.sw_thermal"_id, flag, "clocks_event_reasons.sw_thermal_slowdown"},
               ClockEvent::sw_thermal},
};

Result<void> record_event(Recorder& out, const EventField& event, const std::string& subject,
                          const FindCell& find) {
  const auto own = find(event.own.from);
  const auto all = find("clocks_event_reasons.active");
  if (!all || (own && read_flag(own->text))) return record_field(out, event.own, subject, find);
  if (const auto active = read_clock_events(all->text)) {
    out.line(all->line);
    out.flag(event.own.id, subject, (*active & static_cast<std::uint64_t>(event.bit)) != 0);
    return {};
  }
  if (own) return record_field(out, event.own, subject, find);
  return record_field(out, {event.own.id, flag, "clocks_event_reasons.active"}, subject, find);
}

}  // namespace

std::optional<std::size_t> QueryHeader::find(std::string_view name) const {
  const auto found = position.find(name);
  return found == position.end() ? std::nullopt : std::optional{found->second};
}

std::string_view query_cell(std::string_view field) {
  field = trim(field);
  if (field.size() > 1 && field.front() == '"' && field.back() == '"')
    field = trim(field.substr(1, field.size() - 2));
  return field;
}

QueryHeader parse_query_header(std::string_view line) {
  QueryHeader out;
  for (const auto field : split(line, ',')) {
    std::string_view name = query_cell(field).substr(0, longest_name), unit;
    if (const auto bracket = name.find('['); bracket != name.npos && name.back() == ']') {
      unit = name.substr(bracket + 1, name.size() - bracket - 2);
      name = trim(name.substr(0, bracket));
    }
    out.position.try_emplace(todays_name(name), out.names.size());
    out.names.push_back(todays_name(name));
    out.units.emplace_back(unit);
  }
  return out;
}

bool looks_like_query_header(std::string_view line) {
  if (line.find(',') == line.npos) return false;
  const QueryHeader header = parse_query_header(line);
  std::size_t known = 0, own = 0;
  for (std::size_t i = 0; i < header.names.size(); ++i) {
    const bool ours = is_own(header.names[i]);
    if (ours && !header.units[i].empty()) return true;
    own += ours ? 1 : 0;
    known += ours || is_common(header.names[i]) ? 1 : 0;
  }
  return known >= 2 && (own > 0 || known == header.names.size());
}

std::optional<std::uint64_t> read_clock_events(std::string_view cell) {
  cell = trim(cell);
  if (cell.substr(0, 2) != "0x" || cell.size() == 2) return {};
  std::uint64_t value = 0;
  const char* const end = cell.data() + cell.size();
  const auto read = std::from_chars(cell.data() + 2, end, value, 16);
  if (read.ec != std::errc{} || read.ptr != end) return {};
  return value;
}

Result<void> record_query_gpu(Recorder& out, const std::string& subject, const FindCell& find) {
  for (const Field& field : gpu_fields) GPUVET_CHECK(record_field(out, field, subject, find));
  for (const EventField& event : event_fields)
    GPUVET_CHECK(record_event(out, event, subject, find));
  return {};
}

Result<void> record_query_node(Recorder& out, const FindCell& find) {
  for (const Field& field : node_fields) GPUVET_CHECK(record_field(out, field, "node", find));
  return {};
}

}  // namespace gpuvet::ingest
