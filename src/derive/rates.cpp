// SPDX-License-Identifier: Apache-2.0
// What measured rates mean beside each other: the two directions of a link, a pair beside pairs
// that are linked alike, a GPU's host link alone and while all copy.
#include <algorithm>
#include <map>
#include <optional>

#include "core/statistics.hpp"
#include "derive/steps.hpp"

namespace gpuvet::derive {
namespace {

/// Conditions under which figures are comparable, as text: `where` without `but`.
Where without(Where where, std::initializer_list<std::string_view> but) {
  for (const auto name : but)
    if (const auto found = where.find(name); found != where.end()) where.erase(found);
  return where;
}

struct Key {
  std::string subject;
  Where where;
  auto operator<=>(const Key&) const = default;
};
using Groups = std::map<Key, std::vector<const Observation*>>;

/// Present numbers of `id` by subject and by `where` without `but`.
Groups groups_of(const Evidence& evidence, Id id, std::initializer_list<std::string_view> but) {
  Groups out;
  for (const auto* o : all_of(evidence, id))
    if (const auto* value = o->number(); value != nullptr && *value > 0)
      out[{o->subject, without(o->where, but)}].push_back(o);
  return out;
}

std::pair<double, double> extremes(const std::vector<const Observation*>& group) {
  const auto [low, high] =
      std::minmax_element(group.begin(), group.end(),
                          [](const auto* a, const auto* b) { return *a->number() < *b->number(); });
  return {*(*low)->number(), *(*high)->number()};
}

/// Without peer access a copy goes by way of host memory, where what else is done decides.
bool by_way_of_host(const Where& where) {
  const auto found = where.find("p2p");
  const auto* text = found == where.end() ? nullptr : std::get_if<std::string>(&found->second);
  return text != nullptr && *text == "disabled";
}

/// Both directions between two GPUs are figures of one link and one `where`.
void compare_directions_of_pairs(const Evidence& evidence, Evidence& found) {
  for (const auto& [key, group] : groups_of(evidence, "peer.bandwidth"_id, {})) {
    if (group.size() < 2 || by_way_of_host(key.where)) continue;
    const auto [low, high] = extremes(group);
    Recorder(found, derived_from(group))
        .number("peer.one_way"_id, key.subject, low / high, without(key.where, {"bytes"}));
  }
}

/// "nvlink 4", "sys": how the pair is joined, where the topology tells.
std::optional<std::string> joined_by(const Evidence& evidence, const std::string& link) {
  const auto* kind = find(evidence, "link.kind"_id, link);
  if (kind == nullptr || kind->text() == nullptr) return {};
  const auto* count = find(evidence, "link.nvlink_count"_id, link);
  const bool counted = count != nullptr && count->number() != nullptr;
  return *kind->text() + (counted ? " " + std::to_string(static_cast<int>(*count->number())) : "");
}

/// Groups of pairs that are joined alike and were measured alike; at least two pairs each.
std::map<std::pair<std::string, Where>, std::map<std::string, std::vector<const Observation*>>>
alike(const Evidence& evidence, Id id) {
  std::map<std::pair<std::string, Where>, std::map<std::string, std::vector<const Observation*>>>
      out;
  for (auto& [key, group] : groups_of(evidence, id, {}))
    if (const auto kind = joined_by(evidence, key.subject); kind && !by_way_of_host(key.where))
      out[{*kind, key.where}][key.subject] = group;
  std::erase_if(out, [](const auto& entry) { return entry.second.size() < 2; });
  return out;
}

/// compare(link, its observations, median of what `pick` makes of each link).
template <class Pick, class Compare>
void beside_alike(const Evidence& evidence, Id id, Pick pick, Compare compare) {
  for (const auto& [kind, links] : alike(evidence, id)) {
    std::vector<double> values;
    for (const auto& [link, group] : links) values.push_back(pick(group));
    const double middle = median(values);
    for (const auto& [link, group] : links) compare(link, group, kind.second, pick(group) / middle);
  }
}

void compare_pairs(const Evidence& evidence, Evidence& found) {
  beside_alike(
      evidence, "peer.bandwidth"_id, [](const auto& group) { return extremes(group).first; },
      [&](const auto& link, const auto& group, const Where& where, double relative) {
        Recorder(found, derived_from(group))
            .number("peer.below_alike"_id, link, std::max(0.0, 1 - relative),
                    without(where, {"bytes"}));
      });
  beside_alike(
      evidence, "peer.latency"_id, [](const auto& group) { return extremes(group).second; },
      [&](const auto& link, const auto& group, const Where& where, double relative) {
        Recorder(found, derived_from(group))
            .number("peer.latency_above_alike"_id, link, relative, without(where, {"p2p"}));
      });
}

/// A GPU's rate while several copy, relative to the GPU alone.
void compare_concurrent(const Evidence& evidence, Id id, Id share, Evidence& found) {
  for (const auto& [key, group] : groups_of(evidence, id, {"concurrent", "bytes"})) {
    std::vector<const Observation*> alone, together;
    for (const auto* o : group) {
      const auto at = o->where.find("concurrent");
      if (at == o->where.end()) continue;
      const auto* count = std::get_if<double>(&at->second);
      if (count != nullptr) (*count > 1 ? together : alone).push_back(o);
    }
    if (alone.empty() || together.empty()) continue;
    Recorder(found, derived_from(group))
        .number(share, key.subject, extremes(together).first / extremes(alone).second, key.where);
  }
}

/// To the host and from it, the GPU alone.
void compare_host_directions(const Evidence& evidence, Evidence& found) {
  const auto back = groups_of(evidence, "hostlink.d2h"_id, {"bytes"});
  for (const auto& [key, there] : groups_of(evidence, "hostlink.h2d"_id, {"bytes"})) {
    const auto again = back.find(key);
    const auto concurrent = key.where.find("concurrent");
    if (again == back.end() || concurrent == key.where.end() ||
        concurrent->second != decltype(concurrent->second){1.0})
      continue;
    auto both = there;
    both.insert(both.end(), again->second.begin(), again->second.end());
    const double a = extremes(there).second, b = extremes(again->second).second;
    Recorder(found, derived_from(both))
        .number("hostlink.one_way"_id, key.subject, std::min(a, b) / std::max(a, b),
                without(key.where, {"concurrent"}));
  }
}

}  // namespace

void compare_rates(Evidence& evidence) {
  Evidence found;
  compare_directions_of_pairs(evidence, found);
  compare_pairs(evidence, found);
  compare_concurrent(evidence, "hostlink.h2d"_id, "hostlink.h2d.concurrent_share"_id, found);
  compare_concurrent(evidence, "hostlink.d2h"_id, "hostlink.d2h.concurrent_share"_id, found);
  compare_host_directions(evidence, found);
  evidence.append(std::move(found));
}

}  // namespace gpuvet::derive
