// SPDX-License-Identifier: Apache-2.0
#include "ingest/nccl_tests_series.hpp"

#include <algorithm>
#include <iterator>
#include <string_view>
#include <utility>

#include "core/text.hpp"

namespace gpuvet::ingest::nccl {

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

void Series::add_wrong(double n, std::size_t line) {
  if (n > 0 && wrong.value_or(0) == 0) wrong_line = line;
  wrong = wrong.value_or(0) + n;
}

Where Series::where() const {
  Where out;
  if (gpus) out["gpus"] = *gpus;
  if (nodes) out["nodes"] = *nodes;
  return out;
}

const Row& Series::summary() const {
  double bytes = 0;
  for (const Row* row : rows) bytes = std::max(bytes, row->bytes);
  std::vector<const Row*> top;
  std::ranges::copy_if(rows, std::back_inserter(top),
                       [&](const Row* row) { return row->bytes == bytes; });
  std::ranges::stable_sort(top, {}, &Row::busbw);
  return *top[(top.size() - 1) / 2];
}

void Series::record(Recorder& out) const {
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
    for (std::size_t i = 0; i < std::size(cells); ++i) table.columns[i].values.push_back(cells[i]);
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

}  // namespace gpuvet::ingest::nccl
