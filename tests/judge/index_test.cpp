// SPDX-License-Identifier: Apache-2.0
// What criteria ask of the evidence: look-ups of a When, and how values meet conditions.
#include "judge/index.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "judge/building.hpp"
#include "judge/cases.hpp"

namespace gpuvet::judge::testing {
namespace {

using ::testing::ElementsAre;
using Any = std::vector<std::string>;
using Texts = std::vector<std::string>;
using Numbers = std::vector<double>;

Answer holds(const Evidence& evidence, std::vector<catalogue::When::Term> terms,
             std::string_view subject = "gpu:A", const Where& seen = {}) {
  return Index(evidence, embedded_catalogue()).holds({std::move(terms)}, subject, seen);
}

// --- look-ups
// --------------------------------------------------------------------------------------

TEST(When, WithoutTermsAlwaysHolds) { EXPECT_EQ(holds({}, {}), Answer::yes); }

TEST(When, LooksAtADimensionOfWhatWasSeen) {
  const Where seen = {{"gpus", 8.0}, {"datatype", std::string("float")}};
  EXPECT_EQ(holds({}, {term("gpus", Any{"8"})}, "node", seen), Answer::yes);
  EXPECT_EQ(holds({}, {term("gpus", Any{"4", "8"})}, "node", seen), Answer::yes);
  EXPECT_EQ(holds({}, {term("gpus", Any{"4"})}, "node", seen), Answer::no);
  EXPECT_EQ(holds({}, {term("gpus", "> 7")}, "node", seen), Answer::yes);
  EXPECT_EQ(holds({}, {term("gpus", "> 8")}, "node", seen), Answer::no);
  EXPECT_EQ(holds({}, {term("datatype", Any{"float"})}, "node", seen), Answer::yes);
  EXPECT_EQ(holds({}, {term("datatype", Any{"half"})}, "node", seen), Answer::no);
  EXPECT_EQ(holds({}, {term("nodes", Any{"1"})}, "node", seen), Answer::unknown);
}

TEST(When, LooksAtTheCatalogueEntryOfTheGpu) {
  const Facts facts = Facts()
                          .text("gpu.sku"_id, "gpu:A", "a100-sxm4-80gb")
                          .text("gpu.sku"_id, "gpu:B", "h100-sxm5-80gb");
  EXPECT_EQ(holds(facts, {term("sku:temperature_mode", Any{"absolute"})}), Answer::yes);
  EXPECT_EQ(holds(facts, {term("sku:temperature_mode", Any{"absolute"})}, "gpu:B"), Answer::no);
  EXPECT_EQ(holds(facts, {term("sku:temperature_mode", Any{"margin"})}, "gpu:B"), Answer::yes);
  EXPECT_EQ(holds(facts, {term("sku:nvlink_links", Any{"12"})}), Answer::yes);
  EXPECT_EQ(holds(facts, {term("sku:nvlink_links", ">= 18")}), Answer::no);
  EXPECT_EQ(holds(facts, {term("sku:nvlink_links", ">= 18")}, "gpu:B"), Answer::yes);
  EXPECT_EQ(holds(facts, {term("sku:no_such_field", Any{"yes"})}), Answer::unknown);
  EXPECT_EQ(holds(facts, {term("sku:ecc", Any{"yes"})}, "gpu:C"), Answer::unknown);
}

TEST(When, DoesNotDecideOnUnverifiedFields) {
  const Facts facts = Facts().text("gpu.sku"_id, "gpu:A", "h100-sxm5-80gb");
  EXPECT_EQ(holds(facts, {term("sku:power_max", Any{"700"})}), Answer::yes);
  EXPECT_EQ(holds(facts, {term("sku:power_min", Any{"200"})}), Answer::unknown);
}

TEST(When, TakesTheServersSkuWhereTheGpuHasNone) {
  const Facts facts = Facts()
                          .text("node.gpu.sku"_id, "node", "a100-sxm4-80gb")
                          .text("gpu.sku"_id, "gpu:B", "t4-16gb");
  for (const auto* subject : {"gpu:A", "node", "link:gpu:A~gpu:B"})
    EXPECT_EQ(holds(facts, {term("sku:row_remap", Any{"yes"})}, subject), Answer::yes) << subject;
  EXPECT_EQ(holds(facts, {term("sku:row_remap", Any{"yes"})}, "gpu:B"), Answer::no);
}

TEST(When, LooksAtAnObservationOfTheSubjectThenOfTheNode) {
  const Facts facts =
      Facts().flag("gpu.datacenter"_id, "gpu:A", true).flag("gpu.datacenter"_id, "node", false);
  EXPECT_EQ(holds(facts, {term("gpu.datacenter", Any{"true"})}), Answer::yes);
  EXPECT_EQ(holds(facts, {term("gpu.datacenter", Any{"true"})}, "gpu:B"), Answer::no);
  EXPECT_EQ(holds(facts, {term("gpu.datacenter", Any{"false"})}, "gpu:B"), Answer::yes);
}

TEST(When, LooksAtAllGpusWhereTheyAgree) {
  Facts facts =
      Facts().flag("gpu.datacenter"_id, "gpu:A", true).flag("gpu.datacenter"_id, "gpu:B", true);
  EXPECT_EQ(holds(facts, {term("gpu.datacenter", Any{"true"})}, "node"), Answer::yes);
  EXPECT_EQ(holds(facts, {term("gpu.datacenter", Any{"false"})}, "node"), Answer::no);
  Facts mixed = facts;
  mixed.flag("gpu.datacenter"_id, "gpu:C", false);
  EXPECT_EQ(holds(mixed, {term("gpu.datacenter", Any{"true"})}, "node"), Answer::unknown);
  Facts partly = facts;
  partly.absent("gpu.datacenter"_id, "gpu:C");
  EXPECT_EQ(holds(partly, {term("gpu.datacenter", Any{"true"})}, "node"), Answer::unknown);
}

TEST(When, TakesTheLastWordThatIsOne) {
  const Facts facts = Facts()
                          .number("topology.gpu_count"_id, "node", 4)
                          .number("topology.gpu_count"_id, "node", 8)
                          .absent("topology.gpu_count"_id, "node");
  EXPECT_EQ(holds(facts, {term("topology.gpu_count", Any{"8"})}), Answer::yes);
  EXPECT_EQ(holds(facts, {term("topology.gpu_count", "> 8")}), Answer::no);
}

TEST(When, ADimensionGoesBeforeAnObservation) {
  const Facts facts = Facts().number("topology.gpu_count"_id, "node", 8);
  const Where seen = {{"topology.gpu_count", 2.0}};
  EXPECT_EQ(holds(facts, {term("topology.gpu_count", Any{"2"})}, "node", seen), Answer::yes);
}

TEST(When, CountsTheEntriesOfAList) {
  const auto one = term("uniformity.gpu.sku", "count == 1");
  const auto models = [](std::vector<std::string> names) {
    Evidence evidence;
    Recorder(evidence, {}).texts("uniformity.gpu.sku"_id, "node", std::move(names));
    return evidence;
  };
  EXPECT_EQ(holds(models({"A100"}), {one}), Answer::yes);
  EXPECT_EQ(holds(models({"A100", "H100"}), {one}), Answer::no);
  EXPECT_EQ(holds(models({}), {one}), Answer::no);
  EXPECT_EQ(holds({}, {one}), Answer::unknown);
}

TEST(When, IsUnknownWhenNothingAnswers) {
  EXPECT_EQ(holds({}, {term("topology.class", Any{"pcie"})}), Answer::unknown);
  EXPECT_EQ(holds({}, {term("no.such.observation", Any{"pcie"})}), Answer::unknown);
  EXPECT_EQ(
      holds(Facts().absent("topology.class"_id, "node"), {term("topology.class", Any{"pcie"})}),
      Answer::unknown);
}

TEST(When, OneTermThatDoesNotHoldOutweighsAllUnknown) {
  const Facts facts = Facts().text("topology.class"_id, "node", "pcie");
  const auto good = term("topology.class", Any{"pcie"}),
             bad = term("topology.class", Any{"nvswitch"}),
             unknown = term("topology.gpu_count", "> 1");
  EXPECT_EQ(holds(facts, {good, good}), Answer::yes);
  EXPECT_EQ(holds(facts, {good, bad}), Answer::no);
  EXPECT_EQ(holds(facts, {good, unknown}), Answer::unknown);
  EXPECT_EQ(holds(facts, {unknown, good}), Answer::unknown);
  EXPECT_EQ(holds(facts, {unknown, bad}), Answer::no);
  EXPECT_EQ(holds(facts, {bad, unknown}), Answer::no);
}

// --- the index itself
// --------------------------------------------------------------------------------

TEST(Index, MatchesIdsWithOneStar) {
  const Evidence none;
  const Index index(none, embedded_catalogue());
  const auto names = [&](std::string_view reads) {
    std::vector<std::string> out;
    for (const Id id : index.matching(reads)) out.emplace_back(id.name());
    return out;
  };
  EXPECT_THAT(names("gpu.lost"), ElementsAre("gpu.lost"));
  EXPECT_THAT(names("gpu.retired_pages"), ElementsAre("gpu.retired_pages"));
  EXPECT_THAT(names("gpu.ecc.volatile.*.sram"),
              ElementsAre("gpu.ecc.volatile.corrected.sram", "gpu.ecc.volatile.uncorrected.sram"));
  EXPECT_THAT(names("evidence.contradictions.*"),
              ElementsAre("evidence.contradictions.inventory", "evidence.contradictions.other"));
  EXPECT_THAT(names("*.lost"), ElementsAre("gpu.lost"));
  EXPECT_THAT(names("gpu.los*ost"), ElementsAre());  // the parts must not overlap
  EXPECT_THAT(names("gpu.nothing"), ElementsAre());
}

TEST(Index, KnowsGpusByNameIndexOrMatrixRow) {
  const Evidence evidence = Facts()
                                .text("topology.row"_id, "gpu:C", "X")
                                .text("gpu.name"_id, "gpu:B", "NVIDIA A100")
                                .number("gpu.index"_id, "gpu:A", 0)
                                .number("gpu.index"_id, "gpu:A", 0)
                                .text("topology.row"_id, "nic:mlx5_0", "X")
                                .number("gpu.power.draw"_id, "gpu:D", 60);
  EXPECT_THAT(Index(evidence, embedded_catalogue()).gpus(), ElementsAre("gpu:A", "gpu:B", "gpu:C"));
}

TEST(Index, KeepsAllObservationsAndFindsTheLastPresent) {
  const Evidence evidence = Facts()
                                .number("gpu.power.draw"_id, "gpu:A", 60)
                                .number("gpu.power.draw"_id, "gpu:A", 70)
                                .absent("gpu.power.draw"_id, "gpu:A");
  const Index index(evidence, embedded_catalogue());
  EXPECT_EQ(index.of("gpu.power.draw"_id).at("gpu:A").size(), 3U);
  ASSERT_NE(index.find("gpu.power.draw"_id, "gpu:A"), nullptr);
  EXPECT_EQ(*index.find("gpu.power.draw"_id, "gpu:A")->number(), 70);
  EXPECT_EQ(index.find("gpu.power.draw"_id, "gpu:B"), nullptr);
  EXPECT_EQ(index.find("gpu.power.limit"_id, "gpu:A"), nullptr);
  EXPECT_TRUE(index.of("gpu.power.limit"_id).empty());
}

TEST(Index, LabelsSubjectsForPeople) {
  const Evidence evidence = Facts()
                                .number("gpu.index"_id, "gpu:GPU-1", 3)
                                .text("gpu.pci.address"_id, "gpu:GPU-1", "0000:9b:00.0")
                                .number("gpu.index"_id, "gpu:GPU-2", 4)
                                .text("gpu.pci.address"_id, "gpu:GPU-3", "0000:9c:00.0");
  const Index index(evidence, embedded_catalogue());
  EXPECT_EQ(index.label("gpu:GPU-1"), "GPU 3 (0000:9b:00.0)");
  EXPECT_EQ(index.label("gpu:GPU-2"), "GPU 4");
  EXPECT_EQ(index.label("gpu:GPU-3"), "GPU (0000:9c:00.0)");
  EXPECT_EQ(index.label("gpu:0000:0f:00.0"), "GPU 0000:0f:00.0");
  EXPECT_EQ(index.label("gpu:topo.txt#7"), "GPU 7");
  EXPECT_EQ(index.label("node"), "node");
  EXPECT_EQ(index.label("link:GPU-1~GPU-2"), "GPU 3 (0000:9b:00.0) to GPU 4");
}

// --- values against conditions
// -----------------------------------------------------------------------

bool ok(Value value, std::string_view written, double reference = 0) {
  return meets(value, condition(written), reference);
}

TEST(Meets, ComparesNumbers) {
  struct Row {
    std::string_view op;
    bool below, equal, above;
  };
  for (const auto& [op, below, equal, above] :
       {Row{"<", true, false, false}, Row{"<=", true, true, false}, Row{"==", false, true, false},
        Row{"!=", true, false, true}, Row{">=", false, true, true}, Row{">", false, false, true}}) {
    const std::string written = std::string(op) + " 5";
    EXPECT_EQ(ok(4.999999, written), below) << written;
    EXPECT_EQ(ok(5.0, written), equal) << written;
    EXPECT_EQ(ok(5.000001, written), above) << written;
  }
}

TEST(Meets, ReadsUnits) {
  EXPECT_TRUE(ok(228e9, ">= 228 GB/s"));
  EXPECT_FALSE(ok(227.9e9, ">= 228 GB/s"));
  EXPECT_TRUE(ok(0.01, "<= 1 %"));
  EXPECT_TRUE(ok(4294967296.0, "== 4 GiB"));
}

TEST(Meets, PutsTheReferenceInPlaceOfRef) {
  EXPECT_TRUE(ok(82.0, "<= ref - 3 K", 85));
  EXPECT_FALSE(ok(82.1, "<= ref - 3 K", 85));
  EXPECT_TRUE(ok(88.0, "<= ref + 3 K", 85));
  EXPECT_TRUE(ok(80.0, ">= 0.8 ref", 100));
  EXPECT_FALSE(ok(79.9, ">= 0.8 ref", 100));
  EXPECT_TRUE(ok(85.0, ">= 0.8 ref + 5", 100));
  EXPECT_FALSE(ok(84.9, ">= 0.8 ref + 5", 100));
}

TEST(Meets, ComparesVersionsPartByPart) {
  const auto version = [](std::string have, std::string_view written) {
    return ok(std::move(have), written);
  };
  EXPECT_TRUE(version("12.4", ">= 12.4"));
  EXPECT_TRUE(version("12.10", ">= 12.4"));
  EXPECT_TRUE(version("12.4.1", ">= 12.4"));
  EXPECT_TRUE(version("13", ">= 12.4"));
  EXPECT_FALSE(version("12.3", ">= 12.4"));
  EXPECT_FALSE(version("12", ">= 12.4"));
  EXPECT_FALSE(version("2.9", ">= 2.18"));
  EXPECT_TRUE(version("2.9", "< 2.18"));
  EXPECT_FALSE(version("2.18", "< 2.18"));
  EXPECT_TRUE(version("2.18.3+cuda12.4", ">= 2.18"));
  EXPECT_FALSE(version("2.18.3", "<= 2.18"));
  EXPECT_TRUE(version("12.4", "== 12.4"));
  EXPECT_FALSE(version("12.40", "== 12.4"));
  EXPECT_TRUE(version("2", "== 2.0"));  // missing parts are zeros
  EXPECT_TRUE(version("2", ">= 2.0"));
  EXPECT_FALSE(version("2", "< 2.0"));
  EXPECT_TRUE(version("2.0", "<= 2"));
  EXPECT_TRUE(version("2.0.0", "== 2"));
  EXPECT_FALSE(version("2.0.1", "<= 2"));
  EXPECT_FALSE(version("2", "== 2.0.1"));
  EXPECT_TRUE(version("12.40", "!= 12.4"));
  EXPECT_FALSE(version("N/A", ">= 12.4"));
  EXPECT_FALSE(version("N/A", "< 12.4"));
  EXPECT_FALSE(version("", ">= 12.4"));
}

TEST(Meets, ComparesTextAndFlagsAsWritten) {
  EXPECT_TRUE(ok(std::string("Healthy"), "== Healthy"));
  EXPECT_FALSE(ok(std::string("healthy"), "== Healthy"));
  EXPECT_FALSE(ok(std::string("Unhealthy"), "== Healthy"));
  EXPECT_TRUE(ok(std::string("pcie"), "!= nvswitch"));
  EXPECT_FALSE(ok(std::string("pcie"), "!= pcie"));
  EXPECT_TRUE(ok(true, "== true"));
  EXPECT_FALSE(ok(true, "== false"));
  EXPECT_TRUE(ok(false, "!= true"));
}

TEST(Meets, AsksListsWhetherTheyAreEmpty) {
  EXPECT_TRUE(ok(Texts{}, "empty"));
  EXPECT_FALSE(ok(Texts{""}, "empty"));
  EXPECT_TRUE(ok(Numbers{}, "empty"));
  EXPECT_FALSE(ok(Numbers{0}, "empty"));
  EXPECT_FALSE(ok(Texts{}, "not empty"));
  EXPECT_TRUE(ok(Texts{"x"}, "not empty"));
  EXPECT_TRUE(ok(Numbers{0}, "not empty"));
  EXPECT_FALSE(ok(0.0, "empty"));
  EXPECT_TRUE(ok(0.0, "not empty"));
}

TEST(Meets, CountsTheEntriesOfLists) {
  EXPECT_TRUE(ok(Texts{"a"}, "count == 1"));
  EXPECT_FALSE(ok(Texts{"a", "b"}, "count == 1"));
  EXPECT_FALSE(ok(Texts{}, "count == 1"));
  EXPECT_TRUE(ok(Numbers{7, 8}, "count > 1"));
  EXPECT_FALSE(ok(Numbers{7}, "count > 1"));
  EXPECT_TRUE(ok(std::string("12.4"), "count == 1"));  // what is no list counts as one entry
  EXPECT_TRUE(ok(99.0, "count == 1"));
}

TEST(Meets, AnythingMeetsAny) {
  for (const Value& value :
       {Value{0.0}, Value{false}, Value{std::string()}, Value{Texts{}}, Value{Numbers{}}})
    EXPECT_TRUE(meets(value, condition("any")));
}

TEST(Meets, ListsAndFlagsAreNoNumbers) {
  for (const auto* written : {">= 0", "<= 0", "== 0", "!= 0"}) {
    EXPECT_FALSE(ok(Numbers{0}, written)) << written;
    EXPECT_FALSE(ok(false, written)) << written;
  }
}

}  // namespace
}  // namespace gpuvet::judge::testing
