// SPDX-License-Identifier: Apache-2.0
#include "model/training.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace gpuvet::model {
namespace {

/// Why a job makes no sense on these ranks, before any time is asked for.
Answer<int> ranks_for(const TrainingJob& job, const Gpu& gpu, const Fabric& fabric) {
  const auto& net = job.net;
  if (net.layers <= 0 || net.hidden <= 0 || net.heads <= 0)
    return refuse("the architecture is not known");
  if (job.sequence <= 0 || job.micro_batch <= 0 || job.global_batch <= 0)
    return refuse("sequence, micro-batch and batch must be given");
  if (gpu.peak(job.precision).base() <= 0)
    return refuse(gpu.id + " has no known rate in " + std::string(name(job.precision)));
  const int ranks = data_parallel(job, fabric);
  if (ranks < 1)
    return refuse(fmt::format("{} GPUs are no multiple of tensor {} x pipeline {} x context {}",
                              fabric.ranks(), job.tensor, job.pipeline, job.context));
  if (job.pipeline > net.layers)
    return refuse("the pipeline has more stages than the network has layers");
  if (job.cpu_offload)
    return refuse("no model of states that wait in host memory: it is bound by PCIe and the CPU");
  const Bytes states = Training::states(job, ranks);
  if (states > gpu.memory) {
    const char* const how[] = {"without sharding", "with ZeRO-1", "with ZeRO-2", "with ZeRO-3"};
    return refuse(fmt::format(
        "cannot fit: weights, gradients and optimizer states of {:.1f} billion parameters {} over "
        "{} data-parallel ranks take {:.0f} GB on each GPU that has {:.0f} GB, before activations",
        net.parameters() / 1e9, how[static_cast<std::size_t>(job.sharding)], ranks,
        states.base() / 1e9, gpu.memory.base() / 1e9));
  }
  return ranks;
}

}  // namespace

double training_flop_per_token(const TrainingJob& job) {
  const double factor = job.method == Method::full ? 3 : 2;
  return factor * job.net.forward_flop(job.net.decoder ? job.sequence / 2 : job.sequence);
}

Bytes Training::states(const TrainingJob& job, int data_parallel_ranks) {
  const double mine = job.net.parameters() / (job.tensor * job.pipeline);
  const double ranks =
      job.sharding_ranks > 0 ? job.sharding_ranks : data_parallel_ranks * job.context;
  const bool wide = job.precision == Precision::fp32 || job.precision == Precision::tf32;
  const double weight = job.method == Method::qlora ? 0.5 : wide ? 4 : 2;
  const bool trained = job.method == Method::full;
  const double gradient = trained ? (wide ? 4 : 2) : 0;
  // Adam's two moments and, under mixed precision, the fp32 copy of the weights.
  const double optimizer =
      trained && job.optimizer_step ? (!wide && job.master_weights ? 12 : 8) : 0;
  const auto over = [&](Sharding from) { return job.sharding >= from ? ranks : 1; };
  return Bytes::base(mine *
                     (weight / over(Sharding::weights) + gradient / over(Sharding::gradients) +
                      optimizer / over(Sharding::optimizer)));
}

Training::Training(const Constants& c)
    : compute_(c),
      communication_(c),
      weights_exposed_(c.at("training.weights_exposed")),
      weights_exposed_scripts_(c.at("training.weights_exposed_scripts")),
      stall_(c.at("training.stall")) {}

Answer<TrainingStep> Training::step(const TrainingJob& job, const Gpu& gpu,
                                    const Fabric& fabric) const {
  GPUVET_ANSWER(const int ranks, ranks_for(job, gpu, fabric));
  GPUVET_ANSWER(const auto exchanged, communication_.layer(job, fabric));
  GPUVET_ANSWER(const auto gathered, communication_.weights(job, fabric));
  GPUVET_ANSWER(const auto reduced, communication_.gradients(job, fabric));
  const Stack stack = stack_of(job);
  const double stages = job.pipeline;
  const double layers = job.net.layers / stages;
  const double micro_batches = std::max(1.0, job.global_batch / (job.micro_batch * ranks));

  const MicroBatch one = compute_.micro_batch(job, gpu);
  // Schedules give the last stage fewer layers, so the head's time is everybody's.
  const Seconds busy = layers * one.layer + one.head / stages;
  constexpr double sharpness = 6;  // of overlap: neither hides the other wholly
  const Seconds with_exchange = busy + layers * exchanged;
  const Seconds micro_batch =
      longer_of(with_exchange, gathered, sharpness) +
      (stack == Stack::scripts ? weights_exposed_scripts_ : weights_exposed_) * gathered;
  const double bubbles = (stages - 1) / std::max(1, job.interleave);

  TrainingStep out;
  out.compute = micro_batches * busy;
  out.communication = micro_batches * (micro_batch - busy) + reduced;
  out.bubble = bubbles * micro_batch;
  const double shards = job.sharding == Sharding::none ? 1
                        : job.sharding_ranks > 0       ? job.sharding_ranks
                                                       : static_cast<double>(ranks) * job.context;
  out.optimizer = compute_.optimizer(job, gpu, shards);
  if (job.optimizer_step && stack != Stack::scripts) out.stall = Seconds::base(stall_);
  out.total = out.compute + out.communication + out.bubble + out.optimizer + out.stall;
  out.tokens = job.global_batch * job.sequence;
  out.model_flop = out.tokens * training_flop_per_token(job);
  const FlopPerSecond peak =
      gpu.peak(job.precision == Precision::fp8 ? Precision::bf16 : job.precision);
  out.utilisation = out.model_flop / (out.total.base() * fabric.ranks() * peak.base());
  if (!is_known_framework(job.framework))
    out.notes.push_back("framework '" + job.framework + "' is not known: taken for lean PyTorch");
  if (job.net.experts > 1)
    out.notes.push_back("routing of experts and its all-to-all are not modelled");
  return out;
}

}  // namespace gpuvet::model
