// SPDX-License-Identifier: Apache-2.0
// How much memory of one GPU a training job or a served model needs at its peak, and whether it
// fits.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "core/quantity.hpp"
#include "model/constants.hpp"
#include "model/memory_program.hpp"

namespace gpuvet::model {

/// What lies in a GPU's memory at the moment of the peak; the parts add up to the total.
struct MemoryEstimate {
  Bytes weights, gradients, optimizer;
  Bytes activations;  ///< kept for the backward pass; inference: the cache of keys and values
  Bytes logits;       ///< output of the vocabulary and what the loss makes of it
  Bytes buffers;      ///< gathered weights, work space of the optimizer step
  Bytes reserve;      ///< what the allocator holds without using it
  Bytes context;      ///< CUDA and NCCL, outside of the allocator
  Bytes total;
  double spread = 0;  ///< 90 % of peaks like this are within so many e-folds, 95 % below the upper
  std::string peak;   ///< when: "backward pass", "optimizer step", "generation"
};

/// The parts that aren't zero, in words, largest first, and the total last.
std::vector<std::pair<std::string, Bytes>> parts(const MemoryEstimate&);
/// The same as a sum on one line: "141.1 GB weights + ... = 1.2 TB".
std::string arithmetic(const MemoryEstimate&);

enum class Fits { fits, does_not_fit, uncertain };
std::string_view name(Fits);
/// `fits` when even the upper bound is below `usable`, `does_not_fit` when even the lower one is
/// above.
Fits verdict(const MemoryEstimate&, Bytes usable);

/// Who generates, and so what becomes of keys and values.
enum class Generator {
  preallocated,    ///< one cache for the longest sequence (LitGPT, TensorRT)
  transformers,    ///< Hugging Face generate: grown by concatenation; on several GPUs layer by
                   ///< layer, with the whole cache on the first one
  tensor_parallel  ///< every GPU holds its share of all layers (DeepSpeed-Inference)
};

struct InferenceSetup {
  Transformer net;
  StoredWeights weights = StoredWeights::half;
  double context = 2048;  ///< tokens of one sequence that are kept
  double batch = 1;
  Generator engine = Generator::transformers;
  bool sharded_weights = false;  ///< ZeRO-3: weights gathered layer by layer, each GPU its batch
  bool copies_output = false;    ///< see Program
  bool unties = false;
};

class Memory {
 public:
  explicit Memory(const Constants&);

  /// Peak of the GPU that needs most when `ranks` of them share the job. Refuses a number of ranks
  /// that tensor, pipeline and context parallelism don't divide, and jobs without a size.
  [[nodiscard]] Answer<MemoryEstimate> training(const TrainingJob&, int ranks) const;
  /// The same for a program whose habits are known better than by its name.
  [[nodiscard]] Answer<MemoryEstimate> training(const TrainingJob&, int ranks,
                                                const Program&) const;

  /// Peak of the GPU that needs most when `gpus` share one model.
  [[nodiscard]] Answer<MemoryEstimate> inference(const InferenceSetup&, int gpus) const;

  /// The longest context, a power of two or `native` itself, whose weights, cache and activations
  /// vLLM finds room for on `gpus` with tensor parallelism; 0: none from 1024 tokens up.
  [[nodiscard]] double max_context(const InferenceSetup&, const Gpu&, int gpus,
                                   double native) const;

  /// What programs can have of a GPU's memory.
  [[nodiscard]] Bytes usable(const Gpu&) const;

 private:
  struct Stage;
  struct States;
  [[nodiscard]] States states(const TrainingJob&, const Program&, const Stage&) const;
  /// Bytes of weights, rows and their gradients that are whole on this rank for a while.
  [[nodiscard]] double gathered(const TrainingJob&, const Program&, const Stage&,
                                const States&) const;
  [[nodiscard]] MemoryEstimate stage(const TrainingJob&, const Program&, const Stage&) const;
  [[nodiscard]] double saved_per_token(const TrainingJob&, const Program&, bool all) const;
  [[nodiscard]] double logits_per_token(const Program&, const Transformer&) const;
  [[nodiscard]] MemoryEstimate summed(MemoryEstimate, int gpus, bool gaps) const;

  double logits_, logits_autocast_, rms_norm_, rotary_, trainer_embedding_, deepspeed_embedding_,
      step_, context_, communicator_, fragmentation_, grown_cache_, live_parameters_, usable_share_,
      usable_share_ecc_, engine_share_, engine_communicator_, spread_training_, spread_inference_,
      spread_cache_;
};

}  // namespace gpuvet::model
