// SPDX-License-Identifier: Apache-2.0
#include "derive/matrix.hpp"

#include <algorithm>
#include <array>
#include <numeric>

#include "core/text.hpp"
#include "derive/steps.hpp"

namespace gpuvet::derive {
namespace {

constexpr int most_links_of_any_gpu = 18;  // Hopper and Blackwell; Ampere has 12, Volta 6

Cell cell_of(std::string_view token) {
  if (token.substr(0, 2) == "NV") {
    const int links = static_cast<int>(parse_integer(token.substr(2)).value_or(0));
    if (links > 0) return {Path::nvlink, links};
    return {Path::sys, 0};
  }
  static constexpr std::array<std::pair<std::string_view, Path>, 4> paths = {
      {{"PIX", Path::pix}, {"PXB", Path::pxb}, {"PHB", Path::phb}, {"NODE", Path::node}}};
  const auto found =
      std::find_if(paths.begin(), paths.end(), [&](const auto& p) { return p.first == token; });
  return {found == paths.end() ? Path::sys : found->second, 0};
}

bool is_gpu_column(std::string_view column) {
  return column.substr(0, 3) == "GPU" && parse_integer(column.substr(3)).has_value();
}

/// The largest count that any pair shows.
int widest(const Matrix& m) {
  int out = 0;
  for (std::size_t a = 0; a < m.gpus.size(); ++a)
    for (std::size_t b = 0; b < m.gpus.size(); ++b)
      if (a != b) out = std::max(out, m.between_gpus[a][b].links);
  return out;
}

using Missing = std::map<std::pair<std::size_t, std::size_t>, int>;

/// GPUs wired to each other in a group of three or more have equal totals (a DGX-1 mesh mixes NV1
/// and NV2, but every GPU has six). A GPU short of the fullest lost links; two short ones lost them
/// together.
void short_of_siblings(const Matrix& m, Missing& missing) {
  const auto groups = nvlink_groups(m);
  const bool board =
      std::any_of(groups.begin(), groups.end(), [](const auto& g) { return g.size() > 2; });
  if (!board) return;
  std::vector<int> total(m.gpus.size());
  for (std::size_t i = 0; i < total.size(); ++i)
    for (std::size_t j = 0; j < total.size(); ++j)
      if (i != j) total[i] += m.links(i, j);
  const int full = *std::max_element(total.begin(), total.end());
  for (std::size_t a = 0; a < total.size(); ++a)
    for (std::size_t b = a + 1; b < total.size(); ++b) {
      const int both_short = std::min(full - total[a], full - total[b]);
      if (both_short <= 0 || m.links(a, b) >= widest(m)) continue;
      auto& lost = missing[{a, b}];
      lost = std::max(lost, std::min(both_short, widest(m) - m.links(a, b)));
      total[a] += lost;
      total[b] += lost;
    }
}

/// Bridged pairs must be as wide as the widest pair, and as the card has links.
void short_bridges(const Matrix& m, std::optional<int> sku_links, bool bridged, Missing& missing) {
  const int due = std::max(widest(m), bridged ? sku_links.value_or(0) : 0);
  for (const auto& group : nvlink_groups(m)) {
    if (group.size() != 2) continue;
    const int lost = due - m.links(group[0], group[1]);
    if (lost > 0) missing[{group[0], group[1]}] = lost;
  }
}

}  // namespace

std::string_view name(Path path) {
  static constexpr std::string_view names[] = {"nvlink", "pix", "pxb", "phb", "node", "sys"};
  return names[static_cast<std::size_t>(path)];
}

int Matrix::total_links(std::size_t gpu) const {
  return std::accumulate(between_gpus[gpu].begin(), between_gpus[gpu].end(), 0,
                         [](int sum, const Cell& cell) { return sum + cell.links; });
}

std::optional<Matrix> matrix_in(const Evidence& evidence) {
  const auto headers = all_of(evidence, "topology.columns"_id);
  if (headers.empty()) return matrix_from_paths(evidence);
  const auto* columns = headers.front()->as<std::vector<std::string>>();
  if (columns == nullptr) return {};
  Matrix m;
  m.sources.push_back(headers.front());
  m.line = headers.front()->line;
  for (const auto& column : *columns)
    if (!is_gpu_column(column)) {
      const auto* full = find(evidence, "nic.name"_id, "nic:" + column);
      m.nics.push_back(full != nullptr && full->text() != nullptr ? *full->text() : column);
    }
  for (const auto* row : all_of(evidence, "topology.row"_id)) {
    const auto* cells = row->as<std::vector<std::string>>();
    if (!is_gpu(row->subject) || cells == nullptr || row->provenance != headers.front()->provenance)
      continue;
    m.gpus.push_back(row->subject);
    m.sources.push_back(row);
    auto& gpus = m.between_gpus.emplace_back();
    auto& nics = m.to_nics.emplace_back();
    for (std::size_t i = 0; i < cells->size() && i < columns->size(); ++i)
      (is_gpu_column((*columns)[i]) ? gpus : nics).push_back(cell_of((*cells)[i]));
  }
  const bool square = std::all_of(m.between_gpus.begin(), m.between_gpus.end(),
                                  [&](const auto& row) { return row.size() == m.gpus.size(); });
  if (!square || m.gpus.empty()) return {};
  for (std::size_t i = 0; i < m.gpus.size(); ++i) m.between_gpus[i][i] = {};
  return m;
}

std::vector<std::vector<std::size_t>> nvlink_groups(const Matrix& m) {
  std::vector<std::vector<std::size_t>> out;
  std::vector<bool> seen(m.gpus.size());
  for (std::size_t start = 0; start < m.gpus.size(); ++start) {
    if (seen[start]) continue;
    std::vector<std::size_t> group{start};
    seen[start] = true;
    for (std::size_t next = 0; next < group.size(); ++next)
      for (std::size_t peer = 0; peer < m.gpus.size(); ++peer)
        if (!seen[peer] && peer != group[next] && m.links(group[next], peer) > 0) {
          seen[peer] = true;
          group.push_back(peer);
        }
    std::sort(group.begin(), group.end());
    out.push_back(std::move(group));
  }
  return out;
}

bool through_switch(const Matrix& m, std::size_t gpu, std::optional<int> sku_links) {
  return m.total_links(gpu) > sku_links.value_or(most_links_of_any_gpu);
}

Missing missing_links(const Matrix& m, std::optional<int> sku_links, bool bridged) {
  Missing missing;
  bool switched = false;
  for (std::size_t gpu = 0; gpu < m.gpus.size(); ++gpu)
    switched = switched || through_switch(m, gpu, sku_links);
  if (switched) {
    // Behind switches every pair has all links of its GPUs, so each pair short of the widest lost
    // some.
    for (std::size_t a = 0; a < m.gpus.size(); ++a)
      for (std::size_t b = a + 1; b < m.gpus.size(); ++b)
        if (const int lost = widest(m) - m.links(a, b); lost > 0) missing[{a, b}] = lost;
    return missing;
  }
  for (std::size_t a = 0; a < m.gpus.size(); ++a)
    for (std::size_t b = a + 1; b < m.gpus.size(); ++b) {
      const int difference = std::abs(m.between_gpus[a][b].links - m.between_gpus[b][a].links);
      if (difference > 0) missing[{a, b}] = difference;
    }
  short_of_siblings(m, missing);
  short_bridges(m, sku_links, bridged, missing);
  return missing;
}

}  // namespace gpuvet::derive
