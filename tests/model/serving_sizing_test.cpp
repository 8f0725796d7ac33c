// SPDX-License-Identifier: Apache-2.0
#include "model/serving_sizing.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "catalogue/catalogue.hpp"
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

Answer<Sizing> sized(const char* net, double rate, Slo slo) {
  const auto gpu = *gpu_from(*catalogue().gpu("a100-sxm4-80gb"));
  Deployment d;
  d.net = *transformer_from(*catalogue().architecture(net));
  ServingLoad load;
  load.rate = rate;
  load.requests = 3000;
  load.prompt = models().serving_benchmarks.prompt(d.net.vocabulary);
  load.output = models().serving_benchmarks.output(d.net.vocabulary);
  return Serving(models().inference).gpus_for(load, slo, d, gpu, usual_fabric(gpu, 1), {});
}

TEST(Queue, WaitsAsErlangSays) {
  EXPECT_NEAR(erlang_c(1, 0.7), 0.7, 1e-12) << "M/M/1: an arrival waits when it is busy";
  EXPECT_NEAR(erlang_c(2, 1), 1.0 / 3, 1e-12);
  EXPECT_EQ(erlang_c(2, 2), 1);
  // M/M/1 at 0.5: P(wait > t) = 0.5 exp(-0.5 t), so 95 % wait less than ln(10) / 0.5.
  EXPECT_NEAR(wait_quantile(1, 0.5, 0.95), std::log(10) / 0.5, 1e-9);
  EXPECT_EQ(wait_quantile(10, 1, 0.95), 0) << "fewer than 5 % wait at all";
}

TEST(Availability, IsBinomial) {
  EXPECT_NEAR(at_least_up(2, 2, 0.9), 0.81, 1e-12);
  EXPECT_NEAR(at_least_up(3, 2, 0.9), 0.972, 1e-12);
  EXPECT_NEAR(at_least_up(5, 0, 0.5), 1, 1e-12);
}

TEST(Sizing, GrowsWithTheRateAndKeepsOneSpare) {
  const Slo slo{Slo::Of::first_token, 0.95, Seconds::base(1)};
  int last = 0;
  for (const double rate : {1.0, 10.0, 40.0}) {
    const auto s = sized("llama-2-7b", rate, slo);
    ASSERT_TRUE(s) << s.error().reason;
    EXPECT_GE(s->replicas, last);
    EXPECT_GE(s->replicas * s->capacity, rate);
    EXPECT_LE(s->reached, slo.limit);
    EXPECT_EQ(s->with_spare, s->replicas + 1);
    EXPECT_GE(at_least_up(s->for_available, s->replicas, 0.99), 0.999);
    last = s->replicas;
  }
  EXPECT_GT(last, 1);
}

// The article: 7B at 50 requests a second on two A100-80 with p95 below 100 ms, 13B at 200 on four.
TEST(Sizing, AWholeAnswerNeverComesInATenthOfASecond) {
  const auto s = sized("llama-2-7b", 50, {Slo::Of::whole, 0.95, Seconds::base(0.1)});
  ASSERT_FALSE(s);
  EXPECT_NE(s.error().reason.find("idle"), std::string::npos);
}

TEST(Sizing, TheArticlesTwoAndFourGpusAreTooFewEvenByToken) {
  const Slo slo{Slo::Of::per_token, 0.95, Seconds::base(0.1)};
  const auto seven = sized("llama-2-7b", 50, slo);
  ASSERT_TRUE(seven);
  EXPECT_GE(seven->gpus(), 4) << "one A100-80 answered 14.6 conversations a second at saturation";
  const auto thirteen = sized("llama-2-13b", 200, slo);
  ASSERT_TRUE(thirteen);
  EXPECT_GE(thirteen->gpus(), 20) << "one A100-80 answered 7.95";
}

TEST(ServingBenchmarks, LatencyGrowsWithQuantileAndLoad) {
  const auto& b = models().serving_benchmarks;
  const auto gpu = *gpu_from(*catalogue().gpu("a100-sxm4-80gb"));
  for (const auto* net : {"bert", "resnet50"}) {
    EXPECT_LT(*b.mlperf_server(net, gpu, 0.5, 0.8), *b.mlperf_server(net, gpu, 0.99, 0.8));
    EXPECT_LT(*b.mlperf_server(net, gpu, 0.5, 0.7), *b.mlperf_server(net, gpu, 0.5, 0.9));
  }
  EXPECT_FALSE(b.mlperf_server("dlrm", gpu, 0.5, 0.8));
  EXPECT_FALSE(b.mlperf_server("bert", gpu, 0.42, 0.8));
  EXPECT_FALSE(b.mlperf_server("bert", gpu, 0.5, 1.5));
}

}  // namespace
}  // namespace gpuvet::model
