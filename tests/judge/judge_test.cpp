// SPDX-License-Identifier: Apache-2.0
// From findings to a verdict: outcome, order, scorecard, references, provenance, fits.
#include "judge/judge.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "judge/building.hpp"
#include "judge/cases.hpp"

namespace gpuvet::judge::testing {
namespace {

using catalogue::Catalogue;
using catalogue::Stage;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using Any = std::vector<std::string>;

/// "lost": required at purchase and acceptance, fails. "hot": warns from 80 °C, never fails,
/// required at no stage.
Catalogue two_criteria(std::vector<catalogue::Workload> workloads = {}) {
  return catalogue_of({criterion("lost", "gpu.lost", limit("== false", "== true"),
                                 {"health", {Stage::purchase, Stage::acceptance}}),
                       criterion("hot", "gpu.temperature.core", limit("< 80 °C"), {"thermal"})},
                      std::move(workloads));
}

Facts healthy() {
  return Facts().flag("gpu.lost"_id, "gpu:A", false).number("gpu.temperature.core"_id, "gpu:A", 40);
}
Facts lost() { return Facts().flag("gpu.lost"_id, "gpu:A", true); }

Status status_of(const Verdict& v, std::string_view id, std::string_view subject = "gpu:A") {
  const auto found = std::find_if(v.findings.begin(), v.findings.end(), [&](const Finding& f) {
    return f.id == id && f.subject == subject;
  });
  if (found == v.findings.end()) {
    ADD_FAILURE() << "no finding of " << id << " on " << subject;
    return Status::error;
  }
  return found->status;
}

Finding only_finding(const Verdict& v) {
  EXPECT_EQ(v.findings.size(), 1U);
  return v.findings.size() == 1 ? v.findings.front() : Finding{};
}

// --- outcome -------------------------------------------------------------------------------------

TEST(Outcome, IsFitWhenAllThatIsRequiredPasses) {
  const auto v = judge(healthy(), two_criteria(), {});
  EXPECT_EQ(v.outcome, Outcome::fit);
  EXPECT_THAT(v.reasons, ElementsAre(HasSubstr("Everything that purchase requires")));
}

TEST(Outcome, IsUnfitWhenACriterionFails) {
  const auto v = judge(lost(), two_criteria(), {});
  EXPECT_EQ(v.outcome, Outcome::unfit);
  EXPECT_THAT(v.reasons, ElementsAre(HasSubstr("Title of lost")));
}

TEST(Outcome, IsUnfitWhenWhatFailsIsNotRequired) {
  const auto v = judge(lost(), two_criteria(), {Stage::prejob, {}});
  EXPECT_EQ(v.outcome, Outcome::unfit);
}

TEST(Outcome, IsInconclusiveWhenWhatIsRequiredHasNoEvidence) {
  const Facts cool = Facts().number("gpu.temperature.core"_id, "gpu:A", 40);
  const auto v = judge(cool, two_criteria(), {});
  EXPECT_EQ(v.outcome, Outcome::inconclusive);
  EXPECT_THAT(v.reasons, ElementsAre(AllOf(HasSubstr("purchase"), HasSubstr("Title of lost"))));
  EXPECT_EQ(judge(cool, two_criteria(), {Stage::acceptance, {}}).outcome, Outcome::inconclusive);
  EXPECT_EQ(judge(cool, two_criteria(), {Stage::prejob, {}}).outcome, Outcome::fit);
}

TEST(Outcome, IsInconclusiveWhenTheDriverDoesNotSay) {
  const auto v = judge(Facts().absent("gpu.lost"_id, "gpu:A"), two_criteria(), {});
  EXPECT_EQ(v.outcome, Outcome::inconclusive);
}

TEST(Outcome, IsInconclusiveWhenOneGpuOfManyIsNotAnsweredFor) {
  const Facts facts =
      healthy().number("gpu.index"_id, "gpu:A", 0).number("gpu.index"_id, "gpu:B", 1);
  EXPECT_EQ(judge(facts, two_criteria(), {}).outcome, Outcome::inconclusive);
}

TEST(Outcome, IsInconclusiveWhenNoLimitCoversTheFigure) {
  auto catalogue = two_criteria();
  catalogue.criteria[0].limits[0].when.terms = {term("gpu.sku", Any{"other"})};
  const auto v = judge(healthy(), catalogue, {});
  EXPECT_EQ(v.outcome, Outcome::inconclusive);
  EXPECT_EQ(status_of(v, "lost"), Status::no_evidence);
}

TEST(Outcome, FailureBeatsMissingEvidence) {
  auto catalogue = two_criteria();
  catalogue.criteria[1].required_at = {Stage::purchase};
  const auto v = judge(lost(), catalogue, {});
  EXPECT_EQ(v.outcome, Outcome::unfit);
  EXPECT_THAT(v.reasons, ElementsAre(HasSubstr("Title of lost"), HasSubstr("Title of hot")));
}

TEST(Outcome, WarningsKeepItFit) {
  const auto v = judge(
      Facts().flag("gpu.lost"_id, "gpu:A", false).number("gpu.temperature.core"_id, "gpu:A", 80),
      two_criteria(), {});
  EXPECT_EQ(status_of(v, "hot"), Status::warn);
  EXPECT_EQ(v.outcome, Outcome::fit);
  EXPECT_THAT(v.reasons, ElementsAre(HasSubstr("Title of hot")));
}

TEST(Outcome, WhatDoesNotApplyIsNotMissing) {
  auto catalogue = two_criteria();
  catalogue.criteria[0].applies.terms = {term("topology.gpu_count", "> 1")};
  const Facts single = Facts().number("topology.gpu_count"_id, "node", 1);
  const auto v = judge(single, catalogue, {});
  EXPECT_EQ(status_of(v, "lost", "node"), Status::not_applicable);
  EXPECT_EQ(v.outcome, Outcome::fit);
}

TEST(Outcome, OfNothingIsInconclusive) {
  const auto v = judge({}, two_criteria(), {});
  EXPECT_EQ(v.outcome, Outcome::inconclusive);
  EXPECT_EQ(v.findings.size(), 2U);
}

TEST(Outcome, CarriesStageDigestAndEvidence) {
  const auto v = judge(healthy(), two_criteria(), {Stage::acceptance, {}});
  EXPECT_EQ(v.stage, Stage::acceptance);
  EXPECT_EQ(v.catalogue, "digest");
  EXPECT_EQ(v.evidence.observations.size(), 2U);
}

// --- workloads -----------------------------------------------------------------------------------

struct AskedFor {
  std::string_view what;
  double memory;  ///< of gpu:A; 0: unknown
  std::string otherwise;
  FitStatus fit;
  Outcome outcome;
};

TEST(AskedWorkload, ChangesTheOutcomeAndAnUnaskedOneDoesNot) {
  const AskedFor rows[] = {
      {"large enough", 100, "unfit", FitStatus::fit, Outcome::fit},
      {"too small", 99, "unfit", FitStatus::unfit, Outcome::unfit},
      {"doubtful", 99, "uncertain", FitStatus::uncertain, Outcome::inconclusive},
      {"unknown", 0, "unfit", FitStatus::no_evidence, Outcome::inconclusive},
  };
  for (const auto& row : rows) {
    SCOPED_TRACE(row.what);
    const auto catalogue =
        two_criteria({workload("train", "gpu.memory.total", ">= 100 B", row.otherwise)});
    Facts facts = healthy();
    if (row.memory > 0) facts.number("gpu.memory.total"_id, "gpu:A", row.memory);
    const auto asked = judge(facts, catalogue, {Stage::purchase, {"train"}});
    ASSERT_EQ(asked.fits.size(), 1U);
    EXPECT_TRUE(asked.fits[0].asked);
    EXPECT_EQ(asked.fits[0].status, row.fit);
    EXPECT_EQ(asked.outcome, row.outcome);
    if (row.outcome == Outcome::fit)
      EXPECT_THAT(asked.reasons, ElementsAre(Not(HasSubstr("train"))));
    else
      EXPECT_THAT(asked.reasons, ElementsAre(HasSubstr("train: ")));

    const auto unasked = judge(facts, catalogue, {Stage::purchase, {"something else"}});
    ASSERT_EQ(unasked.fits.size(), 1U);
    EXPECT_FALSE(unasked.fits[0].asked);
    EXPECT_EQ(unasked.fits[0].status, row.fit);
    EXPECT_EQ(unasked.outcome, Outcome::fit);
  }
}

TEST(AskedWorkload, OneOfTwoThatIsUnfitIsEnough) {
  const auto catalogue =
      two_criteria({workload("small", "gpu.memory.total", ">= 1 GiB"),
                    workload("doubtful", "gpu.memory.total", ">= 200 GiB", "uncertain"),
                    workload("large", "gpu.memory.total", ">= 100 GiB")});
  const Facts facts = healthy().number("gpu.memory.total"_id, "gpu:A", 80.0 * (1 << 30));
  const auto v = judge(facts, catalogue, {Stage::purchase, {"large", "small", "doubtful"}});
  EXPECT_EQ(v.outcome, Outcome::unfit);
  EXPECT_THAT(v.reasons, ElementsAre(HasSubstr("doubtful: uncertain"), HasSubstr("large: unfit")));
}

TEST(AskedWorkload, ThatFitsDoesNotHealAFailure) {
  const auto catalogue = two_criteria({workload("small", "gpu.memory.total", ">= 1 GiB")});
  const Facts facts = lost().number("gpu.memory.total"_id, "gpu:A", 80.0 * (1 << 30));
  EXPECT_EQ(judge(facts, catalogue, {Stage::purchase, {"small"}}).outcome, Outcome::unfit);
}

// --- order ---------------------------------------------------------------------------------------

TEST(Findings, StandWorstFirstThenByGroupCriterionAndGpu) {
  const auto flag = [](std::string id, std::string group, std::string_view pass,
                       std::string_view fail, std::vector<Stage> required = {}) {
    return criterion(id, "gpu." + id, limit(pass, fail), {std::move(group), std::move(required)});
  };
  auto catalogue = catalogue_of({
      flag("ecc.mode", "health", "== true", ""),                             // passes
      flag("fabric.health", "health", "== Healthy", "", {Stage::purchase}),  // required, missing
      flag("persistence", "health", "== true", ""),                          // missing
      flag("mig.mode", "health", "== false", ""),                            // warns
      flag("recovery_action", "health", "", "!= None"),                      // fails
      flag("temperature.core", "thermal", "", "> 90 °C"),                    // fails
      flag("temperature.memory", "thermal", "< 90 °C", ""),                  // warns
      flag("retired_pages", "health", "== 0", ""),                           // does not apply
  });
  catalogue.criteria.back().applies.terms = {term("gpu.datacenter", Any{"true"})};
  Facts facts;
  for (const int n : {10, 9}) {
    const std::string gpu = "gpu:" + std::to_string(100 - n);
    facts.number("gpu.index"_id, gpu, n)
        .flag("gpu.ecc.mode"_id, gpu, true)
        .flag("gpu.mig.mode"_id, gpu, true)
        .text("gpu.recovery_action"_id, gpu, "Reset")
        .number("gpu.temperature.core"_id, gpu, 91)
        .number("gpu.temperature.memory"_id, gpu, 91)
        .number("gpu.retired_pages"_id, gpu, 7)
        .flag("gpu.datacenter"_id, gpu, false);
  }
  std::vector<std::string> order;
  for (const auto& f : judge(facts, catalogue, {}).findings)
    order.push_back(std::string(name(f.status)) + " " + f.id + " " + f.label);
  EXPECT_THAT(order, ElementsAre("fail temperature.core GPU 9", "fail temperature.core GPU 10",
                                 "fail recovery_action GPU 9", "fail recovery_action GPU 10",
                                 "no_evidence fabric.health node",  //
                                 "warn temperature.memory GPU 9", "warn temperature.memory GPU 10",
                                 "warn mig.mode GPU 9", "warn mig.mode GPU 10",  //
                                 "pass ecc.mode GPU 9", "pass ecc.mode GPU 10",  //
                                 "no_evidence persistence node",                 //
                                 "not_applicable retired_pages GPU 9",
                                 "not_applicable retired_pages GPU 10"));
}

// --- scorecard -----------------------------------------------------------------------------------

GroupResult group(const Verdict& v, std::string_view id) {
  return *std::find_if(v.groups.begin(), v.groups.end(),
                       [&](const auto& g) { return g.group == id; });
}

TEST(Groups, StandInCatalogueOrderWithTheirTitleAndKind) {
  const auto v = judge({}, two_criteria(), {});
  ASSERT_EQ(v.groups.size(), 3U);
  EXPECT_EQ(v.groups[0].group, "thermal");
  EXPECT_EQ(v.groups[0].title, "Thermal");
  EXPECT_EQ(v.groups[0].kind, catalogue::GroupKind::benchmark);
  EXPECT_EQ(v.groups[1].group, "health");
  EXPECT_EQ(v.groups[1].kind, catalogue::GroupKind::other);
  EXPECT_EQ(v.groups[2].group, "cost");
}

TEST(Groups, WithoutCriteriaSayWhatItWouldTake) {
  const auto& cost = group(judge(healthy(), two_criteria(), {}), "cost");
  EXPECT_EQ(cost.status, Status::no_evidence);
  EXPECT_THAT(cost.missing, ElementsAre(HasSubstr("a price")));
}

struct GroupRow {
  std::string_view what;
  Facts facts;
  Status status;
  std::size_t passed, warned, failed, missing;
};

TEST(Groups, TakeTheWorstThatTheirCriteriaSay) {
  // Required: lost. Not required: pages (warns from 1, fails from 64) and ECC.
  const auto catalogue = catalogue_of(
      {criterion("lost", "gpu.lost", limit("== false", "== true"), {"health", {Stage::purchase}}),
       criterion("pages", "gpu.retired_pages", limit("== 0", ">= 64")),
       criterion("ecc", "gpu.ecc.mode", limit("== true", "== false"))});
  const auto pages = [](Facts f, double n) { return f.number("gpu.retired_pages"_id, "gpu:A", n); };
  const auto ecc = [](Facts f) { return f.flag("gpu.ecc.mode"_id, "gpu:A", true); };
  const Facts alive = Facts().flag("gpu.lost"_id, "gpu:A", false);
  const GroupRow rows[] = {
      {"nothing, and what it would take", {}, Status::no_evidence, 0, 0, 0, 4},
      {"all pass", ecc(pages(alive, 0)), Status::pass, 3, 0, 0, 0},
      {"one missing that is not required", pages(alive, 0), Status::pass, 2, 0, 0, 1},
      {"one warns", ecc(pages(alive, 1)), Status::warn, 2, 1, 0, 0},
      {"one warns, one is missing and not required", pages(alive, 1), Status::warn, 1, 1, 0, 1},
      {"one fails", ecc(pages(alive, 64)), Status::fail, 2, 0, 1, 0},
      {"one passes, the required one is missing", pages({}, 0), Status::no_evidence, 1, 0, 0, 2},
      {"one warns, the required one is missing", pages({}, 1), Status::no_evidence, 0, 1, 0, 2},
      {"one fails, the required one is missing", pages({}, 64), Status::fail, 0, 0, 1, 2},
  };
  for (const auto& row : rows) {
    SCOPED_TRACE(row.what);
    const auto v = judge(row.facts, catalogue, {});
    const auto& health = group(v, "health");
    EXPECT_EQ(health.status, row.status);
    EXPECT_EQ(health.passed, row.passed);
    EXPECT_EQ(health.warned, row.warned);
    EXPECT_EQ(health.failed, row.failed);
    EXPECT_EQ(health.missing.size(), row.missing);
    EXPECT_EQ(group(v, "thermal").missing.size(), 1U);
  }
}

TEST(Groups, NameEachMissingCriterionOnceWithItsReason) {
  const auto catalogue = two_criteria();
  Facts facts;
  facts.number("gpu.index"_id, "gpu:A", 0).number("gpu.index"_id, "gpu:B", 1);
  facts.absent("gpu.lost"_id, "gpu:A", Absence::permission).flag("gpu.lost"_id, "gpu:B", false);
  const auto v = judge(facts, catalogue, {});
  EXPECT_THAT(group(v, "health").missing,
              ElementsAre(AllOf(HasSubstr("Title of lost: "), HasSubstr("GPU 0"),
                                HasSubstr("permission"))));
  EXPECT_THAT(group(v, "thermal").missing,
              ElementsAre("Needs a thermal log.", "Title of hot: Nothing sent answers this."));
}

TEST(Groups, DoNotRepeatWhatIsMissingInTheSameWords) {
  const Facts facts =
      Facts()
          .absent("collective.all_reduce.busbw"_id, "node", Absence::malformed, {{"gpus", 8.0}})
          .absent("collective.all_reduce.busbw"_id, "node", Absence::malformed, {{"gpus", 4.0}});
  const auto v = judge(
      facts,
      catalogue_of({criterion("bandwidth", "collective.all_reduce.busbw", limit(">= 10 B/s"))}),
      {});
  EXPECT_EQ(v.findings.size(), 2U);
  EXPECT_THAT(group(v, "health").missing,
              ElementsAre(HasSubstr("Needs"), HasSubstr("The same holds of 1 more.")));
}

TEST(Groups, AreNotMissingWhatDoesNotApply) {
  auto catalogue = two_criteria();
  catalogue.criteria[0].applies.terms = {term("gpu.datacenter", Any{"true"})};
  catalogue.criteria[1].group = "health";
  const auto v = judge(healthy().flag("gpu.datacenter"_id, "gpu:A", false), catalogue, {});
  const auto& health = group(v, "health");
  EXPECT_EQ(health.status, Status::pass);
  EXPECT_EQ(health.passed, 1U);
  EXPECT_TRUE(health.missing.empty());
}

// --- one finding
// -----------------------------------------------------------------------------------

TEST(Finding, SaysWhatWasSeenAgainstWhichLimit) {
  Evidence evidence =
      Facts().number("gpu.temperature.core"_id, "gpu:A", 85.5).number("gpu.index"_id, "gpu:A", 3);
  evidence.observations[0].line = 17;
  const auto v = judge(
      evidence,
      catalogue_of({criterion("hot", "gpu.temperature.core", limit("< 80 °C", "> 90 °C"))}), {});
  const auto& f = only_finding(v);
  EXPECT_EQ(f.status, Status::warn);
  EXPECT_EQ(f.title, "Title of hot");
  EXPECT_EQ(f.group, "health");
  EXPECT_EQ(f.label, "GPU 3");
  EXPECT_EQ(f.observation, "gpu.temperature.core");
  EXPECT_EQ(std::get<double>(std::get<Value>(f.value)), 85.5);
  EXPECT_EQ(f.unit, Unit::celsius);
  EXPECT_EQ(f.shown, "85.5 °C");
  EXPECT_EQ(f.limit, "pass < 80 °C, fail > 90 °C");
  EXPECT_EQ(f.source, "source of < 80 °C> 90 °C");
  EXPECT_EQ(f.tier, 2);
  EXPECT_EQ(f.line, 17U);
  EXPECT_EQ(f.provenance.source, "facts.txt");
  EXPECT_THAT(f.message,
              AllOf(HasSubstr("GPU 3"), HasSubstr("85.5 °C"), HasSubstr("Because of hot.")));
  EXPECT_THAT(f.next, ElementsAre("Mend hot."));
}

TEST(Finding, TellsTheObservationsOwnStoryWhereItHasOne) {
  const auto v = judge(lost().detail("NVML says: GPU is lost."), two_criteria(), {});
  EXPECT_THAT(v.findings[0].message, AllOf(HasSubstr("NVML says"), Not(HasSubstr("Because of"))));
}

TEST(Finding, OfAPassAsksForNothing) {
  const auto v = judge(healthy(), two_criteria(), {});
  for (const auto& f : v.findings) {
    EXPECT_EQ(f.status, Status::pass);
    EXPECT_TRUE(f.next.empty());
    EXPECT_THAT(f.message, Not(HasSubstr("Because of")));
  }
}

TEST(Finding, WithoutEvidenceSaysWhatToSend) {
  const auto v = judge({}, two_criteria(), {});
  for (const auto& f : v.findings) {
    EXPECT_EQ(f.subject, "node");
    EXPECT_TRUE(f.observation.empty());
    EXPECT_EQ(f.value.index(), 0U);
    EXPECT_EQ(f.tier, 0);
    EXPECT_THAT(f.next, ElementsAre(HasSubstr("what shows " + f.id)));
  }
}

TEST(Finding, IsTheWorstOfSourcesThatSpeakOfTheSame) {
  for (const bool worst_first : {true, false}) {
    const Facts facts = Facts()
                            .number("gpu.temperature.core"_id, "gpu:A", worst_first ? 85 : 40)
                            .number("gpu.temperature.core"_id, "gpu:A", worst_first ? 40 : 85);
    const auto v = judge(
        facts, catalogue_of({criterion("hot", "gpu.temperature.core", limit("< 80 °C"))}), {});
    EXPECT_EQ(only_finding(v).status, Status::warn);
    EXPECT_EQ(only_finding(v).shown, "85 °C");
  }
}

TEST(Finding, OneSourceThatAnswersIsEnough) {
  for (const bool absent_first : {true, false}) {
    Facts facts;
    if (absent_first) facts.absent("gpu.lost"_id, "gpu:A");
    facts.flag("gpu.lost"_id, "gpu:A", false);
    if (!absent_first) facts.absent("gpu.lost"_id, "gpu:A");
    EXPECT_EQ(status_of(judge(facts, two_criteria(), {}), "lost"), Status::pass);
  }
}

TEST(Finding, StandsForEachSetOfConditions) {
  const auto catalogue =
      catalogue_of({criterion("bandwidth", "collective.all_reduce.busbw", limit(">= 10 B/s"))});
  const Facts facts = Facts()
                          .number("collective.all_reduce.busbw"_id, "node", 20, {{"gpus", 8.0}})
                          .number("collective.all_reduce.busbw"_id, "node", 5, {{"gpus", 4.0}});
  const auto v = judge(facts, catalogue, {});
  ASSERT_EQ(v.findings.size(), 2U);
  EXPECT_EQ(v.findings[0].status, Status::warn);
  EXPECT_EQ(std::get<double>(v.findings[0].where.at("gpus")), 4);
  EXPECT_THAT(v.findings[0].message, HasSubstr("gpus=4"));
  EXPECT_EQ(v.findings[1].status, Status::pass);
}

TEST(Finding, NoLimitForTheCaseIsNoEvidence) {
  auto catalogue = catalogue_of({criterion("hot", "gpu.temperature.core", limit("< 80 °C"))});
  catalogue.criteria[0].limits[0].when.terms = {term("gpu.sku", Any{"other"})};
  const auto v = judge(healthy(), catalogue, {});
  EXPECT_EQ(only_finding(v).status, Status::no_evidence);
  EXPECT_EQ(only_finding(v).limit, "");
  EXPECT_EQ(only_finding(v).shown, "40 °C");
  EXPECT_THAT(only_finding(v).message, HasSubstr("no limit for this case"));
}

TEST(Finding, OfALogThatDoesNotCountSaysWhy) {
  auto catalogue =
      catalogue_of({criterion("hot", "thermal.temperature.core.max", limit("< 80 °C"))});
  catalogue.criteria[0].only_if = "thermal.log.admissible";
  Facts facts = Facts().number("thermal.temperature.core.max"_id, "gpu:A", 40);
  const auto unknown = judge(facts, catalogue, {});
  EXPECT_EQ(only_finding(unknown).status, Status::no_evidence);
  EXPECT_THAT(only_finding(unknown).message, HasSubstr("thermal.log.admissible is unknown"));
  facts.flag("thermal.log.admissible"_id, "gpu:A", false).detail("it lasts 2 h of 48 h");
  const auto shorter = judge(facts, catalogue, {});
  EXPECT_EQ(only_finding(shorter).status, Status::no_evidence);
  EXPECT_THAT(only_finding(shorter).message, HasSubstr("it lasts 2 h of 48 h"));
  EXPECT_THAT(only_finding(shorter).next, ElementsAre(HasSubstr("what shows hot")));
}

// --- GPUs that evidence leaves out ---------------------------------------------------------------

TEST(LeftOutGpu, DoesNotPassBySilence) {
  const Facts known = Facts()
                          .text("gpu.name"_id, "gpu:B", "NVIDIA A100")
                          .number("gpu.index"_id, "gpu:C", 2)
                          .text("topology.row"_id, "gpu:D", "X NV12")
                          .number("gpu.power.draw"_id, "gpu:E", 60);  // does not make a GPU known
  const auto v = judge(Facts(known).flag("gpu.lost"_id, "gpu:A", false),
                       catalogue_of({criterion("lost", "gpu.lost", limit("== false"),
                                               {"health", {Stage::purchase}})}),
                       {});
  ASSERT_EQ(v.findings.size(), 4U);
  EXPECT_EQ(status_of(v, "lost", "gpu:A"), Status::pass);
  for (const auto* gpu : {"gpu:B", "gpu:C", "gpu:D"})
    EXPECT_EQ(status_of(v, "lost", gpu), Status::no_evidence);
  EXPECT_EQ(v.outcome, Outcome::inconclusive);
  EXPECT_TRUE(v.findings[0].required);
}

TEST(LeftOutGpu, CountsForThermalCriteriaToo) {
  const Facts facts = Facts()
                          .number("thermal.temperature.core.max"_id, "gpu:A", 40)
                          .number("gpu.index"_id, "gpu:B", 1);
  const auto v =
      judge(facts,
            catalogue_of({criterion("hot", "thermal.temperature.core.max", limit("< 80 °C"))}), {});
  EXPECT_EQ(status_of(v, "hot", "gpu:B"), Status::no_evidence);
}

TEST(LeftOutGpu, IsNotMissedWhereTheServerIsJudged) {
  const Facts facts =
      Facts().number("topology.nic_count"_id, "node", 8).number("gpu.index"_id, "gpu:B", 1);
  const auto v =
      judge(facts, catalogue_of({criterion("nics", "topology.nic_count", limit(">= 8"))}), {});
  EXPECT_EQ(only_finding(v).status, Status::pass);
}

TEST(LeftOutGpu, IsNotMissedWhereOneAnswerHoldsForAll) {
  const Facts facts = Facts().flag("gpu.lost"_id, "node", false).number("gpu.index"_id, "gpu:B", 1);
  EXPECT_EQ(only_finding(
                judge(facts, catalogue_of({criterion("lost", "gpu.lost", limit("== false"))}), {}))
                .subject,
            "node");
}

TEST(LeftOutGpu, IsMissedWhereNobodyKnowsWhetherTheCriterionApplies) {
  auto catalogue = catalogue_of({criterion("lost", "gpu.lost", limit("== false"))});
  catalogue.criteria[0].applies.terms = {term("gpu.uuid", Any{"GPU-1"})};
  const Facts facts = Facts()
                          .flag("gpu.lost"_id, "gpu:A", false)
                          .text("gpu.uuid"_id, "gpu:A", "GPU-1")
                          .text("gpu.uuid"_id, "gpu:C", "GPU-3")
                          .number("gpu.index"_id, "gpu:B", 1);
  EXPECT_EQ(status_of(judge(facts, catalogue, {}), "lost", "gpu:B"), Status::no_evidence);
}

TEST(LeftOutGpu, IsNotMissedWhereTheCriterionDoesNotApplyToIt) {
  auto catalogue = catalogue_of({criterion("lost", "gpu.lost", limit("== false"))});
  catalogue.criteria[0].applies.terms = {term("gpu.datacenter", Any{"true"})};
  const Facts facts = Facts()
                          .flag("gpu.lost"_id, "gpu:A", false)
                          .number("gpu.index"_id, "gpu:B", 1)
                          .flag("gpu.datacenter"_id, "gpu:B", false);
  EXPECT_EQ(only_finding(judge(facts, catalogue, {})).subject, "gpu:A");
}

// --- references
// ------------------------------------------------------------------------------------

TEST(Siblings, MedianIsThatOfTheOthers) {
  const auto catalogue = catalogue_of({criterion(
      "hot", "gpu.temperature.core", limit("<= ref + 10 K", "> ref + 20 K", "siblings:median"))});
  Facts facts = Facts()
                    .number("gpu.temperature.core"_id, "gpu:A", 50)
                    .number("gpu.temperature.core"_id, "gpu:B", 53)
                    .absent("gpu.temperature.core"_id, "gpu:D");
  const auto at = [&](double hottest) {
    return judge(Facts(facts).number("gpu.temperature.core"_id, "gpu:C", hottest), catalogue, {});
  };
  // Of A and B the median is 51.5.
  EXPECT_EQ(status_of(at(61.5), "hot", "gpu:C"), Status::pass);
  EXPECT_EQ(status_of(at(61.6), "hot", "gpu:C"), Status::warn);
  EXPECT_EQ(status_of(at(71.5), "hot", "gpu:C"), Status::warn);
  EXPECT_EQ(status_of(at(71.6), "hot", "gpu:C"), Status::fail);
  EXPECT_EQ(status_of(at(71.6), "hot", "gpu:A"), Status::pass);
  EXPECT_EQ(status_of(at(71.6), "hot", "gpu:D"), Status::no_evidence);
  EXPECT_EQ(at(71.6).findings[0].limit, "pass <= 61.5 °C, fail > 71.5 °C (siblings:median)");
}

TEST(Siblings, AreComparedUnderTheSameConditions) {
  const auto catalogue = catalogue_of(
      {criterion("slow", "memory.bandwidth.copy", limit(">= 0.9 ref", "", "siblings:median"))});
  const Where large = {{"bytes", 512.0}}, small = {{"bytes", 1.0}};
  Facts facts = Facts()
                    .number("memory.bandwidth.copy"_id, "gpu:A", 85, large)
                    .number("memory.bandwidth.copy"_id, "gpu:B", 10, small);
  EXPECT_EQ(status_of(judge(facts, catalogue, {}), "slow", "gpu:A"), Status::no_evidence);
  facts.number("memory.bandwidth.copy"_id, "gpu:B", 100, large)
      .number("memory.bandwidth.copy"_id, "gpu:B", 10, small);
  EXPECT_EQ(status_of(judge(facts, catalogue, {}), "slow", "gpu:A"), Status::warn);
}

TEST(Siblings, OneGpuHasNone) {
  const auto catalogue = catalogue_of(
      {criterion("hot", "gpu.temperature.core", limit("<= ref + 10 K", "", "siblings:median"))});
  EXPECT_EQ(
      only_finding(judge(Facts().number("gpu.temperature.core"_id, "gpu:A", 99), catalogue, {}))
          .status,
      Status::no_evidence);
}

TEST(Reference, FactorAndOffsetApply) {
  const auto catalogue =
      catalogue_of({criterion("limit", "gpu.power.limit",
                              limit(">= 0.9 ref", "< 0.5 ref - 10 W", "gpu:power.limit.default"))});
  const auto at = [&](double watts) {
    return only_finding(judge(Facts()
                                  .number("gpu.power.limit"_id, "gpu:A", watts)
                                  .number("gpu.power.limit.default"_id, "gpu:A", 400),
                              catalogue, {}))
        .status;
  };
  EXPECT_EQ(at(360), Status::pass);
  EXPECT_EQ(at(359.9), Status::warn);
  EXPECT_EQ(at(190), Status::warn);
  EXPECT_EQ(at(189.9), Status::fail);
}

TEST(Reference, CanBeAnotherObservationOrMissing) {
  const Facts facts =
      Facts().number("gpu.memory.used"_id, "gpu:A", 10).number("gpu.memory.total"_id, "gpu:A", 80);
  const auto with = [&](std::string of) {
    return only_finding(judge(facts,
                              catalogue_of({criterion("used", "gpu.memory.used",
                                                      limit("<= 0.5 ref", "", std::move(of)))}),
                              {}));
  };
  EXPECT_EQ(with("model:gpu.memory.total").status, Status::pass);
  EXPECT_EQ(with("gpu:memory.total").status, Status::pass);
  for (const auto* of :
       {"baseline", "sku:memory", "gpu:memory.none", "model:gpu.power.draw", "siblings:median"}) {
    EXPECT_EQ(with(of).status, Status::no_evidence) << of;
    EXPECT_EQ(with(of).limit, "") << of;
  }
}

TEST(Reference, TheWorstLimitThatHasOneDecides) {
  auto hot = criterion("hot", "gpu.temperature.core",
                       limit("<= ref", "", "gpu:temperature.limit.max_operating"));
  hot.limits.push_back(limit("<= ref", "> ref + 5 K", "gpu:temperature.limit.memory"));
  const auto catalogue = catalogue_of({hot});
  Facts facts = Facts().number("gpu.temperature.core"_id, "gpu:A", 90);
  EXPECT_EQ(only_finding(judge(facts, catalogue, {})).status, Status::no_evidence);
  facts.number("gpu.temperature.limit.max_operating"_id, "gpu:A", 85);
  EXPECT_EQ(only_finding(judge(facts, catalogue, {})).status, Status::warn);
  facts.number("gpu.temperature.limit.memory"_id, "gpu:A", 80);
  const auto v = judge(facts, catalogue, {});
  EXPECT_EQ(only_finding(v).status, Status::fail);
  EXPECT_THAT(only_finding(v).limit, HasSubstr("gpu:temperature.limit.memory"));
}

// --- provenance
// --------------------------------------------------------------------------------------

TEST(Provenance, IsTheWeakestOfFigureAndReference) {
  const auto catalogue = catalogue_of(
      {criterion("limit", "gpu.power.limit", limit(">= ref", "", "gpu:power.limit.default"))});
  struct Row {
    How figure, reference;
    Custody figure_from, reference_from;
    How how;
    Custody custody;
  };
  const Row rows[] = {
      {How::measured, How::measured, Custody::own, Custody::own, How::measured, Custody::own},
      {How::measured, How::claimed, Custody::own, Custody::own, How::claimed, Custody::own},
      {How::claimed, How::measured, Custody::own, Custody::own, How::claimed, Custody::own},
      {How::measured, How::measured, Custody::own, Custody::received, How::measured,
       Custody::received},
      {How::modelled, How::measured, Custody::own, Custody::simulated, How::modelled,
       Custody::simulated},
      {How::reported, How::assumed, Custody::received, Custody::own, How::assumed,
       Custody::received},
  };
  for (const auto& row : rows) {
    const Facts facts = Facts()
                            .known(row.figure, row.figure_from)
                            .number("gpu.power.limit"_id, "gpu:A", 400)
                            .known(row.reference, row.reference_from)
                            .number("gpu.power.limit.default"_id, "gpu:A", 400);
    const auto v = judge(facts, catalogue, {});
    EXPECT_EQ(only_finding(v).status, Status::pass);
    EXPECT_EQ(only_finding(v).provenance.how, row.how);
    EXPECT_EQ(only_finding(v).provenance.custody, row.custody);
  }
}

TEST(Provenance, IsNotWeakenedByAReferenceThatDoesNotDecide) {
  auto hot = criterion("hot", "gpu.temperature.core", limit("<= 85 °C"));
  hot.limits.push_back(limit("<= ref", "", "gpu:temperature.limit.max_operating"));
  const Facts facts = Facts()
                          .known(How::measured, Custody::own)
                          .number("gpu.temperature.core"_id, "gpu:A", 90)
                          .known(How::claimed)
                          .number("gpu.temperature.limit.max_operating"_id, "gpu:A", 95);
  const auto v = judge(facts, catalogue_of({hot}), {});
  EXPECT_EQ(only_finding(v).status, Status::warn);
  EXPECT_EQ(only_finding(v).provenance.how, How::measured);
  EXPECT_EQ(only_finding(v).provenance.custody, Custody::own);
}

// --- fits
// ----------------------------------------------------------------------------------------------

constexpr double GB = 1e9, GiB = 1024.0 * 1024 * 1024;

/// More than any workload asks for.
struct Server {
  double node_memory = 100'000 * GB;
  double gpu_memory = 1024 * GiB;
  std::string topology = "nvswitch";
  double nics = 64;

  [[nodiscard]] Evidence evidence() const {
    return Facts()
        .number("node.gpu.memory"_id, "node", node_memory)
        .text("topology.class"_id, "node", topology)
        .number("node.nic.rdma.fast"_id, "node", nics)
        .number("gpu.memory.total"_id, "gpu:A", gpu_memory)
        .number("gpu.memory.total"_id, "gpu:B", 2 * gpu_memory);
  }
};

Fit fit_of(const std::string& id, Evidence evidence) {
  for (const auto& fit : judge(std::move(evidence), embedded_catalogue(), {}).fits)
    if (fit.workload == id) return fit;
  ADD_FAILURE() << "no workload " << id;
  return {};
}

struct NeedRow {
  std::string workload, reads;
  Server enough, short_of;
  FitStatus otherwise;
};

Server node_memory(double bytes) { return {.node_memory = bytes}; }
Server gpu_memory(double bytes) { return {.gpu_memory = bytes}; }
Server topology(std::string name) { return {.topology = std::move(name)}; }
Server nics(double n) { return {.nics = n}; }

TEST(Fits, TurnAtTheThresholdOfEveryNeed) {
  const auto unfit = FitStatus::unfit, uncertain = FitStatus::uncertain;
  const auto node = [&](std::string workload, double gb) {
    return NeedRow{std::move(workload), "node.gpu.memory", node_memory(gb * GB),
                   node_memory(gb * GB - 1), unfit};
  };
  const auto gpu = [&](std::string workload, double gib, FitStatus otherwise) {
    return NeedRow{std::move(workload), "gpu.memory.total", gpu_memory(gib * GiB),
                   gpu_memory(gib * GiB - 1), otherwise};
  };
  const auto linked = [&](std::string workload, FitStatus otherwise) {
    return NeedRow{std::move(workload), "topology.class", topology("nvlink-partial"),
                   topology("pcie"), otherwise};
  };
  const NeedRow rows[] = {
      node("llama3-70b-full", 1300),
      linked("llama3-70b-full", unfit),
      gpu("llama3-70b-qlora", 44, unfit),
      node("llama3-8b-full", 160),
      linked("llama3-8b-full", uncertain),
      gpu("llama3-8b-lora", 22, unfit),
      node("multi-node-dpo", 160),
      {"multi-node-dpo", "node.nic.rdma.fast", nics(2), nics(1), uncertain},
      linked("multi-node-dpo", uncertain),
      gpu("multimodal", 70, uncertain),
      gpu("rag-128k", 38, unfit),
      gpu("resnet50", 15, unfit),
      gpu("sdxl", 38, uncertain),
      gpu("serve-13b", 38, unfit),
      gpu("serve-7b", 22, unfit),
      gpu("whisper-large-v3", 38, unfit),
  };
  std::multiset<std::string> covered, needed;
  for (const auto& row : rows) {
    SCOPED_TRACE(row.workload + " " + row.reads);
    covered.insert(row.workload + " " + row.reads);
    const Fit enough = fit_of(row.workload, row.enough.evidence());
    EXPECT_EQ(enough.status, FitStatus::fit);
    EXPECT_FALSE(enough.because.empty());
    const Fit short_of = fit_of(row.workload, row.short_of.evidence());
    EXPECT_EQ(short_of.status, row.otherwise);
    EXPECT_THAT(short_of.because, ElementsAre(HasSubstr(row.reads)));
  }
  for (const auto& workload : embedded_catalogue().workloads)
    for (const auto& need : workload.needs) needed.insert(workload.id + " " + need.reads);
  EXPECT_EQ(covered, needed);
}

TEST(Fits, OneGpuTooSmallIsEnough) {
  const Facts facts = Facts()
                          .number("gpu.memory.total"_id, "gpu:A", 80 * GiB)
                          .number("gpu.memory.total"_id, "gpu:B", 10 * GiB)
                          .number("gpu.memory.total"_id, "gpu:C", 11 * GiB);
  const Fit fit = fit_of("serve-7b", facts);
  EXPECT_EQ(fit.status, FitStatus::unfit);
  EXPECT_THAT(fit.because, ElementsAre(AllOf(HasSubstr("10 GiB"), HasSubstr(">= 22 GiB"))));
}

TEST(Fits, NothingKnownIsNoEvidence) {
  for (const auto& fit : judge({}, embedded_catalogue(), {}).fits) {
    EXPECT_EQ(fit.status, FitStatus::no_evidence) << fit.workload;
    EXPECT_THAT(fit.because, Not(::testing::IsEmpty())) << fit.workload;
  }
}

TEST(Fits, HalfKnownIsUncertainUnlessWhatIsKnownRulesItOut) {
  const Facts memory = Facts().number("node.gpu.memory"_id, "node", 640 * GB);
  const Fit half = fit_of("llama3-8b-full", memory);
  EXPECT_EQ(half.status, FitStatus::uncertain);
  EXPECT_THAT(half.because, ElementsAre(HasSubstr("topology.class is unknown")));
  EXPECT_EQ(fit_of("llama3-70b-full", memory).status, FitStatus::unfit);
  EXPECT_EQ(fit_of("llama3-8b-full", Facts()
                                         .absent("node.gpu.memory"_id, "node")
                                         .text("topology.class"_id, "node", "nvswitch"))
                .status,
            FitStatus::uncertain);
}

TEST(Fits, UnfitOutweighsUncertainWhateverTheOrder) {
  auto train = workload("train", "topology.nic_count", ">= 2", "uncertain");
  train.needs.push_back(workload("train", "topology.gpu_count", ">= 8").needs[0]);
  for (int i = 0; i < 2; ++i) {
    const Facts facts = Facts()
                            .number("topology.nic_count"_id, "node", 1)
                            .number("topology.gpu_count"_id, "node", 4);
    const auto v = judge(facts, catalogue_of({}, {train}), {});
    EXPECT_EQ(v.fits[0].status, FitStatus::unfit);
    EXPECT_EQ(v.fits[0].because.size(), 2U);
    std::swap(train.needs[0], train.needs[1]);
  }
}

TEST(Fits, ANeedThatDoesNotApplyIsNoNeed) {
  auto train = workload("train", "topology.gpu_count", ">= 2");
  train.needs.push_back(workload("train", "topology.nic_count", ">= 2").needs[0]);
  train.needs[1].applies.terms = {term("topology.gpu_count", "> 4")};
  const auto fit = [&](double gpus, double nic_count) {
    const Facts facts = Facts()
                            .number("topology.gpu_count"_id, "node", gpus)
                            .number("topology.nic_count"_id, "node", nic_count);
    return judge(facts, catalogue_of({}, {train}), {}).fits[0].status;
  };
  EXPECT_EQ(fit(4, 1), FitStatus::fit);
  EXPECT_EQ(fit(5, 1), FitStatus::unfit);
  EXPECT_EQ(fit(5, 2), FitStatus::fit);
}

TEST(Names, OfStatusesAndOutcomesAreThoseOfTheReports) {
  EXPECT_EQ(name(Status::not_applicable), "not_applicable");
  EXPECT_EQ(name(Status::error), "error");
  EXPECT_EQ(name(Outcome::fit), "fit");
  EXPECT_EQ(name(Outcome::unfit), "unfit");
  EXPECT_EQ(name(Outcome::inconclusive), "inconclusive");
  EXPECT_EQ(name(FitStatus::fit), "fit");
  EXPECT_EQ(name(FitStatus::unfit), "unfit");
  EXPECT_EQ(name(FitStatus::uncertain), "uncertain");
  EXPECT_EQ(name(FitStatus::no_evidence), "no_evidence");
}

TEST(WithoutGpu, IsSaidFirstAndPassesNothing) {
  auto catalogue =
      catalogue_of({criterion("log.quiet", "kernel_log.panics", limit("== 0"), {"kit", {}}),
                    criterion("gpu.hot", "gpu.temperature.core", limit("<= 85 °C"),
                              {"thermal", {catalogue::Stage::prejob}}),
                    criterion("host.swap", "node.swap.used", limit("== 0 B"))});
  catalogue.groups.push_back({"kit", "Resilience", catalogue::GroupKind::kit, "a log"});
  const auto kit = [](const Verdict& verdict) { return verdict.groups.back().status; };
  const auto judged = [&](const Facts& facts) {
    return judge(facts, catalogue, {catalogue::Stage::prejob, {}});
  };
  const auto v = judged(Facts()
                            .number("kernel_log.panics"_id, "node", 0)
                            .number("node.swap.used"_id, "node", 0)
                            .number("topology.gpu_count"_id, "node", 0)
                            .detail("the bus has none"));
  EXPECT_TRUE(v.without_gpu);
  EXPECT_EQ(v.outcome, Outcome::inconclusive);
  ASSERT_GE(v.reasons.size(), 2U);
  EXPECT_EQ(v.reasons[0], "There is no NVIDIA GPU in this machine: the bus has none.");
  EXPECT_EQ(v.reasons[1], "Checked all the same, by criteria: Health (1); Resilience (1).");
  EXPECT_EQ(kit(v), Status::no_evidence) << "no GPU has survived anything";
  EXPECT_EQ(kit(judged(Facts().number("kernel_log.panics"_id, "node", 0))), Status::pass);
  const auto& hot = v.findings.front();
  EXPECT_EQ(hot.id, "gpu.hot");
  EXPECT_EQ(hot.status, Status::no_evidence);
  EXPECT_EQ(hot.message, "There is no NVIDIA GPU to ask.");
  EXPECT_TRUE(hot.next.empty()) << "nvidia-smi would say nothing either";
  EXPECT_FALSE(judged(Facts().number("node.swap.used"_id, "node", 0)).without_gpu);
  EXPECT_FALSE(judged(Facts().number("topology.gpu_count"_id, "node", 1)).without_gpu);
}

}  // namespace
}  // namespace gpuvet::judge::testing
