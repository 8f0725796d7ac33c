// SPDX-License-Identifier: Apache-2.0
#include "ingest/sensor_names.hpp"

#include <algorithm>
#include <array>
#include <string>

#include "core/text.hpp"

namespace gpuvet::ingest {
namespace {

/// "01-Inlet_Ambient" -> "inlet ambient": HPE numbers its sensors, others write underscores.
std::string plain_name(std::string_view sensor) {
  sensor = trim(sensor);
  const auto digits = sensor.find_first_not_of("0123456789");
  if (digits != std::string_view::npos && digits > 0 && sensor[digits] == '-')
    sensor.remove_prefix(digits + 1);
  std::string out = lower(sensor.substr(0, 80));
  std::ranges::replace(out, '_', ' ');
  return out;
}

template <std::size_t N>
bool starts_with_any(std::string_view name, const std::array<std::string_view, N>& all) {
  return std::ranges::any_of(all, [&](std::string_view s) { return name.starts_with(s); });
}

}  // namespace

bool names_inlet(std::string_view sensor) {
  constexpr std::array<std::string_view, 9> names{
      "inlet",         "system board inlet", "ambient",      "front ambient", "front inlet",
      "chassis inlet", "system inlet",       "temp ambient", "temp inlet"};
  return starts_with_any(plain_name(sensor), names);
}

bool names_node_power(std::string_view sensor) {
  constexpr std::array<std::string_view, 9> names{
      "pwr consumption", "system board pwr", "avg power", "total power", "power meter",
      "sys power",       "system power",     "sys pwr",   "pwr system"};
  return starts_with_any(plain_name(sensor), names);
}

}  // namespace gpuvet::ingest
