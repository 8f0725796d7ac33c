// SPDX-License-Identifier: Apache-2.0
// dcgmproftester: what it says, and what is refused.
#include <gtest/gtest.h>

#include <string>

#include "core/text.hpp"
#include "ingest/importer.hpp"
#include "reading.hpp"

namespace gpuvet::ingest {

Importer dcgm_proftester();

namespace {

using namespace testing;

Evidence facts(std::string_view input) {
  EXPECT_TRUE(dcgm_proftester().recognises(input));
  auto read_back = read(dcgm_proftester(), input);
  EXPECT_TRUE(read_back) << (read_back ? "" : read_back.error().message());
  return read_back ? *read_back : Evidence{};
}

std::string refusal(std::string_view input) {
  const auto read_back = read(dcgm_proftester(), input);
  EXPECT_FALSE(read_back);
  return read_back ? "" : read_back.error().message();
}

const std::string run =
    "Skipping CreateDcgmGroups() since DCGM validation is disabled\n"
    "Worker 2:0[1005]: DramUtil generated 0.000/0.883, dcgm 0.000 (0.0 GiB/sec), x\n"
    "Worker 2:0[1005]: DramUtil generated 0.883/0.883, dcgm 0.000 (200.5 GiB/sec), x\n"
    "Worker 2:0[1005]: DramUtil generated 0.883/0.883, dcgm 0.000 (210.5 GiB/sec), x\n"
    "Worker 2:0[1005]: DramUtil generated 0.883/0.883, dcgm 0.000 (220.5 GiB/sec), x\n"
    "Worker 0/1/0:0[1005]: DramUtil generated 0.883/0.883, dcgm 0.000 (20.5 GiB/sec), x\n"
    "GPU 2, TestField 1005 test PASSED.\n"
    "Worker 3:0[1004]: TensorEngineActive: generated ???, dcgm 0.000 (25000.0 gflops).\n"
    "GPU 3, TestField 1004 test FAILED.\n"
    "Worker 4:0[1007]: FloatActive: generated ???, dcgm 0.000 (25000.0 gflops).\n";

TEST(DcgmProftester, TakesTheMedianInDecimalBytes) {
  const Evidence e = facts(run);
  EXPECT_EQ(number(e, "memory.bandwidth.copy", "gpu:dcgm#2"), 210.5e9);
  EXPECT_EQ(number(e, "compute.burn", "gpu:dcgm#3"), 25000e9);
  EXPECT_EQ(text(e, "diag.result", "gpu:dcgm#2"), "pass");
  EXPECT_EQ(text(e, "diag.result", "gpu:dcgm#3"), "fail");
  EXPECT_TRUE(all_of(e, "compute.fp32").empty());  // its end is missing
  EXPECT_TRUE(all_of(e, "memory.bandwidth.copy", "gpu:dcgm#0").empty());
}

TEST(DcgmProftester, RefusesRunsWithoutEnd) {
  EXPECT_TRUE(contains(refusal(run.substr(0, 300)), "no test came to an end"));
}

}  // namespace
}  // namespace gpuvet::ingest
