// SPDX-License-Identifier: Apache-2.0
// `nvidia-smi topo -p2p r|w|n|a|p`: which pairs of GPUs have peer access. The matrix doesn't say
// which of the five questions it answers; only the command above it does, where it was kept.
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "core/text.hpp"
#include "ingest/importer.hpp"

namespace gpuvet::ingest {

Importer nvidia_smi_topo_p2p();

namespace {

constexpr std::size_t most_gpus = 256, most_matrices = 64;

struct Cell {
  std::string_view text, meaning;
};

/// NVML's p2p states, as the legend below the matrix explains them.
constexpr std::array cells{
    Cell{"OK", ""},
    Cell{"CNS", "chipset not supported"},
    Cell{"GNS", "GPU not supported"},
    Cell{"TNS", "topology not supported"},
    Cell{"NS", "not supported"},
    Cell{"DR", "disabled by regkey"},
    Cell{"U", "unknown"},
};

struct Question {
  char letter;
  Id id;
};

constexpr std::array questions{
    Question{'r', "link.p2p.read"_id},   Question{'w', "link.p2p.write"_id},
    Question{'n', "link.p2p.nvlink"_id}, Question{'a', "link.p2p.atomics"_id},
    Question{'p', "link.p2p.pcie"_id},
};

const Cell* find_cell(std::string_view text) {
  const auto* found = std::ranges::find(cells, text, &Cell::text);
  return found == cells.end() ? nullptr : found;
}

/// "GPU0 GPU1 GPU2": how many; nothing for any other line.
std::optional<std::size_t> header_in(const std::vector<std::string_view>& tokens) {
  for (std::size_t i = 0; i < tokens.size(); ++i)
    if (!tokens[i].starts_with("GPU") ||
        parse_integer(tokens[i].substr(3)) != static_cast<std::int64_t>(i))
      return {};
  if (tokens.empty()) return {};
  return tokens.size();
}

/// The id that "… topo -p2p r" asks for; nothing when `line` is no such command.
std::optional<Id> question_in(std::string_view line) {
  constexpr std::string_view option = "-p2p";
  const auto at = line.find(option);
  if (at == line.npos || !contains(line.substr(0, at), "topo")) return {};
  const auto rest = words(line.substr(at + option.size()));
  if (rest.empty() || rest[0].size() != 1) return {};
  const auto* found = std::ranges::find(questions, rest[0][0], &Question::letter);
  if (found == questions.end()) return {};
  return found->id;
}

class Reader {
 public:
  Reader(ByteSource& source, Recorder& out) : lines_{source}, out_{out} {}

  Result<void> read() {
    out_.tool("nvidia-smi topo -p2p");
    while (const auto raw = lines_.next()) {
      out_.line(lines_.line());
      GPUVET_CHECK(read_line(strip_escapes(*raw)));
    }
    if (lines_.error()) return tl::make_unexpected(*lines_.error());
    if (gpus_ == 0)
      return fail(Errc::malformed, "no matrix: no line lists GPU0, GPU1, …", lines_.line());
    if (due_ > 0) return cut_off();
    return {};
  }

 private:
  [[nodiscard]] Result<void> cut_off() const {
    return fail(Errc::malformed,
                fmt::format("the header names {} GPUs, {} rows follow: the file is cut off", gpus_,
                            gpus_ - due_),
                lines_.line());
  }

  Result<void> read_line(std::string_view line) {
    if (const auto asked = question_in(line)) {
      id_ = *asked;
      if (due_ > 0) return cut_off();
      return {};
    }
    const auto tokens = words(line.substr(0, 64 * most_gpus));
    if (due_ > 0 && tokens.size() > 1) return read_row(tokens);
    // A one-GPU header looks like the start of its own row, and only a row has cells.
    if (const auto columns = header_in(tokens)) return begin(*columns);
    return {};
  }

  Result<void> begin(std::size_t columns) {
    if (columns > most_gpus)
      return fail(Errc::too_large, fmt::format("more than {} GPUs", most_gpus), lines_.line());
    if (gpus_ != 0 && gpus_ != columns)
      return fail(Errc::malformed,
                  fmt::format("a matrix of {} GPUs after one of {}: give one machine a file",
                              columns, gpus_),
                  lines_.line());
    if (++matrices_ > most_matrices)
      return fail(Errc::too_large, fmt::format("more than {} matrices", most_matrices),
                  lines_.line());
    if (gpus_ == 0) {
      for (std::size_t i = 0; i < columns; ++i)
        out_.number("gpu.index"_id, gpu_ordinal(i), static_cast<double>(i));
      out_.number("node.gpu.attached"_id, "node", static_cast<double>(columns));
    }
    gpus_ = due_ = columns;
    rows_.assign(columns, {});
    return {};
  }

  Result<void> read_row(const std::vector<std::string_view>& tokens) {
    const std::size_t row = gpus_ - due_;
    if (tokens[0] != fmt::format("GPU{}", row))
      return fail(Errc::malformed,
                  fmt::format("'{}' where the row of GPU{} is due",
                              printable(tokens[0].substr(0, 40)), row),
                  lines_.line());
    if (tokens.size() != gpus_ + 1)
      return fail(Errc::malformed,
                  fmt::format("row of GPU{} has {} cells, the header has {}", row,
                              tokens.size() - 1, gpus_),
                  lines_.line());
    for (std::size_t column = 0; column < gpus_; ++column) {
      const auto text = tokens[column + 1];
      if (column == row ? text != "X" : find_cell(text) == nullptr)
        return fail(
            Errc::malformed,
            fmt::format("cell '{}' in the row of GPU{}", printable(text.substr(0, 40)), row),
            lines_.line());
      rows_[row].push_back(find_cell(text));
      // The way back counts only where it differs; then both stay, and contradict each other.
      if (column < row && rows_[column][row] != rows_[row][column]) {
        record(column, row, *rows_[row][column]);
        out_.detail(fmt::format("GPU{} to GPU{}", row, column));
      }
      if (column > row) record(row, column, *rows_[row][column]);
    }
    if (--due_ == 0) id_ = "link.p2p.unspecified"_id;
    return {};
  }

  void record(std::size_t a, std::size_t b, const Cell& cell) {
    std::string link = fmt::format("link:smi#{}~smi#{}", a, b);
    if (cell.text == "U") {
      out_.absent(id_, std::move(link), Absence::malformed, std::string(cell.meaning));
      return;
    }
    out_.text(id_, std::move(link), std::string(cell.text));
    if (!cell.meaning.empty()) out_.detail(std::string(cell.meaning));
  }

  LineReader lines_;
  Recorder& out_;
  Id id_ = "link.p2p.unspecified"_id;              // what the next or current matrix answers
  std::size_t matrices_ = 0, gpus_ = 0, due_ = 0;  // columns, and rows still to come
  std::vector<std::vector<const Cell*>> rows_;
};

/// A header of GPUs only, and a row below it whose cells are the legend's.
bool recognises(std::string_view head) {
  if (!contains(head, "GPU0")) return false;  // nor has any line of it: spares cutting them
  std::size_t columns = 0;
  bool one = false;
  while (!head.empty()) {
    const auto end = std::min(head.find('\n'), head.size());
    const std::string line = strip_escapes(head.substr(0, std::min<std::size_t>(end, 8192)));
    head.remove_prefix(std::min(end + 1, head.size()));
    const auto tokens = words(line);
    if (tokens.empty()) continue;
    // One GPU's matrix has no cell but X: its legend tells it from topo -m.
    if (one && contains(line, "= Status Ok")) return true;
    if (columns > 0 && tokens.size() == columns + 1 && tokens[0] == "GPU0" && tokens[1] == "X") {
      if (columns > 1 && find_cell(tokens[2]) != nullptr) return true;
      one = one || columns == 1;
    }
    columns = header_in(tokens).value_or(0);
  }
  return false;
}

Result<void> read(ByteSource& source, Recorder& out) { return Reader(source, out).read(); }

}  // namespace

Importer nvidia_smi_topo_p2p() {
  return {"nvidia_smi_topo_p2p", "nvidia-smi topo -p2p",
          "for c in r w n a p; do echo \"nvidia-smi topo -p2p $c\"; nvidia-smi topo -p2p $c; done "
          "> p2p.txt",
          recognises, read};
}

}  // namespace gpuvet::ingest
