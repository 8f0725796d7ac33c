// SPDX-License-Identifier: Apache-2.0
// Output of nccl-tests and rccl-tests, as it comes out of consoles, schedulers and READMEs:
// prefixed, interleaved, elided. A run is one table; runs that measure the same thing join into one
// series.
#include <algorithm>
#include <iterator>
#include <limits>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "core/text.hpp"
#include "ingest/importer.hpp"
#include "ingest/nccl_tests_run.hpp"

namespace gpuvet::ingest {
namespace {

using nccl::Collective;
using nccl::Layout;
using nccl::OpenRow;
using nccl::Rank;
using nccl::Row;
using nccl::Run;
using nccl::Setup;
using nccl::Words;

// A real file has some thousand rows and ranks; the bounds keep a hostile one from filling memory.
constexpr std::size_t most_rows = std::size_t{1} << 18, most_ranks = std::size_t{1} << 18;
constexpr std::size_t most_versions = 64;

/// Hosts of the ranks, in name order. How many there are is known when every rank is listed or lies
/// between two ranks of one host, as people shorten such lists.
struct Hosts {
  std::set<std::string> names;
  std::optional<double> count;
};

Hosts hosts_of(std::vector<Rank> ranks) {
  Hosts out;
  std::ranges::sort(ranks, {}, &Rank::rank);
  bool complete = !ranks.empty() && ranks.front().rank == 0;
  for (std::size_t i = 0; i < ranks.size(); ++i) {
    if (i > 0 && ranks[i].rank > ranks[i - 1].rank + 1 && ranks[i].host != ranks[i - 1].host)
      complete = false;
    out.names.insert(ranks[i].host);
  }
  if (complete) out.count = static_cast<double>(out.names.size());
  return out;
}

/// Runs with the same collective, GPUs, hosts and datatype.
struct Series {
  const Collective* collective = nullptr;
  std::optional<double> gpus, nodes;
  std::string type;
  std::vector<const Row*> rows{};
  std::vector<std::string> remarks{};
  std::optional<double> wrong{};
  std::size_t wrong_line = 0;
  bool unchecked = false;  ///< the output says that results were not compared

  void add_wrong(double n, std::size_t line) {
    if (n > 0 && wrong.value_or(0) == 0) wrong_line = line;
    wrong = wrong.value_or(0) + n;
  }

  [[nodiscard]] Where where() const {
    Where out;
    if (gpus) out["gpus"] = *gpus;
    if (nodes) out["nodes"] = *nodes;
    return out;
  }

  /// The row that speaks for the series; of several with the largest message, the lower median.
  [[nodiscard]] const Row& summary() const {
    double bytes = 0;
    for (const Row* row : rows) bytes = std::max(bytes, row->bytes);
    std::vector<const Row*> top;
    std::ranges::copy_if(rows, std::back_inserter(top),
                         [&](const Row* row) { return row->bytes == bytes; });
    std::ranges::stable_sort(top, {}, &Row::busbw);
    return *top[(top.size() - 1) / 2];
  }

  void record(Recorder& out) const {
    const Row& best = summary();
    Where conditions = where();
    conditions["datatype"] = type;
    Table table{.name = "collective." + std::string(collective->name),
                .subject = "node",
                .where = conditions,
                .columns = {{"bytes", Unit::byte, {}},
                            {"algbw", Unit::byte_per_second, {}},
                            {"busbw", Unit::byte_per_second, {}},
                            {"time", Unit::second, {}},
                            {"in_place_busbw", Unit::byte_per_second, {}}},
                .provenance = {}};
    for (const Row* row : rows) {
      const double cells[] = {row->bytes, row->algbw, row->busbw, row->time, row->in_place};
      for (std::size_t i = 0; i < std::size(cells); ++i)
        table.columns[i].values.push_back(cells[i]);
    }
    conditions["bytes"] = best.bytes;
    out.line(best.line);
    out.number(collective->busbw, "node", best.busbw, std::move(conditions));
    out.detail(join(remarks, "; "));
    if (wrong) {
      out.line(*wrong > 0 ? wrong_line : best.line);
      out.number(collective->wrong, "node", *wrong, where());
    } else {
      out.absent(collective->wrong, "node", Absence::not_asked,
                 unchecked ? "validation was off" : "nothing says whether results were compared",
                 where());
    }
    out.table(std::move(table));
  }
};

/// Collects runs while lines go by, and judges them at the end: what a table is may be said below
/// it.
class Parser {
 public:
  Result<void> line(std::string_view text, std::size_t number) {
    const Words line = words(text);
    if (auto layout = nccl::layout_of(line); !layout.empty()) {
      close_row();
      begin_run(std::move(layout), number);
    } else if (take_row(line, number)) {
      if (rows_ > most_rows) return fail(Errc::too_large, "more than 262144 rows", number);
    } else if (const auto rank = nccl::rank_in(line, number)) {
      if (++ranks_ > most_ranks) return fail(Errc::too_large, "more than 262144 ranks", number);
      setup().ranks.push_back(*rank);
      hosts_.try_emplace(rank->host, number);
    } else {
      prose(text, line, number);
    }
    return {};
  }

  Result<void> record(Recorder& out) {
    close_row();
    std::vector<Series> all;
    std::map<std::string, std::size_t> index;
    for (const Run& run : runs_)
      if (!run.rows.empty()) join_series(run, all, index);
    if (all.empty()) return refused();
    record_tool(out, all);
    for (const Series& series : all) series.record(out);
    for (const auto& [version, number] : versions_) {
      out.line(number);
      out.text("node.nccl.version"_id, "node", version);
    }
    for (const auto& [host, number] : hosts_) {
      out.line(number);
      out.text("node.hostname"_id, "node", host);
    }
    if (hosts_.size() == 1) record_gpus(out);  // addresses of two machines would collide
    return {};
  }

 private:
  /// What the next table will be given: a parameter line or a rank line after a table starts anew.
  Setup& setup() {
    if (setup_used_) setup_ = {};
    setup_used_ = false;
    return setup_;
  }

  void begin_run(Layout layout, std::size_t number) {
    if (!runs_.empty() && runs_.back().rows.empty()) runs_.pop_back();
    runs_.push_back({.layout = std::move(layout), .setup = std::move(setup()), .named = named_});
    setup_used_ = true;
    header_line_ = number;
  }

  bool take_row(const Words& line, std::size_t number) {
    if (runs_.empty()) return false;
    const Layout& layout = runs_.back().layout;
    auto fresh = OpenRow::begin(layout, line, number);
    if (!fresh) return open_ && open_->take_rest(layout, line);
    close_row();
    open_ = std::move(fresh);
    ++rows_;
    return true;
  }

  void close_row() {
    if (!open_) return;
    const Layout& layout = runs_.back().layout;
    if (const auto row = open_->measured(layout)) {
      if (row->bytes > 0) runs_.back().rows.push_back(*row);  // of 0 bytes nothing was moved
    } else if (unread_line_ == 0) {
      unread_line_ = open_->line();
      unread_ = open_->whole(layout) ? "rows hold placeholders, no figures"
                                     : "rows are cut off before their figures";
    }
    open_.reset();
  }

  void prose(std::string_view text, const Words& line, std::size_t number) {
    if (const Collective* found = nccl::program_in(text)) {
      named_ = found;
      if (contains(text, "Collective test concluded") && !runs_.empty() && !runs_.back().named)
        runs_.back().named = found;
    }
    if (contains_ignoring_case(text, "alltoall") || contains_ignoring_case(text, "all_to_all"))
      says_alltoall_ = true;
    if (contains(text, "nThread") && contains(text, "minBytes")) {
      close_row();
      setup_ = {};
      setup_used_ = false;
      const auto threads = parse_integer(nccl::word_after(line, "nThread"));
      const auto gpus = parse_integer(nccl::word_after(line, "nGpus"));
      constexpr std::int64_t most = 1024;
      if (threads && gpus && *threads > 0 && *gpus > 0 && *threads <= most && *gpus <= most)
        setup_.gpus_in_process = *threads * *gpus;
      if (const auto on = parse_integer(nccl::word_after(line, "validation:")))
        setup_.validation = *on != 0;
      if (header_line_ == 0) header_line_ = number;
    }
    constexpr std::string_view out_of_bounds = "Out of bounds values :";
    if (const auto at = text.find(out_of_bounds); at != text.npos && !runs_.empty()) {
      const auto rest = words(text.substr(at + out_of_bounds.size(), 64));
      const auto n = rest.empty() ? std::nullopt : parse_integer(rest[0]);
      if (n && *n >= 0) {
        // FAILED must never end as 0, whatever number stands before it.
        const double least = contains(text.substr(at), "FAILED") ? 1 : 0;
        Run& run = runs_.back();
        run.out_of_bounds = std::max({run.out_of_bounds, least, static_cast<double>(*n)});
        run.out_of_bounds_line = number;
      }
    }
    read_version(text, line, number);
  }

  void read_version(std::string_view text, const Words& line, std::size_t number) {
    constexpr std::string_view library = "nccl-library=", spoken = "NCCL version ";
    const auto keep = [&](std::string version) {
      if (versions_.size() < most_versions) versions_.try_emplace(std::move(version), number);
    };
    // The library that ran, not the headers that the tests were built with.
    for (const auto word : line) {
      if (!word.starts_with(library)) continue;
      const auto code = parse_integer(word.substr(library.size()));
      constexpr std::int64_t since_2_9 = 10000;  // before it: 2708 is 2.7.8
      if (!code || *code <= 0) continue;
      const std::int64_t major = *code >= since_2_9 ? 10000 : 1000;
      keep(std::to_string(*code / major) + "." + std::to_string(*code % major / 100) + "." +
           std::to_string(*code % 100));
    }
    if (const auto at = text.find(spoken); at != text.npos) {
      const auto rest = text.substr(at + spoken.size());
      auto version = rest.substr(0, std::min(rest.find_first_not_of("0123456789."), rest.size()));
      while (version.ends_with('.')) version.remove_suffix(1);
      if (contains(version, ".") && version.size() < 32) keep(std::string(version));
    }
    // "RCCL version" is no NCCL version, so AMD's fork only names the tool.
    if (contains(text, "rccl-tests: Version")) {
      program_ = "rccl-tests";
      program_version_ = nccl::word_after(line, "Version");
    } else if (contains(text, "nccl-tests version")) {
      program_version_ = nccl::word_after(line, "version");
    }
  }

  void join_series(const Run& run, std::vector<Series>& all,
                   std::map<std::string, std::size_t>& index) const {
    const bool trusted = run.named != nullptr && agrees(*run.named, largest(run.rows));
    const Collective* what = trusted ? run.named : inferred(run, says_alltoall_);
    const auto [gpus, remark] = count_gpus(run, *what);
    const Hosts hosts = hosts_of(run.setup.ranks);
    // A script that calls the program once per size prints a table for each: one series all the
    // same.
    std::string key = std::string(what->name) + "\n" + format_number(gpus.value_or(0));
    for (const auto& host : hosts.names) key += "\n" + host;
    std::map<std::string, std::size_t> touched;  // datatype -> series
    double counted = 0;
    bool compared = false;
    for (const Row& row : run.rows) {
      const auto [known, first] = touched.try_emplace(row.type, 0);
      if (first) {
        const auto [found, fresh] = index.try_emplace(key + "\n\n" + row.type, all.size());
        known->second = found->second;
        if (fresh) {
          all.push_back({.collective = what, .gpus = gpus, .nodes = hosts.count, .type = row.type});
          if (!trusted) all.back().remarks.emplace_back("collective inferred from the columns");
          if (!remark.empty()) all.back().remarks.push_back(remark);
        }
      }
      Series& series = all[known->second];
      series.rows.push_back(&row);
      if (row.wrong) series.add_wrong(*row.wrong, row.line);
      counted += row.wrong.value_or(0);
      series.unchecked = series.unchecked || row.unchecked || !run.setup.validation.value_or(true);
      compared = compared || row.compared;
    }
    const bool validated = compared || run.setup.validation.value_or(false);
    for (const auto& [type, i] : touched) {
      if (run.out_of_bounds_line == 0 || !(validated || run.out_of_bounds > 0)) continue;
      // The line below the table counts all rows: what they don't account for must not get lost.
      all[i].add_wrong(std::max(0.0, run.out_of_bounds - counted), run.out_of_bounds_line);
      counted = std::max(counted, run.out_of_bounds);
    }
  }

  Result<void> refused() const {
    if (unread_line_ != 0) return fail(Errc::malformed, std::string(unread_), unread_line_);
    return fail(Errc::malformed, "no row of figures below the column header",
                std::max(header_line_, std::size_t{1}));
  }

  /// One file has one provenance; with several programs in it only their family is true.
  void record_tool(Recorder& out, const std::vector<Series>& all) const {
    const bool same = std::ranges::all_of(
        all, [&](const Series& s) { return s.collective == all.front().collective; });
    out.tool(same ? program_ + " " + std::string(all.front().collective->name) + "_perf" : program_,
             program_version_);
  }

  void record_gpus(Recorder& out) const {
    std::set<std::string> seen;
    for (const Run& run : runs_)
      for (const Rank& rank : run.setup.ranks) {
        if (run.rows.empty() || rank.address.empty()) continue;
        if (!seen.insert(rank.address + "\n" + rank.gpu).second) continue;
        out.line(rank.line);
        out.text("gpu.pci.address"_id, "gpu:" + rank.address, rank.address);
        if (!rank.gpu.empty()) out.text("gpu.name"_id, "gpu:" + rank.address, rank.gpu);
      }
  }

  std::vector<Run> runs_;
  std::optional<OpenRow> open_;
  Setup setup_;
  bool setup_used_ = false, says_alltoall_ = false;
  const Collective* named_ = nullptr;
  std::map<std::string, std::size_t> hosts_, versions_;  ///< -> first line
  std::string program_ = "nccl-tests", program_version_;
  std::string_view unread_;  ///< why the first unread row is none
  std::size_t rows_ = 0, ranks_ = 0, header_line_ = 0, unread_line_ = 0;
};

bool recognises(std::string_view head) {
  std::string storage;
  while (!head.empty()) {
    const auto end = std::min(head.find('\n'), head.size());
    const std::string_view line = nccl::plain(head.substr(0, end), storage);
    head.remove_prefix(std::min(end + 1, head.size()));
    if (contains(line, "Collective test starting:")) return true;
    if (contains(line, "nThread ") && contains(line, " nGpus ") && contains(line, " minBytes "))
      return true;
    // Other benchmarks print algbw and busbw too: only size, count, type make it this table.
    if (contains(line, "busbw") && !nccl::layout_of(words(line)).empty()) return true;
  }
  return false;
}

Result<void> read(ByteSource& source, Recorder& out) {
  LineReader lines{source};
  Parser parser;
  std::string storage;
  while (const auto line = lines.next())
    GPUVET_CHECK(parser.line(nccl::plain(*line, storage), lines.line()));
  if (lines.error()) return tl::make_unexpected(*lines.error());
  return parser.record(out);
}

}  // namespace

Importer nccl_tests() {
  return {.kind = "nccl_tests",
          .title = "nccl-tests",
          .obtain = "all_reduce_perf -b 8 -e 16G -f 2 -g <GPUs>",
          .recognises = recognises,
          .read = read};
}

}  // namespace gpuvet::ingest
