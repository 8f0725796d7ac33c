// SPDX-License-Identifier: Apache-2.0
#include "ingest/nccl_tests_run.hpp"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <limits>

#include "core/text.hpp"

namespace gpuvet::ingest::nccl {
namespace {

#define GPUVET_COLLECTIVE(name, factor, reduces, rooted)                                      \
  {                                                                                           \
#name, "collective." #name ".busbw"_id, "collective." #name ".wrong"_id, factor, reduces, \
        rooted                                                                                \
  }
constexpr Collective collectives[] = {
    GPUVET_COLLECTIVE(all_reduce, Factor::twice, true, false),
    GPUVET_COLLECTIVE(all_gather, Factor::share, false, false),
    GPUVET_COLLECTIVE(reduce_scatter, Factor::share, true, false),
    GPUVET_COLLECTIVE(broadcast, Factor::one, false, true),
    GPUVET_COLLECTIVE(reduce, Factor::one, true, true),
    GPUVET_COLLECTIVE(alltoall, Factor::share, false, false),
    GPUVET_COLLECTIVE(sendrecv, Factor::one, std::nullopt, false),
    GPUVET_COLLECTIVE(gather, Factor::share, false, true),
    GPUVET_COLLECTIVE(scatter, Factor::share, false, true),
    GPUVET_COLLECTIVE(hypercube, Factor::one, false, true),
};
#undef GPUVET_COLLECTIVE

const Collective* collective(std::string_view name) {
  const auto* const found = std::ranges::find(collectives, name, &Collective::name);
  return found == std::end(collectives) ? nullptr : found;
}

bool is_name_char(char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_'; }
/// Numbers of ranks that the printed, rounded bandwidths allow.
struct Span {
  double low = 1, high = std::numeric_limits<double>::infinity();
  [[nodiscard]] bool known() const { return low > 1 || std::isfinite(high); }
  [[nodiscard]] bool holds(double n) const { return low <= n && n <= high; }
  [[nodiscard]] std::optional<double> only() const {
    const double n = std::ceil(low);
    return holds(n) && !holds(n + 1) ? std::optional{n} : std::nullopt;
  }
};

/// Every row narrows the span: at 64 ranks one row alone may leave several numbers.
Span ranks_allowed(const std::vector<Row>& rows, Factor factor) {
  constexpr double least = 1e9, half_digit = 0.0051e9;  // printed with two decimals of a GB/s
  const double limit = factor == Factor::twice ? 2 : 1;
  Span span;
  const auto narrow = [&](double low, double high) {
    span.low = std::max(span.low, low);
    span.high = std::min(span.high, high);
  };
  for (const Row& row : rows) {
    // size and count tell the number exactly where each rank holds a part of the message.
    if (factor == Factor::share && row.shares >= 1) narrow(row.shares, row.shares);
    if (factor == Factor::one || row.algbw < least) continue;
    // ratio = 2(n-1)/n gives n = 2/(2-ratio), and (n-1)/n gives 1/(1-ratio).
    const double low = std::max(0.0, row.busbw - half_digit) / (row.algbw + half_digit);
    const double high = (row.busbw + half_digit) / (row.algbw - half_digit);
    constexpr double none = std::numeric_limits<double>::infinity();
    narrow(low < limit ? limit / (limit - low) : none,
           high < limit ? limit / (limit - high) : none);
  }
  return span;
}

}  // namespace

const Collective* program_in(std::string_view line) {
  for (std::size_t at = line.find("_perf"); at != std::string_view::npos;
       at = line.find("_perf", at + 1)) {
    std::size_t begin = at;
    constexpr std::size_t longest_name = 16;
    while (begin > 0 && at - begin < longest_name && is_name_char(line[begin - 1])) --begin;
    if (const Collective* found = collective(line.substr(begin, at - begin))) return found;
  }
  return nullptr;
}

const Row& largest(const std::vector<Row>& rows) {
  return *std::ranges::max_element(rows, {}, &Row::bytes);
}

const Collective* inferred(const Run& run, bool says_alltoall) {
  const Row& row = largest(run.rows);
  if (row.rooted()) return collective(row.reduces() ? "reduce" : "broadcast");
  if (!row.reduces()) return collective(says_alltoall ? "alltoall" : "all_gather");
  if (row.shares >= 2)
    return collective("reduce_scatter");  // exact, where the bandwidths are rounded
  // Two ranks make all_reduce's factor 1, which is sendrecv's on any number.
  constexpr double least = 1e9, rounding = 0.01e9;
  const bool equal = row.algbw > least && std::abs(row.busbw - row.algbw) <= rounding;
  const auto three = [](const Rank& rank) { return rank.rank >= 2; };
  return collective(equal && std::ranges::any_of(run.setup.ranks, three) ? "sendrecv"
                                                                         : "all_reduce");
}

bool agrees(const Collective& named, const Row& row) {
  return named.reduces.value_or(row.reduces()) == row.reduces() && (named.rooted || !row.rooted());
}

std::pair<std::optional<double>, std::string> count_gpus(const Run& run, const Collective& what) {
  const Span span = ranks_allowed(run.rows, what.factor);
  std::optional<double> listed;
  for (const Rank& rank : run.setup.ranks)
    listed = std::max(listed.value_or(0), static_cast<double>(rank.rank + 1));
  if (listed) {
    if (!span.known() || span.holds(*listed)) return {listed, {}};
    const auto other = span.only();
    return {listed, "ranks listed: " + format_number(*listed) + ", but the figures fit " +
                        (other ? format_number(*other) : "another number")};
  }
  if (!span.known()) return {};
  // nThread x nGpus is one process; how many processes there were, nothing says.
  const auto process = run.setup.gpus_in_process;
  if (process && span.holds(static_cast<double>(*process)))
    return {static_cast<double>(*process), {}};
  return {span.only(), {}};
}

}  // namespace gpuvet::ingest::nccl
