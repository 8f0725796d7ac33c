// SPDX-License-Identifier: Apache-2.0
// How many GPUs a load needs so that its users don't wait too long, and how many to keep spare.
#pragma once

#include "model/serving.hpp"

namespace gpuvet::model {

/// Probability that an arrival waits in M/M/c at `offered` = rate x service time < servers.
double erlang_c(int servers, double offered);
/// The wait that a share `quantile` of arrivals stays below, in service times.
double wait_quantile(int servers, double offered, double quantile);
/// Probability that at least `needed` of `units` work when each does with `availability`.
double at_least_up(int units, int needed, double availability);

struct Slo {
  enum class Of { first_token, between_tokens, per_token, whole };
  Of of = Of::first_token;
  double quantile = 0.95;  ///< 0.5, 0.9, 0.95 or 0.99
  Seconds limit;
};

std::string_view name(Slo::Of);
/// What `result` says of the quantity that `slo` limits.
Seconds reached(const ServingResult& result, const Slo& slo);

struct Sizing {
  int gpus_each = 1;      ///< of one replica
  int replicas = 1;       ///< that the load needs
  int with_spare = 2;     ///< one more than that
  int for_available = 1;  ///< so many that enough work with the availability asked
  double capacity = 0;    ///< requests a second of one replica at saturation
  Seconds reached;        ///< of the limited quantity, by `replicas`
  ServingResult each;     ///< what one of `replicas` goes through

  [[nodiscard]] int gpus() const { return gpus_each * replicas; }
};

struct Availability {
  double of_one = 0.99;      ///< of one replica
  double of_enough = 0.999;  ///< asked of the service
};

class Serving {
 public:
  explicit Serving(const Inference& inference) : inference_(inference) {}

  /// Requests a second of one replica when some always wait.
  [[nodiscard]] Answer<double> capacity(const ServingLoad&, const Deployment&, const Gpu&,
                                        const Fabric&, const Scheduler&) const;

  /// The fewest replicas, each with an equal share of `load`'s Poisson arrivals, that keep `slo`.
  /// Refuses what no number of replicas keeps, with what an idle one reaches.
  [[nodiscard]] Answer<Sizing> gpus_for(const ServingLoad& load, const Slo& slo, const Deployment&,
                                        const Gpu&, const Fabric&, const Scheduler&,
                                        const Availability& = {}) const;

 private:
  Inference inference_;
};

}  // namespace gpuvet::model
