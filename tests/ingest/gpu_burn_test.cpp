// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "ingest/reading.hpp"

namespace gpuvet::ingest {

Importer gpu_burn();

namespace testing {
namespace {

const Importer importer = gpu_burn();

constexpr std::string_view a = "gpu:GPU-11111111-aaaa-bbbb-cccc-000000000000";
constexpr std::string_view b = "gpu:GPU-22222222-aaaa-bbbb-cccc-000000000000";

constexpr std::string_view list =
    "GPU 0: NVIDIA A30 (UUID: GPU-11111111-aaaa-bbbb-cccc-000000000000)\n"
    "GPU 1: NVIDIA A30 (UUID: GPU-22222222-aaaa-bbbb-cccc-000000000000)\n"
    "Burning for 200 seconds.\n"
    "Initialized device 1 with 24062 MB of memory (23663 MB available, using 21297 MB of it), "
    "using FLOATS\n"
    "Results are 268435456 bytes each, thus performing 10 iterations\n";

std::string line(double percent, int processed, int rate, std::string_view second) {
  return "\r" + std::to_string(percent).substr(0, 4) + "%  proc'd: " + std::to_string(processed) +
         " (" + std::to_string(rate) + " Gflop/s) - " + std::string(second);
}

/// Both GPUs, ten reports after the one of the start-up; the first slows down from 9000 to 4500.
std::string run() {
  std::string out(list);
  for (int i = 1; i <= 11; ++i) {
    const int rate = i == 1 ? 1000 : i == 11 ? 4500 : 9000;
    const std::string second = std::to_string(10 * i) + " (8000 Gflop/s)   errors: 0 - " +
                               (i > 3 ? "2  (WARNING!)" : "0 ") +
                               "  temps: " + std::to_string(60 + i) + " C - -- ";
    out += line(9.0 * i, 10 * i, rate, second);
    if (i == 6) out += "\n\tSummary at:   Thu Mar 10 19:21:17 UTC 2022\n\n";
  }
  return out + "\nKilling processes.. done\n\nTested 2 GPUs:\n\tGPU 0: OK\n\tGPU 1: FAULTY\n";
}

TEST(GpuBurnTest, RatesWithoutStartUpAndTheirDrop) {
  const auto evidence = read(importer, run());
  ASSERT_TRUE(evidence) << evidence.error().message();
  EXPECT_EQ(number(*evidence, "compute.burn", a), 9e12);
  EXPECT_DOUBLE_EQ(*number(*evidence, "compute.burn.drop", a), 0.5);
  EXPECT_DOUBLE_EQ(*number(*evidence, "compute.burn.drop", b), 0);
  const auto where = only(*evidence, "compute.burn", a)->where;
  EXPECT_EQ(std::get<std::string>(where.at("backend")), "gpu_burn fp32");
  EXPECT_NEAR(*number(*evidence, "compute.burn.duration", a), 198, 1e-9);
  EXPECT_EQ(number(*evidence, "compute.burn.temperature.max", a), 71);
  EXPECT_EQ(absence(*evidence, "compute.burn.temperature.max", b), Absence::not_supported);
  EXPECT_EQ(only(*evidence, "compute.burn", a)->provenance->how, How::measured);
}

TEST(GpuBurnTest, ErrorsCountFromZeroAfterEachSummary) {
  const auto evidence = read(importer, run());
  ASSERT_TRUE(evidence) << evidence.error().message();
  EXPECT_EQ(number(*evidence, "compute.wrong", a), 0);
  EXPECT_EQ(number(*evidence, "compute.wrong", b), 4);  // two before the summary, two after
  EXPECT_EQ(text(*evidence, "diag.result", a), "pass");
  EXPECT_EQ(text(*evidence, "diag.result", b), "fail");
  EXPECT_EQ(text(*evidence, "gpu.name", b), "NVIDIA A30");
}

TEST(GpuBurnTest, DeadProcessFailsItsGpu) {
  const auto evidence = read(
      importer,
      std::string(list) +
          line(50.0, 10, 9000, "10 (9000 Gflop/s)   errors: 0 - 0   temps: 60 C - 61 C ") +
          "Failure during compute: Error in Read faultyelemdata: uncorrectable ECC error\n" +
          line(60.0, 20, 9000, "-1 (9000 Gflop/s)   errors: 0 - -1  (DIED!)  temps: 60 C - 61 C ") +
          "\n\nTested 2 GPUs:\n\tGPU 0: OK\n\tGPU 1: OK\n");
  ASSERT_TRUE(evidence) << evidence.error().message();
  EXPECT_EQ(text(*evidence, "diag.result", b), "fail");
  EXPECT_EQ(text(*evidence, "diag.result", a), "pass");
  EXPECT_EQ(number(*evidence, "compute.wrong", b), 0);
}

TEST(GpuBurnTest, UnfinishedRunHasNoResult) {
  std::string text = run();
  text.resize(text.find("Killing") - 30);
  const auto evidence = read(importer, text);
  ASSERT_TRUE(evidence) << evidence.error().message();
  EXPECT_EQ(absence(*evidence, "diag.result", a), Absence::malformed);
  EXPECT_EQ(number(*evidence, "compute.burn.temperature.max", a), 70);  // the cut line is left out
}

TEST(GpuBurnTest, OneOfSeveralGpusIsNotTheFirst) {
  const auto evidence =
      read(importer, std::string(list) +
                         "50.0%  proc'd: 20 (9000 Gflop/s)   errors: 0   temps: 60 C \n"
                         "Tested 1 GPUs:\n\tGPU 0: OK\n");
  ASSERT_TRUE(evidence) << evidence.error().message();
  EXPECT_EQ(text(*evidence, "diag.result", b), "pass");
  EXPECT_EQ(absence(*evidence, "compute.burn.temperature.max", b), Absence::malformed);
  EXPECT_EQ(absence(*evidence, "compute.burn.drop", b), Absence::not_asked);
}

TEST(GpuBurnTest, DifferentModelsMayStandInAnotherOrder) {
  std::string text = run();
  text.replace(text.find("A30"), 3, "A10");
  const auto evidence = read(importer, text);
  ASSERT_TRUE(evidence) << evidence.error().message();
  EXPECT_TRUE(number(*evidence, "compute.burn", "gpu:cuda#0"));
  EXPECT_EQ(only(*evidence, "compute.burn", a), nullptr);
}

TEST(GpuBurnTest, ProgressWithoutEndOfLine) {
  std::string text(list);
  const std::string one =
      line(1.0, 20, 9000, "20 (9000 Gflop/s)   errors: 0 - 0   temps: 60 C - 61 C ");
  while (text.size() < (std::size_t{3} << 20)) text += one;
  const auto evidence = read(importer, text);
  ASSERT_TRUE(evidence) << evidence.error().message();
  EXPECT_EQ(number(*evidence, "compute.burn", a), 9e12);
}

TEST(GpuBurnTest, PowerAndUnknownDuration) {
  const auto evidence = read(importer,
                             "100.0%  proc'd: 20 (9000 Gflop/s)   errors: 0   temps: 60 C   power: "
                             "160 W \n");
  ASSERT_TRUE(evidence) << evidence.error().message();
  EXPECT_EQ(number(*evidence, "compute.burn.temperature.max", "gpu:cuda#0"), 60);
  EXPECT_EQ(absence(*evidence, "compute.burn.duration", "gpu:cuda#0"), Absence::malformed);
}

TEST(GpuBurnTest, RefusedWithTheReason) {
  expect_error(importer, "GPU Burn\nUsage: gpu-burn [OPTIONS] [TIME]\n", 2, "no progress");
  expect_error(importer,
               "Couldn't init a GPU test: Error in load module: device kernel image is invalid\n",
               1, "did not run: Couldn't init a GPU test");
  expect_error(importer, "50,0%  proc'd: 20 (9000 Gflop/s)   errors: 0   temps: 60 C \n", 1,
               "decimal comma");
  expect_error(importer, "50.0%  proc'd: 20 (nan Gflop/s)   errors: 0   temps: 60 C \n", 1,
               "no progress");
  expect_error(importer, "50.0%  proc'd: 20 (9000 Gflop/s)   errors: 0 - 0   temps: 60 C \n", 1,
               "no progress");
  expect_error(importer, "\nBurning" + std::string(1, '\0'), 2, "NUL");
  expect_error(importer, "\n" + std::string(100000, 'x'), 2, "longer than");
}

TEST(GpuBurnTest, RecognisesItsOwnOnly) {
  EXPECT_TRUE(importer.recognises(run()));
  EXPECT_TRUE(importer.recognises("GPU Burn\nUsage: gpu-burn [OPTIONS] [TIME]\n"));
  EXPECT_FALSE(importer.recognises(list.substr(0, 60)));
  EXPECT_FALSE(importer.recognises("timestamp,gflops,errors\n"));
  EXPECT_FALSE(importer.recognises("GPU #7:  51494 Gflops/s (min: 50577.53)\n"));
}

}  // namespace
}  // namespace testing
}  // namespace gpuvet::ingest
