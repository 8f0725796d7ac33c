// SPDX-License-Identifier: Apache-2.0
// The Redfish resources that tell something about a server, one reader for each.
#pragma once

#include <array>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "evidence/evidence.hpp"
#include "ingest/json_tree.hpp"

namespace gpuvet::ingest::bmc {

/// What several documents of one file say together.
struct Context {
  explicit Context(Recorder& recorder) : out{recorder} {}

  Recorder& out;
  std::string version;                ///< of Redfish, from the service root
  std::vector<std::string> failures;  ///< unresolved critical log entries, once each
  std::size_t log_entries = 0;        ///< seen in full, not as links
  std::size_t log_line = 0;
  std::set<std::string, std::less<>> cpus;  ///< addresses of processors, each counted once
  double cores = 0, threads = 0;            ///< of those
  std::optional<double> sockets;            ///< as the system states it
  bool cores_stated = false;
};

/// How a property becomes a value.
enum class Kind {
  text,
  number,
  generation,  ///< "Gen4" -> 4
  flag,
};

struct Property {
  Id id;
  Kind kind;
  std::string_view path;
  double factor = 1;
};

/// Records one property: its value, or its absence when it is null or empty; nothing when the
/// document has no such property.
void record(Context& context, const JsonNode& in, const std::string& subject, const Property& p);

template <std::size_t N>
void record_all(Context& context, const JsonNode& in, const std::string& subject,
                const std::array<Property, N>& properties) {
  for (const Property& p : properties) record(context, in, subject, p);
}

/// Records a reading; absent when the resource says that it is not there or switched off, whatever
/// number stands beside that: several controllers give 0 °C for a module that is not plugged in.
void record_reading(Context& context, const JsonNode& resource, const std::string& subject, Id id,
                    std::string_view path, double factor = 1);

/// Records Status as ok, warning, critical or absent; nothing when the resource has no Status.
void record_health(Context& context, const JsonNode& resource, const std::string& subject, Id id);

/// Printable and short: what may stand in a subject.
std::string name_of(std::string_view text);

/// The name by which people know a part: its label on the board, else an Id that isn't a mere
/// number, else the name with that number.
std::string part_name(const JsonNode& part);

/// What follows `collection` in the resource's address: "GPU_0" after "Processors".
std::string_view address_part(const JsonNode& resource, std::string_view collection);

/// Whether Status.State says that the part is not there or switched off.
bool is_off(const JsonNode& resource);

/// Whether the resource belongs to a controller below the server's own: an HGX baseboard or a
/// BlueField card, whose "system" is not the server.
bool is_inner(const JsonNode& resource);

/// The GPU of an HGX name: "GPU_0" of "HGX_GPU_0", "GPU_SXM_3" of "GPU_SXM_3"; empty for others.
std::string gpu_in(std::string_view name);

using Reader = void (*)(Context&, const JsonNode&);

/// The reader for a resource type such as "Thermal"; null for one that tells nothing.
Reader reader_of(std::string_view type);

// redfish_parts.cpp
void read_memory(Context&, const JsonNode&);
void read_memories(Context&, const JsonNode&);
void read_drive(Context&, const JsonNode&);
void read_software(Context&, const JsonNode&);
void read_pcie_device(Context&, const JsonNode&);
void read_slots(Context&, const JsonNode&);
void read_hpe_device(Context&, const JsonNode&);
void read_ethernet(Context&, const JsonNode&);
void read_adapter(Context&, const JsonNode&);

// redfish_log.cpp
void read_log(Context&, const JsonNode&);
void read_log_entry(Context&, const JsonNode&);

// redfish_sensors.cpp
void read_power(Context&, const JsonNode&);
void read_power_supply(Context&, const JsonNode&);
void read_power_supply_metrics(Context&, const JsonNode&);
void read_thermal(Context&, const JsonNode&);
void read_fan(Context&, const JsonNode&);
void read_sensor(Context&, const JsonNode&);
void read_thermal_metrics(Context&, const JsonNode&);
void read_environment(Context&, const JsonNode&);

}  // namespace gpuvet::ingest::bmc
