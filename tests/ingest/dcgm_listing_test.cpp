// SPDX-License-Identifier: Apache-2.0
// lists of dcgmi: what it says, and what is refused.
#include <gtest/gtest.h>

#include <string>

#include "core/text.hpp"
#include "ingest/importer.hpp"
#include "reading.hpp"

namespace gpuvet::ingest {

Importer dcgm_listing();

namespace {

using namespace testing;

std::string refusal(std::string_view input) {
  const auto read_back = read(dcgm_listing(), input);
  EXPECT_FALSE(read_back);
  return read_back ? "" : read_back.error().message();
}

TEST(DcgmListing, SaysWhatToSendInstead) {
  const std::string modules = "+----+\n| List Modules      |\n| Status: Success   |\n";
  EXPECT_TRUE(dcgm_listing().recognises(modules));
  EXPECT_TRUE(contains(refusal(modules), "line 2: a list of DCGM's own modules"));
  EXPECT_TRUE(contains(refusal("| FIELD GROUPS |\n"), "send dcgmi diag"));
  EXPECT_TRUE(contains(
      refusal("Error: unable to establish a connection to the specified host: localhost\n"),
      "start nv-hostengine"));
  EXPECT_FALSE(dcgm_listing().recognises("| GPU GROUPS2 |"));
}

}  // namespace
}  // namespace gpuvet::ingest
