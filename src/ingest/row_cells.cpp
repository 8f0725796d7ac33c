// SPDX-License-Identifier: Apache-2.0
#include "ingest/row_cells.hpp"

#include <array>

namespace gpuvet::ingest {

/// The rest of plain_number(): from `begin` to `to` stand the digits before a point.
double RowCells::plain_number(const char* begin, const char* to, std::uint64_t digits,
                              std::string_view unit) {
  static constexpr std::array<double, most_digits + 1> powers{
      1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15};
  std::ptrdiff_t count = to - begin, decimals = 0;
  if (to != end_ && *to == '.') {
    const char* const fraction = to + 1;
    to = read_digits(fraction, digits);
    decimals = to - fraction;
    count += decimals;
  }
  if (count == 0 || count > most_digits) return not_plain;
  if (to != end_ && *to == ' ') {
    const auto left = static_cast<std::size_t>(end_ - to) - 1;
    if (left < unit.size() || std::memcmp(to + 1, unit.data(), unit.size()) != 0) return not_plain;
    to += 1 + unit.size();
  }
  if (to != end_ && *to != ',') return not_plain;
  past(to);
  const auto whole = static_cast<double>(static_cast<std::int64_t>(digits));
  return decimals == 0 ? whole : whole / powers[static_cast<std::size_t>(decimals)];
}

}  // namespace gpuvet::ingest
