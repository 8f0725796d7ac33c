// SPDX-License-Identifier: Apache-2.0
#include "model/transformer.hpp"

namespace gpuvet::model {

double Transformer::layer_parameters() const {
  const double attention = hidden * head_dim * (2 * heads + 2 * kv_heads);
  const double feed_forward = (gated ? 3 : 2) * hidden * ffn * experts;
  const double norms = 2 * hidden;
  return attention + feed_forward + norms;
}

double Transformer::embedding_parameters() const {
  return hidden * (vocabulary * (tied_embeddings ? 1 : 2) + positions);
}

double Transformer::parameters() const {
  const double cross = cross_layers * hidden * head_dim * (2 * heads + 2 * kv_heads);
  return layers * layer_parameters() + cross + embedding_parameters() + hidden;
}

double Transformer::active_parameters() const {
  const double idle = (gated ? 3 : 2) * hidden * ffn * (experts - active_experts);
  return layers * (layer_parameters() - idle - 2 * hidden) + hidden * vocabulary;
}

double Transformer::forward_flop(double context) const {
  return 2 * active_parameters() + 4 * layers * heads * head_dim * context;
}

Answer<Transformer> transformer_from(const catalogue::Architecture& a) {
  if (!a.number("layers") || !a.number("hidden") || !a.number("heads"))
    return refuse(a.title + " is not described as a transformer");
  Transformer t;
  const auto number = [&](const char* name, double otherwise) {
    return a.number(name).value_or(otherwise);
  };
  t.id = a.id;
  t.layers = number("layers", 0);
  t.hidden = number("hidden", 0);
  t.heads = number("heads", 0);
  t.kv_heads = number("kv_heads", t.heads);
  t.head_dim = number("head_dim", t.hidden / t.heads);
  t.ffn = number("ffn", 4 * t.hidden);
  t.vocabulary = number("vocabulary", 0);
  t.gated = number("gated", 0) != 0;
  t.tied_embeddings = number("tied_embeddings", 0) != 0;
  t.positions = number("positions", 0);
  t.experts = number("experts", 1);
  t.active_experts = number("active_experts", 1);
  t.cross_layers = number("cross_layers", 0);
  t.decoder = a.family != "encoder";
  return t;
}

}  // namespace gpuvet::model
