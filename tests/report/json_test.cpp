// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "sample.hpp"

namespace gpuvet::report {
namespace {

using Json = nlohmann::ordered_json;
using testing::rendered;

Json parsed(const judge::Verdict& v = testing::sample()) {
  return Json::parse(rendered("json", v));
}

std::vector<std::string> keys(const Json& object) {
  std::vector<std::string> out;
  for (const auto& [key, value] : object.items()) out.push_back(key);
  return out;
}

using Keys = std::vector<std::string>;

TEST(JsonReport, HasTheContractsKeysInOrder) {
  const Json j = parsed();
  EXPECT_EQ(keys(j), (Keys{"schema", "verdict", "stage", "catalogue", "server", "reasons", "inputs",
                           "scorecard", "findings", "fits", "coverage", "observations"}));
  EXPECT_EQ(keys(j["findings"][0]),
            (Keys{"id", "title", "group", "subject", "status", "required", "observation", "value",
                  "unit", "where", "limit", "source", "tier", "provenance", "message", "next"}));
  EXPECT_EQ(keys(j["findings"][0]["provenance"]),
            (Keys{"how", "custody", "tool", "version", "source", "line", "when"}));
  EXPECT_EQ(keys(j["observations"][0]),
            (Keys{"id", "subject", "where", "value", "unit", "reason", "detail", "provenance"}));
  EXPECT_EQ(keys(j["coverage"][0]),
            (Keys{"group", "title", "status", "passed", "warned", "failed", "missing"}));
}

TEST(JsonReport, CarriesTheVerdict) {
  const Json j = parsed();
  EXPECT_EQ(j["schema"], "gpuvet.verdict/1");
  EXPECT_EQ(j["verdict"], "unfit");
  EXPECT_EQ(j["stage"], "purchase");
  EXPECT_EQ(parsed({})["server"], nullptr);
  EXPECT_EQ(j["inputs"][0],
            Json::parse(
                R"({"file":"topo.txt","kind":"nvidia_smi_topo","understood":true,"reason":null})"));
  EXPECT_EQ(j["inputs"][1]["kind"], nullptr);
  EXPECT_EQ(
      j["scorecard"],
      Json::array(
          {{{"benchmark", "topology"}, {"title", "NVLink topology"}, {"status", "fail"}},
           {{"benchmark", "thermal"}, {"title", j["scorecard"][1]["title"]}, {"status", "warn"}},
           {{"benchmark", "memory"}, {"title", "Memory"}, {"status", "pass"}},
           {{"benchmark", "collectives"}, {"title", "Collectives"}, {"status", "no_evidence"}}}));
  EXPECT_EQ(j["coverage"].size(), 5u) << "all groups";
  EXPECT_EQ(j["fits"][1]["asked"], true);
}

TEST(JsonReport, CarriesFindings) {
  const Json j = parsed()["findings"];
  EXPECT_EQ(j[2]["value"], 86.5);
  EXPECT_EQ(j[2]["unit"], "°C");
  EXPECT_EQ(j[2]["where"]["bytes"].dump(), "17179869184");
  EXPECT_EQ(j[2]["tier"], 2);
  EXPECT_EQ(j[2]["provenance"]["when"], "today");
  EXPECT_EQ(j[0]["provenance"]["line"], 12);
  EXPECT_EQ(j[0]["provenance"]["version"], nullptr);
  for (const auto* none : {"observation", "value", "unit", "limit", "source", "tier", "provenance"})
    EXPECT_EQ(j[3][none], nullptr) << none;
}

TEST(JsonReport, WritesIntegersExactly) {
  const Json j = parsed()["observations"];
  EXPECT_EQ(j[0]["value"].dump(), "62");
  EXPECT_EQ(j[1]["value"].dump(), "63.5");
  EXPECT_EQ(j[5]["value"].dump(), "85899345920");
  EXPECT_EQ(j[6]["value"].dump(), "0.1");
  EXPECT_EQ(j[9]["value"].dump(), "[79,119]");
  EXPECT_EQ(j[7]["value"], true);
}

TEST(JsonReport, SaysWhyAValueIsAbsent) {
  const Json o = parsed()["observations"][10];
  EXPECT_EQ(o["value"], nullptr);
  EXPECT_EQ(o["reason"], "not_supported");
  EXPECT_EQ(parsed()["observations"][0]["reason"], nullptr);
}

TEST(JsonReport, KeepsStringsAndReplacesInvalidUtf8) {
  const std::string name = parsed()["observations"][8]["value"];
  EXPECT_EQ(name.rfind(testing::escape_codes + testing::script, 0), 0u);
  EXPECT_NE(name.find(testing::lines), std::string::npos);
  EXPECT_NE(name.find("bad \xef\xbf\xbd"), std::string::npos);
}

}  // namespace
}  // namespace gpuvet::report
