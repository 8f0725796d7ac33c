// SPDX-License-Identifier: Apache-2.0
// `free` and /proc/meminfo: host memory and swap. Both count pages, so that exact figures divide by
// four KiB. free doesn't say its unit: only -h, the prompt that was kept, or the figures do.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <optional>
#include <set>
#include <utility>

#include "core/text.hpp"
#include "ingest/importer.hpp"
#include "ingest/watched_source.hpp"

namespace gpuvet::ingest {
namespace {

constexpr double kibi = 1024;
constexpr double most_bytes = 1024 * kibi * kibi * kibi * kibi;  ///< 1 PiB, in no server

/// How the prompt line has free called.
struct Called {
  bool sure = true;  ///< no option that means another unit in another version
  bool si = false;
  int exponent = 1;  ///< KiB unless an option says otherwise

  [[nodiscard]] double base() const { return si ? 1000 : kibi; }
  [[nodiscard]] double unit() const { return std::pow(base(), exponent); }
};

void take_option(std::string_view option, Called& called) {
  // --kilo and its like meant 1024 before --kibi came, and 1000 since.
  constexpr std::array<std::pair<std::string_view, int>, 6> units{
      {{"--bytes", 0}, {"--kibi", 1}, {"--mebi", 2}, {"--gibi", 3}, {"--tebi", 4}, {"--pebi", 5}}};
  constexpr std::array<std::string_view, 7> harmless{"--human", "--wide",    "--total",    "--lohi",
                                                     "--count", "--seconds", "--committed"};
  if (option.starts_with("--")) {
    option = option.substr(0, option.find('='));
    const auto* const unit = std::ranges::find(units, option, &decltype(units)::value_type::first);
    if (unit != units.end())
      called.exponent = unit->second;
    else if (option == "--si")
      called.si = true;
    else if (std::ranges::find(harmless, option) == harmless.end())
      called.sure = false;
    return;
  }
  for (const char letter : option.substr(1)) {
    if (letter == 's' || letter == 'c') return;  // what follows is their number
    const auto exponent = std::string_view("bkmg").find(letter);
    if (exponent != std::string_view::npos)
      called.exponent = static_cast<int>(exponent);
    else if (std::string_view("hwtlvo").find(letter) == std::string_view::npos)
      called.sure = false;
  }
}

/// "$ free -m", "[root@host ~]# sudo free -wh > free.txt"; nothing for any other line.
std::optional<Called> command_line(const std::vector<std::string_view>& cells) {
  const auto name = std::ranges::find_if(
      cells, [](std::string_view cell) { return cell == "free" || cell.ends_with("/free"); });
  const auto prompts = [](std::string_view cell) {
    return std::string_view("$#>%").find(cell.back()) != std::string_view::npos;
  };
  if (name == cells.end() || (name != cells.begin() && std::none_of(cells.begin(), name, prompts)))
    return {};
  Called called;
  for (auto cell = name + 1; cell != cells.end(); ++cell) {
    if (std::string_view("|>;&").find(cell->front()) != std::string_view::npos) break;
    if (cell->size() > 1 && cell->front() == '-')
      take_option(*cell, called);
    else if (!parse_number(*cell))
      return {};  // "free memory of all hosts"
  }
  return called;
}

/// "62Gi", "1.2G", "0B": the figure and its letter; "Gi" also tells the base.
struct Figure {
  double number = 0;
  int exponent = -1;  ///< -1: without a unit of its own
  bool binary = false;
};

std::optional<Figure> figure(std::string_view cell) {
  Figure out;
  if (cell.ends_with('i')) {
    out.binary = true;
    cell.remove_suffix(1);
  }
  const auto exponent =
      cell.empty() ? std::string_view::npos : std::string_view("BKMGTP").find(cell.back());
  if (exponent != std::string_view::npos) {
    out.exponent = static_cast<int>(exponent);
    cell.remove_suffix(1);
  }
  const auto number = parse_number(cell);
  if (!number || *number < 0 || out.binary != (out.binary && out.exponent > 0)) return {};
  // Without a unit free prints whole numbers.
  if (out.exponent < 0 && !parse_integer(cell)) return {};
  out.number = *number;
  return out;
}

struct Row {
  std::vector<Figure> cells;
  std::size_t line = 0;
};

class Reader {
 public:
  Reader(ByteSource& source, Recorder& out) : source_{source}, lines_{source_}, out_{out} {}

  Result<void> read() {
    while (const auto line = lines_.next()) {
      const auto cells = words(*line);
      if (!cells.empty()) GPUVET_CHECK(take(trim(*line), cells));
    }
    if (lines_.error()) return tl::make_unexpected(*lines_.error());
    if (meminfo_) return finish_meminfo();
    return finish_free();
  }

 private:
  [[nodiscard]] auto broken(std::string words) const {
    return fail(Errc::malformed, std::move(words), lines_.line());
  }

  /// For a row that may be the file's last and half: `words` where more rows follow.
  auto broken_unless_cut(std::string words, std::string_view half) {
    const std::size_t line = lines_.line();
    if (!lines_.next() && !lines_.error() && source_.ends_inside_line())
      words = fmt::format("the file ends early, inside a {}", half);
    return fail(Errc::malformed, std::move(words), line);
  }

  Result<void> take(std::string_view text, const std::vector<std::string_view>& cells) {
    last_is_count_ = false;
    if (text.ends_with("free: command not found"))
      return fail(Errc::not_supported, "free isn't installed there: send /proc/meminfo",
                  lines_.line());
    if (cells.size() >= 4 && cells[0] == "total" && cells[1] == "used" && cells[2] == "free")
      return take_header(cells);
    if (cells[0] == "Mem:" || cells[0] == "Swap:") return take_row(cells);
    if (cells[0] == "MemTotal:" || meminfo_) return take_meminfo(cells);
    if (const auto called = command_line(cells)) {
      if (called_ || !columns_.empty()) return broken("a second free: give each output its file");
      called_ = called;
    }
    return {};
  }

  // --- free

  Result<void> take_header(const std::vector<std::string_view>& cells) {
    if (meminfo_) return broken("free and /proc/meminfo in one file: give each its own");
    const std::vector<std::string> columns(cells.begin(), cells.end());
    if (!columns_.empty() && columns != columns_)
      return broken("a second table with other columns: give each output its file");
    columns_ = columns;
    swap_.reset();  // free -s prints the table again and again: the last one counts
    return {};
  }

  Result<void> take_row(const std::vector<std::string_view>& cells) {
    const bool memory = cells[0] == "Mem:";
    if (columns_.empty())
      return broken("figures without the header above them: send all that free prints");
    const std::size_t due = memory ? columns_.size() : 3;
    if (cells.size() - 1 < due)
      return broken_unless_cut(fmt::format("row of {} figures, due are {}", cells.size() - 1, due),
                               "row");
    if (cells.size() - 1 > due) return broken(fmt::format("row of more than {} figures", due));
    Row row{{}, lines_.line()};
    for (auto cell = cells.begin() + 1; cell != cells.end(); ++cell) {
      if (contains(*cell, ",")) return broken("number with a decimal comma: rerun with LC_ALL=C");
      const auto read = figure(*cell);
      if (!read) return broken("a figure that is none: " + printable(cell->substr(0, 80)));
      row.cells.push_back(*read);
    }
    const auto& c = row.cells;
    const bool plain = std::ranges::all_of(c, [](const Figure& f) { return f.exponent < 0; });
    // Each is rounded by itself.
    if (!memory && plain && std::abs(c[0].number - c[1].number - c[2].number) > 2)
      return broken("used and free swap don't add up to its total: is the file cut?");
    if (memory && memory_ && memory_->cells[0].number != c[0].number)
      return broken("tables of two machines: give each output its file");
    (memory ? memory_ : swap_) = std::move(row);
    return {};
  }

  /// What one of the plain figures is, in bytes.
  [[nodiscard]] std::optional<double> unit_of_plain() const {
    if (called_ && called_->sure) return called_->unit();
    std::set<double> seen;
    for (const auto* row : {&memory_, &swap_})
      if (*row)
        for (const auto& cell : (*row)->cells)
          if (cell.number > 0) seen.insert(cell.number);
    const auto all_divide_by = [&](double n) {
      return std::ranges::all_of(seen, [&](double v) { return std::fmod(v, n) == 0; });
    };
    const double total = memory_->cells[0].number;
    // Bytes are whole KiB. For figures in KiB, which are whole pages, to look so by chance is 1 in
    // 256 each.
    if (seen.size() >= 4 && total >= kibi * kibi * 256 && all_divide_by(kibi)) return 1;
    // Whole pages, and 64 TiB or more if they were MiB.
    if (seen.size() >= 5 && total >= kibi * kibi * 64 && all_divide_by(4)) return kibi;
    return {};
  }

  /// In bytes; nothing where the unit is unknown.
  [[nodiscard]] std::optional<double> bytes(const Figure& f, std::optional<double> plain) const {
    if (f.exponent == 0 || f.number == 0) return f.number;
    if (f.exponent < 0) return plain ? std::optional(f.number * *plain) : std::nullopt;
    if (f.binary) return f.number * std::pow(kibi, f.exponent);
    // "62G" is GiB of an old free -h or GB of a new one with --si.
    if (!called_ || !called_->sure) return {};
    return f.number * std::pow(called_->base(), f.exponent);
  }

  Result<void> finish_free() {
    if (!memory_ && columns_.empty()) return broken("neither free's table nor /proc/meminfo");
    if (!memory_ || (source_.ends_inside_line() && !swap_))
      return broken("the file ends early: free prints rows called Mem and Swap");
    const auto unit = unit_of_plain();
    const auto total = bytes(memory_->cells[0], unit);
    const auto unclear = [&](std::size_t line) {
      return fail(Errc::malformed, "free doesn't say the unit of its figures: run free -b", line);
    };
    if (!total) return unclear(memory_->line);
    if (*total <= 0 || *total > most_bytes)
      return fail(Errc::malformed, "no total that memory can have", memory_->line);
    out_.tool("free");
    out_.line(memory_->line);
    out_.number("node.memory.total"_id, "node", *total);
    const auto column = std::ranges::find(columns_, "available");
    if (column == columns_.end()) {
      out_.absent("node.memory.available"_id, "node", Absence::not_supported,
                  "this version of free doesn't say");
    } else {
      const auto at = static_cast<std::size_t>(column - columns_.begin());
      const auto available = bytes(memory_->cells[at], unit);
      if (!available) return unclear(memory_->line);
      out_.number("node.memory.available"_id, "node", *available);
    }
    if (!swap_) return leave_out_swap();
    out_.line(swap_->line);
    const auto size = bytes(swap_->cells[0], unit), used = bytes(swap_->cells[1], unit);
    if (!size || !used) return unclear(swap_->line);
    if (*used > *size || *size > most_bytes)
      return fail(Errc::malformed, "more swap in use than there is", swap_->line);
    out_.number("node.swap.total"_id, "node", *size);
    // -m and -g round down: their 0 may be a little. "0B" of -h is none.
    if (*used == 0 && *size > 0 && swap_->cells[1].exponent < 0 && unit.value_or(0) > kibi)
      out_.absent("node.swap.used"_id, "node", Absence::not_asked,
                  fmt::format("less than {} MiB: run free -b", *unit / kibi / kibi));
    else
      out_.number("node.swap.used"_id, "node", *used);
    return {};
  }

  Result<void> leave_out_swap() {
    for (const Id id : {"node.swap.total"_id, "node.swap.used"_id})
      out_.absent(id, "node", Absence::not_asked, "the file holds no line on swap");
    return {};
  }

  // --- /proc/meminfo

  Result<void> take_meminfo(const std::vector<std::string_view>& cells) {
    if (!columns_.empty()) return broken("free and /proc/meminfo in one file: give each its own");
    meminfo_ = true;
    const auto known = std::ranges::find(lines_due_, cells[0], &Due::name);
    if (known == lines_due_.end()) return {};
    if (known->value) return broken("two machines' /proc/meminfo: give each its file");
    const auto value = parse_integer(cells.size() < 2 ? std::string_view() : cells[1]);
    const bool whole =
        cells.size() == (known->is_count ? 2 : 3) && (known->is_count || cells[2] == "kB");
    if (!whole) return broken_unless_cut("a line of /proc/meminfo that is unreadable", "line");
    if (!value || *value < 0 ||
        static_cast<double>(*value) > most_bytes / (known->is_count ? 1 : kibi))
      return broken("a line of /proc/meminfo that is unreadable");
    // The kernel's kB are KiB.
    known->value = static_cast<double>(*value) * (known->is_count ? 1 : kibi);
    known->line = lines_.line();
    last_is_count_ = known->is_count;
    return {};
  }

  Result<void> finish_meminfo() {
    // A count has no unit behind it that would show it whole.
    if (last_is_count_ && source_.ends_inside_line())
      return broken("the file ends early, inside a line");
    const auto& [total, available, swap, swap_free, pages] = lines_due_;
    if (*total.value <= 0) return fail(Errc::malformed, "no memory at all", total.line);
    out_.tool("/proc/meminfo");
    record("node.memory.total"_id, total);
    record("node.memory.available"_id, available);
    record("node.hugepages"_id, pages);
    if (!swap.value || !swap_free.value) return leave_out_swap();
    if (*swap_free.value > *swap.value)
      return fail(Errc::malformed, "more swap is free than there is", swap_free.line);
    record("node.swap.total"_id, swap);
    out_.line(swap_free.line);
    out_.number("node.swap.used"_id, "node", *swap.value - *swap_free.value);
    return {};
  }

  struct Due {
    std::string_view name;
    bool is_count = false;
    std::optional<double> value = {};
    std::size_t line = 0;
  };

  void record(Id id, const Due& due) {
    out_.line(due.line);
    if (due.value)
      out_.number(id, "node", *due.value);
    else
      out_.absent(id, "node", Absence::not_asked, fmt::format("no line \"{}\"", due.name));
  }

  WatchedSource source_;
  LineReader lines_;
  Recorder& out_;
  std::optional<Called> called_;
  std::vector<std::string> columns_;
  std::optional<Row> memory_, swap_;
  std::array<Due, 5> lines_due_{{{"MemTotal:"},
                                 {"MemAvailable:"},
                                 {"SwapTotal:"},
                                 {"SwapFree:"},
                                 {"HugePages_Total:", true}}};
  bool meminfo_ = false, last_is_count_ = false;
};

/// The table or MemTotal stands at the top: other files may hold either further down.
bool recognises(std::string_view head) {
  head = head.substr(0, 2048);
  if (contains(head.substr(0, 128), "free: command not found")) return true;
  constexpr std::size_t searched = 6;
  std::size_t seen = 0;
  for (const auto line : split(head, '\n')) {
    const auto cells = words(line);
    if (cells.empty()) continue;
    if (++seen > searched) return false;
    if (cells[0] == "MemTotal:") return cells.size() >= 3 && cells[2].starts_with("kB");
    if (cells.size() >= 4 && cells[0] == "total" && cells[1] == "used" && cells[2] == "free" &&
        cells[3] == "shared")
      return true;
  }
  return false;
}

Result<void> read(ByteSource& source, Recorder& out) { return Reader(source, out).read(); }

}  // namespace

Importer memory_usage() {
  return {.kind = "memory_usage",
          .title = "free or /proc/meminfo",
          .obtain = "free -b > free.txt",
          .recognises = recognises,
          .read = read};
}

}  // namespace gpuvet::ingest
