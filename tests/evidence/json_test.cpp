// SPDX-License-Identifier: Apache-2.0
// Observations and tables survive JSON; JSON that is wrong is refused with what is wrong.
#include "evidence/json.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <cmath>
#include <limits>

#include "core/text.hpp"
#include "sample.hpp"

namespace gpuvet {
namespace {

/// Text that JSON can carry: any bytes made valid UTF-8.
rc::Gen<std::string> some_text() {
  return rc::gen::map(rc::gen::arbitrary<std::string>(),
                      [](const std::string& s) { return printable(s); });
}

rc::Gen<double> some_number() {
  return rc::gen::suchThat(
      rc::gen::oneOf(rc::gen::arbitrary<double>(), rc::gen::map<std::int64_t>([](std::int64_t i) {
                       return static_cast<double>(i);
                     })),
      [](double v) { return std::isfinite(v); });
}

rc::Gen<Value> some_value() {
  const auto as_value = [](auto v) { return Value{std::move(v)}; };
  return rc::gen::oneOf(
      rc::gen::map(some_number(), as_value), rc::gen::map(rc::gen::arbitrary<bool>(), as_value),
      rc::gen::map(some_text(), as_value),
      rc::gen::map(rc::gen::container<std::vector<double>>(some_number()), as_value),
      rc::gen::map(rc::gen::nonEmpty(rc::gen::container<std::vector<std::string>>(some_text())),
                   as_value));
}

Result<Observation> through_json(const Observation& o) {
  GPUVET_TRY(const Json parsed, parse_json(dump(to_json(o))));
  return observation_from(parsed);
}

RC_GTEST_PROP(ObservationJson, SurvivesARoundTrip, ()) {
  const auto ids = all_ids();
  const auto& info = ids[*rc::gen::inRange<std::size_t>(0, ids.size())];
  Where where;
  for (const auto dimension : words(info.dimensions)) {
    if (*rc::gen::arbitrary<bool>())
      where[std::string(dimension)] = *some_number();
    else
      where[std::string(dimension)] = *some_text();
  }
  const Provenance provenance{
      *rc::gen::element(How::measured, How::claimed, How::assumed),
      *rc::gen::element(Custody::own, Custody::received, Custody::simulated),
      *some_text(),
      *some_text(),
      *some_text(),
      *some_text()};
  const Observation given{*find_id(info.name),
                          "gpu:" + *some_text(),
                          where,
                          *some_value(),
                          *some_text(),
                          std::make_shared<Provenance>(provenance),
                          *rc::gen::inRange<std::size_t>(0, 1000000)};
  const auto read = through_json(given);
  RC_ASSERT(read.has_value());
  RC_ASSERT(read->id == given.id);
  RC_ASSERT(read->subject == given.subject);
  RC_ASSERT(read->where == given.where);
  RC_ASSERT(read->value == given.value);
  RC_ASSERT(read->detail == given.detail);
  RC_ASSERT(read->line == given.line);
  RC_ASSERT(read->provenance->how == provenance.how);
  RC_ASSERT(read->provenance->custody == provenance.custody);
  RC_ASSERT(read->provenance->tool == provenance.tool);
  RC_ASSERT(read->provenance->version == provenance.version);
  RC_ASSERT(read->provenance->source == provenance.source);
  RC_ASSERT(read->provenance->when == provenance.when);
}

TEST(ObservationJson, KeepsEveryReasonForAbsence) {
  for (const auto why : {Absence::not_supported, Absence::permission, Absence::timeout,
                         Absence::malformed, Absence::not_asked}) {
    const Observation given{
        "gpu.power.draw"_id, "gpu:0", {}, why, "", std::make_shared<Provenance>(), 0};
    const auto read = through_json(given);
    ASSERT_TRUE(read) << read.error().message();
    EXPECT_EQ(std::get<Absence>(read->value), why);
  }
}

TEST(ObservationJson, WritesAbsenceAsNullWithItsReason) {
  const Json j = to_json(testing::sample_evidence().observations[3]);
  EXPECT_TRUE(j.at("value").is_null());
  EXPECT_EQ(j.at("reason"), "permission");
  EXPECT_EQ(j.at("detail"), "ask as root");
}

TEST(ObservationJson, WritesWholeNumbersWithoutAPoint) {
  const Json j = to_json(testing::sample_evidence().observations[1]);
  EXPECT_EQ(j.at("where").dump(), R"({"bytes":17179869184,"datatype":"float","gpus":8})");
}

/// A good observation with one member replaced.
Json with(const char* member, Json value) {
  Json j = to_json(testing::sample_evidence().observations[0]);
  j[member] = std::move(value);
  return j;
}

TEST(ObservationJson, RefusesWhatIsWrongAndNamesTheMember) {
  const std::pair<Json, const char*> table[] = {
      {with("id", "gpu.temperature.cores"), "gpu.temperature.cores"},
      {with("id", 7), "declared"},
      {with("subject", ""), "subject"},
      {with("where", Json::array()), "where"},
      {with("where", {{"gpus", true}}), "where.gpus"},
      {with("value", nullptr), "reason"},
      {with("value", Json::object()), "value"},
      {with("value", {1, "two"}), "list"},
      {with("value", {nullptr}), "list"},
      {with("provenance", nullptr), "provenance"},
      {with("provenance", {{"how", "guessed"}, {"custody", "own"}}), "how"},
      {with("provenance", {{"how", "measured"}, {"custody", "stolen"}}), "custody"},
      {Json::array(), "declared"},
      {Json(nullptr), "declared"},
  };
  for (const auto& [wrong, named] : table) {
    const auto read = observation_from(wrong);
    ASSERT_FALSE(read) << wrong.dump();
    EXPECT_TRUE(contains(read.error().message(), named)) << read.error().message();
  }
}

TEST(ObservationJson, RefusesDimensionsThatTheIdDoesNotDeclare) {
  EXPECT_FALSE(observation_from(with("where", {{"bytes", 8}})));
}

TEST(TableJson, KeepsColumnsAndMissingCells) {
  const Table given = testing::sample_evidence().tables[0];
  const auto read = table_from(parse_json(dump(to_json(given))).value());
  ASSERT_TRUE(read) << read.error().message();
  EXPECT_EQ(read->name, given.name);
  EXPECT_EQ(read->subject, given.subject);
  EXPECT_EQ(read->where, given.where);
  ASSERT_EQ(read->columns.size(), 2U);
  EXPECT_EQ(read->columns[0].values, given.columns[0].values);
  EXPECT_EQ(read->columns[1].unit, Unit::celsius);
  EXPECT_TRUE(std::isnan(read->columns[1].values[1])) << "a missing cell must stay missing";
}

TEST(TableJson, RefusesWhatIsNoTable) {
  const auto table = [](const char* columns) {
    Json j = to_json(testing::sample_evidence().tables[0]);
    j["columns"] = Json::parse(columns);
    return table_from(j);
  };
  EXPECT_TRUE(table(R"([{"name":"a","unit":"s","values":[1]}])"));
  EXPECT_FALSE(
      table(R"([{"name":"a","unit":"s","values":[1]},{"name":"b","unit":"s","values":[1,2]}])"));
  EXPECT_FALSE(table(R"([{"name":"a","unit":"furlong","values":[1]}])"));
  EXPECT_FALSE(table(R"([{"name":"a","unit":"s","values":["1"]}])"));
  EXPECT_FALSE(table(R"([{"name":"a","unit":"s"}])"));
  EXPECT_FALSE(table(R"([7])"));
  EXPECT_FALSE(table(R"({})"));
}

TEST(ParseJson, NamesTheLineThatIsWrong) {
  const auto read = parse_json("{\n \"a\": 1,\n oops\n}");
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().input_line, 3U);
}

TEST(ParseJson, RefusesInsteadOfThrowing) {
  for (const char* text : {"", "{", "[1,]", "NaN", "[nan]", "Infinity", "1e999", "[-1e999]",
                           "\"\xff\"", "{\"a\":\"\x01\"}", "\xef\xbb\xbf{", "//"})
    EXPECT_FALSE(parse_json(text)) << text;
}

TEST(ParseJson, TakesDeepNestingWithoutFallingOver) {
  const std::string deep(200000, '[');
  EXPECT_FALSE(parse_json(deep));
}

TEST(Dump, ReplacesBytesThatAreNoUtf8) {
  const auto text =
      dump(Json("a\xff"
                "b"));
  EXPECT_EQ(parse_json(text).value(),
            "a\xef\xbf\xbd"
            "b");
  EXPECT_EQ(text.back(), '\n');
}

}  // namespace
}  // namespace gpuvet
