// SPDX-License-Identifier: Apache-2.0
// Fused attention. Prefill and training: a block of 128 queries of one head visits all blocks of
// keys that it may see. Decoding: one head's keys and values stream through an SM.
#include <algorithm>
#include <cmath>

#include "model/kernels.hpp"

namespace gpuvet::model {
namespace {

constexpr double block = 128;  ///< queries of a tile, and keys that it visits at a time

FlopPerSecond rate(const Gpu& gpu, Precision p) {
  if (gpu.peak(p).base() > 0) return gpu.peak(p);
  const auto half = std::max(gpu.peak(Precision::bf16), gpu.peak(Precision::fp16));
  return half.base() > 0 ? half : gpu.peak(Precision::fp32);
}

}  // namespace

double Kernels::decoding(const Gpu& gpu, const Attention& a) const {
  const double keys = a.context + a.queries;
  const double streams = a.batch * a.kv_heads, waves = streams / gpu.sm;
  const double bytes = 2 * a.head_dim * (keys + a.queries * a.heads / a.kv_heads) *
                       element(a.precision).base();  // of one stream
  const double bandwidth = decode_memory_ * (gpu.architecture == "Ampere" ? ampere_memory_ : 1) *
                           gpu.memory_bandwidth.base();
  // An SM reads for one stream while it starts another: neither time hides the other quite.
  // Fewer streams than SMs are split along the keys; more run in waves.
  if (waves <= 1) return std::hypot(decode_start_, streams * bytes / bandwidth);
  return std::ceil(waves) * std::hypot(decode_start_, bytes * gpu.sm / bandwidth);
}

double Kernels::prefill(const Gpu& gpu, const Attention& a) const {
  const double keys = a.context + a.queries;
  const double tiles = std::ceil(a.queries / block);
  const double waves = a.batch * a.heads * tiles / gpu.sm;
  const double longest = std::max(1.0, std::ceil(keys / block));
  const double mean = a.causal ? longest - (tiles - 1) / 2 : longest;
  const double passes = a.backward ? 2.5 : 1;  // five products instead of two
  const double flop = 4 * block * block * a.head_dim * passes;
  const double reached = attention_peak_ * (a.backward ? backward_share_ : 1);
  const double each = flop * gpu.sm / (rate(gpu, a.precision).base() * reached);
  const double usual = tile_start_ + mean * each, last = tile_start_ + longest * each;
  const double compute = std::max(last, waves * usual + tail_ * (last - usual));
  const double bytes = passes * 2 * a.batch * a.head_dim *
                       (a.heads * a.queries + a.kv_heads * keys) * element(a.precision).base();
  // Tiles wait for their first keys and for their results to leave: memory time adds.
  return compute + bytes / (attention_memory_ * gpu.memory_bandwidth.base());
}

Seconds Kernels::attention(const Gpu& gpu, const Attention& a) const {
  const bool decodes = a.queries == 1 && !a.backward;
  return Seconds::base(attention_start_ + (decodes ? decoding(gpu, a) : prefill(gpu, a)));
}

}  // namespace gpuvet::model
