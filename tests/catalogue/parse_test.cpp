// SPDX-License-Identifier: Apache-2.0
// A catalogue with one thing wrong: the error names the file, the line and the key.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "catalogue/catalogue.hpp"
#include "core/text.hpp"

namespace gpuvet::catalogue {
namespace {

constexpr const char* groups =
    "[[group]]\nid = \"thermal\"\ntitle = \"Thermal\"\nkind = \"benchmark\"\nevidence = \"a "
    "log\"\n";

constexpr const char* criteria = R"([[criterion]]
id = "thermal.core"
title = "Core"
group = "thermal"
reads = "gpu.temperature.core"
required_at = ["purchase"]
why = "Heat."
next = ["Cool it."]
evidence = "a log"
[[criterion.limit]]
pass = "<= 87 °C"
fail = "> 90 °C"
source = { tier = 1, ref = "the data sheet" }
)";

constexpr const char* gpu = R"(id = "g1"
title = "GPU One"
names = ["GPU One"]
device_ids = ["0001"]
source = "the data sheet"
unverified = ["tdp"]
[fields]
memory = "24 GB"
tdp = "72 W"
)";

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  const auto at = text.find(from);
  if (at == std::string::npos) throw std::logic_error("the sample lacks " + from);
  return text.replace(at, from.size(), to);
}

std::string error_of(const std::vector<File>& files) {
  const auto parsed = parse(files);
  return parsed ? "no error" : parsed.error().message();
}

/// The message for the sample's criteria with `from` replaced.
std::string criteria_error(const std::string& from, const std::string& to) {
  const std::string text = replaced(criteria, from, to);
  return error_of({{"groups.toml", groups}, {"criteria/t.toml", text}});
}

std::string gpu_error(const std::string& from, const std::string& to) {
  const std::string text = replaced(gpu, from, to);
  return error_of({{"gpus/g1.toml", text}});
}

TEST(Parse, TakesTheSamples) {
  EXPECT_EQ(
      error_of({{"groups.toml", groups}, {"criteria/t.toml", criteria}, {"gpus/g1.toml", gpu}}),
      "no error");
}

TEST(Parse, NamesFileLineAndKeyOfWhatIsWrong) {
  struct Row {
    const char *from, *to, *where, *what;
  };
  const Row table[] = {
      {"title = \"Core\"", "titel = \"Core\"", "criteria/t.toml:1", "title"},
      {"why = \"Heat.\"", "why = \"Heat.\"\nwhyy = \"Cold.\"", "criteria/t.toml:8", "whyy"},
      {"fail = \"> 90 °C\"", "fial = \"> 90 °C\"", "criteria/t.toml:12", "fial"},
      {"<= 87 °C", "<= 87 °F", "criteria/t.toml:11", "°F"},
      {"<= 87 °C", "<= 87 W", "criteria/t.toml:11", "unit"},
      {"<= 87 °C", "<= 3 K", "criteria/t.toml:11", "unit"},
      {"<= 87 °C", "<= ref - 3 K", "criteria/t.toml:10", "ref"},
      {"tier = 1", "tier = 4", "criteria/t.toml:12", "tier 4"},
      {"tier = 1", "tier = 5", "criteria/t.toml:13", "1 to 4"},
      {"source = { tier = 1, ref = \"the data sheet\" }", "", "criteria/t.toml:10", "source"},
      {"ref = \"the data sheet\"", "rev = \"the data sheet\"", "criteria/t.toml:13", "ref"},
      {"\"purchase\"", "\"purchased\"", "criteria/t.toml:6", "purchased"},
      {"\"gpu.temperature.core\"", "\"gpu.temperature.cores\"", "criteria/t.toml:5",
       "gpu.temperature.cores"},
      {"why = \"Heat.\"", "why = \"Heat.\"\nonly_if = \"made.up\"", "criteria/t.toml:8", "only_if"},
      {"next = [\"Cool it.\"]", "next = []", "criteria/t.toml:8", "next"},
      {"why = \"Heat.\"", "why = 7", "criteria/t.toml:7", "why"},
      {"group = \"thermal\"", "group = \"termal\"", "criteria/t.toml", "termal"},
      {"why = \"Heat.\"", "why = \"Heat.", "criteria/t.toml:7", ""},
      {"id = \"thermal.core\"", "id = \"a\"\nid = \"b\"", "criteria/t.toml:3", "id"},
  };
  for (const auto& [from, to, where, what] : table) {
    const auto message = criteria_error(from, to);
    EXPECT_EQ(message.substr(0, std::string(where).size()), where) << to << "\n" << message;
    EXPECT_TRUE(contains(message, what)) << to << "\n" << message;
  }
}

/// The terms of the sample limit's `when`.
Result<std::vector<When::Term>> terms_of(const std::string& when) {
  const std::string text =
      replaced(criteria, "[[criterion.limit]]\n", "[[criterion.limit]]\nwhen = " + when + "\n");
  GPUVET_TRY(const auto parsed, parse({{"groups.toml", groups}, {"criteria/t.toml", text}}));
  return parsed.criteria.at(0).limits.at(0).when.terms;
}

TEST(Parse, TellsComparisonsInAWhenFromValuesToMatch) {
  const auto terms =
      terms_of("{ a = \"> 4\", b = \"count == 1\", c = \"country\", d = [\"> 4\", \"x\"], e = 4 }");
  ASSERT_TRUE(terms) << terms.error().message();
  ASSERT_EQ(terms->size(), 5U);
  const auto &greater = terms->at(0), &counted = terms->at(1);
  ASSERT_TRUE(greater.condition && counted.condition);
  EXPECT_EQ(greater.condition->op, Condition::Op::greater);
  EXPECT_FALSE(greater.condition->count);
  EXPECT_EQ(counted.condition->op, Condition::Op::equal);
  EXPECT_TRUE(counted.condition->count);
  EXPECT_EQ(counted.condition->number, 1);
  EXPECT_TRUE(greater.any_of.empty() && counted.any_of.empty());
  for (std::size_t i = 2; i < 5; ++i) EXPECT_FALSE(terms->at(i).condition) << i;
  EXPECT_EQ(terms->at(2).any_of, std::vector<std::string>{"country"});
  EXPECT_EQ(terms->at(3).any_of, (std::vector<std::string>{"> 4", "x"}));
  EXPECT_EQ(terms->at(4).any_of, std::vector<std::string>{"4"});
}

TEST(Parse, RefusesAComparisonInAWhenThatIsNone) {
  const auto terms = terms_of("{ a = \"count of GPUs\" }");
  ASSERT_FALSE(terms);
  EXPECT_TRUE(contains(terms.error().message(), "of GPUs")) << terms.error().message();
}

TEST(Parse, RefusesALimitThatLimitsNothing) {
  const auto text =
      replaced(replaced(criteria, "pass = \"<= 87 °C\"\n", ""), "fail = \"> 90 °C\"\n", "");
  const auto message = error_of({{"groups.toml", groups}, {"criteria/t.toml", text}});
  EXPECT_TRUE(contains(message, "criteria/t.toml:10")) << message;
}

TEST(Parse, RefusesACriterionThatStandsTwice) {
  const auto message = error_of(
      {{"groups.toml", groups}, {"criteria/a.toml", criteria}, {"criteria/b.toml", criteria}});
  EXPECT_EQ(message, "criteria/b.toml:2: id: 'thermal.core' stands twice");
}

TEST(Parse, RefusesEveryOtherIdThatStandsTwice) {
  const std::string server =
      "id = \"s\"\nvendor = \"v\"\nmodel = \"m\"\nkind = \"catalog\"\nsource = \"x\"\n";
  const std::string workload = "id = \"w\"\ntitle = \"t\"\nsentence = \"s\"\n";
  EXPECT_TRUE(
      contains(error_of({{"gpus/a.toml", gpu}, {"gpus/b.toml", gpu}}), "gpus/b.toml:1: id"));
  EXPECT_TRUE(contains(error_of({{"servers/a.toml", server}, {"servers/b.toml", server}}),
                       "servers/b.toml:1: id"));
  EXPECT_TRUE(contains(error_of({{"workloads/a.toml", workload}, {"workloads/b.toml", workload}}),
                       "workloads/b.toml:1: id"));
  const auto twice = error_of(
      {{"groups.toml", std::string_view(groups)}, {"groups.toml", std::string_view(groups)}});
  EXPECT_TRUE(contains(twice, "groups.toml:2: id")) << twice;
}

TEST(Parse, RefusesAnXidThatStandsTwiceWithItsLine) {
  const std::string xid =
      "[[xid]]\ncode = 79\nmeaning = \"m\"\nseverity = \"fail\"\nnext = \"n\"\nsource = \"s\"\n";
  EXPECT_EQ(error_of({{"xid.toml", xid}}), "no error");
  const std::string two = xid + xid, mild = replaced(xid, "\"fail\"", "\"bad\""),
                    none = replaced(xid, "source = \"s\"\n", "");
  EXPECT_TRUE(contains(error_of({{"xid.toml", two}}), "xid.toml:8"));
  EXPECT_TRUE(contains(error_of({{"xid.toml", mild}}), "xid.toml:4"));
  EXPECT_TRUE(contains(error_of({{"xid.toml", none}}), "xid.toml:1"));
}

TEST(Parse, RefusesWhatIsWrongInAGpu) {
  EXPECT_TRUE(contains(gpu_error("source = \"the data sheet\"\n", ""), "source"));
  EXPECT_TRUE(contains(gpu_error("names =", "name ="), "gpus/g1.toml:3: name"));
  EXPECT_TRUE(contains(gpu_error("\"24 GB\"", "\"24 gigs\""), "gpus/g1.toml:8: memory"));
  EXPECT_TRUE(contains(gpu_error("\"24 GB\"", "true"), "gpus/g1.toml:8: memory"));
  EXPECT_TRUE(contains(gpu_error("[\"tdp\"]", "[\"tpd\"]"), "gpus/g1.toml:6: unverified"));
}

TEST(Parse, RefusesAClaimThatNamesNoCriterion) {
  const std::string claim =
      "[[claim]]\nid = \"C1\"\nkind = \"editorial\"\nquote = \"q\"\nsays = \"s\"\nfound = "
      "\"f\"\nverdict = \"v\"\ndoes = \"d\"\ncriteria = [\"thermal.cores\"]\n";
  const auto message =
      error_of({{"groups.toml", groups}, {"criteria/t.toml", criteria}, {"article.toml", claim}});
  EXPECT_TRUE(contains(message, "article.toml") && contains(message, "thermal.cores")) << message;
}

TEST(Parse, RefusesAFileOfNoKind) {
  EXPECT_TRUE(contains(error_of({{"prices/x.toml", "a = 1\n"}}), "prices/x.toml"));
}

TEST(Digest, ChangesWithEveryByteAndName) {
  const auto digest = [](const std::vector<File>& files) { return parse(files).value().digest; };
  const std::string other = replaced(gpu, "24 GB", "25 GB");
  const auto base = digest({{"gpus/g1.toml", gpu}});
  EXPECT_EQ(digest({{"gpus/g1.toml", gpu}}), base);
  EXPECT_NE(digest({{"gpus/g1.toml", other}}), base);
  EXPECT_NE(digest({{"gpus/g2.toml", gpu}}), base);
}

}  // namespace
}  // namespace gpuvet::catalogue
