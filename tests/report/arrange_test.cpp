// SPDX-License-Identifier: Apache-2.0
#include "report/arrange.hpp"

#include <gtest/gtest.h>

#include "sample.hpp"

namespace gpuvet::report {
namespace {

using judge::FitStatus;
using judge::Outcome;
using judge::Status;
using judge::Verdict;

TEST(Headline, CountsCriteriaAndNotSubjects) {
  Verdict v;
  v.outcome = Outcome::unfit;
  v.stage = catalogue::Stage::acceptance;
  v.findings = {testing::finding("a", "g", "gpu:0", Status::fail),
                testing::finding("a", "g", "gpu:1", Status::fail)};
  EXPECT_EQ(headline(v), "UNFIT for acceptance: 1 criterion failed");
  v.findings.push_back(testing::finding("b", "g", "node", Status::fail));
  EXPECT_EQ(headline(v), "UNFIT for acceptance: 2 criteria failed");
}

TEST(Headline, SaysWhyWithoutAFailure) {
  Verdict v;
  v.outcome = Outcome::unfit;
  v.fits = {{"sdxl", "", FitStatus::unfit, true, {}}, {"rag", "", FitStatus::unfit, false, {}}};
  EXPECT_EQ(headline(v), "UNFIT for purchase: 1 workload asked about does not fit");

  v.outcome = Outcome::inconclusive;
  v.stage = catalogue::Stage::prejob;
  v.findings = {testing::finding("a", "g", "node", Status::no_evidence)};
  EXPECT_EQ(headline(v), "INCONCLUSIVE for the next job") << "what is not required has no say";
  v.findings[0].required = true;
  EXPECT_EQ(headline(v), "INCONCLUSIVE for the next job: 1 required criterion has no evidence");

  v.without_gpu = true;
  EXPECT_EQ(headline(v),
            "INCONCLUSIVE for the next job: no NVIDIA GPU in this machine, 1 required criterion "
            "has no evidence");
  v.without_gpu = false;

  v.outcome = Outcome::fit;
  v.findings = {testing::finding("a", "g", "node", Status::pass),
                testing::finding("b", "g", "node", Status::warn)};
  EXPECT_EQ(headline(v), "FIT for the next job: 1 criterion passed, 1 warning");
}

TEST(Counts, SayWhatIsMissingWhereNothingWasTested) {
  judge::GroupResult g;
  EXPECT_EQ(counts(g), "nothing was tested");
  g.missing = {"no log", "no offer"};
  EXPECT_EQ(counts(g), "no log; no offer");
  g.passed = 3;
  EXPECT_EQ(counts(g), "3 passed, 2 not tested");
}

TEST(Blocks, TellEqualFindingsTogether) {
  std::vector<judge::Finding> all{testing::finding("a", "g", "gpu:0", Status::fail),
                                  testing::finding("b", "h", "node", Status::fail),
                                  testing::finding("a", "g", "gpu:1", Status::fail),
                                  testing::finding("a", "g", "gpu:1", Status::fail)};
  all.push_back(testing::finding("a", "g", "gpu:2", Status::fail));
  all.back().limit = "another";
  const auto told = blocks(all, is_trouble);
  ASSERT_EQ(told.size(), 3u);
  EXPECT_EQ(subjects(told[0]), "gpu:0, gpu:1");
  EXPECT_EQ(subjects(told[2]), "gpu:2");
  const auto groups = by_group(told);
  ASSERT_EQ(groups.size(), 2u);
  EXPECT_EQ(groups[0].size(), 2u);
}

TEST(Findings, FallInExactlyOneSection) {
  for (const auto& f : testing::sample_findings())
    EXPECT_EQ(is_trouble(f) + is_missing(f) + is_quiet(f), 1) << f.id;
}

TEST(Told, SaysOnceWhatAllSay) {
  auto one = testing::finding("a", "g", "gpu:0", Status::fail), two = one;
  two.subject = "gpu:1";
  EXPECT_TRUE(told({&one, &two}).each.empty());
  one.message = two.message = "Too hot.";
  EXPECT_EQ(told({&one, &two}).each, std::vector<std::string>{"Too hot."});
  EXPECT_EQ(about({&one, &two}), "gpu:0, gpu:1");
  two.message = "Hotter.";
  EXPECT_EQ(told({&one, &two}).each, (std::vector<std::string>{"Too hot.", "Hotter."}));
  EXPECT_EQ(told({&one, &two}).common, "");
  EXPECT_EQ(about({&one, &two}), "2 findings");

  one.message = "GPU 0: 90.5 °C. Heat ages boards. Clean the fans.";
  two.message = "GPU 1: 91 °C. Heat ages boards. Clean the fans.";
  const auto both = told({&one, &two});
  EXPECT_EQ(both.each, (std::vector<std::string>{"GPU 0: 90.5 °C.", "GPU 1: 91 °C."}));
  EXPECT_EQ(both.common, "Heat ages boards. Clean the fans.");
  EXPECT_EQ(told({&one}).each, std::vector<std::string>{one.message}) << "one alone stays whole";
}

TEST(SeenTexts, ListTheValuesOfOneSourceTogether) {
  auto one = testing::sample_findings()[2], two = one, three = one;
  one.where = two.where = three.where = {};
  two.shown = "90 °C";
  two.line = 9;
  three.provenance.source = "r.txt";
  EXPECT_EQ(seen_texts({&one, &two, &one, &three}),
            (std::vector<std::string>{
                "86.5 °C, 90 °C (reported by nvidia-smi -q 580.105.08, received, q.txt)",
                "86.5 °C (reported by nvidia-smi -q 580.105.08, received, r.txt)"}));
}

TEST(SeenText, NamesValueConditionsAndProvenance) {
  const auto findings = testing::sample_findings();
  EXPECT_EQ(seen_text(findings[2]),
            "86.5 °C at bytes=16 GiB, datatype=a|b `c` *d* _e_ [f](g), gpus=8 "
            "(reported by nvidia-smi -q 580.105.08, received, q.txt)");
  EXPECT_EQ(source_text(findings[2]), "tier 2: data sheet");
  EXPECT_EQ(seen_text(findings[3]), "") << "no evidence, nothing seen";
}

}  // namespace
}  // namespace gpuvet::report
