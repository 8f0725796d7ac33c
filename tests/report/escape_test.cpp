// SPDX-License-Identifier: Apache-2.0
#include "report/escape.hpp"

#include <gtest/gtest.h>

#include "sample.hpp"

namespace gpuvet::report {
namespace {

TEST(Visible, ShowsWhatATerminalWouldObey) {
  EXPECT_EQ(visible("\x1b[31mred"), "\\x1b[31mred");
  EXPECT_EQ(visible("a\nb\r\nc\td"), "a b  c d");
  EXPECT_EQ(visible("\xff"), "\\xff");
  EXPECT_EQ(visible("62 °C, 温度 🙂"), "62 °C, 温度 🙂");
  EXPECT_EQ(visible(std::string("nul\0!", 5)), "nul\\x00!");
}

TEST(Visible, ShowsCharactersThatReorderOrHide) {
  EXPECT_EQ(visible("\xe2\x80\xaetif"), "\\u202etif");
  EXPECT_EQ(visible("a\xe2\x80\x8b"
                    "b"),
            "a\\u200bb");
  EXPECT_EQ(visible("\xef\xbb\xbf"), "\\ufeff");
  EXPECT_EQ(visible("\xef\xbf\xbf"), "\\uffff");  // XML 1.0 forbids it
}

TEST(Visible, IsIdempotent) {
  EXPECT_EQ(visible(visible(testing::hostile)), visible(testing::hostile));
}

TEST(EscapeXml, LeavesNoMarkup) {
  EXPECT_EQ(escape_xml("<a href=\"x\" b='y'>&"), "&lt;a href=&quot;x&quot; b=&#39;y&#39;&gt;&amp;");
  EXPECT_EQ(escape_xml(testing::hostile).find_first_of("<>\"'"), std::string::npos);
}

TEST(EscapeMarkdown, LeavesNoMarkup) {
  EXPECT_EQ(escape_markdown("a|b `c` *d* _e_ [f]"), "a\\|b \\`c\\` \\*d\\* \\_e\\_ \\[f\\]");
  EXPECT_EQ(escape_markdown("<x> & y"), "&lt;x&gt; &amp; y");
  EXPECT_EQ(escape_markdown("one\ntwo"), "one two");
  EXPECT_EQ(escape_markdown("- item"), "\\- item");
  EXPECT_EQ(escape_markdown("back\\slash|"), "back\\\\slash\\|");
}

TEST(EscapeLabel, KeepsLinesAndQuotes) {
  EXPECT_EQ(escape_label("a\"b\\c\nd"), "a\\\"b\\\\c\\nd");
  EXPECT_EQ(escape_label("\xff"), "\\\\xff");
}

TEST(Columns, CountCodePoints) {
  EXPECT_EQ(columns("62 °C"), 5u);
  EXPECT_EQ(bytes_of("62 °C", 4), 5u);
  EXPECT_EQ(bytes_of("ab", 9), 2u);
  EXPECT_EQ(bytes_of("°", 0), 0u);
}

}  // namespace
}  // namespace gpuvet::report
