// SPDX-License-Identifier: Apache-2.0
// Where sources disagree about what cannot change. Both observations stay; the disagreement is a
// fact of its own.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "core/text.hpp"
#include "derive/matrix.hpp"
#include "derive/steps.hpp"

namespace gpuvet::derive {
namespace {

using Key = std::tuple<Id, std::string, std::string>;  // id, subject, dimensions

bool same(const Value& a, const Value& b) {
  const auto* x = std::get_if<double>(&a);
  const auto* y = std::get_if<double>(&b);
  // Tools round to different digits.
  if (x != nullptr && y != nullptr)
    return std::abs(*x - *y) <= 1e-3 * std::max(std::abs(*x), std::abs(*y));
  const auto* s = std::get_if<std::string>(&a);
  const auto* t = std::get_if<std::string>(&b);
  if (s != nullptr && t != nullptr) {
    // "Dell" and "Dell Inc.", "AMD EPYC 7763" and "AMD EPYC 7763 64-Core Processor".
    const std::string x_said = lower(*s), y_said = lower(*t);
    return !x_said.empty() && !y_said.empty() &&
           (contains(x_said, y_said) || contains(y_said, x_said));
  }
  return a == b;
}

/// Names that identify, counts that are compared on their own, what one source may say twice, and
/// buses: a SATA drive behind a SAS or USB adapter is on both.
bool compared(const Observation& o) {
  return o.id.info().nature == Nature::property && o.get() != nullptr &&
         o.id != "node.gpu.attached"_id && o.id != "node.hostname"_id && o.id != "nic.name"_id &&
         o.id != "gpu.uuid"_id && o.id != "drive.bus"_id &&
         !(o.id == "node.serial"_id && o.text() != nullptr && is_placeholder(*o.text()));
}

std::string file_of(const Observation& o) {
  return o.provenance == nullptr || o.provenance->source.empty() ? "a source"
                                                                 : o.provenance->source;
}

std::string says(const Observation& o) { return fmt::format("{} says {}", file_of(o), format(o)); }

/// "gpu:…: gpu.vbios.version: a.xml says 92, b.csv says 93" for each fact with two values.
std::vector<std::string> disagreements(const std::map<Key, std::vector<const Observation*>>& facts,
                                       std::vector<const Observation*>& sources) {
  std::vector<std::string> out;
  for (const auto& [key, said] : facts) {
    std::vector<const Observation*> distinct;
    for (const auto* o : said)
      if (std::none_of(distinct.begin(), distinct.end(),
                       [&](const auto* d) { return same(*d->get(), *o->get()); }))
        distinct.push_back(o);
    if (distinct.size() < 2) continue;
    std::vector<std::string> sayings;
    for (const auto* o : distinct) sayings.push_back(says(*o));
    const auto& [id, subject, where] = key;
    out.push_back(fmt::format("{}{}: {}", id.name(), subject == "node" ? "" : " of " + subject,
                              join(sayings, ", ")));
    sources.insert(sources.end(), distinct.begin(), distinct.end());
  }
  return out;
}

/// Links that the matrix shows of a GPU: through switches each pair shows all that the GPU has,
/// without them each link goes to one peer.
int links_shown(const Matrix& m, std::size_t gpu) {
  if (!through_switch(m, gpu, {})) return m.total_links(gpu);
  int out = 0;
  for (std::size_t peer = 0; peer < m.gpus.size(); ++peer) out = std::max(out, m.links(gpu, peer));
  return out;
}

/// "NV12" in the matrix and 11 links in the list of links: one of them died in between, or the list
/// leaves out what is down. More links than the matrix shows may go elsewhere than to GPUs.
std::vector<std::string> lost_links(const Evidence& evidence,
                                    std::vector<const Observation*>& sources) {
  std::vector<std::string> out;
  const auto m = matrix_in(evidence);
  if (!m) return out;
  for (std::size_t gpu = 0; gpu < m->gpus.size(); ++gpu) {
    const auto* active = find(evidence, "gpu.nvlink.active"_id, m->gpus[gpu]);
    const int shown = links_shown(*m, gpu);
    const auto* down = find(evidence, "gpu.nvlink.inactive"_id, m->gpus[gpu]);
    const auto* numbers = down == nullptr ? nullptr : down->as<std::vector<double>>();
    if (numbers != nullptr && !numbers->empty()) continue;  // a finding of its own
    if (active == nullptr || active->number() == nullptr || *active->number() >= shown) continue;
    out.push_back(fmt::format("{} of {}: {} shows {} NVLinks, {}", active->id.name(), m->gpus[gpu],
                              file_of(*m->sources.front()), shown, says(*active)));
    sources.push_back(active);
    sources.push_back(m->sources.front());
  }
  return out;
}

}  // namespace

void find_contradictions(Evidence& evidence) {
  std::map<Key, std::vector<const Observation*>> inventory, other;
  for (const auto& o : evidence.observations) {
    const Key key{o.id, o.subject, format(o.where)};
    if (o.id == "node.gpu.attached"_id && o.get() != nullptr)
      inventory[key].push_back(&o);
    else if (compared(o))
      other[key].push_back(&o);
  }
  Evidence found;
  const auto record = [&](Id id, const auto& facts, const auto& more) {
    std::vector<const Observation*> sources;
    auto list = disagreements(facts, sources);
    const auto others = more(sources);
    list.insert(list.end(), others.begin(), others.end());
    if (sources.empty())
      for (const auto& [key, said] : facts) sources.push_back(said.front());
    if (sources.empty()) return;
    Recorder(found, derived_from(sources)).texts(id, "node", std::move(list));
  };
  using Sources = std::vector<const Observation*>;
  record("evidence.contradictions.inventory"_id, inventory,
         [](Sources&) { return std::vector<std::string>(); });
  record("evidence.contradictions.other"_id, other,
         [&](Sources& sources) { return lost_links(evidence, sources); });
  evidence.append(std::move(found));
}

}  // namespace gpuvet::derive
