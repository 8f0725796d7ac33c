// SPDX-License-Identifier: Apache-2.0
// dcgmi health: what it says, and what is refused.
#include <gtest/gtest.h>

#include <string>

#include "core/text.hpp"
#include "ingest/importer.hpp"
#include "reading.hpp"

namespace gpuvet::ingest {

Importer dcgm_health();

namespace {

using namespace testing;

Evidence facts(std::string_view input) {
  EXPECT_TRUE(dcgm_health().recognises(input));
  auto read_back = read(dcgm_health(), input);
  EXPECT_TRUE(read_back) << (read_back ? "" : read_back.error().message());
  return read_back ? *read_back : Evidence{};
}

std::string refusal(std::string_view input) {
  const auto read_back = read(dcgm_health(), input);
  EXPECT_FALSE(read_back);
  return read_back ? "" : read_back.error().message();
}

const std::string tree =
    "+---------------------------+--------------------------------------------+\n"
    "| Health Monitor Report                                                  |\n"
    "+===========================+============================================+\n"
    "| Overall Health            | Failure                                    |\n"
    "| GPU                       |                                            |\n"
    "| -> 3                      | Failure                                    |\n"
    "|    -> Errors              |                                            |\n"
    "|       -> Memory system    | Failure                                    |\n"
    "|                           | A pending page retirement was found on     |\n"
    "|                           | GPU 3.                                     |\n"
    "|       -> PCIe system      | Warning                                    |\n"
    "+---------------------------+--------------------------------------------+\n";

void expect_failure(const Evidence& e) {
  EXPECT_EQ(text(e, "diag.result", "node"), "fail");
  EXPECT_EQ(text(e, "gpu.health", "gpu:dcgm#3"), "Failure");
  const auto results = all_of(e, "diag.result", "gpu:dcgm#3");
  ASSERT_EQ(results.size(), 2U);
  EXPECT_EQ(*results[0].text(), "fail");
  EXPECT_EQ(*results[1].text(), "warn");
  EXPECT_EQ(value<std::vector<std::string>>(e, "diag.errors", "gpu:dcgm#3"),
            std::vector<std::string>{"A pending page retirement was found on GPU 3."});
}

TEST(DcgmHealth, ReadsTheTree) { expect_failure(facts(tree)); }

TEST(DcgmHealth, ReadsJson) {
  expect_failure(facts(R"({"header": ["Health Monitor Report"], "body": {
    "Overall Health": {"value": "Failure"},
    "GPU": {"children": {"3": {"value": "Failure", "children": {"Errors": {"children": {
      "Memory system": {"value": "Failure", "children": {"Error":
        {"value": "A pending page retirement was found on GPU 3."}}},
      "PCIe system": {"value": "Warning"}}}}}}}}})"));
}

TEST(DcgmHealth, IsOneLineWhenHealthy) {
  const Evidence e = facts(
      R"({"body": {"Overall Health": {"value": "Healthy"}}, "header": ["Health Monitor Report"]})");
  EXPECT_EQ(text(e, "diag.result", "node"), "pass");
  EXPECT_EQ(e.observations.size(), 1U);
}

TEST(DcgmHealth, RefusesWhatIsNotWhole) {
  EXPECT_TRUE(contains(refusal(tree.substr(0, tree.size() - 80)), "cut off"));
  EXPECT_TRUE(
      contains(refusal("{\"header\": [\"Health Monitor Report\"], \"body\": {"), "cut off"));
  EXPECT_TRUE(contains(refusal("{\"body\": {}}"), "Overall Health"));
  EXPECT_TRUE(contains(refusal("Error: Unable to check health watches.\n"), "an error"));
  EXPECT_TRUE(contains(refusal("{" + std::string(20000, '[') + "}"), "brackets"));
}

}  // namespace
}  // namespace gpuvet::ingest
