// SPDX-License-Identifier: Apache-2.0
// dcgmi diag in both forms of three major versions: who failed what, why, and the figures.
#include <gtest/gtest.h>

#include <string>

#include "core/text.hpp"
#include "ingest/importer.hpp"
#include "reading.hpp"

namespace gpuvet::ingest {

Importer dcgm_diag();

namespace {

using namespace testing;

const std::string new_table =
    "$ dcgmi diag -r 3 -v\n"
    "Successfully ran diagnostic for group.\n"
    "+---------------------------+------------------------------------------------+\n"
    "| Diagnostic                | Result                                         |\n"
    "+===========================+================================================+\n"
    "|-----  Metadata  ----------+------------------------------------------------|\n"
    "| DCGM Version              | 4.2.3                                          |\n"
    "| Driver Version Detected   | 570.86.15                                      |\n"
    "| GPU Device IDs Detected   | 2330, 2330                                     |\n"
    "|-----  Deployment  --------+------------------------------------------------|\n"
    "| software                  | Pass                                           |\n"
    "|                           | GPU0: Pass                                     |\n"
    "|                           | GPU1: Pass                                     |\n"
    "+-----  Integration  -------+------------------------------------------------+\n"
    "| pcie                      | Fail                                           |\n"
    "|                           | GPU0: Pass                                     |\n"
    "| Info: GPU0                | GPU to Host bandwidth:\t\t51.25 GB/s           |\n"
    "|                           | GPU1: Fail                                     |\n"
    "| Warning: GPU1             | Detected 12 PCIe replays for GPU 1, which is    |\n"
    "|                           | above the limit of 8. Reconnect the PCIe card.|\n"
    "+-----  Stress  ------------+------------------------------------------------+\n"
    "| targeted_power            | Skip                                           |\n"
    "+---------------------------+------------------------------------------------+\n";

const std::string old_table =
    "+---------------------------+------------------------------------------------+\n"
    "| Diagnostic                | Result                                         |\n"
    "+===========================+================================================+\n"
    "|-----  Deployment  --------+------------------------------------------------|\n"
    "| Denylist                  | Pass                                           |\n"
    "| Persistence Mode          | Fail                                           |\n"
    "| Warning                   | Persistence mode for GPU 0 is disabled.        |\n"
    "+-----  Hardware  ----------+------------------------------------------------+\n"
    "| GPU Memory                | Fail - GPU: 1                                  |\n"
    "| Warning: GPU 1            | A DBE occurred.                                |\n"
    "|                           | Pass - GPUs: 0, 2                              |\n"
    "| PCIe                      | Pass - All                                     |\n"
    "+---------------------------+------------------------------------------------+\n";

std::string json_of(const std::string& tests, const std::string& name = "DCGM Diagnostic") {
  return "{\n\"" + name + "\": {\"test_categories\": [{\"category\": \"Hardware\", \"tests\": [\n" +
         tests + "\n]}]}}\n";
}

Evidence facts(std::string_view input) {
  auto read_back = read(dcgm_diag(), input);
  EXPECT_TRUE(read_back) << (read_back ? "" : read_back.error().message());
  return read_back ? *read_back : Evidence{};
}

Error refusal(std::string_view input) {
  const auto read_back = read(dcgm_diag(), input);
  EXPECT_FALSE(read_back);
  return read_back ? Error{} : read_back.error();
}

std::string result(const Evidence& e, std::string_view test, std::string_view subject) {
  std::string found;
  for (const auto& o : all_of(e, "diag.result", subject))
    if (std::get<std::string>(o.where.at("test")) == test)
      found += (o.text() == nullptr ? "absent" : *o.text()) + ";";
  return found;
}

TEST(DcgmDiag, ReadsTheTableOfVersion4) {
  const Evidence e = facts(new_table);
  EXPECT_EQ(number(e, "diag.level"), 3);
  EXPECT_EQ(text(e, "node.dcgm.version"), "4.2.3");
  EXPECT_EQ(text(e, "node.driver.version"), "570.86.15");
  EXPECT_EQ(result(e, "software", "gpu:dcgm#1"), "pass;");
  EXPECT_EQ(result(e, "pcie", "gpu:dcgm#0"), "pass;");
  EXPECT_EQ(result(e, "pcie", "gpu:dcgm#1"), "fail;");
  EXPECT_EQ(result(e, "pcie", "node"), "");  // says no more than its GPUs
  EXPECT_EQ(result(e, "targeted_power", "node"), "skip;");
  EXPECT_EQ(number(e, "hostlink.d2h", "gpu:dcgm#0"), 51.25e9);
  const auto errors = value<std::vector<std::string>>(e, "diag.errors", "gpu:dcgm#1");
  ASSERT_TRUE(errors);
  EXPECT_EQ(errors->at(0),
            "Detected 12 PCIe replays for GPU 1, which is above the limit of 8. Reconnect the PCIe "
            "card.");
}

TEST(DcgmDiag, ReadsTheTableOfOlderVersions) {
  const Evidence e = facts(old_table);
  EXPECT_EQ(result(e, "Denylist", "node"), "pass;");
  EXPECT_EQ(result(e, "Persistence Mode", "node"), "fail;");
  EXPECT_EQ(result(e, "GPU Memory", "gpu:dcgm#1"), "fail;");
  EXPECT_EQ(result(e, "PCIe", "node"), "pass;");
  EXPECT_EQ(value<std::vector<std::string>>(e, "diag.errors", "gpu:dcgm#1"),
            std::vector<std::string>{"A DBE occurred."});
}

TEST(DcgmDiag, AgreesBetweenTableAndJson) {
  const Evidence e = facts(json_of(
      R"({"name": "pcie", "results": [
          {"entity_group": "GPU", "entity_id": 0, "status": "Pass"},
          {"entity_group": "GPU", "entity_id": 1, "status": "Fail", "warnings": [
            {"error_id": 2, "warning": "Detected 12 PCIe replays"}]}],
          "test_summary": {"status": "Fail", "warnings": [{"warning": "Detected 12"}]}},
         {"name": "nvlink", "results": [
          {"entity_group": "NvSwitch", "entity_id": 2, "status": "Warn"}]})"));
  EXPECT_EQ(result(e, "pcie", "gpu:dcgm#1"), "fail;");
  EXPECT_EQ(result(e, "pcie", "node"), "");
  EXPECT_EQ(result(e, "nvlink", "nvswitch:dcgm#2"), "warn;");
  EXPECT_EQ(value<std::vector<std::string>>(e, "diag.errors", "gpu:dcgm#1"),
            std::vector<std::string>{"Detected 12 PCIe replays"});
  EXPECT_EQ(only(e, "diag.result", "nvswitch:dcgm#2")->line, 8U);
}

TEST(DcgmDiag, ReadsFiguresOfOldJson) {
  const Evidence e = facts(json_of(
      R"({"name": "PCIe", "results": [{"gpu_ids": "0,1", "status": "Pass", "info":
          "GPU 0 GPU 0 GPU to Host bandwidth:\t\t13.15 GB/s, GPU 1 Host to GPU bandwidth:\t12.5 GB/s, GPU 1 GPU to Host latency:\t\t2.5 us"}]},
         {"name": "Diagnostic", "results": [{"gpu_ids": "1", "status": "Pass", "info":
          "GPU 1 calculated at approximately 11103.5 gigaflops during this test"}]})",
      "DCGM GPU Diagnostic"));
  EXPECT_EQ(all_of(e, "hostlink.d2h", "gpu:dcgm#0").front().number() != nullptr, true);
  EXPECT_EQ(*all_of(e, "hostlink.d2h", "gpu:dcgm#0").front().number(), 13.15e9);
  EXPECT_TRUE(all_of(e, "hostlink.d2h", "gpu:dcgm#1").empty());
  EXPECT_EQ(*all_of(e, "hostlink.h2d", "gpu:dcgm#1").front().number(), 12.5e9);
  EXPECT_DOUBLE_EQ(*all_of(e, "hostlink.latency", "gpu:dcgm#1").front().number(), 2.5e-6);
  EXPECT_EQ(number(e, "compute.burn", "gpu:dcgm#1"), 11103.5e9);
}

TEST(DcgmDiag, KeepsUnknownOutcomesApart) {
  const Evidence e = facts(json_of(
      R"({"name": "a", "results": [{"status": "Not Run"}]}, {"name": "b", "results": [{"status": "Maybe"}]},
         {"name": "c", "results": []})"));
  ASSERT_EQ(all_of(e, "diag.result").size(), 3U);
  EXPECT_EQ(std::get<Absence>(all_of(e, "diag.result")[0].value), Absence::not_asked);
  EXPECT_EQ(std::get<Absence>(all_of(e, "diag.result")[1].value), Absence::malformed);
  EXPECT_EQ(std::get<Absence>(all_of(e, "diag.result")[2].value), Absence::not_asked);
}

TEST(DcgmDiag, RefusesWhatMayHideAFailure) {
  EXPECT_EQ(refusal(new_table.substr(0, new_table.size() - 80)).message(),
            "line 22: the table ends without its last border: the file is cut off, and what failed "
            "may be missing");
  EXPECT_TRUE(
      contains(refusal("{\"DCGM Diagnostic\": {\"test_categories\": [\n").message(), "not JSON"));
  EXPECT_TRUE(contains(refusal("{\"DCGM Diagnostic\": []}").message(), "test_categories"));
  EXPECT_TRUE(
      contains(refusal(R"({"DCGM Diagnostic": {"runtime_error": "no GPU is free"}})").message(),
               "no GPU is free"));
}

TEST(DcgmDiag, WithstandsHostileInput) {
  EXPECT_TRUE(contains(refusal("{\"DCGM Diagnostic\": " + std::string(1000, '[') + "}").message(),
                       "64 levels"));
  EXPECT_TRUE(contains(refusal(json_of(R"({"name": "PCIe", "results": [{"gpu_ids": "0",
      "status": "Pass", "info": "GPU to Host bandwidth: 13,15 GB/s"}]})"))
                           .message(),
                       "decimal comma"));
  const Evidence e =
      facts(json_of(R"({"name": "x\u001b[31m", "results": [{"gpu_ids": "-1,99999999999",
      "status": "Fail", "warnings": ["a\u0000b", 7, {"warning": []}],
      "info": "GPU to Host bandwidth: 1e999 GB/s"}]})"));
  EXPECT_EQ(result(e, "x\\x1b[31m", "node"), "fail;");
  EXPECT_TRUE(all_of(e, "hostlink.d2h").empty());
  EXPECT_FALSE(read(dcgm_diag(), std::string("| Diagnostic | Result |\n\0\n", 26)));
}

}  // namespace
}  // namespace gpuvet::ingest
