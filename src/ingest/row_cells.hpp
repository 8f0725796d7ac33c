// SPDX-License-Identifier: Apache-2.0
// The cells of one CSV row, one after the other. Logs have millions of rows that resemble each
// other, so the forms that nearly every cell has are read where they stand, without cutting first.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <string_view>

#include "ingest/query_fields.hpp"

namespace gpuvet::ingest {

class RowCells {
 public:
  static constexpr double not_plain = std::numeric_limits<double>::quiet_NaN();

  explicit RowCells(std::string_view row) : at_{row.data()}, end_{row.data() + row.size()} {}

  /// Whether all cells were read. A row has one at least.
  [[nodiscard]] bool done() const { return done_; }

  /// The next cell, without the blanks and quotes around it.
  std::string_view next() {
    const char* const from = after_blank(at_);
    const char* const to = cell_end(from);
    past(to);
    const std::string_view cell{from, static_cast<std::size_t>(to - from)};
    const bool bare =
        cell.empty() || (cell.front() > ' ' && cell.front() != '"' && cell.back() > ' ');
    return bare ? cell : query_cell(cell);
  }

  void skip() { past(cell_end(at_)); }

  /// Goes past the next cell if it is `text`, with a blank before it or none. `text` holds no
  /// comma.
  bool skip_if(std::string_view text) {
    const char* const from = after_blank(at_);
    if (static_cast<std::size_t>(end_ - from) < text.size()) return false;
    if (std::memcmp(from, text.data(), text.size()) != 0) return false;
    const char* const to = from + text.size();
    if (to != end_ && *to != ',') return false;
    past(to);
    return true;
  }

  /// Goes past the next cell if it is a plain decimal with at most 15 digits, followed by nothing
  /// or by a blank and `unit`, and returns its exact value; else not_plain, and the cell is still
  /// the next.
  double plain_number(std::string_view unit) {
    // A whole number before a comma is what most cells hold.
    const char* const begin = after_blank(at_);
    std::uint64_t digits = 0;
    const char* const to = read_digits(begin, digits);
    if (to == end_ || *to != ',' || to == begin || to - begin > most_digits)
      return plain_number(begin, to, digits, unit);
    at_ = to + 1;
    return static_cast<double>(static_cast<std::int64_t>(digits));
  }

  /// How many cells are left.
  [[nodiscard]] std::size_t left() const {
    if (done_) return 0;
    std::size_t count = 1;
    for (const char* at = cell_end(at_); at != end_; at = cell_end(at + 1)) ++count;
    return count;
  }

 private:
  [[nodiscard]] const char* after_blank(const char* at) const {
    return at != end_ && *at == ' ' ? at + 1 : at;
  }

  /// The comma behind the cell at `at`, or the end of the row; eight characters at a time.
  [[nodiscard]] const char* cell_end(const char* at) const {
    static_assert(std::endian::native == std::endian::little,
                  "the first character is the low byte");
    constexpr std::uint64_t ones = 0x0101010101010101, high_bits = 0x80 * ones;
    for (; end_ - at >= 8; at += 8) {
      std::uint64_t eight = 0;
      std::memcpy(&eight, at, 8);
      const std::uint64_t zero_at_comma = eight ^ (',' * ones);
      // The lowest bit set is in the first zero byte; those above it may be wrong.
      const std::uint64_t commas = (zero_at_comma - ones) & ~zero_at_comma & high_bits;
      if (commas != 0) return at + std::countr_zero(commas) / 8;
    }
    while (at != end_ && *at != ',') ++at;
    return at;
  }

  static constexpr std::ptrdiff_t most_digits = 15;

  const char* read_digits(const char* at, std::uint64_t& digits) const {
    for (unsigned digit = 0; at != end_ && (digit = static_cast<unsigned>(*at - '0')) <= 9; ++at)
      digits = digits * 10 + digit;
    return at;
  }

  double plain_number(const char* begin, const char* to, std::uint64_t digits,
                      std::string_view unit);

  void past(const char* cell_stop) {
    done_ = cell_stop == end_;
    at_ = done_ ? end_ : cell_stop + 1;
  }

  const char* at_;
  const char* end_;
  bool done_ = false;
};

}  // namespace gpuvet::ingest
