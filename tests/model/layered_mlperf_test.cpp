// SPDX-License-Identifier: Apache-2.0
#include "model/layered_mlperf.hpp"

#include <gtest/gtest.h>

#include "catalogue/packed.hpp"
#include "model/models.hpp"

namespace gpuvet::model {
namespace {

const catalogue::Catalogue& catalogue() {
  static const auto c = catalogue::built_in();
  return c;
}

const Models& models() {
  static const Models m{Constants(catalogue())};
  return m;
}

MlperfRun run(MlperfEntry entry, const char* id, int gpus, int servers = 1) {
  const auto gpu = gpu_from(*catalogue().gpu(id)).value();
  auto fabric = usual_fabric(gpu, gpus, servers);
  fabric.network = BytesPerSecond::base(200e9);
  const bool bert = entry.benchmark == MlperfBenchmark::bert;
  const auto net = net_from(*catalogue().architecture(bert ? "bert-large" : "resnet50"),
                            {bert ? models().layered_mlperf.bert_tokens() : 0, 1, 0})
                       .value();
  return models().layered_mlperf.run(entry, net, gpu, fabric).value();
}

TEST(LayeredMlperf, CountsRounds) {
  EXPECT_EQ(mlperf_round("1.1"), 0);
  EXPECT_EQ(mlperf_round("2.0"), 1);
  EXPECT_EQ(mlperf_round("4.1"), 6);
  EXPECT_FALSE(mlperf_round("4"));
  EXPECT_FALSE(mlperf_round("x.1"));
  EXPECT_FALSE(mlperf_round("2.7"));
}

TEST(LayeredMlperf, ResNetTakesThirtyFiveEpochs) {
  const auto r = run({MlperfBenchmark::resnet50, 2, 3264, 1}, "a100-sxm4-80gb", 8);
  EXPECT_NEAR(r.samples / 1281167, 35, 0.7) << "NVIDIA's entries at a batch of 3264";
  // 27.6 to 28.7 minutes in rounds 2.0 and 2.1.
  EXPECT_NEAR(r.to_quality.base() / 60, 28, 2.5);
  EXPECT_LT(r.with_evaluation, r.throughput);
}

TEST(LayeredMlperf, H100TrainBertInFiveMinutes) {
  // Published in rounds 3.0 to 4.1: 5.2 to 5.7 minutes.
  const auto r = run({MlperfBenchmark::bert, 4, 768, 1}, "h100-sxm5-80gb", 8);
  EXPECT_NEAR(r.to_quality.base() / 60, 5.4, 0.8);
}

TEST(LayeredMlperf, LargerBatchesConvergeLater) {
  for (const auto benchmark : {MlperfBenchmark::resnet50, MlperfBenchmark::bert}) {
    double before = 0;
    for (const double batch : {512.0, 4096.0, 16384.0, 65536.0}) {
      const auto r = run({benchmark, 3, batch, 1}, "a100-sxm4-80gb", 8, 8);
      EXPECT_GE(r.samples, before);
      before = r.samples;
    }
  }
}

TEST(LayeredMlperf, MoreServersFinishEarlierButNotInProportion) {
  const MlperfEntry entry{MlperfBenchmark::resnet50, 3, 3264, 1};
  const auto one = run(entry, "a100-sxm4-80gb", 8), eight = run(entry, "a100-sxm4-80gb", 8, 8);
  EXPECT_GT(eight.throughput, 3 * one.throughput);
  EXPECT_LT(eight.throughput, 8 * one.throughput);
  EXPECT_LT(eight.to_quality, one.to_quality);
}

TEST(LayeredMlperf, RefusesEntriesWithoutABatch) {
  const auto gpu = gpu_from(*catalogue().gpu("a100-sxm4-80gb")).value();
  const auto net = net_from(*catalogue().architecture("resnet50")).value();
  EXPECT_FALSE(models().layered_mlperf.run({MlperfBenchmark::resnet50, 3, 0, 1}, net, gpu,
                                           usual_fabric(gpu, 8)));
}

}  // namespace
}  // namespace gpuvet::model
