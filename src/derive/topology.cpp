// SPDX-License-Identifier: Apache-2.0
// What the matrix means: class, groups, pairs, missing links, affinity, nearest adapters.
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "core/text.hpp"
#include "derive/matrix.hpp"
#include "derive/steps.hpp"

namespace gpuvet::derive {
namespace {

std::string_view class_of(const Matrix& m, std::optional<int> sku_links) {
  const std::size_t n = m.gpus.size();
  if (n == 1) return "single";
  std::size_t joined = 0;
  for (std::size_t a = 0; a < n; ++a)
    for (std::size_t b = a + 1; b < n; ++b) joined += m.links(a, b) > 0;
  if (joined == 0) return "pcie";
  if (joined < n * (n - 1) / 2) return "nvlink-partial";
  for (std::size_t gpu = 0; gpu < n; ++gpu)
    if (through_switch(m, gpu, sku_links)) return "nvswitch";
  return "nvlink-all";
}

void record_pairs(const Matrix& m, std::optional<int> sku_links, bool bridged, Recorder& out) {
  const auto missing = missing_links(m, sku_links, bridged);
  std::vector<std::string> short_pairs;
  for (std::size_t a = 0; a < m.gpus.size(); ++a)
    for (std::size_t b = a + 1; b < m.gpus.size(); ++b) {
      const std::string pair = pair_name(m.gpus[a], m.gpus[b]);
      const std::string subject = "link:" + pair;
      const int links = m.links(a, b);
      // Where the two directions disagree, the pair is only as good as the worse of them.
      const Path path = std::max(m.between_gpus[a][b].path, m.between_gpus[b][a].path);
      out.text("link.kind"_id, subject, std::string(name(path)));
      if (links > 0) out.number("link.nvlink_count"_id, subject, links);
      const auto lost = missing.find({a, b});
      if (lost == missing.end()) continue;
      out.number("link.nvlink_missing"_id, subject, lost->second);
      short_pairs.push_back(
          fmt::format("GPU{}~GPU{} has {} of {} NVLinks", a, b, links, links + lost->second));
    }
  out.texts("topology.nvlink.missing"_id, "node", short_pairs);
}

void record_groups(const Matrix& m, Recorder& out) {
  std::vector<double> sizes;
  for (const auto& group : nvlink_groups(m))
    if (group.size() > 1) sizes.push_back(static_cast<double>(group.size()));
  std::sort(sizes.rbegin(), sizes.rend());
  out.number("topology.nvlink_group.largest"_id, "node", sizes.empty() ? 1 : sizes.front());
  out.numbers("topology.nvlink_groups"_id, "node", std::move(sizes));
}

/// Places in the PCI tree say nothing of NVLinks, so that how the GPUs are joined stays unknown.
void record_unread_links(const Matrix& m, Recorder& out) {
  const auto why = fmt::format("where the NVLinks of {} of {} GPUs lead was not read",
                               m.links_unread.size(), m.gpus.size());
  for (const Id id : {"topology.class"_id, "topology.nvlink.missing"_id})
    out.absent(id, "node", Absence::not_asked, why);
}

void record_affinity(const Evidence& evidence, const Matrix& m, Recorder& out) {
  // NUMA nodes where the tool knows them; older drivers print only the CPUs.
  for (const Id id : {"topology.affinity.numa"_id, "topology.affinity.cpu"_id}) {
    std::set<std::string> distinct;
    std::size_t known = 0;
    for (const auto& gpu : m.gpus) {
      const auto* o = find(evidence, id, gpu);
      if (o == nullptr || o->text() == nullptr) continue;
      distinct.insert(*o->text());
      ++known;
    }
    if (known < m.gpus.size()) continue;
    out.number("topology.numa_nodes"_id, "node", static_cast<double>(distinct.size()));
    out.flag("topology.crosses_numa"_id, "node", distinct.size() > 1);
    return;
  }
  out.absent("topology.numa_nodes"_id, "node", Absence::not_asked,
             "the matrix shows no affinity for every GPU");
  out.absent("topology.crosses_numa"_id, "node", Absence::not_asked,
             "the matrix shows no affinity for every GPU");
}

/// Sockets number their NUMA nodes one after the other, so the nodes of a socket follow from how
/// many there are of each. Nothing when the facts don't say, or contradict themselves.
std::optional<std::size_t> sockets_used(const Evidence& evidence, const Matrix& m) {
  const auto* sockets = find(evidence, "node.cpu.sockets"_id, "node");
  if (sockets == nullptr || sockets->number() == nullptr || *sockets->number() < 1) return {};
  if (*sockets->number() == 1) return 1;
  const auto* nodes = find(evidence, "node.cpu.numa_nodes"_id, "node");
  if (nodes == nullptr || nodes->number() == nullptr) return {};
  const auto per_socket = static_cast<std::int64_t>(*nodes->number() / *sockets->number());
  if (per_socket < 1) return {};
  std::set<std::int64_t> used;
  for (const auto& gpu : m.gpus) {
    const auto* o = find(evidence, "topology.affinity.numa"_id, gpu);
    const auto node =
        o == nullptr || o->text() == nullptr ? std::nullopt : parse_integer(*o->text());
    if (!node || *node < 0 || *node >= static_cast<std::int64_t>(*nodes->number())) return {};
    used.insert(*node / per_socket);
  }
  return used.size();
}

void record_sockets(const Evidence& evidence, const Matrix& m, Recorder& out) {
  if (const auto used = sockets_used(evidence, m))
    out.flag("topology.crosses_socket"_id, "node", *used > 1);
  else
    out.absent("topology.crosses_socket"_id, "node", Absence::not_asked,
               "no source tells which NUMA nodes share a socket");
}

void record_adapters(const Matrix& m, Recorder& out) {
  out.number("topology.nic_count"_id, "node", static_cast<double>(m.nics.size()));
  if (m.nics.empty()) return;
  for (std::size_t gpu = 0; gpu < m.gpus.size(); ++gpu) {
    const auto& row = m.to_nics[gpu];
    const auto nearest = std::min_element(
        row.begin(), row.end(), [](const Cell& a, const Cell& b) { return a.path < b.path; });
    if (nearest == row.end()) continue;
    out.text("gpu.nic.nearest"_id, m.gpus[gpu],
             "nic:" + m.nics[static_cast<std::size_t>(nearest - row.begin())]);
    out.text("gpu.nic.path"_id, m.gpus[gpu], std::string(name(nearest->path)));
  }
}

/// That there is no GPU is a fact of its own, where somebody looked: no driver that has one, and
/// none on the bus. Under WSL, for one, GPUs are on no bus.
void record_none(const Evidence& evidence, std::vector<const Observation*> sources,
                 Evidence& found) {
  const auto* bus = find(evidence, "node.gpu.on_bus"_id, "node");
  if (bus == nullptr || bus->number() == nullptr || *bus->number() > 0 ||
      !gpus_listed(evidence).empty())
    return;
  sources.insert(sources.begin(), bus);
  Recorder out(found, derived_from(sources));
  out.number("topology.gpu_count"_id, "node", 0);
  out.detail(bus->detail);
}

/// How many GPUs: what a source counts, or the most that one source lists.
void record_count(const Evidence& evidence, const std::optional<Matrix>& m, Evidence& found) {
  std::vector<const Observation*> sources = all_of(evidence, "node.gpu.attached"_id);
  double count = 0;
  for (const auto* o : sources)
    if (o->number() != nullptr) count = std::max(count, *o->number());
  std::map<const Provenance*, std::set<std::string>> listed;
  for (const auto& o : evidence.observations)
    if (is_gpu(o.subject) && (o.id == "gpu.index"_id || o.id == "gpu.name"_id) &&
        listed[o.provenance.get()].insert(o.subject).second)
      sources.push_back(&o);
  for (const auto& [source, gpus] : listed)
    count = std::max(count, static_cast<double>(gpus.size()));
  if (count == 0) return record_none(evidence, sources, found);
  Recorder out(found, derived_from(sources));
  out.number("topology.gpu_count"_id, "node", count);
  if (count == 1 && !m) out.text("topology.class"_id, "node", "single");
}

}  // namespace

void understand_topology(Evidence& evidence, const catalogue::Catalogue& catalogue) {
  const auto m = matrix_in(evidence);
  Evidence found;
  record_count(evidence, m, found);
  if (m) {
    std::optional<int> sku_links;
    bool bridged = false;
    if (const auto* sku = find(evidence, "node.gpu.sku"_id, "node");
        sku != nullptr && sku->text() != nullptr)
      if (const auto* gpu = catalogue.gpu(*sku->text()); gpu != nullptr) {
        if (const auto links = gpu->decided("nvlink_links"))
          sku_links = static_cast<int>(links->value);
        bridged = gpu->nvlink_attach == "bridge";
      }
    Recorder out(found, derived_from(m->sources));
    out.line(m->line);
    if (m->links_unread.empty()) {
      out.text("topology.class"_id, "node", std::string(class_of(*m, sku_links)));
      record_groups(*m, out);
      record_pairs(*m, sku_links, bridged, out);
    } else {
      record_unread_links(*m, out);
    }
    record_affinity(evidence, *m, out);
    record_sockets(evidence, *m, out);
    record_adapters(*m, out);
  }
  evidence.append(std::move(found));
}

}  // namespace gpuvet::derive
