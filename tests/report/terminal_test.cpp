// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "core/text.hpp"
#include "report/escape.hpp"
#include "report/page.hpp"
#include "sample.hpp"

namespace gpuvet::report {
namespace {

using testing::rendered;

std::string without_colour(std::string text) {
  for (auto at = text.find("\x1b["); at != std::string::npos; at = text.find("\x1b["))
    text.erase(at, text.find('m', at) + 1 - at);
  return text;
}

class Width : public ::testing::TestWithParam<std::size_t> {};

TEST_P(Width, HoldsOnEveryLine) {
  for (const bool verbose : {false, true}) {
    const std::string out = rendered("terminal", testing::sample(), {false, verbose, GetParam()});
    std::size_t longest = 0;
    for (const auto line : split(out, '\n')) {
      EXPECT_LE(columns(line), GetParam()) << line;
      longest = std::max(longest, columns(line));
    }
    EXPECT_GT(longest + 5, GetParam()) << "the width is used";
  }
}

INSTANTIATE_TEST_SUITE_P(Terminal, Width, ::testing::Values(40, 63, 80, 132));

TEST(Terminal, ColoursOnlyWhenAskedAndChangesNothingElse) {
  const std::string plain = rendered("terminal");
  const std::string coloured = rendered("terminal", testing::sample(), {true, false, 80});
  EXPECT_EQ(plain.find('\x1b'), std::string::npos);
  EXPECT_NE(coloured, plain);
  EXPECT_EQ(without_colour(coloured), plain);
  EXPECT_NE(coloured.find("\x1b[1;31mFAIL"), std::string::npos);
}

TEST(Terminal, OpensWithTheVerdict) {
  const std::string out = rendered("terminal");
  EXPECT_EQ(
      out.rfind(
          "UNFIT for purchase: 1 criterion failed, 1 workload asked about does not fit\nServer  ",
          0),
      0u)
      << out.substr(0, 100);
  EXPECT_NE(out.find("\nServer  \\x1b[2J"), std::string::npos);
  EXPECT_LT(out.find("Scorecard"), out.find("FAIL  Title of topology.nvlink"));
}

TEST(Terminal, PutsBenchmarksBeforeTheKit) {
  const std::string out = rendered("terminal");
  const auto kit = out.find("no evidence  Collectives");
  EXPECT_NE(kit, std::string::npos);
  EXPECT_LT(out.find("FAIL         NVLink topology"), kit);
}

TEST(Terminal, TellsTroubleInFull) {
  const std::string out = rendered("terminal");
  for (const auto* part :
       {"Limit   empty", "Source  tier 1: nvidia-smi documentation", "Next    Reseat",
        "Ask the vendor", "Limit   pass <= 85 °C, fail > 89 °C"})
    EXPECT_NE(out.find(part), std::string::npos) << part;
}

TEST(Terminal, SaysWhatToSend) {
  const std::string out = rendered("terminal");
  EXPECT_NE(out.find("Not tested, and required at this stage"), std::string::npos);
  EXPECT_NE(out.find("Next    Send a log of 48 h"), std::string::npos);
}

TEST(Terminal, CountsPassesUnlessVerbose) {
  const std::string brief = rendered("terminal");
  EXPECT_NE(brief.find("pass         Memory 2"), std::string::npos);
  EXPECT_EQ(brief.find("Title of memory.total"), std::string::npos);
  const std::string full = rendered("terminal", testing::sample(), {false, true, 80});
  EXPECT_NE(full.find("pass         Title of memory.total (gpu:a, gpu:b)"), std::string::npos);
}

TEST(Terminal, TellsAskedWorkloadsFirst) {
  const std::string out = rendered("terminal");
  const auto asked = out.find("UNFIT        llama3-70b-full");
  ASSERT_NE(asked, std::string::npos);
  EXPECT_LT(asked, out.find("fit          serve-7b"));
}

TEST(Terminal, NamesWhatWasNotRead) {
  const std::string out = rendered("terminal");
  const auto unread = out.find("not read     \\x1b[2J");
  EXPECT_NE(unread, std::string::npos);
  EXPECT_NE(out.find("read         topo.txt as nvidia_smi_topo"), std::string::npos);
}

TEST(Page, BreaksLongWordsAtSeparators) {
  Page page(40, false);
  page.row(2, {"-", 2}, "evidence/a-long-folder-name/another-folder/file.txt end");
  EXPECT_EQ(page.take(), "  - evidence/a-long-folder-name/another-\n    folder/file.txt end\n");
}

TEST(Page, CutsALineVisibly) {
  EXPECT_EQ(fitted("°°°°°", 4), "°°°…");
  EXPECT_EQ(fitted("°°°°", 4), "°°°°");
  EXPECT_EQ(fitted("x", 0), "");
}

}  // namespace
}  // namespace gpuvet::report
