// SPDX-License-Identifier: Apache-2.0
// perftest's ib_write_bw, ib_write_lat and their sisters, as text; with --out_json in
// perftest_json.cpp. Several tests may stand in one file, and lines of all kinds between the rows
// of a table.
#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include "core/text.hpp"
#include "ingest/importer.hpp"
#include "ingest/perftest_results.hpp"

namespace gpuvet::ingest {

Importer perftest();

namespace {

constexpr std::size_t most_rows = 4096;

/// "RDMA_Write Bidirectional BW Test" and the like.
std::optional<PerftestRun> title_of(std::string_view line) {
  if (!line.ends_with(" Test")) return {};
  const auto parts = words(line);
  PerftestRun run;
  run.verb = perftest_verb(parts.front());
  if (run.verb.empty()) return {};
  for (const auto part : parts) {
    run.latency = run.latency || part == "Latency";
    run.bandwidth = run.bandwidth || part == "BW";
    if (part == "Bidirectional") run.direction = "bidirectional";
  }
  if (run.latency == run.bandwidth) return {};
  return run;
}

/// Names of a table's columns: "#bytes", "BW peak[Gb/sec]", "99% percentile[usec]", ...
std::vector<std::string> columns_of(std::string_view line) {
  std::vector<std::string> out;
  bool half = false;
  for (const auto word : words(line)) {
    if (half)
      out.back() += " " + std::string(word);
    else
      out.emplace_back(word);
    half = !half && (word == "BW" || word == "tps" || word == "MsgRate" || word.ends_with('%'));
  }
  return out;
}

/// What stands behind "key :", up to the next pair on the line, which a tab or two blanks part.
std::optional<std::string_view> value_of(std::string_view line, std::string_view key) {
  const auto at = line.find(key);
  if (at == line.npos) return {};
  auto rest = trim(line.substr(at + key.size()));
  if (!rest.starts_with(':')) return {};
  rest = trim(rest.substr(1));
  return trim(rest.substr(0, std::min(rest.find('\t'), rest.find("  "))));
}

class Reader {
 public:
  Reader(ByteSource& source, Recorder& out) : lines_{source}, out_{out} {}

  Result<void> read() {
    out_.tool("perftest");
    out_.how(How::measured);
    while (const auto raw = lines_.next()) {
      const std::string line = strip_escapes(raw->substr(0, 4096));
      GPUVET_CHECK(read_line(trim(line)));
    }
    if (lines_.error()) return tl::make_unexpected(*lines_.error());
    GPUVET_CHECK(flush());
    if (tests_ == 0)
      return fail(Errc::malformed, "no figures: the file is cut off, or the server's side",
                  lines_.line());
    return {};
  }

 private:
  Result<void> read_line(std::string_view line) {
    if (line.empty()) return {};
    if (auto run = title_of(line)) {
      const bool gpu =
          run_.rows.empty() && run_.gpu == true;  // memory is allocated before the title
      GPUVET_CHECK(flush());
      run_ = std::move(*run);
      run_.gpu = gpu;
      return {};
    }
    if (contains(line, "initializing CUDA") || contains(line, "creating CUDA Ctx") ||
        contains(line, "allocated GPU buffer")) {
      if (!run_.rows.empty()) GPUVET_CHECK(flush());
      run_.gpu = true;
      return {};
    }
    if (contains(line, "destroying current CUDA Ctx") ||
        contains(line, "deallocating RX GPU buffer"))
      run_.gpu = true;
    if (line.starts_with("#bytes")) {
      columns_ = columns_of(line);
      return {};
    }
    if (line.starts_with("----") && !run_.rows.empty()) columns_.clear();
    if (leading_digits(line) > 0 && !columns_.empty()) return row(line);
    return fact(line);
  }

  Result<void> fact(std::string_view line) {
    if (const auto device = value_of(line, "Device "))
      run_.device = printable(device->substr(0, 64));
    if (const auto dual = value_of(line, "Dual-port "); dual && *dual == "ON")
      run_.direction = "two ports";
    if (const auto kind = value_of(line, "Connection type ")) run_.connection = *kind;
    if (const auto qps = value_of(line, "Number of qps "))
      if (const auto n = parse_integer(*qps); n && *n > 0 && *n < 1'000'000)
        run_.qps = static_cast<double>(*n);
    return {};
  }

  /// One row, into run_.rows.
  Result<void> row(std::string_view line) {
    if (run_.verb.empty())
      return fail(Errc::malformed, "figures without the title of their test", lines_.line());
    if (run_.rows.size() == most_rows)
      return fail(Errc::too_large, "more than 4096 rows", lines_.line());
    const auto cells = words(line);
    PerftestRow out;
    out.line = lines_.line();
    for (std::size_t i = 0; i < columns_.size(); ++i) {
      const bool needed = PerftestRow::reads(columns_[i]);
      if (!needed) continue;
      const auto value = i < cells.size() ? parse_number(cells[i]) : std::nullopt;
      if (!value || *value < 0)
        return fail(Errc::malformed, fmt::format("no figure for {}", printable(columns_[i])),
                    lines_.line());
      out.take(columns_[i], *value);
    }
    run_.rows.push_back(out);
    return {};
  }

  Result<void> flush() {
    if (!run_.rows.empty()) {
      GPUVET_CHECK(record(run_, out_));
      ++tests_;
    }
    run_ = {};
    columns_.clear();
    return {};
  }

  LineReader lines_;
  Recorder& out_;
  PerftestRun run_;
  std::vector<std::string> columns_;
  std::size_t tests_ = 0;
};

bool is_text(std::string_view head) {
  const auto table = head.find("#bytes");
  if (table == head.npos) return false;
  const auto line = head.substr(table, head.find('\n', table) - table);
  return contains(line, "#iterations") &&
         (contains(line, "BW average[") || contains(line, "t_avg[") ||
          contains(line, "t_typical["));
}

bool is_json(std::string_view head) {
  return contains(head, "\"test_info\"") && contains(head, "\"Connection_type\"");
}

Result<void> read(ByteSource& source, Recorder& out) {
  GPUVET_TRY(const std::string text, read_all(source, std::size_t{16} << 20));
  if (is_json(std::string_view(text).substr(0, 65536))) return read_perftest_json(text, out);
  MemorySource again{text};
  return Reader(again, out).read();
}

}  // namespace

Importer perftest() {
  return {"perftest", "perftest: ib_write_bw, ib_write_lat, ib_read_bw, ...",
          "ib_write_bw -F --report_gbits -s 1048576 -D 10 SERVER > ib_write_bw.txt",
          [](std::string_view head) { return is_json(head) || is_text(head); }, read};
}

}  // namespace gpuvet::ingest
