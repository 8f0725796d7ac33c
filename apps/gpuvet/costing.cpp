// SPDX-License-Identifier: Apache-2.0
#include "gpuvet/costing.hpp"

#include <fmt/format.h>

#include "core/text.hpp"

namespace gpuvet::app {
namespace {

constexpr double hour = 3600, kilowatt_hour = 3.6e6;

template <class Q>
model::Input<Q> stated(double base) {
  return model::Input<Q>::exactly(Q::base(base), model::Known::quoted, "--what-if");
}

}  // namespace

Result<model::CostInputs> cost_inputs_of(const NamedMachine& named,
                                         const catalogue::Catalogue& catalogue,
                                         const model::Outlooks& outlooks, const model::Costs& costs,
                                         model::Load load) {
  // A machine that nobody offers is an offer that says nothing but what it is.
  catalogue::Offer bare;
  bare.name = named.machine.name;
  bare.server = named.machine.server;
  bare.gpu = named.machine.gpu.id;
  bare.gpus = named.machine.fabric.gpus;
  bare.topology = std::string(model::topology_class(named.machine.fabric));
  auto inputs = model::cost_inputs(named.offer ? *named.offer : bare, catalogue,
                                   outlooks.models().power, outlooks.intervals(), costs, load);
  if (!inputs) return fail(Errc::not_supported, named.machine.name + ": " + inputs.error().reason);
  inputs->servers = named.machine.fabric.servers;
  return std::move(*inputs);
}

Result<void> apply(WhatIf& what, model::CostInputs& c) {
  GPUVET_TRY(const auto price, what.number("price", "USD of one server"));
  if (price) c.price = stated<Usd>(*price);
  GPUVET_TRY(const auto options, what.number("options", "USD of extras"));
  if (options) c.options = stated<Usd>(*options);
  GPUVET_TRY(const auto network, what.number("network", "USD of adapters and switches"));
  if (network) c.network = stated<Usd>(*network);
  const auto yearly = [&](const char* key, const char* help, auto& to) -> Result<void> {
    GPUVET_TRY(const auto value, what.number(key, help));
    if (value) to = stated<model::UsdPerSecond>(*value / model::year.base());
    return {};
  };
  GPUVET_CHECK(yearly("support", "USD a year", c.support));
  GPUVET_CHECK(yearly("space", "USD a year", c.space));
  GPUVET_CHECK(yearly("staff", "USD a year", c.staff));
  const auto ratio = [&](const char* key, const char* help, auto& to) -> Result<void> {
    GPUVET_TRY(const auto value, what.number(key, help));
    if (value) to = stated<Ratio>(*value);
    return {};
  };
  GPUVET_CHECK(ratio("pue", "building's power over the server's", c.pue));
  GPUVET_CHECK(ratio("interest", "per year, like 0.05", c.interest));
  GPUVET_CHECK(ratio("kept_per_year", "share of the price a year leaves", c.kept_per_year));
  GPUVET_CHECK(ratio("utilisation", "share of hours in use, like 80%", c.utilisation));
  GPUVET_CHECK(ratio("availability", "share of hours up, like 99%", c.availability));
  GPUVET_TRY(const auto electricity, what.number("electricity", "USD per kWh"));
  if (electricity) c.electricity = stated<model::UsdPerJoule>(*electricity / kilowatt_hour);
  GPUVET_TRY(const auto power, what.number("power", "W at the wall while busy"));
  if (power) c.busy_power = stated<Watts>(*power);
  GPUVET_TRY(const auto life, what.number("life", "years to resale"));
  if (life) c.life = stated<Seconds>(*life * model::year.base());
  return {};
}

std::optional<model::Work> work_of(const model::Outlook& o) {
  model::Work out;
  out.definition = o.job;
  if (o.job_time) {
    const auto& t = *o.job_time;
    out.time = model::Input<Seconds>::predicted(Seconds::base(t.low), Seconds::base(t.value),
                                                Seconds::base(t.high), "predicted");
    return out;
  }
  if (o.million_tokens <= 0 || !o.rate) return {};
  out.per = model::Work::Per::million_tokens;
  // The rate's interval, turned into a time's.
  const double t = o.million_tokens;
  out.time = model::Input<Seconds>::predicted(
      Seconds::base(t * o.rate->value / o.rate->high), Seconds::base(t),
      Seconds::base(t * o.rate->value / o.rate->low), "predicted");
  return out;
}

model::Answer<model::Input<model::UsdPerSecond>> rent_for(const std::string& asked,
                                                          const std::string& gpu,
                                                          const catalogue::Catalogue& catalogue) {
  if (asked.empty()) return model::rent_of(gpu, catalogue);
  const auto value = parse_number(asked);
  if (!value || *value <= 0)
    return model::refuse("--rent " + printable(asked) + ": USD per GPU-hour, like 1.99");
  return model::Input<model::UsdPerSecond>::exactly(model::UsdPerSecond::base(*value / hour),
                                                    model::Known::quoted, "--rent");
}

}  // namespace gpuvet::app
