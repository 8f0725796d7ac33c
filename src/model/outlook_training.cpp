// SPDX-License-Identifier: Apache-2.0
// Training: the plan that fits and is fastest, and how long a job takes with it.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "model/layered_memory.hpp"
#include "model/outlook.hpp"

namespace gpuvet::model {
namespace {

/// The interval of a rate carried over to a time: the other way round.
Prediction time_for(double amount, const Prediction& rate) {
  return {amount / rate.value, amount / rate.high, amount / rate.low, rate.transfer, rate.notes};
}

Precision precision_of(const std::string& name) {
  for (const Precision p : {Precision::fp32, Precision::tf32, Precision::fp16, Precision::bf16,
                            Precision::fp8, Precision::int8})
    if (model::name(p) == name) return p;
  return Precision::bf16;
}

TrainingJob job_of(const catalogue::TrainingSpec& spec, Transformer net) {
  TrainingJob job;
  job.net = std::move(net);
  job.method = spec.method == "lora"    ? Method::lora
               : spec.method == "qlora" ? Method::qlora
                                        : Method::full;
  if (spec.rank > 0) job.lora_rank = spec.rank;
  if (spec.sequence > 0) job.sequence = spec.sequence;
  job.global_batch = spec.global_batch;
  if (spec.micro_batch > 0) job.micro_batch = spec.micro_batch;
  if (spec.tensor > 0) job.tensor = static_cast<int>(spec.tensor);
  if (spec.pipeline > 0) job.pipeline = static_cast<int>(spec.pipeline);
  job.sharding = spec.sharding == "zero-1"   ? Sharding::optimizer
                 : spec.sharding == "zero-2" ? Sharding::gradients
                 : spec.sharding == "zero-3" ? Sharding::weights
                                             : Sharding::none;
  job.recompute = spec.recompute == "full"        ? Recompute::full
                  : spec.recompute == "selective" ? Recompute::selective
                                                  : Recompute::none;
  job.precision = precision_of(spec.precision);
  job.flash_attention = spec.flash_attention;
  job.compiled = spec.compiled;
  job.framework = spec.framework;
  return job;
}

/// What the frozen reference model of DPO adds to a step: another forward pass, a third of what
/// forward and backward of the trained one take.
constexpr double reference_share = 1.0 / 3;

struct Room {
  LayeredLayout layout;
  MemoryEstimate memory;
  Fits fits = Fits::does_not_fit;
};

/// The largest pass that fits, whole copies before divided states; else what may fit, the most
/// frugal first; else the most frugal. 256 samples fill any GPU.
Room room_for(const Net& net, const LayeredJob& job, double asked, const Machine& machine,
              const LayeredMemory& model, Bytes usable) {
  std::vector<double> sizes;
  if (asked > 0) sizes.push_back(asked);
  for (double s = std::min(job.batch, 256.0); asked <= 0 && s >= 1; s = std::floor(s / 2))
    sizes.push_back(s);
  Room frugal;
  for (const bool sharded : {false, true}) {
    if (sharded && machine.gpus() == 1) continue;
    for (const double samples : sizes) {
      Room room{{samples, machine.gpus(), sharded}, {}, {}};
      room.memory = model.training(net, job, room.layout);
      room.fits = verdict(room.memory, usable);
      if (room.fits == Fits::fits) return room;
      frugal = std::move(room);
    }
  }
  return frugal;
}

}  // namespace

void Outlooks::train(const catalogue::TrainingSpec& spec, const Machine& machine,
                     Outlook& out) const {
  out.job = spec.job;
  out.unit = "tokens";
  const auto net = transformer_from(*catalogue_.architecture(spec.architecture));
  if (!net) {
    out.because.push_back(net.error().reason);
    return;
  }
  const Fixed fixed{spec.micro_batch > 0, spec.tensor > 0, spec.pipeline > 0,
                    !spec.sharding.empty(), !spec.recompute.empty()};
  auto planned = Planner(models_.memory, models_.training).plan(job_of(spec, *net), fixed, machine);
  if (!planned) {
    out.status = planned.error().reason.starts_with("does not fit") ? Outlook::Status::does_not_fit
                                                                    : Outlook::Status::unknown;
    out.because.push_back(planned.error().reason);
    return;
  }
  const Plan& plan = *planned;
  const std::string topology(topology_class(machine.fabric));
  out.plan = describe(plan);
  out.status = plan.fits == Fits::fits ? Outlook::Status::fits : Outlook::Status::uncertain;
  const double memory = plan.memory.total.base();
  const Setting setting{machine.gpu.id, spec.framework, topology, memory};
  if (const auto p = intervals_.around({"memory.training", memory, setting, 1, {}}))
    out.memory = *p;
  out.because.push_back(fmt::format("{} at the {}", arithmetic(plan.memory), plan.memory.peak));

  double per_second = plan.step.tokens_per_second();
  if (spec.reference_model) {
    per_second /= 1 + reference_share;
    out.because.push_back("a frozen reference model adds a forward pass to each step");
  }
  const std::string family =
      plan.job.method == Method::full ? "training.llm" : "training.llm.adapters";
  const auto rate =
      intervals_.around({family,
                         per_second,
                         {machine.gpu.id, spec.framework, topology, plan.job.net.parameters()},
                         1,
                         plan.step.notes});
  if (!rate) {
    out.because.push_back(rate.error().reason);
    return;
  }
  out.rate = *rate;
  out.job_time = time_for(spec.samples * spec.epochs * plan.job.sequence, *rate);
  const double total = plan.step.total.base();
  for (const auto& [what, time] : {std::pair<const char*, Seconds>{"compute", plan.step.compute},
                                   {"communication", plan.step.communication},
                                   {"pipeline bubble", plan.step.bubble},
                                   {"optimizer", plan.step.optimizer},
                                   {"stall", plan.step.stall}})
    if (time.base() > 0) out.shares.emplace_back(what, time.base() / total);
}

void Outlooks::train_layers(const catalogue::TrainingSpec& spec,
                            const catalogue::Architecture& architecture, const Machine& machine,
                            Outlook& out) const {
  out.job = spec.job;
  out.unit = "samples";
  LayeredJob job;
  job.batch = spec.global_batch / machine.gpus();
  if (job.batch < 1) {
    out.because.push_back(fmt::format("{:g} samples a step are fewer than {} GPUs",
                                      spec.global_batch, machine.gpus()));
    return;
  }
  job.precision = precision_of(spec.precision);
  const auto net = net_from(architecture);
  if (!net) {
    out.because.push_back(net.error().reason);
    return;
  }
  const auto room =
      room_for(*net, job, spec.micro_batch, machine, LayeredMemory(Constants(catalogue_)),
               models_.memory.usable(machine.gpu));
  const auto& memory = room.memory;
  const double factor = std::exp(memory.spread), peak = memory.total.base();
  out.memory = Prediction{peak,
                          peak / factor,
                          peak * factor,
                          Transfer::new_framework,
                          {"not held against measurements: the band is assumed"}};
  out.because.push_back(fmt::format("{} at the {}", arithmetic(memory), memory.peak));
  if (room.fits == Fits::does_not_fit) {
    out.status = Outlook::Status::does_not_fit;
    return;
  }
  job.passes = std::max(1.0, std::ceil(job.batch / room.layout.samples));
  job.framework = spec.framework;
  const auto step = models_.layered_training.step(architecture, job, machine.gpu, machine.fabric);
  if (!step) {
    out.because.push_back(step.error().reason);
    return;
  }
  const double total = step->total().base();
  const auto rate = intervals_.around(
      {"training.layered",
       spec.global_batch / total,
       {machine.gpu.id, spec.framework, std::string(topology_class(machine.fabric)), 0},
       1,
       {}});
  if (!rate) {
    out.because.push_back(rate.error().reason);
    return;
  }
  out.status = room.fits == Fits::fits ? Outlook::Status::fits : Outlook::Status::uncertain;
  out.plan =
      fmt::format("{:g} samples on each of {} GPUs, {:g} in each pass{}", job.batch, machine.gpus(),
                  room.layout.samples,
                  room.layout.sharded ? ", optimizer states divided over them (ZeRO-1)" : "");
  out.rate = *rate;
  out.job_time = time_for(spec.samples * spec.epochs, *rate);
  for (const auto& [what, time] : {std::pair<const char*, Seconds>{"layers", step->layers},
                                   {"gaps", step->gaps},
                                   {"communication", step->exposed},
                                   {"optimizer", step->optimizer}})
    if (time.base() > 0) out.shares.emplace_back(what, time.base() / total);
}

}  // namespace gpuvet::model
