// SPDX-License-Identifier: Apache-2.0
// GPUs as the catalogue describes them, and the NVLinks between them.
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "core/text.hpp"
#include "sim/parts.hpp"

namespace gpuvet::sim {
namespace {

/// What the catalogue leaves out because no criterion asks: by architecture.
struct Generation {
  std::string_view name;
  int cores_per_sm;
  std::string_view vbios, gsp;
  double link_speed;  ///< bytes per second and direction of one NVLink, as drivers report it
};
constexpr std::array generations = {
    Generation{"Turing", 64, "90.04.96.00.02", "", 0},
    Generation{"Ampere", 64, "92.00.9E.00.01", "", 25.781e9},
    Generation{"Ada", 128, "95.02.66.00.01", "550.54.15", 0},
    Generation{"Hopper", 128, "96.00.99.00.01", "550.54.15", 26.562e9},
    Generation{"Blackwell", 128, "97.00.82.00.01", "570.86.15", 53.125e9},
};
constexpr Generation unknown_generation{"", 64, "90.00.00.00.01", "", 25.781e9};

const Generation& generation_of(std::string_view architecture) {
  const auto found = std::find_if(generations.begin(), generations.end(), [&](const Generation& g) {
    return architecture.starts_with(g.name);
  });
  return found == generations.end() ? unknown_generation : *found;
}

double field(const catalogue::Gpu& kind, std::string_view name, double otherwise) {
  const auto found = kind.fields.find(name);
  return found == kind.fields.end() ? otherwise : found->second.value;
}
std::string text(const catalogue::Gpu& kind, std::string_view name) {
  const auto found = kind.texts.find(name);
  return found == kind.texts.end() ? std::string() : found->second;
}

/// A driver counts a card's gigabytes in powers of two, and keeps some for itself.
std::uint64_t bytes_of(double decimal) {
  return static_cast<std::uint64_t>(decimal / 1e9 + 0.5) << 30U;
}

void set_heat(Gpu& gpu, const catalogue::Gpu& kind, const Scenario& scenario,
              const Variation& varied) {
  constexpr double rise = 45, settling = 120;  // kelvin at the tdp, seconds to two thirds of it
  const double tdp = field(kind, "tdp", 300);
  auto& heat = gpu.thermal;
  heat.resistance =
      (scenario.resistance > 0 ? scenario.resistance : rise / tdp) * varied.resistance;
  heat.capacity = scenario.capacity > 0 ? scenario.capacity : settling / heat.resistance;
  heat.busy_power = gpu.power_default * 1.04 * varied.leakage;
  heat.idle_power = tdp * 0.14 * varied.leakage;
}

}  // namespace

std::uint64_t stable_number(std::string_view text) {
  std::uint64_t out = 0xcbf29ce484222325U;  // FNV-1a, then mixed so that neighbours differ
  for (const char c : text) out = (out ^ static_cast<unsigned char>(c)) * 0x100000001b3U;
  out ^= out >> 33U;
  out *= 0xff51afd7ed558ccdU;
  out ^= out >> 33U;
  return out;
}

Gpu make_gpu(const catalogue::Gpu& kind, int index, const Scenario& scenario) {
  const auto& generation = generation_of(kind.architecture);
  const auto a = stable_number(fmt::format("{} gpu {}", scenario.id, index));
  const auto b = stable_number(fmt::format("{:x}", a));
  const auto varied = scenario.variations.find(index);
  Gpu gpu;
  gpu.index = gpu.minor = index;
  gpu.sku = kind.id;
  gpu.name = kind.names.empty() ? kind.title : kind.names.front();
  gpu.uuid = fmt::format("GPU-{:08x}-{:04x}-{:04x}-{:04x}-{:012x}", a >> 32U, a >> 16U & 0xffffU,
                         a & 0xffffU, b >> 48U, b & 0xffffffffffffU);
  gpu.serial = fmt::format("132{:010d}", a % 10'000'000'000U);
  gpu.part_number = fmt::format("692-2G{}-0200-000", 500 + stable_number(kind.id) % 100);
  gpu.vbios = generation.vbios;
  gpu.inforom = fmt::format("G{}.0200.00.05", 500 + stable_number(kind.id) % 100);
  gpu.gsp_firmware = generation.gsp.empty() ? "" : scenario.driver;
  gpu.device_id = kind.device_ids.empty() ? "20b0" : kind.device_ids.front();
  gpu.subsystem_id = kind.subsystem_ids.empty() ? "0000" : kind.subsystem_ids.front();
  gpu.architecture = kind.architecture;
  const auto capability = version_parts(text(kind, "compute_capability"));
  if (capability.size() > 1) {
    gpu.capability_major = static_cast<int>(capability[0]);
    gpu.capability_minor = static_cast<int>(capability[1]);
  }
  gpu.cores = static_cast<int>(field(kind, "sm", 0)) * generation.cores_per_sm;
  gpu.bus_width = static_cast<int>(field(kind, "memory_bus", 0));
  gpu.memory = bytes_of(field(kind, "memory", 0));
  gpu.memory_reserved = gpu.memory / 128;
  gpu.bar1 = std::uint64_t{256} << 20U;
  // A BAR is a power of two at least as large as the memory behind it.
  if (kind.architecture != "Turing")
    for (gpu.bar1 = std::uint64_t{1} << 30U; gpu.bar1 < gpu.memory;) gpu.bar1 <<= 1U;
  gpu.pcie.generation_own = static_cast<int>(field(kind, "pcie_generation", 4));
  gpu.pcie.generation_max = gpu.pcie.generation =
      std::min(gpu.pcie.generation_own, scenario.host.slot_generation);
  gpu.pcie.width_max = gpu.pcie.width = static_cast<int>(field(kind, "pcie_width", 16));
  gpu.link_speed = generation.link_speed;
  gpu.limits = {field(kind, "t_max_operating", 87), field(kind, "t_slowdown", 89),
                field(kind, "t_shutdown", 95), field(kind, "t_memory", 95),
                text(kind, "temperature_mode") == "margin"};
  gpu.power_default = scenario.power_limit > 0 ? scenario.power_limit : field(kind, "tdp", 300);
  gpu.power_limit = gpu.power_default;
  gpu.power_min = field(kind, "power_min", gpu.power_default / 4);
  gpu.power_max =
      std::max(gpu.power_default,
               scenario.power_limit > 0 ? gpu.power_default : field(kind, "power_max", 0));
  gpu.clock_max = field(kind, "max_sm_clock", 1.4e9);
  gpu.memory_clock_max = gpu.memory_clock = field(kind, "memory_clock", 1.2e9);
  set_heat(gpu, kind, scenario, varied == scenario.variations.end() ? Variation{} : varied->second);
  gpu.ecc_supported = gpu.ecc = gpu.ecc_pending = text(kind, "ecc") == "yes";
  gpu.remaps_rows = text(kind, "row_remap") == "yes";
  if (gpu.remaps_rows) gpu.remap_banks = {kind.architecture == "Hopper" ? 2560U : 640U, 0, 0, 0, 0};
  gpu.mig_supported = field(kind, "mig_instances", 0) > 0;
  const auto driver = version_parts(scenario.driver);
  gpu.recovery_supported = !driver.empty() && driver.front() >= 550;
  if (kind.architecture == "Hopper" && scenario.fabric == Fabric::nvswitch) gpu.fabric_state = 3;
  return gpu;
}

Result<void> replace_gpu(World& world, int index, std::string_view kind) {
  GPUVET_TRY(const auto parts, gpu_parts({std::string(kind)}));
  if (parts.gpus.empty()) return fail(Errc::not_found, std::string(kind) + ": no such GPU");
  auto& old = world.gpus[static_cast<std::size_t>(index)];
  auto fresh = make_gpu(parts.gpus.front(), index, world.made);
  fresh.place = old.place;
  fresh.links = old.links;
  fresh.cpus = old.cpus;
  old = std::move(fresh);
  return {};
}

void link_gpus(World& world) {
  const auto count = world.gpus.size();
  for (std::size_t i = 0; i < count; ++i) {
    auto& gpu = world.gpus[i];
    const auto& kind = gpu.sku;
    // Links of the catalogue's kind were counted when the GPU was made: see build().
    const auto links = gpu.links.size();
    for (std::size_t l = 0; l < links; ++l) {
      auto& link = gpu.links[l];
      switch (world.made.fabric) {
        case Fabric::none:
          link.up = false;
          break;
        case Fabric::bridged: {
          const auto peer = i ^ 1U;
          link.up = peer < count && world.gpus[peer].sku == kind;
          if (link.up) link.remote = world.gpus[peer].place.address();
          break;
        }
        case Fabric::direct: {
          std::vector<std::size_t> peers;  // a card beside the modules has no link to them
          for (std::size_t p = 0; p < count; ++p)
            if (p != i && world.gpus[p].sku == kind) peers.push_back(p);
          const auto each = peers.empty() ? 0 : links / peers.size();
          link.up = each > 0 && l / each < peers.size();
          if (link.up) link.remote = world.gpus[peers[l / each]].place.address();
          break;
        }
        case Fabric::nvswitch:
          link.up = !world.switches.empty();
          link.to_switch = true;
          // Two links each into six switches, or as evenly as the number allows.
          if (link.up) link.remote = world.switches[l % world.switches.size()].place.address();
          break;
      }
    }
  }
}

}  // namespace gpuvet::sim
