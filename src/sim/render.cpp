// SPDX-License-Identifier: Apache-2.0
#include "sim/render.hpp"

#include <algorithm>
#include <array>
#include <ctime>

#include "sim/tree.hpp"

namespace gpuvet::sim {

std::string render_time(const World& world, double seconds, const char* format) {
  constexpr std::time_t began = 1767225600;  // 2026-01-01 UTC, when every scenario begins
  const auto now = began + static_cast<std::time_t>(seconds - world.booted);
  std::tm parts{};
  ::gmtime_r(&now, &parts);
  std::array<char, 64> out{};
  const auto length = std::strftime(out.data(), out.size(), format, &parts);
  return {out.data(), length};
}

std::vector<Rendered> render_files(const std::vector<World>& log) {
  const World& world = log.back();
  std::vector<Rendered> out = {{"lscpu.txt", render_lscpu(world)},
                               {"lspci.txt", render_lspci(world)},
                               {"dmesg.txt", render_dmesg(world)},
                               {"chronyc.txt", render_chronyc(world)}};
  if (const auto tree = tree_of(world))
    for (const auto& file : *tree)
      if (file.path == "/proc/meminfo") out.push_back({"meminfo.txt", file.bytes});
  const bool rdma = std::any_of(world.nics.begin(), world.nics.end(),
                                [](const Nic& nic) { return nic.made.rdma; });
  out.push_back({"numactl.txt", render_numactl(world)});
  if (rdma) {
    out.push_back({"ibstat.txt", render_ibstat(world)});
    out.push_back({"infiniband.txt", render_ports(world)});
  }
  if (!world.drives.empty()) out.push_back({"nvme.txt", render_drives(world)});
  if (!world.sensors.empty()) {
    out.push_back({"ipmi-mc.txt", render_ipmi_controller(world)});
    out.push_back({"ipmi-fru.txt", render_ipmi_fru(world)});
    out.push_back({"ipmi-sdr.txt", render_ipmi_sensors(world)});
    out.push_back({"ipmi-sel.txt", render_ipmi_log(world)});
  }
  if (world.gpus.empty() || !world.driver_loaded) return out;
  out.push_back({"nvidia-smi.txt", render_report(world)});
  out.push_back({"nvidia-smi.xml", render_report_xml(world)});
  const bool lost =
      std::any_of(world.gpus.begin(), world.gpus.end(), [](const Gpu& gpu) { return gpu.lost; });
  // With a GPU lost, this command ends with an error and prints no matrix.
  if (!lost) out.push_back({"topo.txt", render_topo(world)});
  const bool links = std::any_of(world.gpus.begin(), world.gpus.end(),
                                 [](const Gpu& gpu) { return !gpu.links.empty(); });
  if (links) {
    out.push_back({"nvlink-s.txt", render_link_states(world)});
    out.push_back({"nvlink-e.txt", render_link_errors(world)});
  }
  if (log.size() > 1) out.push_back({"thermal.csv", render_query_log(log)});
  return out;
}

}  // namespace gpuvet::sim
