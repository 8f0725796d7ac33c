// SPDX-License-Identifier: Apache-2.0
// Bytes from anywhere, one window at a time. Parsers take a ByteSource, so that files, pipes and
// test strings look alike and a parser never holds more than it needs.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "core/result.hpp"

namespace gpuvet {

class ByteSource {
 public:
  virtual ~ByteSource() = default;
  /// Fills up to `room` bytes at `to`; 0 at the end.
  virtual Result<std::size_t> read(char* to, std::size_t room) = 0;
};

/// A source over bytes that outlive it.
class MemorySource final : public ByteSource {
 public:
  explicit MemorySource(std::string_view bytes) : rest_{bytes} {}
  Result<std::size_t> read(char* to, std::size_t room) override;

 private:
  std::string_view rest_;
};

/// All of `source`, or too_large beyond `limit` bytes.
Result<std::string> read_all(ByteSource& source, std::size_t limit);

/// Lines of a source: linear time, memory bounded by the longest line allowed. A line ends at LF or
/// CR LF; the last may lack its end. A NUL byte or a line beyond the limit is an error with its
/// number.
class LineReader {
 public:
  static constexpr std::size_t longest_line = std::size_t{1} << 20;

  explicit LineReader(ByteSource& source);

  /// The next line without its end, valid until the next call; nothing at the end or on error.
  std::optional<std::string_view> next();

  /// 1-based number of the line that next() returned last.
  [[nodiscard]] std::size_t line() const { return line_; }

  /// What stopped the reading, if it was not the end.
  [[nodiscard]] const std::optional<Error>& error() const { return error_; }

 private:
  bool refill();

  ByteSource& source_;
  static constexpr std::size_t capacity = longest_line + 1;
  static constexpr std::size_t piece = std::size_t{1} << 17;  ///< what is read stays in the cache
  static constexpr std::size_t no_nul = static_cast<std::size_t>(-1);
  std::unique_ptr<char[]> buffer_;  ///< not cleared: small files touch only its first pages
  std::size_t begin_ = 0, end_ = 0, scanned_ = 0;
  std::size_t nul_ = no_nul;  ///< where in the buffer the first NUL is
  std::size_t line_ = 0;
  bool finished_ = false;
  std::optional<Error> error_;
};

}  // namespace gpuvet
