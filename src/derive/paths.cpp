// SPDX-License-Identifier: Apache-2.0
// The matrix of `nvidia-smi topo -m` from what it is made of: where each device hangs in the PCI
// tree, and what each NVLink leads to.
#include <algorithm>
#include <set>

#include "derive/matrix.hpp"
#include "derive/steps.hpp"

namespace gpuvet::derive {
namespace {

using Texts = std::vector<std::string>;

/// Where a device hangs.
struct Place {
  const Texts* path = nullptr;  ///< from the root port down to the device
  std::string root, numa;
};

std::string text_of(const Evidence& evidence, Id id, const std::string& subject) {
  const auto* o = find(evidence, id, subject);
  return o == nullptr || o->text() == nullptr ? std::string() : *o->text();
}

Path between(const Place& a, const Place& b) {
  const auto& pa = *a.path;
  const auto& pb = *b.path;
  const auto apart = std::mismatch(pa.begin(), pa.end(), pb.begin(), pb.end());
  if (apart.first != pa.begin()) {
    // Below one switch each has a port of its own and itself left; more means switches in a row.
    const auto left = std::max(pa.end() - apart.first, pb.end() - apart.second);
    return left <= 2 ? Path::pix : Path::pxb;
  }
  if (!a.root.empty() && a.root == b.root) return Path::phb;
  return !a.numa.empty() && a.numa == b.numa ? Path::node : Path::sys;
}

/// How many links of each GPU lead to each other GPU; those into a switch lead to all that have
/// such links too, as nvidia-smi counts them.
struct Links {
  std::map<std::string, int> direct;  ///< by the other GPU's address
  int switched = 0;
};

Links links_of(const Evidence& evidence, const std::string& gpu,
               const std::set<std::string>& addresses) {
  Links out;
  const auto* ends = find(evidence, "gpu.nvlink.ends"_id, gpu);
  const auto* list = ends == nullptr ? nullptr : ends->as<Texts>();
  if (list == nullptr) return out;
  for (const auto& end : *list) {
    if (end == "down") continue;
    if (addresses.contains(end))
      ++out.direct[end];
    else
      ++out.switched;
  }
  return out;
}

/// GPUs that may have NVLinks and of which nobody said where those lead: one that answers no call,
/// or all of them where nothing but the PCI tree was read. They would read as GPUs without any.
std::vector<std::string> links_unread(const Evidence& evidence,
                                      const std::vector<std::string>& gpus) {
  const auto* capable = find(evidence, "topology.nvlink.capable"_id, "node");
  if (capable != nullptr && capable->flag() != nullptr && !*capable->flag()) return {};
  const auto denied = [&](const std::string& gpu) {
    return std::any_of(evidence.observations.begin(), evidence.observations.end(),
                       [&](const Observation& o) {
                         const auto* why = std::get_if<Absence>(&o.value);
                         return o.id == "gpu.nvlink.links"_id && o.subject == gpu &&
                                why != nullptr && *why == Absence::not_supported;
                       });
  };
  const auto all_down = [&](const std::string& gpu) {
    const auto* active = find(evidence, "gpu.nvlink.active"_id, gpu);
    return active != nullptr && active->number() != nullptr && *active->number() == 0;
  };
  std::vector<std::string> out;
  for (const auto& gpu : gpus)
    if (find(evidence, "gpu.nvlink.ends"_id, gpu) == nullptr && !denied(gpu) && !all_down(gpu))
      out.push_back(gpu);
  return out;
}

}  // namespace

std::optional<Matrix> matrix_from_paths(const Evidence& evidence) {
  Matrix m;
  std::vector<Place> places;
  std::vector<std::string> addresses;
  for (const auto& gpu : gpus_of(evidence)) {
    const auto* path = find(evidence, "gpu.pci.path"_id, gpu);
    const auto* list = path == nullptr ? nullptr : path->as<Texts>();
    if (list == nullptr || list->empty()) return {};  // half a matrix would mislead
    m.gpus.push_back(gpu);
    m.sources.push_back(path);
    places.push_back({list, text_of(evidence, "gpu.pci.root"_id, gpu),
                      text_of(evidence, "topology.affinity.numa"_id, gpu)});
    addresses.push_back(list->back());
  }
  if (m.gpus.empty()) return {};
  if (m.gpus.size() > 1) m.links_unread = links_unread(evidence, m.gpus);
  std::vector<Place> adapters;
  for (const auto& o : evidence.observations) {
    if (o.id != "nic.rdma"_id || o.flag() == nullptr || !*o.flag()) continue;
    const auto* path = find(evidence, "nic.pci.path"_id, o.subject);
    const auto* list = path == nullptr ? nullptr : path->as<Texts>();
    const std::string name = o.subject.substr(std::string_view("nic:").size());
    if (list == nullptr || list->empty() ||
        std::find(m.nics.begin(), m.nics.end(), name) != m.nics.end())
      continue;
    m.nics.push_back(name);
    adapters.push_back({list, text_of(evidence, "nic.pci.root"_id, o.subject),
                        text_of(evidence, "nic.numa"_id, o.subject)});
  }
  const std::set<std::string> known(addresses.begin(), addresses.end());
  std::vector<Links> links;
  for (const auto& gpu : m.gpus) links.push_back(links_of(evidence, gpu, known));
  for (std::size_t a = 0; a < m.gpus.size(); ++a) {
    auto& row = m.between_gpus.emplace_back();
    for (std::size_t b = 0; b < m.gpus.size(); ++b) {
      if (a == b) {
        row.emplace_back();
        continue;
      }
      const auto direct = links[a].direct.find(addresses[b]);
      const int count = (direct == links[a].direct.end() ? 0 : direct->second) +
                        std::min(links[a].switched, links[b].switched);
      row.push_back(count > 0 ? Cell{Path::nvlink, count} : Cell{between(places[a], places[b]), 0});
    }
    auto& to_nics = m.to_nics.emplace_back();
    for (const auto& adapter : adapters) to_nics.push_back({between(places[a], adapter), 0});
  }
  return m;
}

}  // namespace gpuvet::derive
