// SPDX-License-Identifier: Apache-2.0
#include "model/layered_memory.hpp"

#include <gtest/gtest.h>

#include "catalogue/packed.hpp"

namespace gpuvet::model {
namespace {

const catalogue::Catalogue& all() {
  static const auto out = catalogue::built_in();
  return out;
}

MemoryEstimate peak(const char* net, double samples, LayeredLayout layout = {},
                    Precision precision = Precision::fp16) {
  LayeredJob job;
  job.precision = precision;
  layout.samples = samples;
  return LayeredMemory(Constants(all())).training(*net_from(*all().architecture(net)), job, layout);
}

TEST(LayeredMemory, ResNetOf256ImagesInMixedPrecisionNeedsAboutTwelveGigabytes) {
  // As data/workloads/resnet50.toml has it, and as 16 GB cards of MLPerf entries hold.
  const auto m = peak("resnet50", 256);
  EXPECT_NEAR(m.total.in(units::GB), 12, 3);
  EXPECT_GT(m.activations, 0.8 * m.total) << "almost all of it is what the backward pass needs";
}

TEST(LayeredMemory, StatesAreSixteenBytesAParameterAndACast) {
  const auto m = peak("whisper-large-v3", 1);
  EXPECT_NEAR((m.weights + m.gradients + m.optimizer).base() / 1.543e9, 18, 0.3);
  const auto sharded = peak("whisper-large-v3", 1, {1, 8, true});
  EXPECT_NEAR(sharded.optimizer.base() / m.optimizer.base(), 1.0 / 8, 1e-9);
}

TEST(LayeredMemory, PartsAddUpAndGrowWithSamplesAndWidth) {
  for (const auto* net : {"resnet50", "sdxl-unet", "whisper-large-v3", "vit-l16"}) {
    const auto one = peak(net, 1), four = peak(net, 4);
    EXPECT_NEAR((one.weights + one.gradients + one.optimizer + one.activations + one.buffers +
                 one.reserve + one.context)
                    .base(),
                one.total.base(), 1)
        << net;
    EXPECT_NEAR(four.activations.base() / one.activations.base(), 4, 1e-9) << net;
    EXPECT_GT(peak(net, 4, {}, Precision::fp32).activations, four.activations) << net;
    EXPECT_GT(one.spread, 0.3) << "no measurement stands behind it";
  }
}

}  // namespace
}  // namespace gpuvet::model
