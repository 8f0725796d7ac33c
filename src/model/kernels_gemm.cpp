// SPDX-License-Identifier: Apache-2.0
// Matrix products by tiles and waves. C is cut into tiles, k perhaps into parts; as many tiles as
// there are SMs run at a time (a wave). A plan's time joins what its waves compute with what the
// memory must move, and a library picks the plan that is fastest.
#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "model/kernels.hpp"

namespace gpuvet::model {
namespace {

/// Tensor rates of old GPUs lack bf16 (Volta, Turing) or fp8: the next wider type that exists.
FlopPerSecond rate(const Gpu& gpu, Precision p) {
  if (gpu.peak(p).base() > 0) return gpu.peak(p);
  if (p == Precision::fp8 || p == Precision::int8)
    return std::max(gpu.peak(Precision::bf16), gpu.peak(Precision::fp16));
  return gpu.peak(Precision::fp32);
}

bool tensor_cores(const Gpu& gpu, Precision p) {
  return p != Precision::fp32 && p != Precision::fp64 && gpu.peak(p) > gpu.peak(Precision::fp32);
}

/// How often an operand is read again: once more for each band of tiles that no longer runs beside
/// the first.
double bands_after_first(double across, double along, double sms) {
  return std::ceil(across / std::max(1.0, sms / along)) - 1;
}

}  // namespace

Kernels::Rates Kernels::rates(const Gpu& gpu, const Gemm& g) const {
  constexpr double most = 0.97;  // nobody measures more than this of a data sheet's tensor rate
  double share =
      tensor_cores(gpu, g.precision) ? std::min(most, peak_ * power_share(gpu)) : plain_peak_;
  double memory = memory_ * (gpu.gddr ? gddr_memory_ : 1);
  // From Hopper on, units of their own fetch tiles, where the library uses them.
  const bool fetchers = gpu.architecture == "Hopper" || gpu.architecture == "Blackwell";
  double whole = fetchers ? 0 : waves_;
  double overlap = fetchers ? hopper_overlap_ : overlap_;
  switch (g.library) {
    case Library::current:
      share *= std::sqrt(old_peak_);
      break;
    case Library::torch_2023:
      share *= old_peak_;
      whole = waves_;
      overlap = overlap_;
      break;
    case Library::vllm_2025:
      if (gpu.architecture == "Ampere" && !gpu.gddr) memory *= vllm_ampere_memory_;
      break;
  }
  return {rate(gpu, g.precision).base() * share,
          1 / (1 / (gpu.memory_bandwidth.base() * memory) + 1 / (sm_bandwidth_ * gpu.sm)), whole,
          overlap};
}

Kernels::Plan Kernels::plan(const Gemm& g, const Rates& r, const Tile& tile, double split,
                            double sms) const {
  constexpr double step = 64;  // tiles advance along k by this much
  const double down = std::ceil(g.m / tile.rows), across = std::ceil(g.n / tile.columns);
  const double waves = down * across * split * g.batch / sms;
  const double counted = std::max(1.0, waves + r.whole_waves * (std::ceil(waves) - waves));
  const double depth = std::ceil(g.k / split / step) * step + ramp_;
  const double compute =
      counted * 2 * tile.rows * tile.columns * depth * sms / (r.flop * tile.quality);

  const double a = g.m * g.k, b = g.k * g.n, c = g.m * g.n;
  const double again = std::min(bands_after_first(down, across * split, sms) * b,
                                bands_after_first(across, down * split, sms) * a);
  const double parts = split > 1 ? 1 + split : 1;
  const double moved = g.batch * (a + b + c * parts + again_ * again) * element(g.precision).base();
  // Too few tiles keep too few loads in flight.
  const double busy = waves < few_tiles_ ? std::pow(waves / few_tiles_, few_tiles_power_) : 1;
  return {compute, moved / (r.bytes * busy)};
}

Seconds Kernels::gemm(const Gpu& gpu, const Gemm& g) const {
  constexpr std::array<double, 5> splits = {1, 2, 4, 8, 16};
  const Rates r = rates(gpu, g);
  const double sms = gpu.sm;
  double best = std::numeric_limits<double>::infinity();
  for (const auto& tile : tiles_)
    for (const double split : splits) {
      if (split > 1 && g.k / split < 64) break;
      const Plan p = plan(g, r, tile, split, sms);
      const double more = split > 1 ? split_ : 0;
      const double longer = std::max(p.compute, p.memory);
      if (longer + more >= best) continue;
      const double other = std::min(p.compute, p.memory) / longer;
      best =
          std::min(best, longer * std::pow(1 + std::pow(other, r.overlap), 1 / r.overlap) + more);
    }
  return Seconds::base(start_ + best);
}

}  // namespace gpuvet::model
