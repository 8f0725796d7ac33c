// SPDX-License-Identifier: Apache-2.0
// Whole passes: nets that are no language models, or are run without a cache.
#include <algorithm>

#include "model/inference.hpp"
#include "model/joined.hpp"

namespace gpuvet::model {

Answer<Seconds> Inference::forward(const Transformer& net, const Gpu& gpu, double batch,
                                   double sequence, Precision precision, bool compiled) const {
  const double peak = gpu.peak(precision).base();
  if (peak <= 0) return refuse(gpu.id + " has no " + std::string(name(precision)) + " rate");
  const double tokens = batch * sequence;
  const double flop =
      tokens * (2 * net.active_parameters() + 4 * net.layers * net.heads * net.head_dim * sequence);
  double arithmetic = flop / (forward_share_ * peak);
  if (precision == Precision::fp32 && gpu.power.base() > 0) {
    // Outside tensor cores the energy of an operation bounds the rate of small boards; Ampere's 7
    // nm boards have power enough.
    const bool four = gpu.architecture == "Hopper" || gpu.architecture == "Ada" ||
                      gpu.architecture == "Blackwell";
    const double energy = four ? energy_4nm_ : gpu.architecture == "Ampere" ? 0 : energy_12nm_;
    arithmetic = joined(arithmetic, flop * energy / gpu.power.base(), launched_ahead);
  }
  const double width = element(precision).base();
  const double passes = compiled ? compiled_passes_ : 1;
  const double moved = net.layers * width * passes *
                       (score_passes_ * batch * net.heads * sequence * sequence +
                        hidden_passes_ * tokens * (net.hidden + net.ffn / 4));
  const double launches = net.layers * 15 * 1e-6;
  return Seconds::base(arithmetic + moved / (bandwidth_share_ * gpu.memory_bandwidth.base()) +
                       launches);
}

Answer<double> Inference::samples(std::string_view net, Precision p, const Gpu& gpu) const {
  const bool before = net == "3d-unet-2022";
  const Work* work = net == "resnet50"            ? &resnet_
                     : net == "bert"              ? &bert_
                     : net == "3d-unet" || before ? &unet3d_
                                                  : nullptr;
  if (work == nullptr) return refuse("no work figure for " + std::string(net));
  const double rate = small_rate(gpu, p) * (p == Precision::fp8 ? bert_fp8_ : 1);
  if (rate <= 0) return refuse(gpu.id + " has no " + std::string(name(p)) + " rate");
  const double bytes = work->bytes * element(p).base();
  const double cycles = gpu.sm * gpu.clock.base() * powered(gpu);
  if (cycles <= 0) return refuse("how many multiprocessors " + gpu.id + " has is not known");
  return (before ? unet3d_before_ : 1) / (work->flop / rate + work->cycles / cycles +
                                          bytes / (bandwidth_share_ * gpu.memory_bandwidth.base()));
}

Answer<Seconds> Inference::sdxl(const Gpu& gpu, double steps, bool tensorrt) const {
  const Work& work = tensorrt ? image_tensorrt_ : image_eager_;
  const double rate = small_rate(gpu, Precision::fp16);
  if (rate <= 0) return refuse(gpu.id + " has no fp16 rate");
  // Encoding the prompt and decoding the image cost about what one and a half steps do.
  return Seconds::base(
      (steps + 1.5) *
      (work.flop / rate + work.bytes / (bandwidth_share_ * gpu.memory_bandwidth.base())));
}

}  // namespace gpuvet::model
