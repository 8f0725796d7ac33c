// SPDX-License-Identifier: Apache-2.0
#include "model/cost_offer.hpp"

#include <string>
#include <utility>

namespace gpuvet::model {
namespace {

using catalogue::Offer;
using catalogue::OfferFigure;

Known known_of(std::string_view word) {
  if (word == "measured") return Known::measured;
  if (word == "quoted") return Known::quoted;
  if (word == "document") return Known::document;
  return word == "article" ? Known::article : Known::assumed;
}

Uncertain figure_of(const OfferFigure& f, double scale = 1) {
  const bool range = f.low < f.high;
  std::string source = f.document;
  if (f.page > 0) source += " page " + std::to_string(f.page);
  return {scale * f.value,   scale * f.low,
          scale * f.high,    range ? Shape::triangle : Shape::point,
          known_of(f.known), std::move(source)};
}

Input<Watts> predicted_power(const Estimate& estimate, const Intervals& intervals) {
  const auto p = intervals.around(estimate);
  if (p)
    return Input<Watts>::predicted(Watts::base(p->low), Watts::base(p->value), Watts::base(p->high),
                                   "power model");
  // No measurements to hold it against: as far off as it was at worst.
  constexpr double worst = 0.2;
  const Watts value = Watts::base(estimate.value);
  return Input<Watts>::predicted(value / (1 + worst), value, (1 + worst) * value,
                                 "power model: " + p.error().reason);
}

}  // namespace

Answer<PoweredServer> powered_server(const Offer& offer, const catalogue::Catalogue& catalogue) {
  const auto* entry = catalogue.gpu(offer.gpu);
  if (entry == nullptr) return refuse(offer.gpu + " is not in the catalogue");
  GPUVET_ANSWER(auto gpu, gpu_from(*entry));
  PoweredServer out;
  if (const auto* server = catalogue.server(offer.server))
    out.limit = higher_limit(*server, *entry);
  out.gpus = offer.gpus;
  out.nvswitch =
      offer.topology == "nvswitch" || (offer.topology.empty() && gpu.module && offer.gpus > 4);
  if (offer.cooling == "liquid") out.cooling = Cooling::liquid;
  if (offer.cooling == "immersion") out.cooling = Cooling::immersion;
  out.gpu = std::move(gpu);
  return out;
}

Answer<CostInputs> cost_inputs(const Offer& offer, const catalogue::Catalogue& catalogue,
                               const Power& power, const Intervals& intervals, const Costs& costs,
                               Load load) {
  GPUVET_ANSWER(const auto server, powered_server(offer, catalogue));
  GPUVET_ANSWER(const auto busy, power.wall(server, load));
  GPUVET_ANSWER(const auto idle, power.wall(server, Load::idle));
  CostInputs out =
      costs.usual(offer.gpus, predicted_power(busy, intervals), predicted_power(idle, intervals));
  out.offer = offer.name;
  const auto take = [&](std::string_view name, Uncertain& into, double scale = 1) {
    if (const auto* f = offer.figure(name)) into = figure_of(*f, scale);
  };
  if (const auto* f = offer.figure("price")) out.price = Input<Usd>{figure_of(*f)};
  take("options", out.options.figure);
  take("network", out.network.figure);
  take("support", out.support.figure, 1 / year.base());
  take("space", out.space.figure, 1 / year.base());
  take("staff", out.staff.figure, 1 / year.base());
  take("power_busy", out.busy_power.figure);
  take("power_idle", out.idle_power.figure);
  take("utilisation", out.utilisation.figure);
  take("availability", out.availability.figure);
  take("kept_per_year", out.kept_per_year.figure);
  return out;
}

Answer<Input<UsdPerSecond>> rent_of(std::string_view gpu, const catalogue::Catalogue& catalogue) {
  const auto* price = catalogue.price("rent." + std::string(gpu));
  if (price == nullptr)
    return refuse("nobody looked up what renting " + std::string(gpu) + " costs; give the rent");
  return Input<UsdPerSecond>::between(UsdPerSecond::base(price->low),
                                      UsdPerSecond::base(price->value),
                                      UsdPerSecond::base(price->high), Known::catalogue,
                                      price->source.ref + " (" + price->date + ")");
}

}  // namespace gpuvet::model
