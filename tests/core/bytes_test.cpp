// SPDX-License-Identifier: Apache-2.0
// Reading bytes and lines: every way in which a line can end, and every way in which reading stops.
#include "core/bytes.hpp"

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

namespace gpuvet {
namespace {

/// A source that gives one byte at a time and then, if asked to, fails.
class OneByOne final : public ByteSource {
 public:
  explicit OneByOne(std::string_view bytes, bool fails = false) : rest_{bytes}, fails_{fails} {}
  Result<std::size_t> read(char* to, std::size_t room) override {
    if (rest_.empty() && fails_) return fail(Errc::permission, "the cable was pulled");
    if (rest_.empty() || room == 0) return std::size_t{0};
    *to = rest_.front();
    rest_.remove_prefix(1);
    return std::size_t{1};
  }

 private:
  std::string_view rest_;
  bool fails_;
};

struct Lines {
  std::vector<std::string> all;
  std::optional<Error> error;
  std::size_t last = 0;
};

Lines lines_of(ByteSource& source) {
  LineReader reader{source};
  Lines out;
  while (const auto line = reader.next()) out.all.emplace_back(*line);
  out.error = reader.error();
  out.last = reader.line();
  return out;
}

Lines lines_of(std::string_view bytes) {
  MemorySource source{bytes};
  return lines_of(source);
}

using Texts = std::vector<std::string>;

TEST(LineReader, GivesNoLineOfAnEmptyFile) {
  const Lines lines = lines_of("");
  EXPECT_TRUE(lines.all.empty());
  EXPECT_FALSE(lines.error);
  EXPECT_EQ(lines.last, 0U);
}

TEST(LineReader, TakesLfAndCrLfAsEnds) {
  EXPECT_EQ(lines_of("a\nb\r\n\nc\n").all, (Texts{"a", "b", "", "c"}));
}

TEST(LineReader, KeepsACarriageReturnInsideALine) {
  EXPECT_EQ(lines_of("a\rb\n").all, (Texts{"a\rb"}));
}

TEST(LineReader, GivesTheLastLineWithoutItsEnd) {
  const Lines lines = lines_of("first\nlast");
  EXPECT_EQ(lines.all, (Texts{"first", "last"}));
  EXPECT_EQ(lines.last, 2U);
}

TEST(LineReader, StopsAtANulByteAndNamesItsLine) {
  const Lines lines = lines_of(std::string_view("good\nba\0d\nnever\n", 16));
  EXPECT_EQ(lines.all, (Texts{"good"}));
  ASSERT_TRUE(lines.error);
  EXPECT_EQ(lines.error->code, Errc::malformed);
  EXPECT_EQ(lines.error->input_line, 2U);
}

TEST(LineReader, StopsForGoodAfterAnError) {
  MemorySource source{std::string_view("\0\nnever\n", 8)};
  LineReader reader{source};
  EXPECT_FALSE(reader.next());
  EXPECT_TRUE(reader.error());
  EXPECT_FALSE(reader.next()) << "the reader went on after an error";
}

TEST(LineReader, TakesALineOfExactlyOneMebibyte) {
  const std::string longest(LineReader::longest_line, 'x');
  const Lines lines = lines_of("short\n" + longest + "\nafter\n");
  ASSERT_FALSE(lines.error) << lines.error->message();
  ASSERT_EQ(lines.all.size(), 3U);
  EXPECT_EQ(lines.all[1], longest);
}

TEST(LineReader, RefusesALongerLineWithItsNumber) {
  const Lines lines = lines_of("short\n" + std::string(LineReader::longest_line + 1, 'x') + "\n");
  EXPECT_EQ(lines.all, (Texts{"short"}));
  ASSERT_TRUE(lines.error);
  EXPECT_EQ(lines.error->code, Errc::too_large);
  EXPECT_EQ(lines.error->input_line, 2U);
}

TEST(LineReader, ReadsTheSameFromAnyPieces) {
  constexpr std::string_view bytes = "one\r\n\ntwo\nthree";
  OneByOne slow{bytes};
  EXPECT_EQ(lines_of(slow).all, lines_of(bytes).all);
}

TEST(LineReader, CountsManyLinesAcrossItsBuffer) {
  std::string bytes;
  for (int i = 0; i < 200000; ++i) bytes += "line " + std::to_string(i) + "\n";
  ASSERT_GT(bytes.size(), 2 * LineReader::longest_line);
  const Lines lines = lines_of(bytes);
  ASSERT_EQ(lines.all.size(), 200000U);
  EXPECT_EQ(lines.all.back(), "line 199999");
  EXPECT_EQ(lines.last, 200000U);
}

TEST(LineReader, PassesOnWhyItsSourceFailed) {
  OneByOne broken{"a\nb", true};
  const Lines lines = lines_of(broken);
  EXPECT_EQ(lines.all, (Texts{"a"}));
  ASSERT_TRUE(lines.error);
  EXPECT_EQ(lines.error->code, Errc::permission);
}

TEST(ReadAll, GivesAllBytesUpToItsLimit) {
  const std::string bytes(300000, 'x');
  MemorySource within{bytes};
  const auto all = read_all(within, bytes.size());
  ASSERT_TRUE(all);
  EXPECT_EQ(*all, bytes);
  MemorySource beyond{bytes};
  const auto refused = read_all(beyond, bytes.size() - 1);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Errc::too_large);
}

TEST(ReadAll, PassesOnWhyItsSourceFailed) {
  OneByOne broken{"ab", true};
  const auto all = read_all(broken, 10);
  ASSERT_FALSE(all);
  EXPECT_EQ(all.error().code, Errc::permission);
}

}  // namespace
}  // namespace gpuvet
