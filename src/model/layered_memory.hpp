// SPDX-License-Identifier: Apache-2.0
// Peak memory of training a net of layers: states, and what the backward pass needs of each layer.
// No published peak of such nets was at hand, so the band is wide and assumed, not measured.
#pragma once

#include "model/layered.hpp"
#include "model/layered_training.hpp"
#include "model/memory.hpp"

namespace gpuvet::model {

struct LayeredLayout {
  double samples = 1;  ///< of one GPU in one pass
  int gpus = 1;
  bool sharded = false;  ///< optimizer states divided over the GPUs (ZeRO-1)
};

class LayeredMemory {
 public:
  explicit LayeredMemory(const Constants&);

  [[nodiscard]] MemoryEstimate training(const Net&, const LayeredJob&, const LayeredLayout&) const;

  /// Bytes that the backward pass of one sample needs.
  [[nodiscard]] static Bytes saved(const Net&, const LayeredJob&);

 private:
  double context_, communicator_, fragmentation_, spread_;
};

}  // namespace gpuvet::model
