// SPDX-License-Identifier: Apache-2.0
// Text helpers on what people and drivers really write, and on what attackers do.
#include "core/text.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <cmath>
#include <limits>
#include <string>
#include <utility>
#include <vector>

namespace gpuvet {
namespace {

using Texts = std::vector<std::string>;

Texts owned(const std::vector<std::string_view>& views) { return {views.begin(), views.end()}; }

TEST(Trim, TakesBlanksOffBothEndsOnly) {
  EXPECT_EQ(trim(" \t a b \r\n"), "a b");
  EXPECT_EQ(trim(" \t\r\n"), "");
  EXPECT_EQ(trim(""), "");
}

TEST(Split, KeepsEmptyFields) {
  EXPECT_EQ(owned(split(",a,,b,", ',')), (Texts{"", "a", "", "b", ""}));
  EXPECT_EQ(owned(split("", ',')), (Texts{""}));
}

TEST(LeadingDigits, AreCountedUpToTheFirstOther) {
  EXPECT_EQ(leading_digits("12a3"), 2U);
  EXPECT_EQ(leading_digits("7"), 1U);
  EXPECT_EQ(leading_digits("-7"), 0U);
  EXPECT_EQ(leading_digits(""), 0U);
}

TEST(Between, NeedsBothEndsInThisOrder) {
  EXPECT_EQ(between("a (b) c)", "(", ")"), "b");
  EXPECT_EQ(between("()", "(", ")"), "");
  EXPECT_EQ(between(") (b", "(", ")"), std::nullopt);
  EXPECT_EQ(between("b)", "(", ")"), std::nullopt);
}

TEST(FirstWords, AreEmptyWhereThereAreFewer) {
  const auto three = first_words<3>(" a\tbc ");
  EXPECT_EQ(three[0], "a");
  EXPECT_EQ(three[1], "bc");
  EXPECT_EQ(three[2], "");
}

TEST(Words, AreRunsOfNonBlanks) {
  EXPECT_EQ(owned(words("  GPU0\t X  NV12 \n")), (Texts{"GPU0", "X", "NV12"}));
  EXPECT_TRUE(words(" \t ").empty());
}

TEST(Lower, LeavesBytesOutsideAsciiAlone) { EXPECT_EQ(lower("GPU Ä°Z"), "gpu Ä°z"); }

TEST(Contains, IgnoresCaseOnlyWhenAsked) {
  EXPECT_TRUE(contains("NVIDIA A100", "A100"));
  EXPECT_FALSE(contains("NVIDIA A100", "a100"));
  EXPECT_TRUE(contains_ignoring_case("NVIDIA A100", "a100"));
  EXPECT_FALSE(contains_ignoring_case("NVIDIA A100", "h100"));
  EXPECT_TRUE(contains_ignoring_case("", ""));
}

TEST(Join, PutsTheSeparatorBetweenOnly) {
  EXPECT_EQ(join({"a", "b", "c"}, ", "), "a, b, c");
  EXPECT_EQ(join({}, ", "), "");
}

TEST(ParseNumber, ReadsFiniteDecimals) {
  const std::pair<const char*, double> table[] = {
      {"1", 1}, {"-2.5e3", -2500}, {" 42\t", 42}, {"0.001", 0.001}, {".5", 0.5}, {"1e-3", 0.001}};
  for (const auto& [text, value] : table) EXPECT_EQ(parse_number(text), value) << text;
}

TEST(ParseNumber, RefusesWhateverIsNoFiniteDecimal) {
  for (const char* text : {"",     " ",     "inf", "-inf",    "Infinity", "nan",    "NaN", "nan(1)",
                           "0x10", "0x1p3", "1,5", "1.234,5", "1e999",    "-1e999", "+1",  "1 2",
                           "1W",   "--1",   "1e",  "[N/A]",   "1.5.2",    "٣"})
    EXPECT_FALSE(parse_number(text)) << text;
}

TEST(ParseInteger, RefusesFractionsAndOverflow) {
  EXPECT_EQ(parse_integer("-9"), -9);
  EXPECT_EQ(parse_integer("1f", 16), 31);
  for (const char* text : {"", "1.0", "1e3", "9223372036854775808", "0x1f", "1f", "+1"})
    EXPECT_FALSE(parse_integer(text)) << text;
}

TEST(FormatNumber, WritesIntegersWithoutAPoint) {
  EXPECT_EQ(format_number(8), "8");
  EXPECT_EQ(format_number(-3), "-3");
  EXPECT_EQ(format_number(0.1), "0.1");
  EXPECT_EQ(format_number(85899345920.0), "85899345920");
}

RC_GTEST_PROP(FormatNumber, ReadsBackAsTheSameDouble, (double v)) {
  RC_PRE(std::isfinite(v));
  RC_ASSERT(parse_number(format_number(v)) == v);
}

TEST(FormatNumber, ReadsBackAtTheEdgesOfDouble) {
  using Limits = std::numeric_limits<double>;
  for (const double v :
       {Limits::max(), Limits::lowest(), Limits::min(), Limits::denorm_min(), 9007199254740992.0,
        9007199254740993.0, -9007199254740992.0, 1e22, 0.1 + 0.2})
    EXPECT_EQ(parse_number(format_number(v)), v) << format_number(v);
}

TEST(StripEscapes, RemovesColoursTitlesAndControls) {
  EXPECT_EQ(strip_escapes("\t\x1b[4mGPU0\tGPU1\x1b[0m"), "\tGPU0\tGPU1");
  EXPECT_EQ(strip_escapes("\x1b[1;31;48;2;0;0;0mred\x1b[m"), "red");
  EXPECT_EQ(strip_escapes("\x1b]0;title\aafter"), "after");
  EXPECT_EQ(strip_escapes("\x1b]8;;http://x\x1b\\link\x1b]8;;\x1b\\"), "link");
  EXPECT_EQ(strip_escapes("a\x01\x08"
                          "b\rc"),
            "abc");
}

TEST(StripEscapes, SurvivesSequencesThatAreCutOff) {
  EXPECT_EQ(strip_escapes("a\x1b"), "a");
  EXPECT_EQ(strip_escapes("a\x1b["), "a");
  EXPECT_EQ(strip_escapes("a\x1b[12;"), "a");
  EXPECT_EQ(strip_escapes("a\x1b]0;title"), "a");
}

TEST(Printable, LeavesValidUtf8Alone) { EXPECT_EQ(printable("62 °C, 猫, 🐈"), "62 °C, 猫, 🐈"); }

TEST(Printable, ShowsControlsAndInvalidUtf8AsHex) {
  const std::pair<std::string, std::string> table[] = {
      {"\x1b[31m", "\\x1b[31m"},
      {"a\nb\tc\x7f", "a\\x0ab\\x09c\\x7f"},
      {"\xff", "\\xff"},
      {"\xc3", "\\xc3"},                             // cut off
      {"\xc0\xaf", "\\xc0\\xaf"},                    // overlong '/'
      {"\xe0\x80\xaf", "\\xe0\\x80\\xaf"},           // overlong in three bytes
      {"\xed\xa0\x80", "\\xed\\xa0\\x80"},           // surrogate
      {"\xf4\x90\x80\x80", "\\xf4\\x90\\x80\\x80"},  // beyond U+10FFFF
      {"\xc2\x9b"
       "31m",
       "\\xc2\\x9b31m"},  // the 8-bit CSI
      {std::string(1, '\0'), "\\x00"},
  };
  for (const auto& [given, shown] : table) EXPECT_EQ(printable(given), shown);
}

RC_GTEST_PROP(Printable, NeverLetsAControlByteThrough, (const std::string& bytes)) {
  for (const char c : printable(bytes)) {
    RC_ASSERT(static_cast<unsigned char>(c) >= 0x20);
    RC_ASSERT(c != 0x7f);
  }
}

RC_GTEST_PROP(Printable, ChangesNothingTheSecondTime, (const std::string& bytes)) {
  RC_ASSERT(printable(printable(bytes)) == printable(bytes));
}

TEST(PciAddress, HasOneSpelling) {
  const std::pair<const char*, const char*> table[] = {
      {"00000000:0F:00.0", "0000:0f:00.0"}, {"0000:0f:00.0", "0000:0f:00.0"},
      {"0000:0f:00", "0000:0f:00.0"},       {"PCI:0000:0f:00", "0000:0f:00.0"},
      {"0f:00.0", "0000:0f:00.0"},          {"0F:00", "0000:0f:00.0"},
      {" 0000:C1:00.1 ", "0000:c1:00.1"},   {"00010000:C1:00.0", "00010000:c1:00.0"},
  };
  for (const auto& [given, spelled] : table) EXPECT_EQ(pci_address(given), spelled) << given;
}

TEST(PciAddress, IsNothingElse) {
  for (const char* text :
       {"", "GPU-1234", "0f", "0f:00:00:00.0", "0g:00.0", "0000:0f:0.0", "0000:0f:00.",
        "0000:0f:00.10", "0000:0f:00.g", "000:0f:00.0", "12:34:56", "PCI:", "::."})
    EXPECT_FALSE(pci_address(text)) << text;
}

TEST(Wrap, BreaksBetweenWordsAndIndentsWhatFollows) {
  EXPECT_EQ(wrap("one two three", 8), "one two\nthree");
  EXPECT_EQ(wrap("one two three", 9, 2), "one two\n  three");
  EXPECT_EQ(wrap("", 8), "");
}

TEST(Wrap, KeepsAWordThatIsWiderThanTheLine) {
  EXPECT_EQ(wrap("a incomprehensible b", 5), "a\nincomprehensible\nb");
}

TEST(Wrap, CountsColumnsAndNotBytes) { EXPECT_EQ(wrap("µµµµ µµµµ", 9), "µµµµ µµµµ"); }

TEST(VersionParts, ReadDottedNumbersUpToTheFirstOther) {
  using Parts = std::vector<std::int64_t>;
  EXPECT_EQ(version_parts("580.105.08"), (Parts{580, 105, 8}));
  EXPECT_EQ(version_parts("12.4"), (Parts{12, 4}));
  EXPECT_EQ(version_parts("2.21.5+cuda12.4"), (Parts{2, 21, 5}));
  EXPECT_EQ(version_parts("535.x.1"), (Parts{535}));
  EXPECT_EQ(version_parts("[N/A]"), Parts{});
  EXPECT_EQ(version_parts("99999999999999999999.1"), Parts{});
}

TEST(VersionParts, CompareByNumber) {
  EXPECT_LT(version_parts("9.10"), version_parts("10.2"));
  EXPECT_LT(version_parts("535.54"), version_parts("535.104.5"));
}

}  // namespace
}  // namespace gpuvet
