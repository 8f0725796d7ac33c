// SPDX-License-Identifier: Apache-2.0
#include "ingest/companion.hpp"

#include <gtest/gtest.h>

namespace gpuvet::ingest {
namespace {

const std::string script =
    "#!/bin/sh\n"
    "nvidia-smi -i 0 --query-gpu=timestamp,temperature.gpu,utilization.gpu \\\n"
    "  --format=csv,noheader -l 1 > monitor.csv &\n";

TEST(Companion, FindsTheCommandThatWroteNoHeader) {
  const auto found = query_commands(script);
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].fields,
            (std::vector<std::string>{"timestamp", "temperature.gpu", "utilization.gpu"}));
  EXPECT_TRUE(found[0].units);
  EXPECT_EQ(found[0].line, 2U);
  EXPECT_EQ(header_of(found[0]), "timestamp, temperature.gpu, utilization.gpu [%]");
  EXPECT_TRUE(query_commands("nvidia-smi --query-gpu=index --format=csv").empty());
  EXPECT_TRUE(query_commands("nvidia-smi --query-gpu=$F --format=csv,noheader").empty());
  const auto bare = query_commands(
      "nvidia-smi --query-gpu=timestamp,power.draw --format=\"csv,noheader,nounits\"");
  ASSERT_EQ(bare.size(), 1U);
  EXPECT_FALSE(bare[0].units);
}

TEST(Companion, TakesOnlyACommandWhoseOutputThisCanBe) {
  const auto found = query_commands(script);
  const std::string when = "2026/04/04 00:39:45.597, ";
  EXPECT_TRUE(command_of(when + "41, 0 %\n" + when + "42, 9 %\n2026", found));
  for (const auto* other : {"41\n", "41, 0\n", "41 %, 0 %\n", "41.5, 0 %\n", "x, 0 %\n", ""})
    EXPECT_FALSE(command_of(other[0] == 0 ? "" : when + other, found)) << other;
  EXPECT_FALSE(command_of(
      "41, 0 %, 2 MiB\n",
      query_commands("nvidia-smi --query-gpu=temperature.gpu,utilization.gpu,memory.used "
                     "--format=csv,noheader")))
      << "rows without time";
  // Two scripts that name different fields of one form: nobody knows which it was.
  const auto two =
      query_commands(script +
                     "nvidia-smi --query-gpu=timestamp,temperature.memory,utilization.gpu "
                     "--format=csv,noheader\n");
  ASSERT_EQ(two.size(), 2U);
  EXPECT_FALSE(command_of(when + "41, 0 %\n", two));
}

}  // namespace
}  // namespace gpuvet::ingest
