// SPDX-License-Identifier: Apache-2.0
// The lines that nccl-tests prints: column header, row, rank. What they mean together is
// nccl_tests.cpp's business.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace gpuvet::ingest::nccl {

using Words = std::vector<std::string_view>;

/// `line` without terminal escapes and without the "[1,0]<stdout>:" that mpirun --tag-output puts
/// before each write, so also in the middle of a row. May use `storage`.
std::string_view plain(std::string_view line, std::string& storage);

/// The word after `key`; empty when there is none.
std::string_view word_after(const Words& line, std::string_view key);

/// What a column after size, count and type holds.
enum class Cell { redop, root, time, algbw, busbw, wrong, error, other };
using Layout = std::vector<Cell>;

/// The columns that a header names; nothing when `line` is no header.
Layout layout_of(const Words& line);

/// One measurement, in base units.
struct Row {
  std::size_t line = 0;
  double bytes = 0;
  double shares = 0;  ///< bytes / (count * size of an element): in how many parts ranks share them
  std::string type{}, redop{};
  std::optional<std::int64_t> root{};
  double time = 0, algbw = 0, busbw = 0;
  double in_place = std::numeric_limits<double>::quiet_NaN();  ///< busbw
  std::optional<double> wrong{};  ///< both directions together; nothing when not counted
  bool compared = false;          ///< old versions print the largest relative error instead
  bool unchecked = false;         ///< N/A stands where either would

  [[nodiscard]] bool rooted() const { return root.value_or(-1) >= 0; }
  [[nodiscard]] bool reduces() const { return !redop.empty() && redop != "none"; }
};

/// A line of a table, perhaps still without the cells that another rank's output cut off.
class OpenRow {
 public:
  /// Starts a row; nothing when `line` holds none. Any prefix may precede it: "0: ", a time stamp.
  static std::optional<OpenRow> begin(const Layout& layout, const Words& line, std::size_t number);

  /// Whether `line` goes on where the row was cut; takes it then.
  bool take_rest(const Layout& layout, const Words& line);

  /// The measurement; nothing when its out-of-place cells hold no figures.
  [[nodiscard]] std::optional<Row> measured(const Layout& layout) const;

  [[nodiscard]] std::size_t line() const { return row_.line; }

  /// Whether all its columns are there, whatever they hold.
  [[nodiscard]] bool whole(const Layout& layout) const { return cells_.size() == layout.size(); }

 private:
  bool take(const Layout& layout, const Words& words, std::size_t from);

  Row row_;
  std::vector<std::string> cells_;
  bool closed_ = false;  ///< cut in the middle of a figure: what follows is not to be joined
};

struct Rank {
  std::size_t line = 0;
  std::int64_t rank = 0;
  std::string host, address, gpu;  ///< address and gpu may be empty
};

/// "#  Rank  0 Group  0 Pid  31706 on host device  0 [0000:b4:00] NVIDIA H100 80GB HBM3".
std::optional<Rank> rank_in(const Words& line, std::size_t number);

}  // namespace gpuvet::ingest::nccl
