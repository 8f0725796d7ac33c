// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <pugixml.hpp>

#include "report/escape.hpp"
#include "sample.hpp"

namespace gpuvet::report {
namespace {

struct Junit : ::testing::Test {
  Junit() { EXPECT_TRUE(document.load_string(testing::rendered("junit").c_str())); }
  pugi::xml_document document;
  [[nodiscard]] pugi::xml_node suites() const { return document.child("testsuites"); }
};

/// The counts of an element must be those of the cases below it.
void expect_counts(pugi::xml_node node) {
  const auto cases = node.select_nodes(".//testcase").size();
  EXPECT_EQ(node.attribute("tests").as_ullong(), cases);
  EXPECT_EQ(node.attribute("failures").as_ullong(), node.select_nodes(".//failure").size());
  EXPECT_EQ(node.attribute("errors").as_ullong(), node.select_nodes(".//error").size());
  EXPECT_EQ(node.attribute("skipped").as_ullong(), node.select_nodes(".//skipped").size());
}

TEST_F(Junit, CountsAreRight) {
  expect_counts(suites());
  for (const auto suite : suites().children("testsuite")) expect_counts(suite);
  EXPECT_EQ(suites().attribute("tests").as_int(), 8);
  EXPECT_EQ(suites().attribute("failures").as_int(), 1);
  EXPECT_EQ(suites().attribute("errors").as_int(), 1);
  EXPECT_EQ(suites().attribute("skipped").as_int(), 3);
}

TEST_F(Junit, HasOneSuiteAGroup) {
  std::vector<std::string> names;
  for (const auto suite : suites().children("testsuite"))
    names.emplace_back(suite.attribute("name").value());
  EXPECT_EQ(names, (std::vector<std::string>{"topology", "thermal", "memory", "cost"}));
}

TEST_F(Junit, NamesCasesByIdAndSubject) {
  const auto test = suites().child("testsuite").child("testcase");
  EXPECT_STREQ(test.attribute("classname").value(), "gpuvet.topology");
  EXPECT_STREQ(test.attribute("name").value(), "topology.nvlink [node]");
  EXPECT_EQ(test.child("failure").attribute("message").value(),
            visible("Links are missing: " + testing::hostile));
}

TEST_F(Junit, WarningsPassAndSpeak) {
  const auto test =
      suites().find_child_by_attribute("testsuite", "name", "thermal").child("testcase");
  EXPECT_EQ(std::string(test.child("system-out").text().get()).rfind("warning\n", 0), 0u);
  EXPECT_FALSE(test.child("failure"));
}

}  // namespace
}  // namespace gpuvet::report
