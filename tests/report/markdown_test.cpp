// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "core/text.hpp"
#include "sample.hpp"

namespace gpuvet::report {
namespace {

using testing::rendered;

/// Unescaped pipes of a table row.
std::size_t pipes(std::string_view line) {
  std::size_t n = 0;
  for (std::size_t i = 0; i < line.size(); ++i) {
    if (line[i] == '\\')
      ++i;
    else if (line[i] == '|')
      ++n;
  }
  return n;
}

TEST(Markdown, RowsHaveAsManyCellsAsTheirHeads) {
  const std::string out = rendered("markdown");
  std::size_t expected = 0, rows = 0;
  for (const auto line : split(out, '\n')) {
    if (line.empty() || line[0] != '|') {
      expected = 0;
      continue;
    }
    if (expected == 0) expected = pipes(line);
    EXPECT_EQ(pipes(line), expected) << line;
    ++rows;
  }
  EXPECT_EQ(rows, 4u * 2 + 4 + 7 + 3 + 2) << "four heads; scorecard, findings, fits, inputs";
}

TEST(Markdown, OpensWithTheVerdictAndHasItsSections) {
  const std::string out = rendered("markdown");
  EXPECT_EQ(out.rfind("# UNFIT for purchase: 1 criterion failed, ", 0), 0u);
  std::size_t last = 0;
  for (const auto* title : {"Scorecard", "Findings", "Next steps", "Evidence to send", "Workloads",
                            "What was not tested", "Inputs"}) {
    const auto at = out.find("\n## " + std::string(title) + "\n");
    ASSERT_NE(at, std::string::npos) << title;
    EXPECT_GT(at, last);
    last = at;
  }
}

TEST(Markdown, ListsTheWorstFirst) {
  const std::string out = rendered("markdown");
  EXPECT_LT(out.find("| **FAIL** | Title of topology.nvlink"),
            out.find("| WARN | Title of thermal.core"));
  EXPECT_LT(out.find("| WARN |"),
            out.find("| pass | Title of memory.total | memory.total | gpu:a, gpu:b |"));
}

TEST(Markdown, FillsCells) {
  const std::string out = rendered("markdown");
  EXPECT_NE(out.find("| sdxl | sdxl | no evidence | - |"), std::string::npos);
  EXPECT_NE(out.find("| Serving a 7B model | serve-7b | fit | GPU memory is enough |"),
            std::string::npos);
  EXPECT_EQ(testing::count(out, "<br>nnn"), 1u) << "two reasons in one cell";
}

TEST(Markdown, HoldsNoMarkupFromInputs) {
  const std::string out = rendered("markdown");
  EXPECT_EQ(testing::count(out, "<"), testing::count(out, "<br>"));
  EXPECT_EQ(testing::count(out, ">"), testing::count(out, "<br>"));
  EXPECT_EQ(testing::count(out, "[f](g)"), 0u);
  EXPECT_EQ(testing::count(out, "*d*"), 0u);
}

}  // namespace
}  // namespace gpuvet::report
