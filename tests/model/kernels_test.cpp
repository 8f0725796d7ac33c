// SPDX-License-Identifier: Apache-2.0
#include "model/kernels.hpp"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <algorithm>
#include <cmath>

#include "catalogue/packed.hpp"

namespace gpuvet::model {
namespace {

using namespace units;

const catalogue::Catalogue& built_in() {
  static const auto parsed = catalogue::built_in();
  return parsed;
}

const Kernels& kernels() {
  static const Kernels built{Constants(built_in())};
  return built;
}

Gpu gpu(std::string_view id) {
  const auto* entry = built_in().gpu(id);
  if (entry == nullptr) throw std::runtime_error("no GPU " + std::string(id));
  return gpu_from(*entry).value();
}

double tflops(const Gpu& on, const Gemm& g) {
  return 2 * g.m * g.n * g.k * g.batch / kernels().gemm(on, g).base() / 1e12;
}

double us(Seconds t) { return t.base() * 1e6; }

Gpu any_gpu() {
  return gpu(*rc::gen::elementOf(
      std::vector<std::string>{"a100-sxm4-80gb", "a100-pcie-40gb", "h100-sxm5-80gb", "l40s-48gb",
                               "a40-48gb", "b200-sxm-180gb", "v100-sxm2-32gb", "t4-16gb"}));
}

double size(int below) { return *rc::gen::inRange(1, below); }

Gemm any_gemm() {
  Gemm g{size(9000), size(30000), size(16000), Precision::fp16, size(5), Library::current};
  g.library = *rc::gen::element(Library::current, Library::torch_2023, Library::vllm_2025);
  return g;
}

Attention any_attention() {
  Attention a;
  a.batch = size(65);
  a.queries = *rc::gen::element(1.0, 1.0, 100.0, 512.0, 4096.0);
  a.context = *rc::gen::inRange(0, 20000);
  a.kv_heads = *rc::gen::element(1.0, 8.0, 32.0);
  a.heads = a.kv_heads * *rc::gen::element(1.0, 4.0, 8.0);
  a.head_dim = *rc::gen::element(64.0, 128.0);
  a.causal = *rc::gen::arbitrary<bool>();
  a.backward = a.queries > 1 && *rc::gen::arbitrary<bool>();
  a.precision = Precision::fp16;
  return a;
}

/// The same GPU with one of its figures larger.
Gpu better(Gpu g) {
  const double by = 1 + *rc::gen::inRange(1, 300) / 100.0;
  if (*rc::gen::arbitrary<bool>())
    g.memory_bandwidth = by * g.memory_bandwidth;
  else
    for (auto& rate : g.dense) rate = by * rate;
  return g;
}

constexpr double rounding = 1 + 1e-9;

// stas00/ml-engineering@744d01e, highest rates of matrix products that were found.
TEST(Gemm, LargeOnesReachWhatIsReachedElsewhere) {
  const Gemm large{8192, 8192, 8192, Precision::bf16, 1, Library::vllm_2025};
  EXPECT_NEAR(tflops(gpu("a100-sxm4-80gb"), large), 271, 0.1 * 271);
  EXPECT_NEAR(tflops(gpu("a100-pcie-80gb"), large), 253, 0.1 * 253);
  EXPECT_NEAR(tflops(gpu("h100-sxm5-80gb"), large), 794.5, 0.1 * 794.5);
  EXPECT_NEAR(tflops(gpu("b200-sxm-180gb"), large), 1745, 0.1 * 1745);
}

TEST(Gemm, OneRowStreamsTheMatrix) {
  const Gpu h100 = gpu("h100-sxm5-80gb");
  const double seconds = kernels().gemm(h100, {1, 16384, 8192}).base();
  const double rate = 16384.0 * 8192 * 2 / seconds;
  EXPECT_GT(rate, 0.75 * h100.memory_bandwidth.base());
  EXPECT_LT(rate, 0.95 * h100.memory_bandwidth.base());
}

TEST(Gemm, TinyOnesCostTheirStart) {
  const double t = us(kernels().gemm(gpu("h100-sxm5-80gb"), {1, 64, 64}));
  EXPECT_GT(t, 2);
  EXPECT_LT(t, 6);
}

TEST(Gemm, LibrariesDiffer) {
  const Gpu a100 = gpu("a100-sxm4-80gb"), h100 = gpu("h100-sxm5-80gb");
  const auto time = [&](const Gpu& on, double m, Library library) {
    return kernels().gemm(on, {m, 5120, 5120, Precision::bf16, 1, library});
  };
  EXPECT_GT(time(h100, 512, Library::torch_2023), time(h100, 512, Library::vllm_2025));
  EXPECT_GT(time(h100, 512, Library::torch_2023), time(h100, 512, Library::current));
  EXPECT_GT(time(a100, 1, Library::vllm_2025), time(a100, 1, Library::current));
}

TEST(Gemm, TypesWithoutTensorCoresTakeThePlainRate) {
  const Gpu v100 = gpu("v100-sxm2-32gb");
  EXPECT_EQ(v100.peak(Precision::bf16).base(), 0);
  const double bf16 = tflops(v100, {8192, 8192, 8192, Precision::bf16});
  EXPECT_LT(bf16, v100.peak(Precision::fp32).in(TFLOPS));
  EXPECT_GT(bf16, 0.8 * v100.peak(Precision::fp32).in(TFLOPS));
  EXPECT_GT(tflops(v100, {8192, 8192, 8192, Precision::fp16}), 4 * bf16);
}

TEST(Gemm, NeverBeatsTheDataSheet) {
  EXPECT_TRUE(rc::check([] {
    const Gpu on = any_gpu();
    const Gemm g = any_gemm();
    const double bytes = 2 * g.batch * (g.m * g.k + g.k * g.n + g.m * g.n);
    const double least = std::max(2 * g.m * g.n * g.k * g.batch / on.peak(g.precision).base(),
                                  bytes / on.memory_bandwidth.base());
    RC_ASSERT(kernels().gemm(on, g).base() > least);
  }));
}

TEST(Gemm, FasterMemoryOrCoresAreNeverSlower) {
  EXPECT_TRUE(rc::check([] {
    Gpu on = any_gpu();
    on.power = {};  // a rate that grows alone would run into the board's power
    const Gemm g = any_gemm();
    RC_ASSERT(kernels().gemm(better(on), g) <= rounding * kernels().gemm(on, g));
  }));
}

TEST(Gemm, MorePowerIsNeverSlower) {
  EXPECT_TRUE(rc::check([] {
    const Gpu on = any_gpu();
    Gpu fed = on;
    fed.power = (1 + size(100) / 100) * on.power;
    const Gemm g = any_gemm();
    RC_ASSERT(kernels().gemm(fed, g) <= rounding * kernels().gemm(on, g));
  }));
}

TEST(Gemm, ALongerSumIsNeverFaster) {
  EXPECT_TRUE(rc::check([] {
    const Gpu on = any_gpu();
    const Gemm g = any_gemm();
    Gemm longer = g;
    longer.k = 2 * g.k;
    RC_ASSERT(kernels().gemm(on, g) <= rounding * kernels().gemm(on, longer));
  }));
}

// MLPerf Training: A100 boards of 500 W are 6 to 8 % faster than those of 400 W.
TEST(Power, CapsLowerTheClock) {
  Gpu a100 = gpu("a100-sxm4-80gb");
  EXPECT_NEAR(kernels().power_share(a100), 1, 0.01);
  a100.power = 500 * W;
  EXPECT_NEAR(kernels().power_share(a100), 1.07, 0.01);
  a100.power = 300 * W;
  EXPECT_NEAR(kernels().power_share(a100), 253.0 / 271, 0.015);
  EXPECT_LT(kernels().power_share(gpu("h100-pcie-80gb")), 0.9);
  EXPECT_NEAR(kernels().power_share(gpu("a40-48gb")), 1, 0.01);
  a100.architecture = "unheard of";
  EXPECT_EQ(kernels().power_share(a100), 1);
}

// FlashAttention-2 (arXiv:2307.08691) and -3 (arXiv:2407.08608): causal, heads of 128, 16k tokens,
// forward: about 190 TFLOPS on A100 and 600 on H100.
TEST(Attention, LongPrefillsReachPublishedRates) {
  Attention a;
  a.queries = 16384;
  a.heads = a.kv_heads = 16;
  const double operations = 2 * a.heads * a.queries * a.queries * a.head_dim;
  const auto rate = [&](std::string_view id) {
    return operations / kernels().attention(gpu(id), a).base() / 1e12;
  };
  EXPECT_NEAR(rate("a100-sxm4-80gb"), 190, 25);
  EXPECT_NEAR(rate("h100-sxm5-80gb"), 600, 60);
}

TEST(Attention, CausalWorkIsHalfOfAll) {
  Attention a;
  a.queries = 32768;
  a.heads = a.kv_heads = 32;
  Attention all = a;
  all.causal = false;
  const Gpu h100 = gpu("h100-sxm5-80gb");
  const Ratio more = kernels().attention(h100, all) / kernels().attention(h100, a);
  EXPECT_NEAR(more.base(), 2, 0.1);
}

TEST(Attention, DecodingStreamsTheCache) {
  const Gpu h100 = gpu("h100-sxm5-80gb");
  Attention a;
  a.batch = 64;
  a.context = 16383;
  a.heads = 32;
  a.kv_heads = 8;
  const double bytes = 2 * 64.0 * 16384 * 8 * 128 * 2;
  const double share = bytes / kernels().attention(h100, a).base() / h100.memory_bandwidth.base();
  EXPECT_GT(share, 0.75);
  EXPECT_LT(share, 0.95);
  Attention every = a;  // a cache for each head instead of each fourth
  every.kv_heads = 32;
  EXPECT_GT(kernels().attention(h100, every), 3.5 * kernels().attention(h100, a));
}

TEST(Attention, NeverBeatsTheDataSheet) {
  EXPECT_TRUE(rc::check([] {
    const Gpu on = any_gpu();
    const Attention a = any_attention();
    const double keys = a.context + a.queries;
    const double bytes = 4 * a.batch * a.kv_heads * a.head_dim * keys;
    const double seen = a.causal ? a.context + (a.queries + 1) / 2 : keys;
    const double flop = (a.backward ? 10 : 4) * a.batch * a.heads * a.queries * seen * a.head_dim;
    RC_ASSERT(kernels().attention(on, a).base() > bytes / on.memory_bandwidth.base());
    if (a.queries > 1)
      RC_ASSERT(kernels().attention(on, a).base() > flop / on.peak(a.precision).base());
  }));
}

TEST(Attention, FasterMemoryOrCoresAreNeverSlowerAndMoreWorkNeverFaster) {
  EXPECT_TRUE(rc::check([] {
    const Gpu on = any_gpu();
    const Attention a = any_attention();
    const Seconds t = kernels().attention(on, a);
    RC_ASSERT(kernels().attention(better(on), a) <= rounding * t);
    Attention more = a;
    more.batch += 1;
    RC_ASSERT(t <= rounding * kernels().attention(on, more));
    more = a;
    more.context += 500;
    RC_ASSERT(t <= rounding * kernels().attention(on, more));
  }));
}

// microsoft/superbench-results@5e77aa7: copies of 32 MiB within A100's memory; empty kernels.
TEST(Streaming, CopiesAndLaunchesAsSuperBenchMeasuredThem) {
  const Gpu a100 = gpu("a100-sxm4-80gb");
  const Bytes both_ways = 2 * 33554432 * B;
  const Seconds copy = kernels().round_trip(a100) + kernels().streaming(a100, both_ways);
  EXPECT_NEAR((both_ways / copy).in(GB / s), 1371, 70);
  EXPECT_NEAR(us(kernels().launch(a100)), 5.5, 0.1);
  EXPECT_NEAR(us(kernels().round_trip(a100)), 9.4, 0.1);
}

}  // namespace
}  // namespace gpuvet::model
