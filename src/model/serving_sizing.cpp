// SPDX-License-Identifier: Apache-2.0
#include "model/serving_sizing.hpp"

#include <algorithm>
#include <cmath>

#include "core/text.hpp"

namespace gpuvet::model {

double erlang_c(int servers, double offered) {
  if (offered >= servers) return 1;
  double term = 1, sum = 0;  // offered^k / k!
  for (int k = 0; k < servers; ++k) {
    sum += term;
    term *= offered / (k + 1);
  }
  const double waiting = term / (1 - offered / servers);
  return waiting / (sum + waiting);
}

double wait_quantile(int servers, double offered, double quantile) {
  if (offered >= servers) return INFINITY;
  const double waits = erlang_c(servers, offered);
  return std::max(0.0, std::log(waits / (1 - quantile)) / (servers - offered));
}

double at_least_up(int units, int needed, double availability) {
  double sum = 0;
  for (int k = std::max(0, needed); k <= units; ++k) {
    const double ways =
        std::lgamma(units + 1.0) - std::lgamma(k + 1.0) - std::lgamma(units - k + 1.0);
    sum += std::exp(ways) * std::pow(availability, k) * std::pow(1 - availability, units - k);
  }
  return std::min(1.0, sum);
}

std::string_view name(Slo::Of of) {
  switch (of) {
    case Slo::Of::first_token:
      return "time to first token";
    case Slo::Of::between_tokens:
      return "time between tokens";
    case Slo::Of::per_token:
      return "time per token of an answer";
    case Slo::Of::whole:
      return "time to the whole answer";
  }
  return "";
}

Seconds reached(const ServingResult& r, const Slo& slo) {
  const Percentiles& p = slo.of == Slo::Of::first_token      ? r.first_token
                         : slo.of == Slo::Of::between_tokens ? r.between_tokens
                         : slo.of == Slo::Of::per_token      ? r.per_token
                                                             : r.whole;
  if (slo.quantile <= 0.5) return p.p50;
  if (slo.quantile <= 0.9) return p.p90;
  return slo.quantile <= 0.95 ? p.p95 : p.p99;
}

Answer<double> Serving::capacity(const ServingLoad& load, const Deployment& d, const Gpu& gpu,
                                 const Fabric& fabric, const Scheduler& scheduler) const {
  ServingLoad full = load;
  full.trace.clear();
  full.arrivals = ServingLoad::Arrivals::closed;
  full.at_a_time = 2 * scheduler.sequences;  // as many wait as run
  full.requests =
      std::max<std::size_t>(load.requests, static_cast<std::size_t>(10 * scheduler.sequences));
  GPUVET_ANSWER(const auto result, simulate(full, inference_, d, gpu, fabric, scheduler));
  return result.requests_per_second;
}

Answer<Sizing> Serving::gpus_for(const ServingLoad& load, const Slo& slo, const Deployment& d,
                                 const Gpu& gpu, const Fabric& fabric, const Scheduler& scheduler,
                                 const Availability& availability) const {
  if (load.arrivals != ServingLoad::Arrivals::poisson || !load.trace.empty() || load.rate <= 0)
    return refuse("sizing needs a rate of requests above 0");
  Sizing out;
  out.gpus_each = d.tensor * d.in_turn;
  GPUVET_ANSWER(out.capacity, capacity(load, d, gpu, fabric, scheduler));
  const auto with = [&](int replicas) {
    ServingLoad share = load;
    share.rate = load.rate / replicas;
    return simulate(share, inference_, d, gpu, fabric, scheduler);
  };
  const auto keeps = [&](const ServingResult& r) { return reached(r, slo) <= slo.limit; };
  constexpr int most = 4096;

  // A finite run of an overloaded replica can still look good: start where it keeps up.
  int low = std::max(0, static_cast<int>(std::ceil(load.rate / out.capacity)) - 1);
  int high = low + 1;
  for (;;) {
    GPUVET_ANSWER(const auto r, with(high));
    if (keeps(r)) break;
    if (high >= most || load.rate / high < 0.01 * out.capacity)
      return refuse("even a nearly idle replica needs " +
                    format_number(std::round(reached(r, slo).base() * 1e4) / 10) + " ms for the " +
                    std::string(name(slo.of)));
    low = high;
    high *= 2;
  }
  while (high - low > 1) {
    const int middle = (low + high) / 2;
    GPUVET_ANSWER(const auto r, with(middle));
    (keeps(r) ? high : low) = middle;
  }
  out.replicas = high;
  out.with_spare = high + 1;
  out.for_available = high;
  while (at_least_up(out.for_available, high, availability.of_one) < availability.of_enough &&
         out.for_available < 2 * high + 64)
    ++out.for_available;
  GPUVET_ANSWER(out.each, with(high));
  out.reached = model::reached(out.each, slo);
  return out;
}

}  // namespace gpuvet::model
