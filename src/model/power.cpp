// SPDX-License-Identifier: Apache-2.0
#include "model/power.hpp"

#include <algorithm>
#include <cmath>
#include <string>

#include "core/text.hpp"

namespace gpuvet::model {

std::string_view name(Load load) {
  switch (load) {
    case Load::idle:
      return "idle";
    case Load::mixed:
      return "mixed";
    case Load::dense:
      return "dense";
  }
  return "";
}

std::string_view name(Cooling cooling) {
  switch (cooling) {
    case Cooling::air:
      return "air";
    case Cooling::liquid:
      return "liquid";
    case Cooling::immersion:
      return "immersion";
  }
  return "";
}

Power::Power(const Constants& c)
    : efficiency_(c.at("power.supply_efficiency")),
      host_base_(c.at("power.host_base")),
      host_per_gpu_(c.at("power.host_per_gpu")),
      switch_per_gpu_(c.at("power.switch_per_gpu")),
      dense_(c.at("power.dense_share")),
      mixed_(c.at("power.mixed_share")),
      fan_air_(c.at("power.fan_share_air")),
      fan_liquid_(c.at("power.fan_share_liquid")),
      module_dense_(c.at("power.tuned_module_dense")),
      module_mixed_(c.at("power.tuned_module_mixed")),
      card_dense_(c.at("power.tuned_card_dense")),
      card_mixed_(c.at("power.tuned_card_mixed")),
      idle_gpu_(c.at("power.idle_gpu_share")),
      idle_host_(c.at("power.idle_host_share")) {}

Watts Power::gpu_power(const PoweredServer& s, Load load) const {
  if (load == Load::idle) return idle_gpu_ * s.gpu.power;
  const Watts limit = s.limit.value_or(s.gpu.power);
  const double share = load == Load::dense ? dense_ : mixed_;
  if (!s.tuned) return share * limit;
  // Who tunes for energy picks a limit per workload, so the GPU sits at it whatever it does.
  const bool dense = load == Load::dense;
  const double cap =
      s.gpu.module ? (dense ? module_dense_ : module_mixed_) : (dense ? card_dense_ : card_mixed_);
  return s.limit ? std::min(*s.limit, share * s.gpu.power) : cap * s.gpu.power;
}

Answer<PowerParts> Power::parts(const PoweredServer& s, Load load) const {
  if (s.gpus < 1) return refuse("a server without GPUs");
  if (s.gpu.power.base() <= 0)
    return refuse(s.gpu.id + ": the catalogue does not know its board power");
  PowerParts out;
  out.gpus = s.gpus * gpu_power(s, load);
  const double host = host_base_ + s.gpus * (host_per_gpu_ + (s.nvswitch ? switch_per_gpu_ : 0));
  out.host = Watts::base(host * (load == Load::idle ? idle_host_ : 1));
  // Tuned and idle servers let their fans turn slowly: what remains is in the host's share.
  if (load != Load::idle && !s.tuned && s.cooling != Cooling::immersion)
    out.fans = (s.cooling == Cooling::air ? fan_air_ : fan_liquid_) * out.gpus;
  out.supplies = (1 / efficiency_ - 1) * (out.gpus + out.host + out.fans);
  return out;
}

Answer<Estimate> Power::wall(const PoweredServer& s, Load load) const {
  GPUVET_ANSWER(const PowerParts p, parts(s, load));
  Estimate out;
  out.family = "power";
  out.value = p.wall().base();
  out.setting = {s.gpu.id, s.tuned ? "energy tuned" : "as delivered",
                 s.nvswitch   ? "nvswitch"
                 : s.gpus > 1 ? "no switch"
                              : "single",
                 s.gpus * s.gpu.power.base()};
  if (s.cooling == Cooling::liquid)
    out.notes.emplace_back("no liquid-cooled server was measured; its fans are assumed");
  return out;
}

Answer<Watts> Power::average(const PoweredServer& s, Load load, double busy) const {
  if (!(busy >= 0 && busy <= 1)) return refuse("a share of time lies between 0 and 1");
  GPUVET_ANSWER(const PowerParts working, parts(s, load));
  GPUVET_ANSWER(const PowerParts waiting, parts(s, Load::idle));
  return busy * working.wall() + (1 - busy) * waiting.wall();
}

std::optional<Watts> higher_limit(const catalogue::Server& server, const catalogue::Gpu& gpu) {
  const auto most = gpu.decided("power_max"), usual = gpu.decided("tdp"),
             memory = gpu.decided("memory");
  if (!most || !usual || !memory || most->value <= usual->value) return {};
  const std::string watts = format_number(most->value) + " W";
  const std::string sized = format_number(std::round(memory->value / 1e9)) + "GB at " + watts;
  for (const auto& [fact, text] : server.facts)
    if (fact == "gpus" && (contains(text, sized) || contains(text, "A100 SXM4 " + watts)))
      return Watts::base(most->value);
  return {};
}

Joules facility_energy(Watts wall, Seconds time, double pue) { return pue * (wall * time); }

}  // namespace gpuvet::model
