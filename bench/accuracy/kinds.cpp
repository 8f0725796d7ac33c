// SPDX-License-Identifier: Apache-2.0
#include "accuracy/kind.hpp"

namespace gpuvet::accuracy {

const std::vector<Kind>& kinds() {
  static const std::vector<Kind> all = {
      gemm_kind(),
      attention_kind(),
      streaming_kind(),
      collectives_kind(),
      memory_kind(),
      transformer_training_kind(),
      vision_training_kind(),
      inference_kind(),
      power_kind(),
  };
  return all;
}

}  // namespace gpuvet::accuracy
