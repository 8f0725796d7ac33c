// SPDX-License-Identifier: Apache-2.0
// Who is who: nvidia-smi's ordinals, PCI addresses and UUIDs of the same GPU become one subject.
#include <algorithm>
#include <map>
#include <optional>
#include <set>

#include "core/text.hpp"
#include "derive/steps.hpp"

namespace gpuvet::derive {
namespace {

/// Sets of names that mean the same GPU, by union-find.
class Names {
 public:
  const std::string& root(const std::string& name) {
    auto found = parent_.try_emplace(name, name).first;
    while (found->second != found->first) found = parent_.find(found->second);
    return found->first;
  }
  void join(const std::string& a, const std::string& b) {
    const std::string ra = root(a), rb = root(b);
    if (ra != rb) parent_[std::max(ra, rb)] = std::min(ra, rb);
  }
  [[nodiscard]] std::vector<std::string> known() const {
    std::vector<std::string> out;
    for (const auto& [name, parent] : parent_) out.push_back(name);
    return out;
  }

 private:
  std::map<std::string, std::string> parent_;
};

bool is_uuid(std::string_view subject) { return subject.substr(0, 8) == "gpu:GPU-"; }
bool is_ordinal(std::string_view subject) { return contains(subject, "#"); }
/// Other tools count in their own order, and their aliases say nothing about nvidia-smi's.
bool is_smi_ordinal(std::string_view subject) { return subject.substr(0, 8) == "gpu:smi#"; }

/// Anonymised files repeat one UUID or fill it with zeros: such a name identifies nobody.
bool identifies(std::string_view uuid) {
  return uuid.find_first_of("123456789abcdefABCDEF", 4) != std::string_view::npos;
}

/// UUID first, then PCI address, then ordinal: what survives a reboot wins.
int rank(std::string_view subject) { return is_uuid(subject) ? 0 : is_ordinal(subject) ? 2 : 1; }

/// GPU counts per source file, to know whether two files' ordinals mean the same devices.
std::map<std::string, std::set<std::string>> ordinals_by_source(const Evidence& evidence) {
  std::map<std::string, std::set<std::string>> out;
  for (const auto& o : evidence.observations) {
    if (!is_gpu(o.subject) || o.provenance == nullptr) continue;
    if (is_smi_ordinal(o.subject))
      out[o.provenance->source].insert(o.subject);
    else if (o.id == "gpu.index"_id && o.number() != nullptr)
      out[o.provenance->source].insert("gpu:smi#" + format_number(*o.number()));
  }
  return out;
}

/// Whether the ordinals of all files mean the same GPUs: all files that show every GPU of the
/// machine count alike, and what a log of some of them names is among those.
bool ordinals_agree(const Evidence& evidence) {
  std::set<std::string> whole;  // files that show every GPU
  for (const auto& o : evidence.observations)
    if (o.id == "node.gpu.attached"_id && o.provenance != nullptr)
      whole.insert(o.provenance->source);
  const auto ordinals = ordinals_by_source(evidence);
  const std::set<std::string>* largest = nullptr;
  for (const auto& [source, set] : ordinals) {
    if (whole.empty() ? largest != nullptr && set.size() <= largest->size()
                      : !whole.contains(source))
      continue;
    if (!whole.empty() && largest != nullptr && set != *largest) return false;
    largest = &set;
  }
  return largest == nullptr ||
         std::all_of(ordinals.begin(), ordinals.end(), [&](const auto& entry) {
           return std::includes(largest->begin(), largest->end(), entry.second.begin(),
                                entry.second.end());
         });
}

Names gather(const Evidence& evidence) {
  Names names;
  const bool nested = ordinals_agree(evidence);
  std::map<std::string, std::set<std::string>> holders;  // uuid -> subjects that claim it
  for (const auto& o : evidence.observations)
    if (o.id == "gpu.uuid"_id && o.text() != nullptr) holders[*o.text()].insert(o.subject);
  for (const auto& o : evidence.observations) {
    if (!is_gpu(o.subject)) continue;
    names.root(o.subject);
    if (o.id == "gpu.pci.address"_id && o.text() != nullptr)
      names.join(o.subject, "gpu:" + *o.text());
    if (o.id == "gpu.uuid"_id && o.text() != nullptr && identifies(*o.text()) &&
        holders[*o.text()].size() < 2)
      names.join(o.subject, "gpu:" + *o.text());
    // Ordinals of two files mean the same GPUs only when both files count the same GPUs; a log of
    // one of them counts fewer and means the same.
    if (o.id == "gpu.index"_id && o.number() != nullptr && nested)
      names.join(o.subject, "gpu:smi#" + format_number(*o.number()));
  }
  return names;
}

/// The ordinal of nvidia-smi and the PCI address in a set of names, where it has one of each.
struct Placed {
  std::optional<std::int64_t> ordinal;
  std::string address;
};

/// GPUs that the driver counts but has lost: it tells their number and nothing else, while the
/// kernel log or the PCI tree tells their address. The driver counts in the order of addresses, so
/// where all others prove that, and as many addresses are left as numbers, each lost one has its
/// own.
void place_lost(const Evidence& evidence, Names& names) {
  std::set<std::string> lost;
  for (const auto& o : evidence.observations)
    if (o.id == "gpu.lost"_id && o.flag() != nullptr && *o.flag() && is_smi_ordinal(o.subject))
      lost.insert(o.subject);
  if (lost.empty()) return;
  std::map<std::string, Placed> sets;
  for (const auto& name : names.known()) {
    auto& set = sets[names.root(name)];
    if (is_smi_ordinal(name))
      set.ordinal =
          parse_integer(std::string_view(name).substr(std::string_view("gpu:smi#").size()));
    else if (!is_uuid(name) && !is_ordinal(name) && pci_address(name.substr(4)))
      set.address = name;
  }
  std::map<std::int64_t, std::string> by_ordinal;  // address; empty: lost
  std::vector<std::string> addresses;
  for (const auto& [root, set] : sets) {
    if (!set.address.empty()) addresses.push_back(set.address);
    if (!set.ordinal) continue;
    if (set.address.empty() && !lost.contains("gpu:smi#" + std::to_string(*set.ordinal))) return;
    by_ordinal[*set.ordinal] = set.address;
  }
  if (addresses.size() != by_ordinal.size() || lost.size() == by_ordinal.size()) return;
  std::sort(addresses.begin(), addresses.end());
  std::size_t at = 0;
  for (const auto& [ordinal, address] : by_ordinal) {
    if (ordinal != static_cast<std::int64_t>(at)) return;
    if (!address.empty() && address != addresses[at]) return;
    ++at;
  }
  for (const auto& [ordinal, address] : by_ordinal)
    if (address.empty())
      names.join("gpu:smi#" + std::to_string(ordinal),
                 addresses[static_cast<std::size_t>(ordinal)]);
}

/// Every name -> the best name of its set. A set with two UUIDs or two addresses is left unjoined:
/// the sources contradict each other, and guessing would hide it.
std::map<std::string, std::string> canonical(Names& names) {
  std::map<std::string, std::vector<std::string>> sets;
  for (const auto& name : names.known()) sets[names.root(name)].push_back(name);
  std::map<std::string, std::string> out;
  for (auto& [root, members] : sets) {
    std::sort(members.begin(), members.end(), [](const auto& a, const auto& b) {
      return std::pair(rank(a), a) < std::pair(rank(b), b);
    });
    const auto with_rank = [&, &all = members](int r) {
      return std::count_if(all.begin(), all.end(), [&](const auto& m) { return rank(m) == r; });
    };
    const bool ambiguous = with_rank(0) > 1 || with_rank(1) > 1;
    for (const auto& member : members) out[member] = ambiguous ? member : members.front();
  }
  return out;
}

/// "link:smi#1~smi#0" -> "link:GPU-…0~GPU-…1": each end by its best name, in the order of the GPUs,
/// so that all facts about one pair meet whatever tool named it.
std::string best_pair(const std::string& subject, const std::map<std::string, std::string>& best,
                      const std::map<std::string, std::size_t>& position) {
  const auto middle = subject.find('~');
  if (middle == std::string::npos) return subject;
  const auto name_of = [&](const std::string& end) {
    const auto found = best.find("gpu:" + end);
    return found == best.end() ? "gpu:" + end : found->second;
  };
  std::string a = name_of(subject.substr(5, middle - 5)), b = name_of(subject.substr(middle + 1));
  const auto first = position.find(a), second = position.find(b);
  if (first != position.end() && second != position.end() && second->second < first->second)
    std::swap(a, b);
  return "link:" + pair_name(a, b);
}

}  // namespace

void join_identities(Evidence& evidence) {
  Names names = gather(evidence);
  if (ordinals_agree(evidence)) place_lost(evidence, names);
  const auto best = canonical(names);
  const auto rename = [&](std::string& subject) {
    if (const auto found = best.find(subject); found != best.end()) subject = found->second;
  };
  const bool any_pair =
      std::any_of(evidence.observations.begin(), evidence.observations.end(),
                  [](const auto& o) { return o.subject.compare(0, 5, "link:") == 0; });
  for (auto& o : evidence.observations) rename(o.subject);
  for (auto& t : evidence.tables) rename(t.subject);
  if (!any_pair) return;
  std::map<std::string, std::size_t> position;
  for (const auto& gpu : gpus_of(evidence)) position.emplace(gpu, position.size());
  for (auto& o : evidence.observations)
    if (o.subject.compare(0, 5, "link:") == 0) o.subject = best_pair(o.subject, best, position);
}

}  // namespace gpuvet::derive
