// SPDX-License-Identifier: Apache-2.0
#include "model/kernels.hpp"

#include <algorithm>

namespace gpuvet::model {

Kernels::Kernels(const Constants& c)
    : gemm_peak_(c.at("kernels.gemm_peak")),
      streaming_share_(c.at("kernels.streaming_share")),
      launch_(c.at("kernels.launch")),
      attention_peak_(c.at("kernels.attention_peak")) {}

Seconds Kernels::gemm(const Gpu& gpu, const Gemm& g) const {
  const auto flop = Flop::base(2 * g.m * g.n * g.k * g.batch);
  const Bytes moved = g.batch * (g.m * g.k + g.k * g.n + g.m * g.n) * element(g.precision);
  return std::max(flop / (gemm_peak_ * gpu.peak(g.precision)), streaming(gpu, moved)) + launch(gpu);
}

Seconds Kernels::attention(const Gpu& gpu, const Attention& a) const {
  const double keys = a.context + a.queries;
  const double seen = a.causal && a.queries > 1 ? a.context + a.queries / 2 : keys;
  const double passes = a.backward ? 2.5 : 1;
  const auto flop = Flop::base(4 * passes * a.batch * a.heads * a.queries * seen * a.head_dim);
  const Bytes moved = passes * 2 * a.batch * a.head_dim *
                      (a.heads * a.queries + a.kv_heads * keys) * element(a.precision);
  return std::max(flop / (attention_peak_ * gpu.peak(a.precision)), streaming(gpu, moved)) +
         launch(gpu);
}

Seconds Kernels::streaming(const Gpu& gpu, Bytes bytes) const {
  return bytes / (streaming_share_ * gpu.memory_bandwidth);
}

Seconds Kernels::launch(const Gpu&) const { return Seconds::base(launch_); }

}  // namespace gpuvet::model
