// SPDX-License-Identifier: Apache-2.0
#include "model/serving.hpp"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include "catalogue/catalogue.hpp"
#include "catalogue/packed.hpp"

namespace gpuvet::model {
namespace {

constexpr double plenty = 1e9;  // tokens of cache

StepTimes usual_times() {
  StepTimes t;
  t.weights = 0.008;
  t.token = 5e-5;
  t.square = 1e-9;
  t.context = 3e-7;
  t.host = 0.004;
  t.host_sequence = 1e-5;
  t.blend = 2;
  return t;
}

ServingLoad burst(std::size_t requests) {
  ServingLoad load;
  load.arrivals = ServingLoad::Arrivals::at_once;
  load.requests = requests;
  load.prompt = {200, 1, 4, 1024};
  load.output = {200, 1, 4, 1024};
  return load;
}

TEST(Serving, OneAtATimeWaitsAsPollaczekAndKhinchinSay) {
  // One token a request and one request a step of constant length: M/D/1, whose mean wait is
  // rho s / (2 (1 - rho)).
  StepTimes t;
  t.host = 0.01;
  ServingLoad load;
  load.requests = 200000;
  load.prompt.mean = load.output.mean = 1;
  Scheduler one;
  one.sequences = 1;
  one.batched_tokens = 1;
  for (const double rho : {0.3, 0.6, 0.8}) {
    load.rate = rho / t.host;
    const auto r = simulate(load, t, plenty, one);
    const double expected = t.host + rho * t.host / (2 * (1 - rho));
    EXPECT_NEAR(r.first_token.mean.base(), expected, 0.03 * expected) << rho;
    EXPECT_NEAR(r.busy, rho, 0.01);
  }
}

TEST(Serving, ALoneRequestTakesItsStepsOneByOne) {
  const auto t = usual_times();
  ServingLoad load;
  load.trace = {0, 100};
  load.prompt.mean = 100;
  load.output.mean = 3;
  const auto r = simulate(load, t, plenty, {});
  EXPECT_DOUBLE_EQ(r.first_token.p50.base(), t.prompt(100));
  const double whole = t.prompt(100) + t.decode(1, 100) + t.decode(1, 101);
  EXPECT_NEAR(r.whole.p50.base(), whole, 1e-12);
}

TEST(Serving, IsTheSameEveryTimeAndOtherForAnotherSeed) {
  auto load = burst(500);
  const auto a = simulate(load, usual_times(), plenty, {});
  const auto b = simulate(load, usual_times(), plenty, {});
  EXPECT_EQ(a.whole.p99, b.whole.p99);
  EXPECT_EQ(a.makespan, b.makespan);
  load.seed = 2;
  EXPECT_NE(simulate(load, usual_times(), plenty, {}).makespan, a.makespan);
}

TEST(Serving, TwiceAsFastIsTwiceAsFast) {
  // All times halved and nothing arrives later: the same events at half the times.
  EXPECT_TRUE(rc::check([] {
    auto load = burst(static_cast<std::size_t>(*rc::gen::inRange(1, 300)));
    load.seed = *rc::gen::arbitrary<std::uint64_t>();
    auto slow = usual_times(), fast = slow;
    for (double StepTimes::*part :
         {&StepTimes::weights, &StepTimes::token, &StepTimes::square, &StepTimes::context,
          &StepTimes::host, &StepTimes::host_sequence})
      fast.*part /= 2;
    const double cache = *rc::gen::inRange(3000, 100000);
    Scheduler scheduler;
    scheduler.chunked = *rc::gen::arbitrary<bool>();
    const auto a = simulate(load, slow, cache, scheduler);
    const auto b = simulate(load, fast, cache, scheduler);
    RC_ASSERT(std::abs(a.makespan.in(b.makespan) - 2) < 1e-9);
    RC_ASSERT(a.preemptions == b.preemptions);
  }));
}

TEST(Serving, AFullCacheThrowsOutAndStillAnswersAll) {
  const auto load = burst(300);
  for (const bool chunked : {false, true}) {
    Scheduler scheduler;
    scheduler.chunked = chunked;
    const auto tight = simulate(load, usual_times(), 6000, scheduler);
    const auto roomy = simulate(load, usual_times(), plenty, scheduler);
    EXPECT_GT(tight.preemptions, 0);
    EXPECT_EQ(roomy.preemptions, 0);
    EXPECT_GT(tight.makespan, roomy.makespan);
    EXPECT_GT(roomy.mean_sequences, tight.mean_sequences);
    // What was thrown out is computed again, but no token is answered twice.
    EXPECT_NEAR(tight.tokens_per_second * tight.makespan.base(),
                roomy.tokens_per_second * roomy.makespan.base(), 1e-6);
  }
}

TEST(Serving, ChunksKeepLongPromptsFromHoldingUpOthers) {
  ServingLoad load;
  load.rate = 3;
  load.requests = 2000;
  load.prompt = {3000, 0.5, 100, 8000};
  load.output = {200, 0.5, 10, 1000};
  Scheduler whole, chunks;
  chunks.chunked = true;
  chunks.batched_tokens = 512;
  const auto a = simulate(load, usual_times(), plenty, whole);
  const auto b = simulate(load, usual_times(), plenty, chunks);
  EXPECT_LT(b.between_tokens.p99, a.between_tokens.p99);
}

TEST(Serving, PercentilesAreOrderedAndGrowWithTheRate) {
  ServingLoad load = burst(4000);
  load.arrivals = ServingLoad::Arrivals::poisson;
  Seconds last;
  for (const double rate : {1.0, 5.0, 10.0}) {
    load.rate = rate;
    const auto r = simulate(load, usual_times(), plenty, {});
    for (const auto& p : {r.first_token, r.between_tokens, r.per_token, r.whole}) {
      EXPECT_LE(p.p50, p.p90);
      EXPECT_LE(p.p90, p.p95);
      EXPECT_LE(p.p95, p.p99);
    }
    EXPECT_GT(r.whole.p95, last);
    last = r.whole.p95;
  }
}

TEST(Serving, RefusesALoadWithoutRateOrLengths) {
  const auto c = catalogue::built_in();
  const Inference inference{Constants(c)};
  const auto gpu = *gpu_from(*c.gpu("a100-sxm4-80gb"));
  Deployment d;
  d.net = *transformer_from(*c.architecture("llama-2-7b"));
  ServingLoad load;
  load.prompt.mean = load.output.mean = 100;
  load.rate = 0;
  EXPECT_FALSE(simulate(load, inference, d, gpu, usual_fabric(gpu, 1), {}));
  load.rate = 1;
  load.requests = 10;
  EXPECT_TRUE(simulate(load, inference, d, gpu, usual_fabric(gpu, 1), {}));
  load.output.mean = 0;
  EXPECT_FALSE(simulate(load, inference, d, gpu, usual_fabric(gpu, 1), {}));
}

TEST(Serving, NumbersAreUniform) {
  double sum = 0, squares = 0;
  constexpr int n = 100000;
  for (std::uint64_t i = 0; i < n; ++i) {
    const double u = uniform(7, 3, i);
    ASSERT_GT(u, 0);
    ASSERT_LT(u, 1);
    sum += u;
    squares += u * u;
  }
  EXPECT_NEAR(sum / n, 0.5, 0.005);
  EXPECT_NEAR(squares / n, 1.0 / 3, 0.005);
  EXPECT_NE(uniform(7, 3, 0), uniform(7, 4, 0));
  EXPECT_NE(uniform(7, 3, 0), uniform(8, 3, 0));
}

}  // namespace
}  // namespace gpuvet::model
