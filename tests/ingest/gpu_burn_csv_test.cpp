// SPDX-License-Identifier: Apache-2.0
// gpu-burn's progress as CSV.
#include <gtest/gtest.h>

#include <cmath>
#include <string>

#include "core/text.hpp"
#include "ingest/importer.hpp"
#include "reading.hpp"

namespace gpuvet::ingest {

Importer gpu_burn_csv();

namespace {

using namespace testing;

Evidence facts(std::string_view input) {
  EXPECT_TRUE(gpu_burn_csv().recognises(input));
  auto read_back = read(gpu_burn_csv(), input);
  EXPECT_TRUE(read_back) << (read_back ? "" : read_back.error().message());
  return read_back ? *read_back : Evidence{};
}

std::string refusal(std::string_view input) {
  const auto read_back = read(gpu_burn_csv(), input);
  EXPECT_FALSE(read_back);
  return read_back ? "" : read_back.error().message();
}

const std::string header = "ClientCalcs,Gflops,Temperature,Errors\n";

TEST(GpuBurnCsv, TakesMedianMaximumAndErrors) {
  std::string log = header;
  for (int i = 0; i < 100; ++i)
    log += std::to_string(i) + (i < 50 ? ",120.5,70,0\n" : ",60.25,83,2\n");
  const Evidence e = facts(log);
  EXPECT_EQ(number(e, "compute.burn", "gpu:cuda#0"), (120.5e9 + 60.25e9) / 2);
  EXPECT_EQ(number(e, "compute.burn.drop", "gpu:cuda#0"), 0.5);
  EXPECT_EQ(number(e, "compute.burn.temperature.max", "gpu:cuda#0"), 83);
  EXPECT_EQ(number(e, "compute.wrong", "gpu:cuda#0"), 2);
}

TEST(GpuBurnCsv, RefusesBrokenRows) {
  EXPECT_TRUE(contains(refusal(header), "no row"));
  EXPECT_TRUE(contains(refusal(header + "1,120,5,70,0\n"), "decimal commas?"));
  EXPECT_TRUE(contains(refusal(header + "1,-5,70,0\n"), "unreadable figure"));
  EXPECT_TRUE(contains(refusal(header + "1,1e999,70,0\n"), "unreadable figure"));
  EXPECT_TRUE(contains(refusal(header + "1,5\n1,5,70,0\n"), "line 2"));
  EXPECT_EQ(number(facts(header + "1,5,70,0\n2,5"), "compute.burn", "gpu:cuda#0"), 5e9);
}

}  // namespace
}  // namespace gpuvet::ingest
