// SPDX-License-Identifier: Apache-2.0
// How long single kernels take on one GPU: matrix products, attention, streaming, launches.
#pragma once

#include <array>
#include <map>
#include <string>

#include "core/quantity.hpp"
#include "model/constants.hpp"
#include "model/gpu.hpp"

namespace gpuvet::model {

/// Whose kernels run. On Hopper those of 2023 neither hide loads as well nor have tile shapes
/// enough to fill the last wave. `current` lies between the two that were measured.
enum class Library { current, torch_2023, vllm_2025 };

/// C[m x n] = A[m x k] B[k x n].
struct Gemm {
  double m = 0, n = 0, k = 0;
  Precision precision = Precision::bf16;
  double batch = 1;
  Library library = Library::current;
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

  /// The best of a library's tiles and splits of k. Infinite on a GPU whose rate is unknown.
  [[nodiscard]] Seconds gemm(const Gpu&, const Gemm&) const;
  /// A fused (FlashAttention-like) kernel. One new token a sequence: decoding, which streams the
  /// cache.
  [[nodiscard]] Seconds attention(const Gpu&, const Attention&) const;
  /// Reading and writing `bytes` in all, once; without the launch.
  [[nodiscard]] Seconds streaming(const Gpu&, Bytes bytes) const;
  /// From the start of an empty kernel on the GPU to the start of the next, as events see it.
  [[nodiscard]] Seconds launch(const Gpu&) const;
  /// From the host's call of an empty kernel until the host knows that it has ended.
  [[nodiscard]] Seconds round_trip(const Gpu&) const;

  /// The rate that this GPU's power limit lets its tensor cores hold, in parts of what they would
  /// hold with the power of the family's largest module: power goes with the clock's cube.
  [[nodiscard]] double power_share(const Gpu&) const;

 private:
  /// A block of C that one SM computes at a time, and the share of the rate that its size allows.
  struct Tile {
    double rows, columns, quality;
  };
  /// A GPU and a library as one product sees them.
  struct Rates {
    double flop, bytes;  ///< per second
    double whole_waves;  ///< 1: a last wave that is not full costs a whole one; 0: its share
    double overlap;      ///< norm that joins compute and memory time
  };
  /// One way to compute a product.
  struct Plan {
    double compute, memory;  ///< seconds
  };

  [[nodiscard]] Rates rates(const Gpu&, const Gemm&) const;
  [[nodiscard]] Plan plan(const Gemm&, const Rates&, const Tile&, double split, double sms) const;
  [[nodiscard]] double decoding(const Gpu&, const Attention&) const;
  [[nodiscard]] double prefill(const Gpu&, const Attention&) const;

  double streaming_share_, launch_, round_trip_;
  std::map<std::string, double, std::less<>> full_power_;  ///< joules per operation

  std::array<Tile, 8> tiles_;
  double peak_, plain_peak_, old_peak_, memory_, gddr_memory_, vllm_ampere_memory_, start_, ramp_,
      split_, few_tiles_, few_tiles_power_, overlap_, hopper_overlap_, again_, waves_,
      sm_bandwidth_;

  double attention_peak_, attention_memory_, attention_start_, tile_start_, tail_, backward_share_,
      decode_memory_, decode_start_, ampere_memory_;
};

}  // namespace gpuvet::model
