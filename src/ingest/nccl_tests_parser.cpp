// SPDX-License-Identifier: Apache-2.0
#include "ingest/nccl_tests_parser.hpp"

#include <algorithm>
#include <set>
#include <utility>

#include "core/text.hpp"

namespace gpuvet::ingest::nccl {
namespace {

// A real file has some thousand rows and ranks; the bounds keep a hostile one from filling memory.
constexpr std::size_t most_rows = std::size_t{1} << 18, most_ranks = std::size_t{1} << 18;
constexpr std::size_t most_versions = 64;

}  // namespace

Result<void> Parser::line(std::string_view text, std::size_t number) {
  const Words line = words(text);
  if (auto layout = layout_of(line); !layout.empty()) {
    close_row();
    begin_run(std::move(layout), number);
  } else if (take_row(line, number)) {
    if (rows_ > most_rows) return fail(Errc::too_large, "more than 262144 rows", number);
  } else if (const auto rank = rank_in(line, number)) {
    if (++ranks_ > most_ranks) return fail(Errc::too_large, "more than 262144 ranks", number);
    setup().ranks.push_back(*rank);
    hosts_.try_emplace(rank->host, number);
  } else {
    prose(text, line, number);
  }
  return {};
}

void Parser::failed(std::string_view message, std::size_t number) {
  failures_.add(message, number, named_);
}

bool Parser::finish() {
  close_row();
  const auto measured = [](const Run& run) { return !run.rows.empty(); };
  return std::ranges::any_of(runs_, measured) || !failures_.empty();
}

Result<void> Parser::record(Recorder& out) {
  if (!finish()) return tl::make_unexpected(refusal());
  std::vector<Series> all;
  std::map<std::string, std::size_t> index;
  for (const Run& run : runs_)
    if (!run.rows.empty()) join_series(run, all, index);
  out.how(How::measured);
  record_tool(out, all);
  for (const Series& series : all) series.record(out);
  failures_.record(out);
  record_unmeasured(out, all);
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

/// A run that failed before its first row still leaves a gap that should show.
void Parser::record_unmeasured(Recorder& out, const std::vector<Series>& all) const {
  for (const Collective* what : failures_.collectives())
    if (std::ranges::count(all, what, &Series::collective) == 0)
      out.absent(what->busbw, "node", Absence::malformed, "the run failed before it measured");
}

void Parser::record_missing(Recorder& out) const {
  if (named_ == nullptr) return;
  const Error why = refusal();
  out.line(why.input_line);
  out.absent(named_->busbw, "node", Absence::malformed, why.what);
}

/// What the next table will be given: a parameter line or a rank line after a table starts anew.
Setup& Parser::setup() {
  if (setup_used_) setup_ = {};
  setup_used_ = false;
  return setup_;
}

void Parser::begin_run(Layout layout, std::size_t number) {
  if (!runs_.empty() && runs_.back().rows.empty()) runs_.pop_back();
  runs_.push_back({.layout = std::move(layout), .setup = std::move(setup()), .named = named_});
  setup_used_ = true;
  header_line_ = number;
}

bool Parser::take_row(const Words& line, std::size_t number) {
  if (runs_.empty()) return false;
  const Layout& layout = runs_.back().layout;
  auto fresh = OpenRow::begin(layout, line, number);
  if (!fresh) return open_ && open_->take_rest(layout, line);
  close_row();
  open_ = std::move(fresh);
  ++rows_;
  return true;
}

void Parser::close_row() {
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

void Parser::prose(std::string_view text, const Words& line, std::size_t number) {
  if (const Collective* found = program_in(text)) {
    named_ = found;
    if (contains(text, "Collective test concluded") && !runs_.empty() && !runs_.back().named)
      runs_.back().named = found;
  }
  if (contains_ignoring_case(text, "alltoall") || contains_ignoring_case(text, "all_to_all"))
    says_alltoall_ = true;
  if (contains(text, "nThread") && contains(text, "minBytes")) read_parameters(line, number);
  read_out_of_bounds(text, number);
  failures_.line(text, number, named_);
  read_version(text, line, number);
}

void Parser::read_parameters(const Words& line, std::size_t number) {
  close_row();
  setup_ = {};
  setup_used_ = false;
  const auto threads = parse_integer(word_after(line, "nThread"));
  const auto gpus = parse_integer(word_after(line, "nGpus"));
  constexpr std::int64_t most = 1024;
  if (threads && gpus && *threads > 0 && *gpus > 0 && *threads <= most && *gpus <= most)
    setup_.gpus_in_process = *threads * *gpus;
  if (const auto on = parse_integer(word_after(line, "validation:"))) setup_.validation = *on != 0;
  if (header_line_ == 0) header_line_ = number;
}

void Parser::read_out_of_bounds(std::string_view text, std::size_t number) {
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
}

void Parser::read_version(std::string_view text, const Words& line, std::size_t number) {
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
    program_version_ = word_after(line, "Version");
  } else if (contains(text, "nccl-tests version")) {
    program_version_ = word_after(line, "version");
  }
}

void Parser::join_series(const Run& run, std::vector<Series>& all,
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

Error Parser::refusal() const {
  // As fail() would make it.
  Error error{.code = Errc::malformed,
              .what = std::string(unread_),
              .input_line = unread_line_,
              .context = {},
              .where = {__FILE__, __LINE__}};
  if (unread_line_ != 0) return error;
  error.what = "no row of figures below the column header";
  error.input_line = std::max(header_line_, std::size_t{1});
  return error;
}

/// One file has one provenance; with several programs in it only their family is true.
void Parser::record_tool(Recorder& out, const std::vector<Series>& all) const {
  std::set<std::string_view> names;
  for (const Series& series : all) names.insert(series.collective->name);
  for (const Collective* failed : failures_.collectives()) names.insert(failed->name);
  const bool one = names.size() == 1;
  out.tool(one ? program_ + " " + std::string(*names.begin()) + "_perf" : program_,
           program_version_);
}

void Parser::record_gpus(Recorder& out) const {
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

}  // namespace gpuvet::ingest::nccl
