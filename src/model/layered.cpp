// SPDX-License-Identifier: Apache-2.0
#include "model/layered.hpp"

#include "core/result.hpp"
#include "model/transformer.hpp"

namespace gpuvet::model {
namespace {

using Numbers = std::map<std::string, double, std::less<>>;

double number(const Numbers& in, std::string_view name, double otherwise = 0) {
  const auto found = in.find(name);
  return found == in.end() ? otherwise : found->second;
}

Layer gemm(double rows, double in, double out, double repeat = 1) {
  Layer layer;
  layer.kind = LayerKind::gemm;
  layer.repeat = repeat;
  layer.weights = in * out;
  layer.flop = 2 * rows * in * out;
  layer.input = rows * in;
  layer.output = rows * out;
  return layer;
}

Layer attention(double queries, double keys, double width, double heads, double repeat = 1) {
  Layer layer;
  layer.kind = LayerKind::attention;
  layer.repeat = repeat;
  layer.flop = 4 * queries * keys * width;
  layer.input = (queries + 2 * keys) * width;
  layer.output = queries * width;
  layer.scores = heads * queries * keys;
  return layer;
}

Layer elementwise(double elements, double repeat = 1) {
  Layer layer;
  layer.kind = LayerKind::elementwise;
  layer.repeat = repeat;
  layer.normed = elements;
  return layer;
}

/// `scale`: edge of the image against the net's own.
Layer convolution(const Numbers& n, double scale) {
  const double in = number(n, "in"), out = number(n, "out"), kernel = number(n, "kernel");
  const double height = number(n, "height", number(n, "size")) * scale;
  const double width = number(n, "width", number(n, "size")) * (n.contains("width") ? 1 : scale);
  const double stride = number(n, "stride", 1), taps = kernel * number(n, "kernel_width", kernel);
  Layer layer;
  layer.kind = LayerKind::convolution;
  layer.weights = in * out * taps / number(n, "groups", 1);
  layer.flop = 2 * layer.weights * height * width;
  layer.input = in * height * width * stride * stride;
  layer.output = out * height * width;
  if (number(n, "norm") > 0) layer.normed = layer.output;
  return layer;
}

Layer recurrent(const Numbers& n) {
  const double in = number(n, "in"), hidden = number(n, "hidden"), steps = number(n, "steps", 1);
  Layer layer;
  layer.kind = LayerKind::recurrent;
  layer.weights = 4 * hidden * (in + hidden);  // four gates
  layer.flop = 2 * layer.weights * steps;
  layer.input = steps * (in + hidden);
  layer.output = 4 * steps * hidden;
  layer.normed = 4 * steps * hidden;
  layer.sequential = steps;
  return layer;
}

Answer<Net> listed(const catalogue::Architecture& a, double scale) {
  Net net{a.id, a.family, {}, 0};
  for (const auto& in : a.layers) {
    const auto& n = in.numbers;
    const double pixels = number(n, "per_pixel") > 0 ? scale * scale : 1;
    Layer layer;
    if (in.kind == "conv") {
      layer = convolution(n, scale);
    } else if (in.kind == "gemm") {
      layer = gemm(number(n, "rows") * pixels, number(n, "in"), number(n, "out"));
    } else if (in.kind == "attention") {
      const double keys = number(n, "keys") * (number(n, "keys_fixed") > 0 ? 1 : pixels);
      const double heads = number(n, "heads");
      layer = attention(number(n, "queries") * pixels, keys, heads * number(n, "head_dim"), heads);
    } else if (in.kind == "elementwise") {
      // Images' activations grow with their area even where no key says so.
      const bool image = a.family == "convolutional" || a.family == "unet";
      layer = elementwise(number(n, "elements") * (image ? scale * scale : pixels));
    } else if (in.kind == "recurrent") {
      layer = recurrent(n);
    } else if (in.kind == "embedding") {
      net.embeddings += in.repeat * number(n, "parameters");
      continue;
    } else {
      return refuse(a.title + ": layers of kind " + in.kind + " are not known");
    }
    layer.repeat = in.repeat;
    layer.frozen = number(n, "frozen") > 0;
    net.layers.push_back(layer);
  }
  return net;
}

Answer<Net> transformer(const catalogue::Architecture& a, const Sample& sample) {
  GPUVET_ANSWER(const auto t, transformer_from(a));
  const double tokens = sample.sequence > 0 ? sample.sequence : t.positions;
  if (tokens <= 0) return refuse(a.title + ": how long its sequences are is not said");
  const double context = sample.context > 0 ? sample.context : tokens;
  const double width = t.heads * t.head_dim, kept = t.kv_heads * t.head_dim;
  Net net{a.id, a.family, {}, 0};
  auto& layers = net.layers;
  layers.push_back(gemm(tokens, t.hidden, width + 2 * kept, t.layers));
  layers.push_back(attention(tokens, context, width, t.heads, t.layers));
  layers.push_back(gemm(tokens, width, t.hidden, t.layers));
  layers.push_back(gemm(tokens, t.hidden, t.ffn * (t.gated ? 2 : 1), t.layers * t.active_experts));
  layers.push_back(gemm(tokens, t.ffn, t.hidden, t.layers * t.active_experts));
  layers.push_back(elementwise(tokens * t.hidden, 3 * t.layers));
  layers.push_back(elementwise(tokens * t.ffn, t.layers * t.active_experts));
  if (t.decoder && t.vocabulary > 0) {
    layers.push_back(gemm(tokens, t.hidden, t.vocabulary));
    layers.push_back(elementwise(tokens * t.vocabulary));
  }
  // Trained, but read in no matrix product of this pass.
  double listed_weights = 0;
  for (const auto& layer : layers) listed_weights += layer.repeat * layer.weights;
  net.embeddings = std::max(0.0, t.parameters() - listed_weights);
  return net;
}

}  // namespace

double Net::parameters() const {
  double sum = embeddings;
  for (const auto& layer : layers)
    if (!layer.frozen) sum += layer.repeat * layer.weights;
  return sum;
}

double Net::forward_flop() const {
  double sum = 0;
  for (const auto& layer : layers) sum += layer.repeat * layer.flop;
  return sum;
}

Answer<Net> net_from(const catalogue::Architecture& a, const Sample& sample) {
  if (sample.resolution <= 0) return refuse("an image needs a size above zero");
  if (!a.layers.empty()) return listed(a, sample.resolution);
  return transformer(a, sample);
}

}  // namespace gpuvet::model
