// SPDX-License-Identifier: Apache-2.0
// `nvidia-smi --query-gpu=… --format=csv -l`: a thermal log, one row for each GPU and moment.
#include <fmt/format.h>

#include <cmath>

#include "core/nvml_abi.hpp"
#include "sim/render.hpp"

namespace gpuvet::sim {

std::string render_query_log(const std::vector<World>& log) {
  std::string out =
      "timestamp, index, uuid, pci.bus_id, name, temperature.gpu, temperature.memory, "
      "utilization.gpu [%], power.draw [W], clocks.current.sm [MHz], "
      "clocks_event_reasons.active\n";
  for (const auto& world : log) {
    const double now = world.booted + world.time;
    const auto time = fmt::format("{}.{:03.0f}", render_time(world, now, "%Y/%m/%d %H:%M:%S"),
                                  std::floor(std::fmod(now, 1) * 1e3));
    for (const auto& gpu : world.gpus) {
      if (gpu.lost) continue;
      std::string bus = "0000" + gpu.place.address();
      for (char& c : bus)
        if (c >= 'a' && c <= 'f') c = static_cast<char>(c - 'a' + 'A');
      const auto memory = gpu.memory_temperature > 0 ? fmt::format("{:.0f}", gpu.memory_temperature)
                                                     : std::string("N/A");
      out +=
          fmt::format("{}, {}, {}, {}, {}, {:.0f}, {}, {:.0f} %, {:.2f} W, {:.0f} MHz, 0x{:016x}\n",
                      time, gpu.index, gpu.uuid, bus, gpu.name, gpu.temperature, memory,
                      gpu.utilization * 100, gpu.power, gpu.clock / 1e6, gpu.reasons);
    }
  }
  return out;
}

}  // namespace gpuvet::sim
