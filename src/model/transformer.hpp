// SPDX-License-Identifier: Apache-2.0
// A transformer by its numbers, and what follows from them.
#pragma once

#include <string>

#include "catalogue/catalogue.hpp"
#include "model/estimate.hpp"

namespace gpuvet::model {

struct Transformer {
  std::string id;
  double layers = 0, hidden = 0, heads = 0, kv_heads = 0, head_dim = 0, ffn = 0, vocabulary = 0;
  bool gated = false;            ///< SwiGLU and the like: three matrices in the feed-forward part
  bool tied_embeddings = false;  ///< output projection shares the input embedding
  double positions = 0;          ///< learned position embeddings; 0: none
  double experts = 1, active_experts = 1;
  bool decoder = true;      ///< causal
  double cross_layers = 0;  ///< of the layers, those that attend to an encoder's output too

  /// Weights of one layer's matrices (one expert's worth times experts).
  [[nodiscard]] double layer_parameters() const;
  [[nodiscard]] double embedding_parameters() const;
  [[nodiscard]] double parameters() const;
  /// Those that one token passes through in matrix products, the output projection included.
  [[nodiscard]] double active_parameters() const;
  /// FLOPs of the forward pass of one token at `context` tokens before it, attention included.
  [[nodiscard]] double forward_flop(double context) const;
};

/// Refuses an architecture that is no transformer or lacks a number.
Answer<Transformer> transformer_from(const catalogue::Architecture&);

}  // namespace gpuvet::model
