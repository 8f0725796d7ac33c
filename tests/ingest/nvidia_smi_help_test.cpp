// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "ingest/reading.hpp"

namespace gpuvet::ingest {

Importer nvidia_smi_help();

namespace testing {
namespace {

const Importer importer = nvidia_smi_help();

constexpr std::string_view page =
    "$ nvidia-smi --help-query-gpu\r\n"
    "List of valid properties to query for the switch \"--query-gpu\":\r\n\r\n"
    "\"timestamp\"\r\nThe timestamp of when the query was made.\r\n";

TEST(NvidiaSmiHelpTest, IsRefusedWithItsReason) {
  ASSERT_TRUE(importer.recognises(page));
  const auto evidence = read(importer, page);
  ASSERT_FALSE(evidence);
  EXPECT_EQ(evidence.error().code, Errc::not_supported);
  EXPECT_EQ(evidence.error().input_line, 2U);
  EXPECT_NE(evidence.error().what.find("nvidia-smi -q -x"), std::string::npos);
}

TEST(NvidiaSmiHelpTest, RecognisesTheTopOfThePageOnly) {
  EXPECT_TRUE(importer.recognises("NVIDIA System Management Interface -- v580.95.05\n"));
  EXPECT_FALSE(importer.recognises("\n\n\n\n\n\n" + std::string(page)));
  EXPECT_FALSE(importer.recognises("timestamp, index, uuid\n"));
}

TEST(NvidiaSmiHelpTest, BinaryIsRefusedToo) {
  const auto evidence = read(importer, std::string_view("a\0b\n", 4));
  ASSERT_FALSE(evidence);
  EXPECT_NE(evidence.error().what.find("NUL"), std::string::npos);
}

}  // namespace
}  // namespace testing
}  // namespace gpuvet::ingest
