// SPDX-License-Identifier: Apache-2.0
#include "model/layered_training.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "catalogue/packed.hpp"
#include "model/models.hpp"

namespace gpuvet::model {
namespace {

using namespace units;

const catalogue::Catalogue& catalogue() {
  static const auto c = catalogue::built_in();
  return c;
}

const Models& models() {
  static const Models m{Constants(catalogue())};
  return m;
}

Gpu gpu(const char* id) { return gpu_from(*catalogue().gpu(id)).value(); }

Net net(const char* id) { return net_from(*catalogue().architecture(id)).value(); }

double seconds(const Net& n, const LayeredJob& job, const Gpu& g, const Fabric& f) {
  return models().layered_training.step(n, job, g, f).value().total().base();
}

LayeredJob tuned(double batch) {
  LayeredJob job;
  job.batch = batch;
  job.tuned = true;
  return job;
}

TEST(LayeredTraining, EightA100TrainResNetAsFastAsMlperfEntriesDid) {
  // MLPerf Training v2.1, 8x A100-SXM4-80GB: 27,000 to 27,800 images/s with evaluation.
  const auto a100 = gpu("a100-sxm4-80gb");
  const double rate = 3264 / seconds(net("resnet50"), tuned(408), a100, usual_fabric(a100, 8));
  EXPECT_GT(rate, 25e3);
  EXPECT_LT(rate, 31e3);
}

TEST(LayeredTraining, AHundredTimesLargerNetIsSlower) {
  const auto h100 = gpu("h100-sxm5-80gb");
  const auto f = usual_fabric(h100, 8);
  EXPECT_GT(seconds(net("sdxl-unet"), tuned(4), h100, f),
            10 * seconds(net("resnet50"), tuned(4), h100, f));
}

TEST(LayeredTraining, WorkloadsOfTheCatalogueAreAnswered) {
  const auto h100 = gpu("h100-sxm5-80gb");
  for (const auto* id : {"sdxl-unet", "whisper-large-v3", "resnet50"}) {
    LayeredJob job;
    job.batch = 8;
    const auto step = models().layered_training.step(*catalogue().architecture(id), job, h100,
                                                     usual_fabric(h100, 8));
    ASSERT_TRUE(step) << id;
    EXPECT_GT(step->layers.base(), 0);
    EXPECT_GT(step->exposed.base(), 0) << "gradients of eight GPUs are summed";
    EXPECT_DOUBLE_EQ(step->total().base(),
                     (step->layers + step->gaps + step->optimizer + step->exposed).base());
  }
}

TEST(LayeredTraining, PcieIsNeverFasterThanASwitch) {
  auto a100 = gpu("a100-sxm4-80gb");
  const auto nvswitch = usual_fabric(a100, 8);
  a100.module = false;
  const auto cards = usual_fabric(a100, 8);
  const double slower = seconds(net("bert-large"), tuned(56), a100, cards) /
                        seconds(net("bert-large"), tuned(56), a100, nvswitch);
  const double images = seconds(net("resnet50"), tuned(408), a100, cards) /
                        seconds(net("resnet50"), tuned(408), a100, nvswitch);
  EXPECT_GT(slower, 1.1) << "MLPerf v2.0: BERT loses a fifth and more without NVLink";
  EXPECT_LT(images, 1.12) << "ResNet-50 loses less than a tenth";
  EXPECT_GE(images, 1);
}

TEST(LayeredTraining, AccumulationCommunicatesOnce) {
  const auto a100 = gpu("a100-sxm4-80gb");
  auto once = tuned(64), four = tuned(64);
  four.passes = 4;
  const auto f = usual_fabric(a100, 8);
  const auto n = net("bert-large");
  const auto a = models().layered_training.step(n, once, a100, f).value();
  const auto b = models().layered_training.step(n, four, a100, f).value();
  EXPECT_DOUBLE_EQ(a.optimizer.base(), b.optimizer.base());
  EXPECT_LT(a.gaps.base(), b.gaps.base());
  EXPECT_LE(a.layers.base(), b.layers.base()) << "weights are read again in each pass";
}

TEST(LayeredTraining, RefusesWhatItCannotKnow) {
  auto unknown = gpu("a100-sxm4-80gb");
  const auto one = usual_fabric(unknown, 1);
  unknown.architecture = "Fermi";
  EXPECT_FALSE(models().layered_training.step(net("resnet50"), tuned(1), unknown, one));
  auto rateless = gpu("a100-sxm4-80gb");
  rateless.dense.fill({});
  EXPECT_FALSE(models().layered_training.step(net("resnet50"), tuned(1), rateless, one));
  EXPECT_FALSE(
      models().layered_training.step(net("resnet50"), tuned(0), gpu("a100-sxm4-80gb"), one));
}

Gpu any_gpu() {
  const auto id =
      *rc::gen::element<std::string>("v100-sxm2-16gb", "a100-pcie-40gb", "a100-sxm4-80gb",
                                     "a30-24gb", "l40s-48gb", "h100-sxm5-80gb", "h200-sxm-141gb");
  return gpu(id.c_str());
}

LayeredJob any_job() {
  LayeredJob job;
  job.batch = *rc::gen::inRange(1, 512);
  job.tuned = *rc::gen::arbitrary<bool>();
  job.fused_attention = *rc::gen::arbitrary<bool>();
  job.precision = *rc::gen::element(Precision::fp32, Precision::tf32, Precision::fp16,
                                    Precision::bf16, Precision::fp8);
  return job;
}

Net any_net() {
  const auto id = *rc::gen::element<std::string>("resnet50", "vgg16", "bert-large", "gnmt",
                                                 "sd-v2-unet", "whisper-large-v3");
  return net(id.c_str());
}

RC_GTEST_PROP(LayeredTraining, BetterGpusAreNeverSlower, ()) {
  const auto before = any_gpu();
  auto after = before;
  const double factor = *rc::gen::inRange(100, 400) / 100.0;
  switch (*rc::gen::inRange(0, 3)) {
    case 0:
      after.memory_bandwidth = factor * before.memory_bandwidth;
      break;
    case 1:
      for (auto& rate : after.dense) rate = factor * rate;
      break;
    default:
      after.power = factor * before.power;
  }
  const auto n = any_net();
  const auto job = any_job();
  const Fabric one;
  RC_ASSERT(seconds(n, job, after, one) <= seconds(n, job, before, one) * (1 + 1e-12));
}

RC_GTEST_PROP(LayeredTraining, LargerBatchesTakeLongerAndWasteLess, ()) {
  const auto g = any_gpu();
  const auto n = any_net();
  auto job = any_job();
  const Fabric one;
  const double small = seconds(n, job, g, one), batch = job.batch;
  job.batch *= 2;
  const double large = seconds(n, job, g, one);
  RC_ASSERT(large >= small * (1 - 1e-12));
  RC_ASSERT(job.batch / large >= batch / small * (1 - 1e-12));
}

}  // namespace
}  // namespace gpuvet::model
