// SPDX-License-Identifier: Apache-2.0
#include "model/layered_memory.hpp"

#include <algorithm>

namespace gpuvet::model {

LayeredMemory::LayeredMemory(const Constants& c)
    : context_{c.at("memory.context")},
      communicator_{c.at("memory.communicator")},
      fragmentation_{c.at("memory.fragmentation")},
      spread_{c.at("memory.spread_layered")} {}

Bytes LayeredMemory::saved(const Net& net, const LayeredJob& job) {
  double elements = 0;
  for (const auto& layer : net.layers) {
    if (layer.frozen) continue;
    // A residual sum keeps nothing, and the ReLU behind it works in place.
    if (layer.kind == LayerKind::elementwise && net.family == "convolutional") continue;
    // Products and convolutions keep what they read, normalisation and activation what they saw
    // before them; attention its queries, keys, values and result, and its scores unless fused.
    double kept = layer.input + layer.normed;
    if (layer.kind == LayerKind::attention)
      kept += layer.output + (job.fused_attention ? 0 : layer.scores);
    if (layer.kind == LayerKind::recurrent) kept += layer.output;
    elements += layer.repeat * kept;
  }
  return elements * element(job.precision);
}

MemoryEstimate LayeredMemory::training(const Net& net, const LayeredJob& job,
                                       const LayeredLayout& layout) const {
  MemoryEstimate out;
  const bool half = element(job.precision).base() < 4;
  const double trained = net.parameters();
  double frozen = 0, largest = 0;
  for (const auto& layer : net.layers) {
    if (layer.frozen) frozen += layer.repeat * layer.weights;
    largest = std::max(largest, layer.input + layer.output);
  }
  // Mixed precision keeps weights in fp32 and casts each once a pass.
  out.weights = Bytes::base(4 * trained + (half ? 2 * (trained + frozen) : 4 * frozen));
  out.gradients = Bytes::base(4 * trained);
  // AdamW's two moments; SGD with momentum has one, and LARS too.
  const double moments = net.family == "convolutional" ? 4 : 8;
  out.optimizer = Bytes::base(moments * trained / (layout.sharded ? layout.gpus : 1));
  out.activations = layout.samples * saved(net, job);
  // The gradient of the largest layer's input and output lives beside what is saved.
  out.buffers = layout.samples * largest * element(job.precision);
  out.reserve = fragmentation_ * out.activations;
  out.context = Bytes::base(context_ + (layout.gpus > 1 ? communicator_ : 0));
  out.total = out.weights + out.gradients + out.optimizer + out.activations + out.buffers +
              out.reserve + out.context;
  out.spread = spread_;
  out.peak = "backward pass";
  return out;
}

}  // namespace gpuvet::model
