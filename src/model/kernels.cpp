// SPDX-License-Identifier: Apache-2.0
#include "model/kernels.hpp"

#include <algorithm>
#include <cmath>

namespace gpuvet::model {
namespace {

/// Above the power of a family's largest module the clock gains little: MLPerf's A100 of 500 W are
/// 6 to 8 % faster than those of 400 W.
constexpr double most_from_power = 1.08;

}  // namespace

Kernels::Kernels(const Constants& c)
    : streaming_share_(c.at("kernels.streaming_share")),
      launch_(c.at("kernels.launch")),
      round_trip_(c.at("kernels.round_trip")),
      tiles_{{{128, 256, 1},
              {256, 128, 1},
              {128, 128, 1},
              {128, 64, 1},
              {64, 128, 1},
              {64, 64, 1},
              {32, 64, 1},
              {16, 64, 1}}},
      peak_(c.at("gemm.peak")),
      plain_peak_(c.at("gemm.plain_peak")),
      old_peak_(c.at("gemm.old_peak")),
      memory_(c.at("gemm.memory")),
      gddr_memory_(c.at("gemm.gddr_memory")),
      vllm_ampere_memory_(c.at("gemm.vllm_ampere_memory")),
      start_(c.at("gemm.start")),
      ramp_(c.at("gemm.ramp")),
      split_(c.at("gemm.split")),
      few_tiles_(c.at("gemm.few_tiles")),
      few_tiles_power_(c.at("gemm.few_tiles_power")),
      overlap_(c.at("gemm.overlap")),
      hopper_overlap_(c.at("gemm.hopper_overlap")),
      again_(c.at("gemm.again")),
      waves_(c.at("gemm.waves")),
      sm_bandwidth_(c.at("gemm.sm_bandwidth")),
      attention_peak_(c.at("attention.peak")),
      attention_memory_(c.at("attention.memory")),
      attention_start_(c.at("attention.start")),
      tile_start_(c.at("attention.tile_start")),
      tail_(c.at("attention.tail")),
      backward_share_(c.at("attention.backward_share")),
      decode_memory_(c.at("attention.decode_memory")),
      decode_start_(c.at("attention.decode_start")),
      ampere_memory_(c.at("attention.ampere_memory")) {
  // What a tile reads falls with its harmonic mean side: small tiles starve the tensor cores.
  const double enough = c.at("gemm.enough_side"), power = c.at("gemm.side_power");
  for (auto& t : tiles_)
    t.quality = std::min(1.0, std::pow(t.rows * t.columns / (t.rows + t.columns) / enough, power));
  for (const auto* family : {"Volta", "Turing", "Ampere", "Ada", "Hopper", "Blackwell"})
    full_power_.emplace(family, c.at(std::string("kernels.full_power_") + family));
  full_power_.emplace("Ampere GDDR", c.at("kernels.full_power_Ampere_GDDR"));
}

Seconds Kernels::streaming(const Gpu& gpu, Bytes bytes) const {
  return bytes / (streaming_share_ * gpu.memory_bandwidth);
}

Seconds Kernels::launch(const Gpu&) const { return Seconds::base(launch_); }

Seconds Kernels::round_trip(const Gpu&) const { return Seconds::base(round_trip_); }

double Kernels::power_share(const Gpu& gpu) const {
  const auto half = std::max(gpu.peak(Precision::fp16), gpu.peak(Precision::bf16));
  const bool small_ampere = gpu.gddr && gpu.architecture == "Ampere";
  const auto known =
      full_power_.find(small_ampere ? std::string_view("Ampere GDDR") : gpu.architecture);
  if (known == full_power_.end() || half.base() <= 0 || gpu.power.base() <= 0) return 1;
  return std::min(most_from_power, std::cbrt(gpu.power.base() / (half.base() * known->second)));
}

}  // namespace gpuvet::model
