// SPDX-License-Identifier: Apache-2.0
#include "ingest/cpu_list.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "core/text.hpp"

namespace gpuvet::ingest {

std::optional<std::vector<int>> read_cpu_list(std::string_view text) {
  constexpr std::int64_t most_cpus = 1 << 16;
  std::vector<int> out;
  for (const auto word : words(text)) {
    for (const auto part : split(word, ',')) {
      if (part.empty()) continue;  // "0, 1"
      const auto dash = part.find('-');
      const auto first = parse_integer(part.substr(0, dash));
      const auto last =
          dash == std::string_view::npos ? first : parse_integer(part.substr(dash + 1));
      if (!first || !last || *first < 0 || *last < *first || *last >= most_cpus) return {};
      // A list that overlaps itself could be long without being large.
      if (static_cast<std::int64_t>(out.size()) + *last - *first >= most_cpus) return {};
      for (auto cpu = *first; cpu <= *last; ++cpu) out.push_back(static_cast<int>(cpu));
    }
  }
  std::ranges::sort(out);
  out.erase(std::unique(out.begin(), out.end()), out.end());
  return out;
}

std::string format_cpu_list(const std::vector<int>& cpus) {
  std::string out;
  for (std::size_t i = 0; i < cpus.size();) {
    std::size_t end = i + 1;
    while (end < cpus.size() && cpus[end] == cpus[end - 1] + 1) ++end;
    if (!out.empty()) out += ',';
    out += end - i == 1 ? fmt::format("{}", cpus[i]) : fmt::format("{}-{}", cpus[i], cpus[end - 1]);
    i = end;
  }
  return out;
}

void record_numa_cpus(Recorder& out, const std::map<int, std::vector<int>>& nodes) {
  int with_cpus = 0;
  for (const auto& [node, cpus] : nodes) {
    const std::string subject = fmt::format("numa:{}", node);
    if (cpus.empty()) {
      out.absent("numa.cpus"_id, subject, Absence::not_supported, "the node has memory only");
    } else {
      out.text("numa.cpus"_id, subject, format_cpu_list(cpus));
      ++with_cpus;
    }
  }
  if (with_cpus > 0) out.number("node.cpu.numa_nodes"_id, "node", with_cpus);
}

}  // namespace gpuvet::ingest
