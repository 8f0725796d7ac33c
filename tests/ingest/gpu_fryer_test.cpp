// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "ingest/reading.hpp"

namespace gpuvet::ingest {

Importer gpu_fryer();

namespace testing {
namespace {

const Importer importer = gpu_fryer();

constexpr std::string_view known = "gpu:GPU-11111111-2222-3333-4444-555555555555";

std::string run(std::string_view end) {
  return "Detected GPU #0: \"NVIDIA H100\" (11111111-2222-3333-4444-555555555555)\n"
         "Using precision(s):  BF16 \n"
         "700 (769658 Gflops/s) - 690 (758663 Gflops/s) | Temperatures: 50\xC2\xB0"
         "C - 51\xC2\xB0"
         "C | Throttling: None - Thermal SW\n"
         "GPU #0: 720000 Gflops/s (min: 710000.00, max: 730000.00, dev: 720000.00)\n"
         "         Temperature: 48.83\xC2\xB0"
         "C (min: 47.00, max: 50.00)\n"
         "         Throttling HW: false, Thermal SW: false, Thermal HW: false\n"
         "GPU #1: 600000 Gflops/s (min: 590000.00, max: 610000.00, dev: 600000.00)\n"
         "         Temperature: 88.83\xC2\xB0"
         "C (min: 47.00, max: 90.00)\n"
         "         Throttling HW: false, Thermal SW: true, Thermal HW: false\n" +
         std::string(end);
}

TEST(GpuFryerTest, UnhealthyGpuIsNamed) {
  const auto evidence = read(importer, run("Some GPUs are not healthy. Reasons:\n"
                                           "  - GPU 1 - GPU is throttled. Check\n"
                                           "Freeing GPUs...\n"));
  ASSERT_TRUE(evidence) << evidence.error().message();
  EXPECT_EQ(number(*evidence, "compute.burn", known), 720e12);
  EXPECT_EQ(number(*evidence, "compute.burn.temperature.max", "gpu:cuda#1"), 90);
  EXPECT_EQ(value<bool>(*evidence, "gpu.clock_event.sw_thermal", "gpu:cuda#1"), true);
  EXPECT_EQ(value<bool>(*evidence, "gpu.clock_event.hw_thermal", "gpu:cuda#1"), false);
  EXPECT_EQ(text(*evidence, "diag.result", "gpu:cuda#1"), "fail");
  EXPECT_EQ(only(*evidence, "diag.result", known), nullptr);  // it names only the bad ones
  EXPECT_EQ(std::get<std::string>(only(*evidence, "compute.burn", known)->where.at("backend")),
            "gpu-fryer bf16");
}

TEST(GpuFryerTest, HealthyAndUnfinished) {
  const auto healthy = read(importer, run("All GPUs seem healthy\n"));
  ASSERT_TRUE(healthy) << healthy.error().message();
  EXPECT_EQ(text(*healthy, "diag.result", known), "pass");
  const auto cut = read(importer, run(""));
  ASSERT_TRUE(cut) << cut.error().message();
  EXPECT_EQ(absence(*cut, "diag.result", known), Absence::malformed);
  const auto none =
      read(importer, "GPU #0:      0 Gflops/s (min: 18446744073.71, max: 0.00, dev: 0.00)\n");
  ASSERT_TRUE(none) << none.error().message();
  EXPECT_EQ(absence(*none, "compute.burn", "gpu:cuda#0"), Absence::malformed);
}

TEST(GpuFryerTest, RefusedWithTheReason) {
  const auto error = [](std::string_view text) {
    const auto evidence = read(importer, text);
    return evidence ? std::string() : evidence.error().message();
  };
  EXPECT_NE(error("GPU #0:  51494 Gflops/s (min: 50577.53, ma").find("line 1: a summary"),
            std::string::npos);
  EXPECT_NE(error("GPU #0:  51494,5 Gflops/s (min: 1.0, max: 2.0, dev: 1.0)\n").find("line 1"),
            std::string::npos);
  EXPECT_NE(error("Detected GPU #0: \"A\" (1)\n").find("no summary of a GPU"), std::string::npos);
}

TEST(GpuFryerTest, RecognisesItsOwnOnly) {
  EXPECT_TRUE(importer.recognises(run("")));
  EXPECT_FALSE(
      importer.recognises("10.1%  proc'd: 4160 (187 Gflop/s)   errors: 0   temps: 90 C\n"));
  EXPECT_FALSE(importer.recognises(""));
}

}  // namespace
}  // namespace testing
}  // namespace gpuvet::ingest
