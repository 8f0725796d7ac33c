// SPDX-License-Identifier: Apache-2.0
// Predicts every row of a table of published measurements and says how far off it was, next to
// predictors that anybody could write in a line.
//   model_accuracy measurements.tsv --out predictions.tsv [--known measurements.tsv] [--data data/]
//                  [--kind NAME] [--worst N] [--page docs/accuracy.md]
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "accuracy/kind.hpp"
#include "accuracy/scoring.hpp"
#include "core/text.hpp"
#include "model/intervals.hpp"
#include "platform/files.hpp"

namespace gpuvet::accuracy {
namespace {

struct Arguments {
  std::string table, out, known, data, kind, page;
  std::size_t worst = 0;
};

std::optional<Arguments> arguments_in(int argc, char** argv) {
  Arguments a;
  for (int i = 1; i < argc; ++i) {
    const std::string word = argv[i];
    const bool more = i + 1 < argc;
    if (word == "--out" && more)
      a.out = argv[++i];
    else if (word == "--known" && more)
      a.known = argv[++i];
    else if (word == "--data" && more)
      a.data = argv[++i];
    else if (word == "--kind" && more)
      a.kind = argv[++i];
    else if (word == "--page" && more)
      a.page = argv[++i];
    else if (word == "--worst" && more)
      a.worst = static_cast<std::size_t>(std::strtoul(argv[++i], nullptr, 10));
    else if (word[0] != '-' && a.table.empty())
      a.table = word;
    else
      return {};
  }
  return a.table.empty() ? std::nullopt : std::optional(a);
}

Result<std::vector<Row>> read(const std::string& path) {
  constexpr std::size_t largest = std::size_t{256} << 20;
  GPUVET_TRY(const auto text, platform::read_file(path, largest));
  return in_context(read_rows(text), path);
}

void print_score(std::string_view title, const std::vector<Scored>& rows) {
  const Score s = score(rows);
  const std::string covered = s.covered ? fmt::format("{:.1f} %", *s.covered * 100) : "-";
  fmt::print("  {:<38} {:>5} {:>6} {:>7} {:>8.1f} {:>8.1f} {:>8.1f} {:>9} {:>8.1f}\n", title,
             s.rows, s.groups, s.refused, s.median * 100, s.p90 * 100, s.worst * 100, covered,
             s.half_width * 100);
}

void print_worst(const std::vector<std::pair<const Row*, Scored>>& rows, std::size_t count) {
  std::vector<std::pair<double, std::string>> errors;
  for (const auto& [row, s] : rows)
    if (!s.refused && s.measured > 0 && s.predicted > 0)
      errors.emplace_back(
          std::abs(std::log(s.predicted / s.measured)),
          fmt::format("    {} {} {} {} x{} {}: {:.4g} against {:.4g}\n", row->id, row->workload,
                      row->metric, row->gpu_norm, row->gpus, row->param("bytes"),
                      s.predicted / row->scale, s.measured / row->scale));
  std::sort(errors.rbegin(), errors.rend());
  for (std::size_t i = 0; i < std::min(count, errors.size()); ++i)
    fmt::print("{}", errors[i].second);
}

/// A row's prediction in the table's own unit, or its refusal.
std::string line_of(const Row& row, const model::Answer<model::Prediction>& p) {
  if (!p) return fmt::format("{}\t\t\t\t{}\n", row.id, p.error().reason);
  return fmt::format("{}\t{:.6g}\t{:.6g}\t{:.6g}\t\n", row.id, p->value / row.scale,
                     p->low / row.scale, p->high / row.scale);
}

Result<void> run(const Arguments& a) {
  GPUVET_TRY(const auto catalogue, read_catalogue(a.data));
  const model::Models models{model::Constants(catalogue)};
  const model::Intervals intervals(catalogue);
  const World world{catalogue, models};
  GPUVET_TRY(const auto rows, read(a.table));
  std::vector<Row> known_rows;
  if (!a.known.empty()) {
    GPUVET_TRY(known_rows, read(a.known));
  }
  const auto& known_source = a.known.empty() ? rows : known_rows;

  fmt::print("{:<40} {:>5} {:>6} {:>7} {:>8} {:>8} {:>8} {:>9} {:>8}\n", "errors in %", "rows",
             "groups", "refused", "median", "p90", "worst", "covered", "width");
  std::map<std::string, std::string> lines;
  std::vector<ScoredKind> all;
  for (const auto& kind : kinds()) {
    if (!a.kind.empty() && kind.name != a.kind) continue;
    auto one = scored(kind, rows, known_source, world, intervals);
    for (const auto& [row, prediction] : one.predictions)
      lines.emplace(row->id, line_of(*row, prediction));
    if (!one.measured.empty()) {
      print_score(kind.name, one.all());
      if (one.families.size() > 1)
        for (const auto& [family, of] : one.families) print_score("  " + family, of);
      for (const auto& [name, of] : one.nulls) print_score("  null: " + name, of);
      print_worst(one.measured, a.worst);
    }
    all.push_back(std::move(one));
  }
  if (!a.page.empty()) GPUVET_CHECK(platform::write_file(a.page, page_of(all, catalogue)));
  if (a.out.empty()) return {};
  std::string text = "id\tprediction\tlow\thigh\trefusal\n";
  for (const auto& row : rows) {
    const auto line = lines.find(row.id);
    text += line != lines.end()
                ? line->second
                : fmt::format("{}\t\t\t\tno model takes rows of kind {}\n", row.id, row.kind);
  }
  return platform::write_file(a.out, text);
}

}  // namespace
}  // namespace gpuvet::accuracy

int main(int argc, char** argv) {
  const auto arguments = gpuvet::accuracy::arguments_in(argc, argv);
  if (!arguments) {
    std::fprintf(stderr,
                 "usage: model_accuracy TABLE.tsv [--out FILE] [--known TABLE.tsv] [--data DIR] "
                 "[--kind NAME] [--worst N] [--page FILE]\n");
    return 2;
  }
  const auto done = gpuvet::accuracy::run(*arguments);
  if (!done) std::fprintf(stderr, "model_accuracy: %s\n", done.error().message().c_str());
  return done ? 0 : 2;
}
