// SPDX-License-Identifier: Apache-2.0
// What holds for every format: the registry is sorted, an empty verdict renders, no control byte
// from an input survives, and the output is valid UTF-8 and the same every time.
#include <gtest/gtest.h>

#include <algorithm>

#include "core/text.hpp"
#include "sample.hpp"

namespace gpuvet::report {
namespace {

TEST(Formats, AreSortedAndFoundByName) {
  std::vector<std::string_view> names;
  for (const auto& f : all()) {
    names.push_back(f.name);
    EXPECT_EQ(format_named(f.name), &f);
    EXPECT_FALSE(f.title.empty());
  }
  const std::vector<std::string_view> expected{"html",     "json",       "junit",
                                               "markdown", "prometheus", "terminal"};
  EXPECT_EQ(names, expected);
  EXPECT_EQ(format_named("pdf"), nullptr);
  EXPECT_EQ(format_named(""), nullptr);
}

class EveryFormat : public ::testing::TestWithParam<Format> {};

TEST_P(EveryFormat, RendersAnEmptyVerdict) {
  const std::string out = GetParam().render({}, {});
  ASSERT_FALSE(out.empty());
  EXPECT_EQ(out.back(), '\n');
}

TEST_P(EveryFormat, LetsNoControlByteThrough) {
  const std::string out = GetParam().render(testing::sample(), {});
  for (const char c : out)
    ASSERT_TRUE(static_cast<unsigned char>(c) >= 0x20 || c == '\n') << int{c};
  std::string one_line = out;
  std::ranges::replace(one_line, '\n', ' ');
  EXPECT_EQ(printable(one_line), one_line) << "invalid UTF-8";
}

TEST_P(EveryFormat, IsReproducible) {
  EXPECT_EQ(GetParam().render(testing::sample(), {}), GetParam().render(testing::sample(), {}));
}

INSTANTIATE_TEST_SUITE_P(All, EveryFormat, ::testing::ValuesIn(all().begin(), all().end()),
                         [](const auto& p) { return std::string(p.param.name); });

}  // namespace
}  // namespace gpuvet::report
