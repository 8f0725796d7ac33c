// SPDX-License-Identifier: Apache-2.0
// Volumes as in Korthikanti et al. 2022 (arXiv:2205.05198) for tensor parallelism and Rajbhandari
// et al. 2020 (arXiv:1910.02054) for ZeRO.
#include "model/training_communication.hpp"

#include <algorithm>

namespace gpuvet::model {
namespace {

Bytes width(const TrainingJob& job) {
  if (job.precision == Precision::fp8) return element(Precision::bf16);
  return element(job.precision == Precision::tf32 ? Precision::fp32 : job.precision);
}

}  // namespace

int data_parallel(const TrainingJob& job, const Fabric& fabric) {
  const int others = job.tensor * job.pipeline * job.context;
  if (others < 1 || fabric.ranks() % others != 0) return 0;
  return fabric.ranks() / others;
}

Fabric group_fabric(const Fabric& whole, int ranks, int stride) {
  Fabric out = whole;
  const int inside = std::clamp(whole.gpus / std::max(1, stride), 1, std::max(1, ranks));
  out.gpus = inside;
  out.servers = (std::max(1, ranks) + inside - 1) / inside;
  if (inside == 1 && out.servers == 1) out.kind = Fabric::Kind::single;
  if (inside != whole.gpus) out.pairs.clear();
  // Where ranks fill a server every `stride` GPUs, as many groups go through its adapters at once.
  const int groups = std::max(1, whole.gpus / inside);
  out.network = whole.network / static_cast<double>(groups);
  return out;
}

TrainingCommunication::TrainingCommunication(const Constants& c)
    : collectives_(c),
      tensor_exposed_(c.at("training.tensor_exposed")),
      overlapped_(c.at("training.tensor_overlapped")),
      gradients_exposed_(c.at("training.gradients_exposed")) {}

Answer<Seconds> TrainingCommunication::layer(const TrainingJob& job, const Fabric& fabric) const {
  const double tokens = job.micro_batch * job.sequence / job.context;
  Seconds out;
  if (job.tensor > 1) {
    const double exchanges = job.recompute == Recompute::full ? 6 : 4;
    GPUVET_ANSWER(const auto one,
                  collectives_.time(Collective::all_reduce, tokens * job.net.hidden * width(job),
                                    group_fabric(fabric, job.tensor, 1)));
    out = out + exchanges * (job.overlapped ? overlapped_ : 1) * one;
  }
  if (job.context > 1) {
    // Every rank sees all keys and values once forward, and they and their gradients backward.
    const double all = tokens * job.context * 2 * job.net.kv_heads * job.net.head_dim / job.tensor;
    GPUVET_ANSWER(const auto one, collectives_.time(Collective::all_gather, all * width(job),
                                                    group_fabric(fabric, job.context, job.tensor)));
    out = out + 3 * one;
  }
  return tensor_exposed_ * out;
}

Answer<Seconds> TrainingCommunication::weights(const TrainingJob& job, const Fabric& fabric) const {
  const int ranks = data_parallel(job, fabric) * job.context;
  if (job.sharding != Sharding::weights || ranks < 2) return Seconds{};
  const int sharing = job.sharding_ranks > 0 ? std::min(job.sharding_ranks, ranks) : ranks;
  const auto& net = job.net;
  const Bytes mine = net.parameters() / (job.tensor * job.pipeline) * width(job);
  const double layers = std::max(1.0, net.layers / job.pipeline);
  const bool full = job.method == Method::full;
  Seconds out;
  if (sharing > 1) {
    const Fabric group = group_fabric(fabric, sharing, job.tensor);
    GPUVET_ANSWER(const auto gather,
                  collectives_.time(Collective::all_gather, mine / layers, group));
    out = 2 * layers * gather;
    if (full) {
      GPUVET_ANSWER(const auto scatter,
                    collectives_.time(Collective::reduce_scatter, mine / layers, group));
      out = out + layers * scatter;
    }
  }
  const double micro_batches =
      std::max(1.0, job.global_batch / (job.micro_batch * data_parallel(job, fabric)));
  const int copies = ranks / sharing;
  if (full && copies > 1) {
    GPUVET_ANSWER(const auto reduce,
                  collectives_.time(Collective::all_reduce, mine / static_cast<double>(sharing),
                                    group_fabric(fabric, copies, sharing * job.tensor)));
    out = out + reduce / micro_batches;
  }
  return out;
}

Answer<Seconds> TrainingCommunication::gradients(const TrainingJob& job,
                                                 const Fabric& fabric) const {
  const int ranks = data_parallel(job, fabric) * job.context;
  if (job.sharding == Sharding::weights || ranks < 2 || job.method != Method::full)
    return Seconds{};
  const Bytes mine = job.net.parameters() / (job.tensor * job.pipeline) * width(job);
  GPUVET_ANSWER(const auto all, collectives_.time(Collective::all_reduce, mine,
                                                  group_fabric(fabric, ranks, job.tensor)));
  return gradients_exposed_ * all;
}

}  // namespace gpuvet::model
