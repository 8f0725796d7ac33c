// SPDX-License-Identifier: Apache-2.0
#include "report/json_writer.hpp"

#include <gtest/gtest.h>

#include <limits>
#include <nlohmann/json.hpp>
#include <string>

#include "sample.hpp"

namespace gpuvet::report {
namespace {

using Json = nlohmann::ordered_json;

/// As nlohmann writes the same document.
std::string dumped(const Json& j) {
  return j.dump(1, ' ', false, Json::error_handler_t::replace) + "\n";
}

template <class Write>
std::string written(Write write) {
  JsonWriter to;
  write(to);
  return to.finish();
}

TEST(JsonWriter, IndentsAndSeparates) {
  const auto text = written([](JsonWriter& to) {
    to.object([&] {
      to.key("none").array([] {});
      to.key("empty").object([] {});
      to.key("list").array([&] {
        to.count(1);
        to.object([&] { to.key("a").flag(true); });
        to.array([&] { to.null(); });
      });
      to.key("last").texts({"x", "y"});
    });
  });
  EXPECT_EQ(text, dumped(Json::parse(
                      R"({"none":[],"empty":{},"list":[1,{"a":true},[null]],"last":["x","y"]})")));
}

TEST(JsonWriter, WritesADocumentOfOneValue) {
  EXPECT_EQ(written([](JsonWriter& to) { to.text_or_null(""); }), "null\n");
  EXPECT_EQ(written([](JsonWriter& to) { to.text_or_null("a"); }), "\"a\"\n");
  EXPECT_EQ(written([](JsonWriter& to) { to.array([] {}); }), "[]\n");
}

TEST(JsonWriter, SpellsTextsAsNlohmannDoes) {
  for (int c = 0; c < 256; ++c) {
    const std::string text = {'a', static_cast<char>(c), 'b'};
    EXPECT_EQ(written([&](JsonWriter& to) { to.text(text); }), dumped(Json(text))) << c;
  }
  for (const std::string& text : {std::string(), testing::hostile, std::string("23 °C")})
    EXPECT_EQ(written([&](JsonWriter& to) { to.text(text); }), dumped(Json(text)));
}

TEST(JsonWriter, SpellsNumbersAsNlohmannDoes) {
  for (const double v : {0.1, -0.5, 86.5, 1e-7, 1.5e300, 5e-324, 123456.789, 1.0 / 3})
    EXPECT_EQ(written([&](JsonWriter& to) { to.number(v); }), dumped(Json(v)));
}

TEST(JsonWriter, WritesIntegralDoublesAsIntegersWhileTheyAreExact) {
  constexpr double first_inexact = 9007199254740992.0;
  EXPECT_EQ(written([](JsonWriter& to) { to.number(-0.0); }), "0\n");
  EXPECT_EQ(written([](JsonWriter& to) { to.number(-3); }), "-3\n");
  EXPECT_EQ(written([](JsonWriter& to) { to.number(first_inexact - 1); }), "9007199254740991\n");
  EXPECT_EQ(written([](JsonWriter& to) { to.number(first_inexact); }), dumped(Json(first_inexact)));
  EXPECT_EQ(written([](JsonWriter& to) { to.count(std::numeric_limits<std::uint64_t>::max()); }),
            "18446744073709551615\n");
}

}  // namespace
}  // namespace gpuvet::report
