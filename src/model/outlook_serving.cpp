// SPDX-License-Identifier: Apache-2.0
// Serving: how many requests a second one replica takes within the limits, and how many GPUs the
// asked rate needs.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "core/units.hpp"
#include "model/outlook.hpp"

namespace gpuvet::model {
namespace {

constexpr double availability_of_gpu = 0.99;  ///< with its server: a day of repair in three months

Engine engine_named(const std::string& name) {
  for (const Engine e : {Engine::eager, Engine::zero, Engine::vllm, Engine::lmdeploy,
                         Engine::tensorrt_llm, Engine::deepspeed})
    if (model::name(e) == name) return e;
  return Engine::vllm;
}

Deployment deployment_of(const catalogue::ServingSpec& spec, Transformer net) {
  Deployment out;
  out.net = std::move(net);
  out.engine = engine_named(spec.engine);
  out.compute = spec.precision == "bf16" ? Precision::bf16 : Precision::fp16;
  out.weights = spec.precision == "fp8"    ? Weights::fp8
                : spec.precision == "int8" ? Weights::int8
                : spec.precision == "nf4"  ? Weights::nf4
                                           : Weights::as_computed;
  return out;
}

/// Enough requests for a 95th percentile, few enough to ask for many servers in a second.
constexpr std::size_t requests_simulated = 1500;

ServingLoad load_of(const catalogue::ServingSpec& spec, double rate) {
  ServingLoad out;
  out.rate = rate;
  out.requests = requests_simulated;
  out.prompt = {spec.prompt, spec.spread, 1, 8 * spec.prompt};
  out.output = {spec.output, spec.spread, 1, 8 * spec.output};
  return out;
}

/// One replica with `tensor` GPUs, as steps and cache.
struct Replica {
  int gpus = 1;
  StepTimes steps;
  double cache = 0;
};

class Rates {
 public:
  Rates(const catalogue::ServingSpec& spec, const Replica& replica)
      : spec_{spec}, replica_{replica} {}

  [[nodiscard]] ServingResult at(double rate) const {
    return simulate(load_of(spec_, rate), replica_.steps, replica_.cache, {});
  }
  [[nodiscard]] bool keeps(const ServingResult& r) const {
    const bool first = spec_.first_token <= 0 || r.first_token.p95.base() <= spec_.first_token;
    const bool each = spec_.per_token <= 0 || r.per_token.p95.base() <= spec_.per_token;
    return first && each;
  }
  /// Requests a second when some always wait.
  [[nodiscard]] double saturated() const {
    ServingLoad full = load_of(spec_, 1);
    full.arrivals = ServingLoad::Arrivals::closed;
    full.at_a_time = 2 * Scheduler{}.sequences;
    return simulate(full, replica_.steps, replica_.cache, {}).requests_per_second;
  }
  /// The largest rate that keeps the limits, to 2 %; 0: none does.
  [[nodiscard]] double largest() const {
    double high = saturated();
    double low = 0.02 * high;
    if (!keeps(at(low))) return 0;
    if (keeps(at(0.98 * high))) return 0.98 * high;
    while (high / low > 1.02) {
      const double middle = std::sqrt(low * high);
      (keeps(at(middle)) ? low : high) = middle;
    }
    return low;
  }

 private:
  const catalogue::ServingSpec& spec_;
  const Replica& replica_;
};

/// All that Rates::largest depends on. A new member of StepTimes does not compile here until it is
/// part of it.
std::vector<double> all_of(const catalogue::ServingSpec& spec, const Replica& r) {
  const auto& [weights, expert_weights, experts, active_experts, token, square, context, fixed,
               each_token, host, host_sequence, host_overlaps, blend] = r.steps;
  return {weights,        expert_weights, experts,
          active_experts, token,          square,
          context,        fixed,          each_token,
          host,           host_sequence,  host_overlaps ? 1.0 : 0.0,
          blend,          r.cache,        spec.prompt,
          spec.output,    spec.spread,    spec.first_token,
          spec.per_token};
}

}  // namespace

double Outlooks::largest_rate(std::vector<double> key,
                              const std::function<double()>& simulated) const {
  {
    const std::lock_guard lock(remembered_.mutex);
    const auto found = remembered_.largest.find(key);
    if (found != remembered_.largest.end()) return found->second;
  }
  const double out = simulated();
  const std::lock_guard lock(remembered_.mutex);
  return remembered_.largest.emplace(std::move(key), out).first->second;
}

void Outlooks::serve(const catalogue::ServingSpec& spec, const Machine& machine,
                     Outlook& out) const {
  out.job = spec.load;
  out.unit = "requests";
  const auto net = transformer_from(*catalogue_.architecture(spec.architecture));
  if (!net) {
    out.because.push_back(net.error().reason);
    return;
  }
  Deployment deployment = deployment_of(spec, *net);
  const int first = spec.tensor > 0 ? static_cast<int>(spec.tensor) : 1;
  std::string why;
  for (int tensor = first; tensor <= machine.fabric.gpus; tensor *= 2) {
    deployment.tensor = tensor;
    Fabric shared = machine.fabric;
    shared.gpus = tensor;
    shared.servers = 1;
    if (tensor == 1) shared.kind = Fabric::Kind::single;
    Replica replica;
    replica.gpus = tensor;
    const auto cache = models_.inference.cache_tokens(deployment, machine.gpu);
    const auto steps = models_.inference.steps(deployment, machine.gpu, shared);
    if (!cache || !steps) {
      why = !cache ? cache.error().reason : steps.error().reason;
      out.status = !cache ? Outlook::Status::does_not_fit : Outlook::Status::unknown;
      if (spec.tensor > 0) break;
      continue;
    }
    if (*cache < spec.prompt + spec.output) {
      why = fmt::format("the cache of {} GPU{} holds {:.0f} tokens, a request has {:.0f}", tensor,
                        tensor == 1 ? "" : "s", *cache, spec.prompt + spec.output);
      out.status = Outlook::Status::does_not_fit;
      if (spec.tensor > 0) break;
      continue;
    }
    replica.cache = *cache;
    replica.steps = *steps;
    const Rates rates(spec, replica);
    const double largest = largest_rate(all_of(spec, replica), [&] { return rates.largest(); });
    if (largest <= 0) {
      const auto idle = rates.at(0.001);
      why = fmt::format(
          "even an idle replica on {} GPU{} needs {} to the first token and {} for "
          "each after it, of 95 % of requests",
          tensor, tensor == 1 ? "" : "s", format_value(idle.first_token.p95.base(), Unit::second),
          format_value(idle.per_token.p95.base(), Unit::second));
      out.status = Outlook::Status::does_not_fit;
      if (spec.tensor > 0) break;
      continue;
    }
    const int replicas = machine.gpus() / tensor;
    const int needed = static_cast<int>(std::ceil(spec.rate / largest - 1e-9));
    int up = needed + 1;  // one more than needed, always
    while (at_least_up(up, needed, availability_of_gpu) < spec.availability && up < 4 * needed + 64)
      ++up;
    out.gpus_needed = needed * tensor;
    out.gpus_with_spare = up * tensor;
    const Setting setting{machine.gpu.id, spec.engine, "single", 0};
    const auto at_rate = rates.at(std::min(largest, spec.rate / std::max(1, replicas)));
    const auto rate = intervals_.around({"inference.batched", largest * replicas, setting, 1, {}});
    if (rate) out.rate = *rate;
    if (const auto p = intervals_.around(
            {"serving.conversations", at_rate.first_token.p95.base(), setting, 1, {}}))
      out.first_token = *p;
    if (const auto p = intervals_.around(
            {"serving.conversations", at_rate.per_token.p95.base(), setting, 1, {}}))
      out.per_token = *p;
    out.million_tokens = 1e6 / (largest * replicas * spec.output);
    out.plan =
        fmt::format("{} replica{} of {} GPU{}, {:.3g} requests/s each within the limits", replicas,
                    replicas == 1 ? "" : "s", tensor, tensor == 1 ? "" : "s", largest);
    // Undecided while the asked rate lies within the interval of what the machine can.
    const double low = rate ? rate->low : 0.5 * largest * replicas;
    const double high = rate ? rate->high : 2 * largest * replicas;
    out.status = spec.rate <= low    ? Outlook::Status::fits
                 : spec.rate <= high ? Outlook::Status::uncertain
                                     : Outlook::Status::does_not_fit;
    out.because.push_back(fmt::format(
        "{:.3g} requests/s are asked, {:.3g} are possible: {} GPUs for them, {} with spares for "
        "{:.2f} % availability",
        spec.rate, largest * replicas, out.gpus_needed, out.gpus_with_spare,
        100 * spec.availability));
    return;
  }
  out.because.push_back(why);
}

}  // namespace gpuvet::model
