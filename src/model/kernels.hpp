// SPDX-License-Identifier: Apache-2.0
// How long single kernels take on one GPU: matrix products, attention, streaming, launches.
#pragma once

#include "core/quantity.hpp"
#include "model/constants.hpp"
#include "model/gpu.hpp"

namespace gpuvet::model {

/// C[m x n] = A[m x k] B[k x n].
struct Gemm {
  double m = 0, n = 0, k = 0;
  Precision precision = Precision::bf16;
  double batch = 1;
};

struct Attention {
  double batch = 1;
  double queries = 1;  ///< new tokens of each sequence
  double context = 0;  ///< tokens already in the cache
  double heads = 1, kv_heads = 1, head_dim = 128;
  bool causal = true;
  bool backward = false;  ///< the backward pass instead of the forward
  Precision precision = Precision::bf16;
};

class Kernels {
 public:
  explicit Kernels(const Constants&);

  [[nodiscard]] Seconds gemm(const Gpu&, const Gemm&) const;
  /// A fused (FlashAttention-like) kernel.
  [[nodiscard]] Seconds attention(const Gpu&, const Attention&) const;
  /// Reading and writing `bytes` in all, once.
  [[nodiscard]] Seconds streaming(const Gpu&, Bytes bytes) const;
  /// From the host's call to the end of an empty kernel.
  [[nodiscard]] Seconds launch(const Gpu&) const;

 private:
  double gemm_peak_, streaming_share_, launch_, attention_peak_;
};

}  // namespace gpuvet::model
