// SPDX-License-Identifier: Apache-2.0
#include "sim/world.hpp"

#include <fmt/format.h>

#include "sim/parts.hpp"
#include "sim/places.hpp"

namespace gpuvet::sim {

Result<World> build(const Scenario& scenario, const catalogue::Catalogue& gpus) {
  World out;
  out.made = scenario;
  out.ambient = scenario.ambient;
  out.driver = scenario.driver;
  out.cuda_text = fmt::format("{}.{}", scenario.cuda / 1000, scenario.cuda % 1000 / 10);
  for (std::size_t i = 0; i < scenario.gpus.size(); ++i) {
    const auto* kind = gpus.gpu(scenario.gpus[i]);
    if (kind == nullptr)
      return fail(Errc::not_found, scenario.gpus[i] + ": the catalogue has no such GPU");
    auto gpu = make_gpu(*kind, static_cast<int>(i), scenario);
    const auto links = kind->fields.find("nvlink_links");
    if (links != kind->fields.end())
      gpu.links.resize(static_cast<std::size_t>(links->second.value));
    out.gpus.push_back(std::move(gpu));
  }
  add_devices(out);
  place_devices(out);
  link_gpus(out);
  add_host(out);
  add_controller(out);
  add_boot_log(out);
  out.driver_loaded = out.uvm = !out.gpus.empty();
  out.needs_fabric_manager = out.fabric_manager = scenario.fabric == Fabric::nvswitch;
  return out;
}

}  // namespace gpuvet::sim
