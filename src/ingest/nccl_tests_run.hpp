// SPDX-License-Identifier: Apache-2.0
// One table of nccl-tests: which collective it measured, and on how many GPUs.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "evidence/ids.hpp"
#include "ingest/nccl_tests_table.hpp"

namespace gpuvet::ingest::nccl {

/// busbw / algbw on n ranks, from nccl-tests' doc/PERFORMANCE.md: 1, (n-1)/n or 2(n-1)/n.
enum class Factor { one, share, twice };

/// One row per program of nccl-tests. Ids are compile-time, hence a table and not a composed name.
struct Collective {
  std::string_view name;
  Id busbw, wrong;
  Factor factor;
  std::optional<bool> reduces;  ///< whether its rows name an operation; sendrecv's may or may not
  bool rooted;
};

/// The collective whose program "<name>_perf" the line names first; null when it names none.
const Collective* program_in(std::string_view line);

/// What stands above a table.
struct Setup {
  std::optional<std::int64_t> gpus_in_process;  ///< nThread * nGpus
  std::optional<bool> validation;
  std::vector<Rank> ranks;
};

/// One table: what follows one header.
struct Run {
  Layout layout;
  Setup setup;
  const Collective* named = nullptr;
  std::vector<Row> rows{};
  double out_of_bounds = 0;
  std::size_t out_of_bounds_line = 0;  ///< 0: the line is missing
};

/// The collective, from the columns alone.
const Collective* inferred(const Run& run, bool says_alltoall);

/// Whether `row` can come from `named`: the program named last need not be the one that printed it.
bool agrees(const Collective& named, const Row& row);

/// The row of the largest message: latency rules small ones, and their bandwidths are all rounding.
const Row& largest(const std::vector<Row>& rows);

/// How many GPUs took part, as far as the output tells, and a remark where it contradicts itself.
std::pair<std::optional<double>, std::string> count_gpus(const Run& run, const Collective& what);

}  // namespace gpuvet::ingest::nccl
