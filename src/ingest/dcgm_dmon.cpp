// SPDX-License-Identifier: Apache-2.0
// `dcgmi dmon -e FIELDS`: one row for each GPU and moment, without a time. Only the last row of a
// GPU counts: how far rows are apart is known to the one who typed the command.
#include <algorithm>
#include <array>
#include <map>

#include "core/text.hpp"
#include "ingest/dcgm_text.hpp"
#include "ingest/importer.hpp"

namespace gpuvet::ingest {

Importer dcgm_dmon();

namespace {

constexpr std::size_t most_columns = 256;

struct Field {
  std::string_view name, unit;  // as the two header lines give them; older ones give no unit
  Id id;
  double factor, divisor;
};

constexpr std::array fields{
    Field{"TMPTR", "C", "gpu.temperature.core"_id, 1, 1},
    Field{"MMTMP", "C", "gpu.temperature.memory"_id, 1, 1},
    Field{"POWER", "W", "gpu.power.draw"_id, 1, 1},
    Field{"SMCLK", "MHz", "gpu.clock.sm"_id, 1e6, 1},
    Field{"MMCLK", "MHz", "gpu.clock.memory"_id, 1e6, 1},
    Field{"GPUTL", "%", "gpu.utilization"_id, 1, 100},
    Field{"MCUTL", "%", "gpu.utilization.memory"_id, 1, 100},
};

struct Row {
  std::size_t line = 0, samples = 0;
  std::vector<std::string> cells;
};

class Reader {
 public:
  Reader(ByteSource& source, Recorder& out) : lines_{source}, out_{out} {}

  Result<void> read() {
    out_.tool("dcgmi dmon");
    while (const auto raw = lines_.next()) GPUVET_CHECK(line(strip_escapes(*raw)));
    if (lines_.error()) return tl::make_unexpected(*lines_.error());
    const bool known = std::ranges::any_of(columns_, [](const Field* f) { return f != nullptr; });
    if (!known)
      return fail(Errc::not_supported,
                  "none of its columns can be judged: run dcgmi dmon -e 150,140,155,100,101,203",
                  header_line_);
    if (rows_.empty()) return fail(Errc::malformed, "no row of a GPU", lines_.line());
    for (const auto& [id, row] : rows_) GPUVET_CHECK(record(dcgm_gpu(id), row));
    return {};
  }

 private:
  Result<void> line(std::string_view text) {
    const auto tokens = words(text);
    if (tokens.empty()) return {};
    if (tokens[0] == "#Entity" ||
        (tokens[0] == "#" && tokens.size() > 1 && tokens[1] == "Entity")) {
      columns_.clear();
      header_line_ = lines_.line();
      if (tokens.size() > most_columns)
        return fail(Errc::too_large, "more than 256 columns", lines_.line());
      for (std::size_t i = tokens[0] == "#" ? 2 : 1; i < tokens.size(); ++i) {
        const auto f = std::ranges::find(fields, tokens[i], &Field::name);
        columns_.push_back(f == fields.end() ? nullptr : &*f);
      }
      return {};
    }
    if (columns_.empty()) return check_dcgm_error(text, lines_.line());
    if (tokens[0] != "GPU" || tokens.size() < 3) return {};
    const auto id = dcgm_gpu_id(tokens[1]);
    // A last row that was cut has too few cells.
    if (!id || tokens.size() - 2 != columns_.size()) return {};
    Row& row = rows_[*id];
    row.line = lines_.line();
    ++row.samples;
    row.cells.clear();
    for (std::size_t i = 2; i < tokens.size(); ++i) row.cells.emplace_back(tokens[i].substr(0, 64));
    return {};
  }

  Result<void> record(const std::string& gpu, const Row& row) {
    out_.line(row.line);
    for (std::size_t i = 0; i < columns_.size() && i < row.cells.size(); ++i) {
      if (columns_[i] == nullptr) continue;
      const Field& f = *columns_[i];
      if (contains(row.cells[i], ","))
        return fail(Errc::malformed, "number with a decimal comma: rerun with LC_ALL=C", row.line);
      const auto number = parse_number(row.cells[i]);
      if (number && (*number >= 0 || f.unit == "C"))
        out_.number(f.id, gpu, *number * f.factor / f.divisor);
      else
        out_.absent(f.id, gpu, absence_in(row.cells[i]).value_or(Absence::malformed),
                    printable(row.cells[i]));
    }
    return {};
  }

  LineReader lines_;
  Recorder& out_;
  std::vector<const Field*> columns_;
  std::map<std::size_t, Row> rows_;
  std::size_t header_line_ = 0;
};

bool recognises(std::string_view head) {
  for (std::size_t at = head.find("Entity"); at != head.npos; at = head.find("Entity", at + 1)) {
    const auto begin = head.substr(0, at).rfind('\n') + 1;
    if (trim(head.substr(begin, at - begin)) != "#") continue;
    const auto below = head.find('\n', at);
    if (below != head.npos && trim(head.substr(below, 4)).starts_with("ID")) return true;
  }
  return false;
}

Result<void> read(ByteSource& source, Recorder& out) { return Reader(source, out).read(); }

}  // namespace

Importer dcgm_dmon() {
  return {"dcgm_dmon", "dcgmi dmon", "dcgmi dmon -e 150,140,155,100,101,203 -c 5 > dcgm-dmon.txt",
          recognises, read};
}

}  // namespace gpuvet::ingest
