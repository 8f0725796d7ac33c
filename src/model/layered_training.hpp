// SPDX-License-Identifier: Apache-2.0
// How long one training step of a net of layers takes: a roofline per layer, element-wise work,
// gaps between kernels, the optimizer and the part of the gradients' all-reduce that nothing hides.
#pragma once

#include <array>
#include <map>
#include <string>
#include <string_view>

#include "model/collectives.hpp"
#include "model/layered.hpp"

namespace gpuvet::model {

struct LayeredJob {
  double batch = 1;   ///< samples of one GPU in one optimizer step
  double passes = 1;  ///< into which the batch is divided: gradient accumulation
  Precision precision = Precision::fp16;
  /// Fused kernels, captured into graphs, as MLPerf entries have them; otherwise kernels are
  /// launched one by one by Python.
  bool tuned = false;
  bool fused_attention = true;
  bool channels_last = true;  ///< images as 16-bit tensor cores want them
  bool optimizer = true;      ///< false: forward and backward pass only
  std::string framework;      ///< "mlperf", "superbench", ...: known to run faster or slower, or ""
  double software_speed = 1;  ///< of what the GPU does, against the constants' software
};

struct LayeredStep {
  Seconds layers;     ///< matrix products, convolutions, attention, element-wise work
  Seconds gaps;       ///< between kernels, or waiting for the host to launch them
  Seconds optimizer;  ///< update of the weights
  Seconds exposed;    ///< communication that the backward pass does not hide
  [[nodiscard]] Seconds total() const { return layers + gaps + optimizer + exposed; }
};

class LayeredTraining {
 public:
  LayeredTraining(const Constants&, const Collectives&);

  /// One optimizer step on every GPU of `fabric`. Refuses GPUs without the precision's rate or of
  /// an unknown generation, and fabrics whose speed is not known.
  [[nodiscard]] Answer<LayeredStep> step(const Net&, const LayeredJob&, const Gpu&,
                                         const Fabric&) const;
  /// The same for an architecture of the catalogue at its usual sample.
  [[nodiscard]] Answer<LayeredStep> step(const catalogue::Architecture&, const LayeredJob&,
                                         const Gpu&, const Fabric&) const;

 private:
  static constexpr std::size_t generations = 4;  ///< Volta and Turing, Ampere, Ada, Hopper

  struct Rates {
    double convolution, gemm, attention;  ///< operations a second
    double bandwidth;                     ///< bytes a second
  };
  [[nodiscard]] Answer<Rates> rates(const LayeredJob&, const Gpu&) const;

  std::array<double, generations> convolution_, gemm_, watt_;
  std::map<std::string, double, std::less<>> slower_;  ///< by framework, or framework and net
  double attention_, vector_, fp8_, streaming_, eager_convolution_, eager_gemm_;
  double planar_, hidden_, frozen_, passes_, eager_passes_, score_passes_, gap_, launch_;
  double optimizer_bytes_, eager_optimizer_, exposed_;
  const Collectives* collectives_;
};

}  // namespace gpuvet::model
