// SPDX-License-Identifier: Apache-2.0
// The columns of `nvidia-smi --query-gpu`: what its header names, and which facts one row states.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.hpp"
#include "evidence/evidence.hpp"
#include "ingest/nvidia_smi_fields.hpp"

namespace gpuvet::ingest {

/// Names in today's spelling: "gpu_uuid" reads as "uuid", "clocks_throttle_reasons.active" as
/// "clocks_event_reasons.active", "clocks.sm" as "clocks.current.sm".
struct QueryHeader {
  std::vector<std::string> names;
  std::vector<std::string> units;  ///< what stood in brackets: "W" of "power.draw [W]"
  std::map<std::string, std::size_t, std::less<>> position;

  [[nodiscard]] std::optional<std::size_t> find(std::string_view name) const;
};

QueryHeader parse_query_header(std::string_view line);

/// Whether `line` is a header that nvidia-smi would print, rather than some other CSV's.
bool looks_like_query_header(std::string_view line);

/// A field without the blanks and quotes around it.
std::string_view query_cell(std::string_view field);

/// Bits of clocks_event_reasons.active, as NVML defines them.
enum class ClockEvent : std::uint64_t {
  idle = 0x1,
  applications_clocks = 0x2,
  sw_power_cap = 0x4,
  hw_slowdown = 0x8,
  sync_boost = 0x10,
  sw_thermal = 0x20,
  hw_thermal = 0x40,
  hw_power_brake = 0x80,
};

/// "0x0000000000000004" -> 4; nothing when it isn't such a number.
std::optional<std::uint64_t> read_clock_events(std::string_view cell);

/// What this row says about its GPU, all but who it is.
Result<void> record_query_gpu(Recorder& out, const std::string& subject, const FindCell& find);

/// What this row says about the server.
Result<void> record_query_node(Recorder& out, const FindCell& find);

}  // namespace gpuvet::ingest
