// SPDX-License-Identifier: Apache-2.0
#include "model/cost_article.hpp"

namespace gpuvet::model::article {

UsdPerSecond per_useful_hour(const Server& s, UsdPerJoule rate) {
  return (s.price + s.mean_power * life * rate) / (s.utilisation * life);
}

Answer<UsdPerJoule> rate_for(const Server& s, UsdPerSecond wanted) {
  const Usd energy = wanted * (s.utilisation * life) - s.price;
  if (energy.base() < 0) return refuse("the price alone costs more for each useful hour");
  return energy / (s.mean_power * life);
}

Usd taken_literally(UsdPerSecond per_hour, Seconds job, double jobs) {
  return jobs * (per_hour * job);
}

Hidden hidden_cost(const Server& cheap, const Server& dear, UsdPerJoule rate) {
  return {(dear.utilisation / cheap.utilisation - 1) * cheap.price,
          (cheap.mean_power - dear.mean_power) * life * rate};
}

}  // namespace gpuvet::model::article
