// SPDX-License-Identifier: Apache-2.0
#include "accuracy/row.hpp"

#include <gtest/gtest.h>

namespace gpuvet::accuracy {
namespace {

constexpr std::string_view header =
    "id\tkind\tgpu_norm\tgpu\tn_gpus\tn_nodes\ttopology\tworkload\tparams\tmetric\tvalue\tunit\t"
    "split\tgroup\tsource\twhere\tlicence\tnote\n";

TEST(Rows, AreReadInBaseUnits) {
  const auto rows = read_rows(std::string(header) +
                              "g1\tgemm\tA100-SXM-80\tA100\t8\t2\tNVSwitch\tw\tm=4;n=8;compile\t"
                              "time\t12.5\tus\tshared\tg\ts\t\t\t\n");
  ASSERT_TRUE(rows) << rows.error().message();
  const Row& row = rows->front();
  EXPECT_DOUBLE_EQ(*row.value, 12.5e-6);
  EXPECT_EQ(row.gpus, 8);
  EXPECT_EQ(row.nodes, 2);
  EXPECT_EQ(row.number("n"), 8);
  EXPECT_EQ(row.param("#0"), "compile");
  EXPECT_EQ(row.param("k"), "");
}

TEST(Rows, AValueMayBeMissingButNotWrong) {
  const std::string row = "g1\tgemm\tA\tA\t1\t1\tt\tw\t\ttime\t%\tus\tshared\tg\ts\t\t\t\n";
  const auto with = [&](const char* value) {
    std::string text = row;
    return read_rows(std::string(header) + text.replace(text.find('%'), 1, value));
  };
  ASSERT_TRUE(with(""));
  EXPECT_FALSE(with("")->front().value.has_value());
  const auto wrong = with("1,5");
  ASSERT_FALSE(wrong);
  EXPECT_EQ(wrong.error().input_line, 2U);
}

TEST(Rows, NeedTheirColumns) {
  EXPECT_FALSE(read_rows("id\tkind\n"));
  EXPECT_FALSE(read_rows(std::string(header) + "g1\tgemm\n"));
}

TEST(Rows, UnitsOfAllSpellingsHaveAScale) {
  EXPECT_EQ(scale_of("GB summed over GPUs"), 1e9);
  EXPECT_EQ(scale_of("GiB/GPU"), 1073741824.0);
  EXPECT_EQ(scale_of("ms (wall / (100*batch))"), 1e-3);
  EXPECT_EQ(scale_of("hours (about)"), 3600);
  EXPECT_EQ(scale_of("W (AC wall)"), 1);
  EXPECT_EQ(scale_of("tokens/s/GPU"), 1);
}

}  // namespace
}  // namespace gpuvet::accuracy
