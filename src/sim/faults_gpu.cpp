// SPDX-License-Identifier: Apache-2.0
// Faults of GPUs, as their driver shows them.
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "core/nvml_abi.hpp"
#include "sim/faults_common.hpp"
#include "sim/parts.hpp"

namespace gpuvet::sim {

void log_xid(World& world, const Gpu& gpu, double seconds, int code, const std::string& text) {
  const auto& address = gpu.place.address();
  log(world, seconds, 4,
      fmt::format("NVRM: Xid (PCI:{}): {}, {}", address.substr(0, address.rfind('.')), code, text));
}

Applied gpu_lost(World& world, int target, double seconds) {
  GPUVET_TRY(auto* gpu, gpu_meant(world, target));
  gpu->lost = true;
  log_xid(world, *gpu, seconds, 79, "pid='<unknown>', name=<unknown>, GPU has fallen off the bus.");
  return {};
}

namespace {

Result<Gpu*> gpu_with_ecc(World& world, int target) {
  GPUVET_TRY(auto* gpu, gpu_meant(world, target));
  if (!gpu->ecc_supported) return fail(Errc::usage, gpu->name + " has no ECC");
  return gpu;
}

Result<Gpu*> gpu_that_remaps(World& world, int target) {
  GPUVET_TRY(auto* gpu, gpu_meant(world, target));
  if (!gpu->remaps_rows) return fail(Errc::usage, gpu->name + " retires pages and remaps no rows");
  return gpu;
}

}  // namespace

Applied ecc_contained(World& world, int target, double seconds) {
  GPUVET_TRY(auto* gpu, gpu_with_ecc(world, target));
  ++gpu->volatile_ecc.uncorrected_dram;
  ++gpu->aggregate_ecc.uncorrected_dram;
  log_xid(world, *gpu, seconds, 94,
          "pid=31337, name=python3, Contained: SM (0x1). RST: No, D-RST: No");
  return {};
}

Applied ecc_uncontained(World& world, int target, double seconds) {
  GPUVET_TRY(auto* gpu, gpu_with_ecc(world, target));
  gpu->volatile_ecc.uncorrected_dram += 3;
  gpu->aggregate_ecc.uncorrected_dram += 3;
  gpu->recovery_action = 1;  // a reset
  log_xid(world, *gpu, seconds, 95,
          "pid='<unknown>', name=<unknown>, Uncontained: LTC TAG (0x2,0x0). RST: Yes, D-RST: No");
  return {};
}

Applied remap_pending(World& world, int target, double seconds) {
  GPUVET_TRY(auto* gpu, gpu_that_remaps(world, target));
  gpu->remap_pending = true;
  ++gpu->remap_uncorrected;
  --gpu->remap_banks[0];
  ++gpu->remap_banks[1];
  log_xid(world, *gpu, seconds, 63,
          "pid='<unknown>', name=<unknown>, Row Remapper: New row marked for remapping, reset gpu "
          "to activate.");
  return {};
}

Applied remap_failure(World& world, int target, double seconds) {
  GPUVET_TRY(auto* gpu, gpu_that_remaps(world, target));
  constexpr unsigned rows_of_a_bank = 8;
  gpu->remap_failure = true;
  gpu->remap_uncorrected += rows_of_a_bank;
  --gpu->remap_banks[0];
  ++gpu->remap_banks[4];
  log_xid(world, *gpu, seconds, 64,
          "pid='<unknown>', name=<unknown>, Row Remapper: Failed to remap a row");
  return {};
}

Applied ecc_off(World& world, int target, double) {
  GPUVET_TRY(auto* gpu, gpu_with_ecc(world, target));
  gpu->ecc = gpu->ecc_pending = false;
  return {};
}

namespace {

Result<NvLink*> first_link(Gpu& gpu) {
  const auto up =
      std::find_if(gpu.links.begin(), gpu.links.end(), [](const NvLink& l) { return l.up; });
  if (up == gpu.links.end()) return fail(Errc::usage, "no NVLink of this server is in use");
  return &*up;
}

/// A link has two ends: where the other is a GPU, its end goes down too.
void take_down(World& world, Gpu& gpu, NvLink& link) {
  link.up = false;
  for (auto& other : world.gpus) {
    if (link.to_switch || other.place.address() != link.remote) continue;
    const auto back = std::find_if(other.links.begin(), other.links.end(), [&](const NvLink& l) {
      return l.up && l.remote == gpu.place.address();
    });
    if (back != other.links.end()) back->up = false;
  }
}

}  // namespace

Applied nvlink_down(World& world, int target, double) {
  GPUVET_TRY(auto* gpu, gpu_meant(world, target));
  GPUVET_TRY(auto* link, first_link(*gpu));
  take_down(world, *gpu, *link);
  return {};
}

Applied nvlinks_down(World& world, int target, double) {
  GPUVET_TRY(auto* gpu, gpu_meant(world, target));
  GPUVET_CHECK(first_link(*gpu));
  for (auto& link : gpu->links)
    if (link.up) take_down(world, *gpu, link);
  return {};
}

Applied nvlink_errors(World& world, int target, double seconds) {
  GPUVET_TRY(auto* gpu, gpu_meant(world, target));
  GPUVET_TRY(auto* link, first_link(*gpu));
  constexpr std::uint64_t at_once = 17;
  const auto climbed = static_cast<std::uint64_t>(seconds / 10);
  link->replay += at_once + climbed;
  link->recovery += 1 + climbed / 20;
  link->crc_flit += at_once * 4 + climbed * 6;
  return {};
}

Applied pcie_generation(World& world, int target, double) {
  GPUVET_TRY(auto* gpu, gpu_meant(world, target));
  gpu->pcie.generation = gpu->pcie.generation_max = std::max(1, gpu->pcie.generation_max - 2);
  return {};
}

Applied pcie_width(World& world, int target, double) {
  GPUVET_TRY(auto* gpu, gpu_meant(world, target));
  gpu->pcie.width = gpu->pcie.width_max = gpu->pcie.width_max / 2;
  return {};
}

Applied gpu_hot(World& world, int target, double) {
  GPUVET_TRY(auto* gpu, gpu_meant(world, target));
  // Without its heat sink even an idle GPU settles a little above the point where it slows down.
  gpu->thermal.resistance =
      (gpu->limits.slowdown + 1 - world.made.ambient) / gpu->thermal.idle_power;
  return {};
}

Applied memory_hot(World& world, int target, double) {
  GPUVET_TRY(auto* gpu, gpu_meant(world, target));
  constexpr double idle_share = 0.3;  // of memory_over when there is no work: see settle_gpu()
  gpu->thermal.memory_over = (gpu->limits.memory - world.made.ambient) / idle_share;
  return {};
}

Applied power_capped(World& world, int target, double) {
  GPUVET_TRY(auto* gpu, gpu_meant(world, target));
  gpu->power_limit = gpu->power_min;
  return {};
}

Applied clock_stuck(World& world, int target, double) {
  GPUVET_TRY(auto* gpu, gpu_meant(world, target));
  gpu->clock_cap = 345e6;
  gpu->held_reasons |= nvml::reason_hw_slowdown;
  return {};
}

Applied mixed_sku(World& world, int target, double) {
  struct Other {
    std::string_view kind, instead;
  };
  constexpr std::array others = {Other{"a100-sxm4-80gb", "a100-sxm4-40gb"},
                                 Other{"a100-sxm4-40gb", "a100-sxm4-80gb"},
                                 Other{"a100-pcie-80gb", "a100-pcie-40gb"},
                                 Other{"a100-pcie-40gb", "a100-pcie-80gb"},
                                 Other{"h100-sxm5-80gb", "h20-96gb"},
                                 Other{"h200-sxm-141gb", "h100-sxm5-80gb"},
                                 Other{"l40s-48gb", "l40-48gb"}};
  GPUVET_TRY(auto* gpu, gpu_meant(world, target));
  const auto found = std::find_if(others.begin(), others.end(),
                                  [&](const Other& o) { return o.kind == gpu->sku; });
  if (found == others.end() || world.gpus.size() < 2)
    return fail(Errc::usage, "no other GPU fits in the place of " + gpu->name + " beside its like");
  const double load = gpu->load;
  GPUVET_CHECK(replace_gpu(world, gpu->index, found->instead));
  gpu->load = load;
  return {};
}

Applied mixed_vbios(World& world, int target, double) {
  GPUVET_TRY(auto* gpu, gpu_meant(world, target));
  if (world.gpus.size() < 2) return fail(Errc::usage, "one GPU alone can't differ");
  gpu->vbios = gpu->vbios.substr(0, 6) + "19.00.10";
  return {};
}

Applied mig_on(World& world, int target, double) {
  GPUVET_TRY(auto* gpu, gpu_meant(world, target));
  if (!gpu->mig_supported) return fail(Errc::usage, gpu->name + " has no MIG");
  gpu->mig = true;
  return {};
}

Applied persistence_off(World& world, int target, double) {
  GPUVET_TRY(auto* gpu, gpu_meant(world, target));
  gpu->persistence = false;
  return {};
}

Applied inforom_corrupt(World& world, int target, double) {
  GPUVET_TRY(auto* gpu, gpu_meant(world, target));
  gpu->inforom_valid = false;
  return {};
}

Applied gpu_busy(World& world, int target, double) {
  GPUVET_TRY(auto* gpu, gpu_meant(world, target));
  gpu->load = 1;
  gpu->processes.push_back({31337, "python3", gpu->memory / 2});
  return {};
}

Applied gsp_timeout(World& world, int target, double seconds) {
  GPUVET_TRY(auto* gpu, gpu_meant(world, target));
  log_xid(world, *gpu, seconds, 119,
          fmt::format("pid=2130, name=nvidia-smi, Timeout after 6s of waiting for RPC response "
                      "from GPU{} GSP! Expected "
                      "function 76 (GSP_RM_CONTROL) (0x20800a4c 0x4).",
                      gpu->index));
  return {};
}

Applied call_hangs(World& world, int target, double) {
  GPUVET_TRY(auto* gpu, gpu_meant(world, target));
  gpu->hangs_in = "nvmlDeviceGetTemperature";
  return {};
}

Applied symbol_missing(World& world, int, double) {
  GPUVET_CHECK(gpu_that_remaps(world, -1));
  world.missing_functions.emplace_back("nvmlDeviceGetRemappedRows");
  return {};
}

}  // namespace gpuvet::sim
