// SPDX-License-Identifier: Apache-2.0
#include "ingest/declared.hpp"

#include <gtest/gtest.h>

#include "ingest/reading.hpp"

namespace gpuvet::ingest {

Importer declared();

namespace testing {
namespace {

const Importer importer = declared();

Evidence given(std::string_view answers) {
  const auto evidence = read(importer, "[server]\n" + std::string(answers));
  EXPECT_TRUE(evidence) << evidence.error().message();
  return evidence.value_or(Evidence{});
}

/// Of the answers below "[server]", which is line 1.
void expect_error(std::string_view answers, std::size_t line, std::string_view words) {
  const auto evidence = read(importer, "[server]\n" + std::string(answers));
  ASSERT_FALSE(evidence) << answers;
  EXPECT_EQ(evidence.error().input_line, line) << answers;
  EXPECT_NE(evidence.error().what.find(words), std::string::npos) << evidence.error().what;
}

TEST(DeclaredTest, AnswersAreClaimsWithDocumentAndPage) {
  const auto e = given(
      "vendor = \"ACME\"\nmodel = \"Server 9\"\n"
      "certification = { value = \"NVIDIA-Certified\", document = \"https://a.example/list\" }\n"
      "free_pcie4_x16_slots = { value = 0, document = \"Guide\", page = 31 }\n"
      "rack_power_kw = { value = 17.5, document = \"Site plan\", page = 2 }\n"
      "cooling = { value = \"Air\", document = \"Guide\", page = 3 }\n"
      "warranty_years = { value = 3, document = \"Offer\", page = 1 }\n"
      "bmc = { value = \"IPMI 2.0, Redfish v1.15\", document = \"Guide\", page = 40 }\n");
  EXPECT_EQ(text(e, "node.certification"), "NVIDIA-Certified");
  EXPECT_EQ(number(e, "node.riser.slots"), 0);
  EXPECT_EQ(number(e, "node.rack.power"), 17500);
  EXPECT_EQ(text(e, "node.cooling"), "air");
  EXPECT_EQ(number(e, "node.warranty"), 3. * 365 * 24 * 3600);
  EXPECT_EQ(text(e, "bmc.ipmi.version", "bmc"), "2.0");
  EXPECT_EQ(text(e, "bmc.redfish.version", "bmc"), "1.15");
  EXPECT_EQ(text(e, "node.model"), "Server 9");
  const Observation* slots = only(e, "node.riser.slots", "node");
  ASSERT_NE(slots, nullptr);
  EXPECT_EQ(slots->provenance->how, How::claimed);
  EXPECT_EQ(slots->detail, "Guide, page 31");
  EXPECT_EQ(slots->line, 5U);
}

TEST(DeclaredTest, TheEmptyFormDeclaresNothing) {
  const auto evidence = read(importer, declared_form());
  ASSERT_TRUE(evidence) << evidence.error().message();
  EXPECT_EQ(evidence->observations.size(), 13U);
  EXPECT_TRUE(std::ranges::all_of(evidence->observations, [](const Observation& o) {
    return std::get_if<Absence>(&o.value) != nullptr &&
           std::get<Absence>(o.value) == Absence::not_asked;
  }));
  EXPECT_TRUE(importer.recognises(declared_form()));
}

TEST(DeclaredTest, MatrixBecomesATable) {
  const auto e = given(
      "gpu_to_gpu = { value = [[0, 300], [290.5, 0]], document = \"White paper\", page = 9 }\n");
  EXPECT_EQ(value<bool>(e, "node.gpu_to_gpu.matrix", "node"), true);
  const Table* t = table(e, "gpu_to_gpu");
  ASSERT_NE(t, nullptr);
  ASSERT_EQ(t->rows(), 2U);
  EXPECT_EQ(t->column("bandwidth")->values, (std::vector<double>{300e9, 290.5e9}));
  EXPECT_EQ(t->column("to")->values, (std::vector<double>{1, 0}));
  const std::string tail = ", document = \"W\" }\n";
  expect_error("gpu_to_gpu = { value = [[0, 300]]" + tail, 2, "2 to 64 rows");
  expect_error("gpu_to_gpu = { value = [[0, 300], [1]]" + tail, 2, "each row must have 2");
  expect_error("gpu_to_gpu = { value = [[0, -1], [1, 0]]" + tail, 2, "figures in GB/s");
  expect_error("gpu_to_gpu = [[0, 300], [300, 0]]\n", 2, "must be { value");
}

TEST(DeclaredTest, AnswersThatCannotCountAreRefused) {
  expect_error("vendor = \"A\"\ndimm_slots = { value = 16 }\n", 3, "no document");
  expect_error("dimm_slots = { value = 16, document = \" \" }\n", 2, "no document");
  expect_error("dimm_slot = { value = 16, document = \"G\" }\n", 2, "unknown key dimm_slot");
  expect_error("dimm_slots = { value = 16, document = \"G\", pages = 1 }\n", 2, "no member pages");
  expect_error("dimm_slots = { document = \"G\" }\n", 2, "has no value");
  expect_error("dimm_slots = { value = 16.5, document = \"G\" }\n", 2, "whole number");
  expect_error("dimm_slots = { value = -1, document = \"G\" }\n", 2, "cannot be");
  expect_error("dimm_slots = { value = \"16\", document = \"G\" }\n", 2, "must be a number");
  expect_error("rack_power_kw = { value = nan, document = \"G\" }\n", 2, "must be a number");
  expect_error("rack_power_kw = { value = 17,5, document = \"G\" }\n", 2, "not TOML");
  expect_error("cooling = { value = \"immersion\", document = \"G\" }\n", 2, "liquid-to-air");
  expect_error("cooling = { value = \"\", document = \"G\" }\n", 2, "no answer");
  expect_error("bmc = { value = \"yes\", document = \"G\" }\n", 2, "neither IPMI nor Redfish");
  expect_error("cooling = { value = \"air\", document = \"G\", page = \"3\" }\n", 2,
               "page must be");
  expect_error("cooling = \"air\"\n", 2, "must be { value");
  expect_error("[other]\na = 1\n", 2, "unknown key other");
}

TEST(DeclaredTest, AProtocolWithoutVersionIsNamedAbsent) {
  const auto e = given("bmc = { value = \"Redfish\", document = \"G\" }\n");
  EXPECT_EQ(absence(e, "bmc.redfish.version", "bmc"), Absence::malformed);
  EXPECT_TRUE(all_of(e, "bmc.ipmi.version").empty());
}

TEST(DeclaredTest, HostileFiles) {
  expect_error("cooling = { value = \"air\", docu", 2, "not TOML");
  std::string deep = "a";
  for (int i = 0; i < 50'000; ++i) deep += ".a";
  expect_error(deep + " = 1\n", 2, "more than 100 dots");
  expect_error("a = " + std::string(50'000, '[') + "\n", 2, "not TOML");
  expect_error(std::string("vendor = \"\0\"\n", 13), 2, "control character");
  expect_error("[\x04\x04\x04\n", 2, "control character");  // toml++ would assert
  expect_error("[$server]\n", 2, "behind the bracket");     // here too
  expect_error("\xcc\x80", 2, "only stands in quotes");     // and here
  expect_error("vendor = \"\"\"A\"\"\"\n", 0, "several lines");
  const auto e = given("vendor = \"\\u001b[31m" + std::string(1000, 'x') + "\"\n");
  EXPECT_LT(text(e, "node.vendor")->size(), 300U);
  EXPECT_EQ(text(e, "node.vendor")->find('\x1b'), std::string::npos);
}

TEST(DeclaredTest, RecognisesTheFormOnly) {
  EXPECT_TRUE(importer.recognises("# filled in\r\n[server]\r\ncooling = {}\r\n"));
  EXPECT_FALSE(importer.recognises("[server]\nport = 80\n"));
  EXPECT_FALSE(importer.recognises("vendor = \"A\"\n"));
  EXPECT_FALSE(importer.recognises(""));
}

}  // namespace
}  // namespace testing
}  // namespace gpuvet::ingest
