// SPDX-License-Identifier: Apache-2.0
// Runs of nccl-tests that measured the same thing, joined into one series.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <vector>

#include "evidence/evidence.hpp"
#include "ingest/nccl_tests_run.hpp"

namespace gpuvet::ingest::nccl {

/// Hosts of the ranks, in name order. How many there are is known when every rank is listed or lies
/// between two ranks of one host, as people shorten such lists.
struct Hosts {
  std::set<std::string> names;
  std::optional<double> count;
};

Hosts hosts_of(std::vector<Rank> ranks);

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

  void add_wrong(double n, std::size_t line);

  /// The row that speaks for the series; of several with the largest message, the lower median.
  [[nodiscard]] const Row& summary() const;

  void record(Recorder& out) const;

 private:
  [[nodiscard]] Where where() const;
};

}  // namespace gpuvet::ingest::nccl
