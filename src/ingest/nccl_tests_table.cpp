// SPDX-License-Identifier: Apache-2.0
#include "ingest/nccl_tests_table.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

#include "core/text.hpp"

namespace gpuvet::ingest::nccl {
namespace {

/// Bounds for hostile lines: no real one comes near.
constexpr std::size_t longest_cell = 32, most_columns = 32, longest_host = 253, longest_gpu = 128;

/// Bytes of one element. The list is closed, so that prose between the rows starts no row.
std::optional<double> element_size(std::string_view type) {
  struct Type {
    std::string_view name;
    double bytes;
  };
  constexpr Type types[] = {
      {"int8", 1},     {"uint8", 1}, {"char", 1},     {"f8e4m3", 1}, {"f8e5m2", 1}, {"fp8_e4m3", 1},
      {"fp8_e5m2", 1}, {"half", 2},  {"bfloat16", 2}, {"int32", 4},  {"uint32", 4}, {"int", 4},
      {"float", 4},    {"int64", 8}, {"uint64", 8},   {"double", 8},
  };
  const auto* const found = std::ranges::find(types, type, &Type::name);
  return found == std::end(types) ? std::nullopt : std::optional{found->bytes};
}

constexpr std::string_view operations[] = {"sum", "prod",   "max",  "min",
                                           "avg", "mulsum", "none", "all"};

bool is_digit(char c) { return c >= '0' && c <= '9'; }

/// Whether `word` is a cell of that column.
bool fits(Cell cell, std::string_view word) {
  if (word.empty() || word.size() > longest_cell) return false;
  if (cell == Cell::other) return true;
  if (cell == Cell::root) return parse_integer(word).has_value();
  if (cell == Cell::redop) return std::ranges::find(operations, word) != std::end(operations);
  // READMEs print XXX.XX, which has a place but is no figure.
  return word == "N/A" || parse_number(word) || word.find_first_not_of("X.") == word.npos;
}

/// The cell that `word` begins with where another process wrote on without a blank: "sumhost:123:",
/// "-1[0] NCCL". Of a count nothing is left, for the host's name may start with a digit.
std::optional<std::string_view> cut_cell(Cell cell, std::string_view word) {
  const auto digits = std::min(word.find_first_not_of("0123456789"), word.size());
  if (cell == Cell::redop) {
    for (const auto operation : operations)
      if (word.starts_with(operation)) return operation;
  } else if (cell == Cell::root) {
    if (word.starts_with("-1")) return word.substr(0, 2);
    if (digits > 0) return word.substr(0, digits);
  } else if ((cell == Cell::wrong || cell == Cell::error) && digits > 0) {
    return std::string_view{};
  }
  return {};
}

}  // namespace

std::string_view plain(std::string_view line, std::string& storage) {
  if (contains(line, "\x1b")) line = storage = strip_escapes(line);
  if (!contains(line, "]<std")) return line;
  std::string out;
  constexpr std::string_view tags[] = {"]<stdout>:", "]<stderr>:"};
  constexpr std::size_t longest_tag = 64;
  while (!line.empty()) {
    const auto end = line.find("]<std");
    const auto text = line.substr(0, std::min(end, line.size()));
    const auto near = text.substr(text.size() - std::min(longest_tag, text.size()));
    const auto open = near.rfind('[');
    const bool tagged = end != line.npos && open != near.npos &&
                        std::ranges::any_of(tags, [&](std::string_view tag) {
                          return line.substr(end).starts_with(tag);
                        });
    if (tagged)
      out.append(text.substr(0, text.size() - near.size() + open)).append(1, ' ');
    else
      out.append(line.substr(0, end == line.npos ? end : end + 1));
    line.remove_prefix(tagged ? end + tags[0].size() : end == line.npos ? line.size() : end + 1);
  }
  return storage = std::move(out);
}

std::string_view word_after(const Words& line, std::string_view key) {
  const auto found = std::ranges::find(line, key);
  return found == line.end() || found + 1 == line.end() ? std::string_view{} : found[1];
}

Layout layout_of(const Words& line) {
  struct Column {
    std::string_view name;
    Cell cell;
  };
  constexpr Column columns[] = {{"redop", Cell::redop},  {"root", Cell::root},
                                {"time", Cell::time},    {"cputime", Cell::time},
                                {"algbw", Cell::algbw},  {"busbw", Cell::busbw},
                                {"#wrong", Cell::wrong}, {"error", Cell::error}};
  constexpr std::string_view lead[] = {"size", "count", "type"};
  const auto start = std::search(line.begin(), line.end(), std::begin(lead), std::end(lead));
  if (start == line.end()) return {};
  Layout out;
  for (auto word = start + std::ssize(lead); word != line.end(); ++word) {
    const auto* const found = std::ranges::find(columns, *word, &Column::name);
    out.push_back(found == std::end(columns) ? Cell::other : found->cell);
    if (out.size() > most_columns) return {};
  }
  const auto has = [&](Cell cell) { return std::ranges::count(out, cell) > 0; };
  return has(Cell::time) && has(Cell::algbw) && has(Cell::busbw) ? out : Layout{};
}

std::optional<OpenRow> OpenRow::begin(const Layout& layout, const Words& line, std::size_t number) {
  for (std::size_t i = 0; i + 2 < line.size(); ++i) {
    const auto size = element_size(line[i + 2]);
    if (!size) continue;
    const auto bytes = parse_integer(line[i]), count = parse_integer(line[i + 1]);
    if (!bytes || !count || *bytes < 0 || *count < 0) continue;
    OpenRow open;
    open.row_.line = number;
    open.row_.bytes = static_cast<double>(*bytes);
    if (*count > 0) open.row_.shares = open.row_.bytes / (static_cast<double>(*count) * *size);
    open.row_.type = line[i + 2];
    open.take(layout, line, i + 3);
    return open;
  }
  return {};
}

/// Takes words as long as they fit the columns; whether it ended cleanly: at the end of the line,
/// of the columns, or where a cell that can stand it was cut.
bool OpenRow::take(const Layout& layout, const Words& words, std::size_t from) {
  for (; from < words.size() && cells_.size() < layout.size(); ++from) {
    const Cell cell = layout[cells_.size()];
    const bool whole = fits(cell, words[from]);
    const auto taken = whole ? words[from] : cut_cell(cell, words[from]);
    if (!taken) {  // "11[0] NCCL INFO": the beginning of a figure, whose end comes later
      closed_ = closed_ || is_digit(words[from][0]);
      return false;
    }
    cells_.emplace_back(*taken);
    if (!whole) return true;
  }
  return true;
}

bool OpenRow::take_rest(const Layout& layout, const Words& line) {
  if (closed_ || line.empty() || cells_.size() >= layout.size() || !parse_number(line[0]))
    return false;
  const bool at_root = layout[cells_.size()] == Cell::root && line[0] == "-1";
  if (!at_root && layout[cells_.size()] != Cell::time) return false;
  OpenRow longer = *this;
  const bool clean = longer.take(layout, line, 0);
  constexpr std::size_t figures = 3;  // time, algbw, busbw come in one write
  const std::size_t grown = longer.cells_.size() - cells_.size();
  if (clean && grown >= figures) {
    *this = std::move(longer);
    return true;
  }
  // Half of some figures must not be completed by what comes later: that may be the in-place half.
  if (grown + 1 < figures) return false;
  closed_ = true;
  return true;
}

std::optional<Row> OpenRow::measured(const Layout& layout) const {
  constexpr double gigabyte = 1e9, microsecond = 1e-6;  // nccl-tests' GB is 10^9 bytes
  Row row = row_;
  std::optional<double> time, algbw, busbw;
  for (std::size_t i = 0; i < cells_.size(); ++i) {
    auto figure = parse_number(cells_[i]);
    if (figure && *figure < 0) figure.reset();
    const bool out_of_place = !busbw;  // its columns come first
    switch (layout[i]) {
      case Cell::redop:
        row.redop = cells_[i];
        break;
      case Cell::root:
        row.root = parse_integer(cells_[i]);
        break;
      case Cell::time:
        time = out_of_place ? figure : time;
        break;
      case Cell::algbw:
        algbw = out_of_place ? figure : algbw;
        break;
      case Cell::busbw:
        if (out_of_place && !figure) return {};
        if (out_of_place)
          busbw = figure;
        else if (figure)
          row.in_place = *figure * gigabyte;
        break;
      case Cell::wrong:
      case Cell::error:
        row.unchecked = row.unchecked || cells_[i] == "N/A";
        if (figure && layout[i] == Cell::wrong)
          row.wrong = row.wrong.value_or(0) + *figure;
        else if (figure)
          row.compared = true;
        break;
      case Cell::other:
        break;
    }
  }
  if (!time || !algbw || !busbw) return {};
  row.time = *time * microsecond;
  row.algbw = *algbw * gigabyte;
  row.busbw = *busbw * gigabyte;
  return row;
}

std::optional<Rank> rank_in(const Words& line, std::size_t number) {
  constexpr std::int64_t most_ranks = 1'000'000;
  const auto rank = parse_integer(word_after(line, "Rank"));
  const auto host = word_after(line, "on");
  const auto device = std::ranges::find(line, "device");
  const auto left = line.end() - device;
  if (!rank || *rank < 0 || *rank >= most_ranks || left < 2) return {};
  if (host.empty() || host.size() > longest_host || word_after(line, "Pid").empty()) return {};
  Rank out{.line = number, .rank = *rank, .host = std::string(host), .address = {}, .gpu = {}};
  if (left < 3 || !device[2].starts_with('[') || !device[2].ends_with(']')) return out;
  out.address = pci_address(device[2].substr(1, device[2].size() - 2)).value_or("");
  for (auto word = device + 3; word != line.end() && out.gpu.size() < longest_gpu; ++word)
    out.gpu.append(out.gpu.empty() ? "" : " ").append(word->substr(0, longest_gpu));
  return out;
}

}  // namespace gpuvet::ingest::nccl
