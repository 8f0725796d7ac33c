// SPDX-License-Identifier: Apache-2.0
#include "ingest/row_cells.hpp"

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

namespace gpuvet::ingest {
namespace {

std::vector<std::string> cells_of(std::string_view row) {
  std::vector<std::string> out;
  for (RowCells cells{row}; !cells.done();) out.emplace_back(cells.next());
  return out;
}

using Cells = std::vector<std::string>;

TEST(RowCells, CutsAtCommasAndTrims) {
  EXPECT_EQ(cells_of("a, b,c"), (Cells{"a", "b", "c"}));
  EXPECT_EQ(cells_of(",,"), (Cells{"", "", ""}));
  EXPECT_EQ(cells_of(""), (Cells{""}));
  EXPECT_EQ(cells_of("  a \t, \" b \" ,\"c"), (Cells{"a", "b", "\"c"}));
  EXPECT_EQ(cells_of("a cell longer than eight,another that is longer"),
            (Cells{"a cell longer than eight", "another that is longer"}));
}

TEST(RowCells, FindsACommaWhereverItStands) {
  for (std::size_t length = 0; length < 40; ++length)
    for (const char c : {'a', '-', '\x2b', '\x2d', '\xac', '\x01'}) {  // neighbours of the comma
      const std::string cell(length, c);
      RowCells cells{cell};
      cells.skip();
      EXPECT_TRUE(cells.done()) << length;
      const std::string row = cell + "," + cell;
      EXPECT_EQ(RowCells{row}.left(), 2u) << length;
    }
}

TEST(RowCells, CountsWhatIsLeft) {
  RowCells cells{"a,b,c"};
  EXPECT_EQ(cells.left(), 3u);
  cells.skip();
  EXPECT_EQ(cells.left(), 2u);
  cells.skip();
  cells.skip();
  EXPECT_EQ(cells.left(), 0u);
  EXPECT_EQ(RowCells{"a,"}.left(), 2u);
}

TEST(RowCells, SkipsOnlyTheSameCell) {
  RowCells cells{"ab, ab,abc,a,"};
  EXPECT_TRUE(cells.skip_if("ab"));
  EXPECT_TRUE(cells.skip_if("ab")) << "a blank before it";
  EXPECT_FALSE(cells.skip_if("ab")) << "a longer cell";
  EXPECT_EQ(cells.next(), "abc");
  EXPECT_FALSE(cells.skip_if("ab")) << "a shorter cell";
  EXPECT_TRUE(cells.skip_if("a"));
  EXPECT_TRUE(cells.skip_if("")) << "an empty cell at the end";
  EXPECT_TRUE(cells.done());
}

TEST(RowCells, ReadsPlainNumbersAndGoesPastThem) {
  RowCells cells{"39, 397.19, 5 W,0.5 W,100"};
  EXPECT_EQ(cells.plain_number("W"), 39);
  EXPECT_EQ(cells.plain_number("W"), 397.19);
  EXPECT_EQ(cells.plain_number("W"), 5);
  EXPECT_EQ(cells.plain_number("W"), 0.5);
  EXPECT_EQ(cells.plain_number("W"), 100);
  EXPECT_TRUE(cells.done());
}

TEST(RowCells, LeavesOtherCellsWhereTheyAre) {
  for (const std::string cell :
       {"-1", "1e3", "1.2.3", ".", "", "N/A", "5 MHz", "5 WW", "5  W", "5 ", "0x10", "1'000", "+1",
        "1234567890123456", "1.234567890123456"}) {
    const std::string row = cell + ",next";
    for (const std::string& tried : {row, cell}) {
      RowCells cells{tried};
      const double value = cells.plain_number("W");
      EXPECT_NE(value, value) << tried;
      EXPECT_EQ(cells.left(), RowCells{tried}.left()) << tried;
    }
  }
}

TEST(RowCells, IsExactUpToFifteenDigits) {
  RowCells cells{"999999999999999,99999999.9999999,.5,7."};
  EXPECT_EQ(cells.plain_number(""), 999999999999999.0);
  EXPECT_EQ(cells.plain_number(""), 99999999.9999999);
  EXPECT_EQ(cells.plain_number(""), 0.5);
  EXPECT_EQ(cells.plain_number(""), 7);
}

}  // namespace
}  // namespace gpuvet::ingest
