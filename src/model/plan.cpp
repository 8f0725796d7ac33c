// SPDX-License-Identifier: Apache-2.0
#include "model/plan.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <optional>

#include "core/units.hpp"

namespace gpuvet::model {
namespace {

constexpr double most_sequences = 64;  ///< of one rank in one pass that are tried

std::vector<int> divisors_of(int ranks, int fixed, bool is_fixed, double heads) {
  if (is_fixed) return {fixed};
  std::vector<int> out;
  for (int t = 1; t <= ranks; t *= 2)
    if (ranks % t == 0 && std::fmod(heads, t) == 0) out.push_back(t);
  return out;
}

std::vector<Sharding> shardings(const TrainingJob& job, bool fixed) {
  if (fixed) return {job.sharding};
  if (job.method == Method::qlora) return {Sharding::none};  // quantised weights are not sharded
  if (job.method == Method::lora) return {Sharding::none, Sharding::weights};
  return {Sharding::none, Sharding::optimizer, Sharding::gradients, Sharding::weights};
}

/// Powers of two up to what one rank has of a step, largest first.
std::vector<double> micro_batches(const TrainingJob& job, int data_parallel, bool fixed) {
  if (fixed) return {job.micro_batch};
  std::vector<double> out;
  const double share = std::min(most_sequences, job.global_batch / data_parallel);
  for (double m = 1; m <= share; m *= 2) out.insert(out.begin(), m);
  return out;
}

struct Found {
  std::optional<Plan> fits, may_fit, smallest;

  void take(Plan plan) {
    if (!smallest || plan.memory.total < smallest->memory.total) smallest = plan;
    auto& place = plan.fits == Fits::fits ? fits : may_fit;
    if (plan.fits == Fits::does_not_fit) return;
    if (!place || plan.step.total < place->step.total) place = std::move(plan);
  }
};

std::string_view words_of(Sharding s) {
  switch (s) {
    case Sharding::none:
      return "whole copies on";
    case Sharding::optimizer:
      return "ZeRO-1 over";
    case Sharding::gradients:
      return "ZeRO-2 over";
    case Sharding::weights:
      return "ZeRO-3 over";
  }
  return "";
}

}  // namespace

std::string describe(const Plan& plan) {
  const auto& job = plan.job;
  std::string out =
      fmt::format("{} {} GPU{}", words_of(job.sharding), plan.ranks, plan.ranks == 1 ? "" : "s");
  if (job.tensor > 1) out += fmt::format(", tensors split over {}", job.tensor);
  if (job.pipeline > 1) out += fmt::format(", {} pipeline stages", job.pipeline);
  out += fmt::format(", {:g} sequence{} in each pass", job.micro_batch,
                     job.micro_batch == 1 ? "" : "s");
  if (job.recompute == Recompute::selective) out += ", attention recomputed";
  if (job.recompute == Recompute::full) out += ", layers recomputed";
  return out;
}

Answer<Plan> Planner::plan(const TrainingJob& wanted, const Fixed& fixed,
                           const Machine& machine) const {
  const int ranks = machine.gpus();
  const Bytes usable = memory_.usable(machine.gpu);
  Found found;
  std::string why = "no layout divides the job over " + std::to_string(ranks) + " GPUs";
  const auto recomputes = fixed.recompute
                              ? std::vector{wanted.recompute}
                              : std::vector{Recompute::none, Recompute::selective, Recompute::full};
  for (const int tensor :
       divisors_of(machine.fabric.gpus, wanted.tensor, fixed.tensor, wanted.net.kv_heads)) {
    const int pipeline = fixed.pipeline ? wanted.pipeline : 1;
    if (ranks % (tensor * pipeline) != 0) continue;
    const int data_parallel = ranks / (tensor * pipeline);
    if (wanted.global_batch < data_parallel) {
      why = fmt::format("{:g} sequences a step are fewer than {} data-parallel ranks",
                        wanted.global_batch, data_parallel);
      continue;
    }
    for (const Sharding sharding : shardings(wanted, fixed.sharding)) {
      if (data_parallel == 1 && sharding != Sharding::none && !fixed.sharding) continue;
      bool enough = false;  // nothing more frugal need be tried: it would only be slower
      for (const Recompute recompute : recomputes) {
        if (enough) break;
        for (const double micro : micro_batches(wanted, data_parallel, fixed.micro_batch)) {
          Plan plan{wanted, ranks, {}, Fits::uncertain, {}};
          plan.job.tensor = tensor;
          plan.job.pipeline = pipeline;
          plan.job.sharding = sharding;
          plan.job.recompute = recompute;
          plan.job.micro_batch = micro;
          const auto memory = memory_.training(plan.job, ranks);
          if (!memory) {
            why = memory.error().reason;
            continue;
          }
          plan.memory = *memory;
          plan.fits = verdict(*memory, usable);
          if (plan.fits == Fits::does_not_fit) {
            found.take(std::move(plan));
            continue;
          }
          const auto step = training_.step(plan.job, machine.gpu, machine.fabric);
          if (!step) {
            why = step.error().reason;
            continue;
          }
          plan.step = *step;
          const bool fits = plan.fits == Fits::fits;
          found.take(std::move(plan));
          if (!fits) continue;
          // The largest pass that fits is the fastest of this layout.
          enough = true;
          break;
        }
      }
    }
    if (found.fits && !fixed.tensor) break;  // splitting tensors further only adds traffic
  }
  if (found.fits) return *found.fits;
  if (found.may_fit) return *found.may_fit;
  if (found.smallest)
    return refuse(fmt::format("does not fit {} of {}: {} ({})",
                              format_value(usable.base(), Unit::byte), machine.gpu.id,
                              arithmetic(found.smallest->memory), describe(*found.smallest)));
  return refuse(why);
}

}  // namespace gpuvet::model
