// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <pugixml.hpp>

#include "report/escape.hpp"
#include "sample.hpp"

namespace gpuvet::report {
namespace {

using testing::count;
using testing::rendered;

TEST(Html, HoldsNoMarkupFromInputs) {
  const std::string out = rendered("html");
  EXPECT_EQ(count(out, "<script"), 0u);
  EXPECT_EQ(count(out, testing::quotes), 0u);
  EXPECT_EQ(count(out, "\xe2\x80\xae"), 0u) << "a right-to-left override";
  EXPECT_GT(count(out, escape_xml(testing::script)), 5u) << "shown, not dropped";
}

TEST(Html, StandsAlone) {
  const std::string out = rendered("html");
  for (const auto* loads :
       {"src=", "href=", "url(", "@import", "<link", "<iframe", "<form", "http://", "https://"})
    EXPECT_EQ(count(out, loads), 0u) << loads;
}

/// Our page is also well-formed XML but for its void elements, so a parser can check the nesting.
TEST(Html, ElementsNest) {
  std::string out = rendered("html");
  out.erase(0, out.find('\n') + 1);
  for (const std::string open : {"<meta ", "<br"})
    for (auto at = out.find(open); at != std::string::npos; at = out.find(open, at + 1))
      out.insert(out.find('>', at), "/");
  for (auto at = out.find("<details open>"); at != std::string::npos;
       at = out.find("<details open>"))
    out.replace(at, 14, "<details>");
  pugi::xml_document page;
  const auto result = page.load_string(out.c_str());
  ASSERT_TRUE(result) << result.description() << " at "
                      << out.substr(static_cast<std::size_t>(result.offset), 80);

  EXPECT_STREQ(page.child("html").attribute("lang").value(), "en");
  EXPECT_EQ(
      std::string(page.select_node("//title").node().text().get()).rfind("UNFIT for purchase", 0),
      0u);
  EXPECT_EQ(page.select_nodes("//section[@id='scorecard']//tbody/tr").size(), 4u);
  EXPECT_EQ(page.select_nodes("//section[@id='findings']//article").size(), 3u);
  EXPECT_EQ(page.select_nodes("//section[@id='missing']//article").size(), 1u);
  EXPECT_EQ(page.select_nodes("//section[@id='fits']//tbody/tr").size(), 3u);
  EXPECT_EQ(page.select_nodes("//section[@id='coverage']//tbody/tr").size(), 5u);
  EXPECT_EQ(page.select_nodes("//section[@id='inputs']//tbody/tr").size(), 2u);
  EXPECT_EQ(page.select_nodes("//section[@id='observations']//tbody/tr").size(),
            testing::sample_observations().size());
}

TEST(Html, ShowsStatusByWord) {
  const std::string out = rendered("html");
  EXPECT_GT(count(out, "<span class=\"badge fail\">FAIL</span>"), 1u);
  EXPECT_GT(count(out, "<span class=\"badge no_evidence\">no evidence</span>"), 1u);
}

TEST(Html, LeavesEmptySectionsOut) { EXPECT_EQ(count(rendered("html", {}), "<section"), 0u); }

}  // namespace
}  // namespace gpuvet::report
