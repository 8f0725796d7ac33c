// SPDX-License-Identifier: Apache-2.0
// What a server draws at the wall, and the energy that makes over time.
#pragma once

#include <optional>
#include <string_view>

#include "model/constants.hpp"
#include "model/estimate.hpp"
#include "model/gpu.hpp"

namespace gpuvet::model {

/// What GPUs do: nothing; convolutions, fine-tuning, recommendation; or large matrix products one
/// after the other, which hold a GPU at its power limit.
enum class Load { idle, mixed, dense };
enum class Cooling { air, liquid, immersion };

std::string_view name(Load);
std::string_view name(Cooling);

/// A server as the power meter sees it.
struct PoweredServer {
  Gpu gpu;
  int gpus = 1;
  bool nvswitch = false;
  Cooling cooling = Cooling::air;
  std::optional<Watts> limit;  ///< of one GPU, where it isn't the usual one: 500 W modules, caps
  bool tuned = false;  ///< run for least energy, as MLPerf's MaxQ: GPUs capped, slow fans; a given
                       ///< `limit` is that cap
};

/// Where the watts go, before and at the wall.
struct PowerParts {
  Watts gpus, host, fans;
  Watts supplies;  ///< lost in the power supplies
  [[nodiscard]] Watts wall() const { return gpus + host + fans + supplies; }
};

class Power {
 public:
  explicit Power(const Constants&);

  /// Mean power while `load` runs. Refuses a GPU whose board power nobody knows, and no GPUs.
  [[nodiscard]] Answer<PowerParts> parts(const PoweredServer&, Load) const;
  /// The same at the wall as an estimate of the family "power".
  [[nodiscard]] Answer<Estimate> wall(const PoweredServer&, Load) const;
  /// Mean over time of a server that works for `busy` (0 to 1) of it and idles otherwise.
  [[nodiscard]] Answer<Watts> average(const PoweredServer&, Load, double busy) const;

 private:
  [[nodiscard]] Watts gpu_power(const PoweredServer&, Load) const;

  double efficiency_, host_base_, host_per_gpu_, switch_per_gpu_, dense_, mixed_;
  double fan_air_, fan_liquid_, module_dense_, module_mixed_, card_dense_, card_mixed_;
  double idle_gpu_, idle_host_;
};

/// The power limit of this GPU in that server where the catalogue's facts have it above the usual:
/// 500 W for A100 modules of 80 GB in a server with "80GB at 500 W".
std::optional<Watts> higher_limit(const catalogue::Server&, const catalogue::Gpu&);

/// What a building draws for a server: its wall power times PUE (power usage effectiveness).
Joules facility_energy(Watts wall, Seconds time, double pue);

}  // namespace gpuvet::model
