// SPDX-License-Identifier: Apache-2.0
// Inference: weights by their type, keys and values, what the forward pass works on.
#include <algorithm>
#include <cmath>

#include "model/memory.hpp"

namespace gpuvet::model {
namespace {

double matrices(const Transformer& net) {
  return net.layers * net.layer_parameters() +
         net.cross_layers * net.hidden * net.head_dim * (2 * net.heads + 2 * net.kv_heads);
}

double outer(const InferenceSetup& s) {
  auto net = s.net;
  if (s.unties) net.tied_embeddings = false;
  return net.embedding_parameters();
}

/// Keys and values of one token, in half precision.
double cache_per_token(const Transformer& net) {
  return 2 * net.layers * net.kv_heads * net.head_dim * 2;
}

}  // namespace

Answer<MemoryEstimate> Memory::inference(const InferenceSetup& s, int gpus) const {
  if (s.net.layers <= 0 || s.net.hidden <= 0) return refuse("the net has no layers");
  if (gpus <= 0 || s.batch <= 0) return refuse("no GPU or no sequence");
  const double n = gpus;
  const double outer_bytes = outer(s) * std::max(2.0, bytes_of(s.weights) > 2 ? 4.0 : 2.0);
  const double weights = matrices(s.net) * bytes_of(s.weights) + outer_bytes;
  // On several GPUs the whole cache comes back to the first one with the output of each pass.
  double cache = s.batch * s.context * cache_per_token(s.net);
  if (s.engine != Generator::preallocated) cache *= grown_cache_;
  if (s.engine == Generator::tensor_parallel) cache /= n;
  MemoryEstimate m;
  m.weights = Bytes::base(weights / n);
  m.activations = Bytes::base(cache);
  m.logits = Bytes::base(s.batch * s.net.vocabulary * 6);
  double buffers = 0;
  if (s.copies_output && bytes_of(s.weights) < 2) buffers += 2 * s.net.vocabulary * s.net.hidden;
  if (s.sharded_weights)
    buffers += 2 * std::max(live_parameters_, 2 * s.net.layer_parameters()) + outer_bytes;
  m.buffers = Bytes::base(buffers);
  m.peak = "generation";
  m = summed(m, gpus, false);  // the copies of the cache stand for the allocator's gaps
  m.spread = spread_inference_;
  if (s.engine != Generator::preallocated)
    m.spread += spread_cache_ * m.activations.base() / m.total.base();
  return m;
}

double Memory::max_context(const InferenceSetup& s, const Gpu& gpu, int gpus, double native) const {
  const double n = gpus;
  const double weights = (matrices(s.net) * bytes_of(s.weights) + 2 * outer(s)) / n;
  const double nccl = gpus > 1 ? engine_communicator_ : 0;
  const double budget = usable(gpu).base() * engine_share_ - weights - context_ - nccl;
  // The engine tries the longest prompt once; beyond 32768 tokens in pieces of 512.
  const auto needs = [&](double context) {
    const double together = context > 32768 ? 512 : std::max(2048.0, context);
    const double kv = std::max(1.0, s.net.kv_heads / n) * n / s.net.kv_heads;
    const double pass = 2 * together *
                        (4 * s.net.hidden + 3 * s.net.ffn * s.net.active_experts / n +
                         (s.net.experts > 1 ? s.net.active_experts * s.net.hidden : 0));
    return context * cache_per_token(s.net) * kv / n + pass + 256 * s.net.vocabulary * 4;
  };
  double best = 0;
  for (double context = 1024; context <= native; context *= 2)
    if (needs(context) <= budget) best = context;
  return best;
}

}  // namespace gpuvet::model
