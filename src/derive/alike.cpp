// SPDX-License-Identifier: Apache-2.0
// What should be alike and isn't: memory modules of each processor, rates of adapters of one kind.
// And which GPUs somebody is using, since what is read of those is not what they would show alone.
#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <map>
#include <set>

#include "core/text.hpp"
#include "derive/steps.hpp"

namespace gpuvet::derive {
namespace {

using Sources = std::vector<const Observation*>;

bool is_digit(char c) { return std::isdigit(static_cast<unsigned char>(c)) != 0; }

/// Which processor a module's place belongs to, as boards print it: "P0" of P0_DIMM_A1, "PROC 1" of
/// PROC 1 DIMM 9, "CPU2" of CPU2_DIMM_B1, "B" of Dell's B7. Empty where the name doesn't tell.
std::string processor_of(std::string_view place) {
  for (const std::string_view word : {"PROCESSOR", "PROC", "CPU", "SOCKET", "P"}) {
    if (lower(place.substr(0, word.size())) != lower(word)) continue;
    std::size_t end = word.size();
    while (end < place.size() && (place[end] == ' ' || place[end] == '_' || place[end] == '-'))
      ++end;
    const std::size_t number = end;
    while (end < place.size() && is_digit(place[end])) ++end;
    if (end > number && end < place.size()) return std::string(place.substr(0, end));
  }
  const bool dell = place.size() >= 2 && place[0] >= 'A' && place[0] <= 'D' &&
                    std::all_of(place.begin() + 1, place.end(), is_digit);
  return dell ? std::string(place.substr(0, 1)) : std::string();
}

/// Modules that are there, by the tool that lists most of them.
Sources modules(const Evidence& evidence) {
  std::map<std::string, Sources> by_tool;
  std::map<std::string, std::set<std::string>> seen;
  for (const auto* o : all_of(evidence, "dimm.size"_id)) {
    if (o->number() == nullptr || *o->number() <= 0 || o->provenance == nullptr) continue;
    const auto tool = o->provenance->tool.substr(0, o->provenance->tool.find(' '));
    if (seen[tool].insert(o->subject).second) by_tool[tool].push_back(o);
  }
  Sources out;
  for (auto& [tool, list] : by_tool)
    if (list.size() > out.size()) out = std::move(list);
  return out;
}

/// Boards want as many modules at each processor; one that came loose or was taken out shows as one
/// fewer. Machines with very few modules are populated as they come.
void uneven_modules(const Evidence& evidence, Evidence& found) {
  constexpr std::size_t fewest = 4;  // at one processor
  constexpr std::string_view prefix = "dimm:";
  const auto present = modules(evidence);
  const auto* sockets = find(evidence, "node.cpu.sockets"_id, "node");
  if (present.empty() || sockets == nullptr || sockets->number() == nullptr) return;
  const auto processors = static_cast<std::size_t>(std::max(1., *sockets->number()));
  std::map<std::string, std::size_t> each;
  for (const auto* o : present)
    if (const auto of = processor_of(std::string_view(o->subject).substr(prefix.size()));
        !of.empty())
      ++each[of];
  std::size_t named = 0, most = 0, least = present.size();
  std::vector<std::string> counts;
  for (const auto& [processor, n] : each) {
    named += n;
    most = std::max(most, n);
    least = std::min(least, n);
    counts.push_back(fmt::format("{}: {}", processor, n));
  }
  std::vector<std::string> uneven;
  if (named == present.size() && each.size() == processors) {
    if (most >= fewest && least < most) uneven = counts;
  } else if (present.size() % processors != 0 && present.size() / processors >= fewest) {
    uneven.push_back(fmt::format("{} modules for {} processors", present.size(), processors));
  }
  auto sources = present;
  sources.push_back(sockets);
  Recorder(found, derived_from(sources)).texts("node.dimm.uneven"_id, "node", std::move(uneven));
}

/// Ports of one model and link layer are cabled alike; a few that run slower than all others have a
/// bad cable or transceiver. Of two or three nobody can tell which is as it should be.
void slow_ports(const Evidence& evidence, Evidence& found) {
  constexpr std::size_t fewest = 4, few = 4;  // at most one in four is "a few"
  struct Port {
    std::string name;
    double rate;
  };
  std::map<std::pair<std::string, std::string>, std::vector<Port>> kinds;
  Sources sources;
  std::set<std::string> seen;
  for (const auto* o : all_of(evidence, "nic.rate"_id)) {
    const auto said = [&](Id id) {
      const auto* fact = find(evidence, id, o->subject);
      return fact == nullptr || fact->text() == nullptr ? std::string() : *fact->text();
    };
    const auto* rdma = find(evidence, "nic.rdma"_id, o->subject);
    const auto layer = said("nic.link_layer"_id), model = said("nic.model"_id);
    const bool offers =
        rdma != nullptr && rdma->flag() != nullptr ? *rdma->flag() : layer == "InfiniBand";
    if (o->number() == nullptr || !offers || model.empty() ||
        lower(said("nic.state"_id)) != "active" || !seen.insert(o->subject).second)
      continue;
    sources.push_back(o);
    kinds[{model, layer}].push_back({o->subject.substr(o->subject.find(':') + 1), *o->number()});
  }
  std::vector<std::string> slow;
  bool comparable = false;
  for (const auto& [kind, ports] : kinds) {
    if (ports.size() < fewest) continue;
    comparable = true;
    const double usual =
        std::max_element(ports.begin(), ports.end(), [](const Port& a, const Port& b) {
          return a.rate < b.rate;
        })->rate;
    const auto below = [&](const Port& p) { return p.rate < usual; };
    const auto n = static_cast<std::size_t>(std::count_if(ports.begin(), ports.end(), below));
    if (n == 0 || n * few > ports.size()) continue;
    for (const auto& p : ports)
      if (below(p))
        slow.push_back(fmt::format("{} at {} beside {}", p.name,
                                   format("nic.rate"_id, Value{p.rate}),
                                   format("nic.rate"_id, Value{usual})));
  }
  if (comparable)
    Recorder(found, derived_from(sources)).texts("node.nic.slower"_id, "node", std::move(slow));
}

/// Of this machine, now: a file of last week says nothing about who is using it.
void busy_gpus(const Evidence& evidence, Evidence& found) {
  constexpr double working = 0.1;  // of the time; a driver's own housekeeping is less
  const auto live = [](const Observation* o) {
    return o != nullptr && o->provenance != nullptr && o->provenance->tool == "NVML";
  };
  for (const auto& gpu : gpus_of(evidence)) {
    const auto* processes = find(evidence, "gpu.processes"_id, gpu);
    const auto* used = find(evidence, "gpu.utilization"_id, gpu);
    if (!live(processes) && !live(used)) continue;
    const double n = live(processes) && processes->number() != nullptr ? *processes->number() : 0;
    const double share = live(used) && used->number() != nullptr ? *used->number() : 0;
    Recorder out(found, derived_from({processes, used}));
    const bool busy = n > 0 || share >= working;
    if (!busy && (!live(processes) || processes->number() == nullptr)) {
      out.absent("gpu.busy"_id, gpu, Absence::not_supported,
                 "the driver does not show which processes use it");
      continue;
    }
    out.flag("gpu.busy"_id, gpu, busy);
    if (!busy) continue;
    const auto who = n == 0 ? fmt::format(
                                  "No process is shown, and yet it works {:.0f} % of the "
                                  "time: somebody in another container uses it",
                                  share * 100)
                            : fmt::format("In use by {}", processes->detail.empty()
                                                              ? fmt::format("{:.0f} processes", n)
                                                              : processes->detail);
    out.detail(who +
               ". What was read of it is what that work makes of it: how cool, fast and quiet "
               "it is when idle was not seen, and no measurement could be made beside it.");
  }
}

}  // namespace

void compare_parts(Evidence& evidence) {
  Evidence found;
  uneven_modules(evidence, found);
  slow_ports(evidence, found);
  busy_gpus(evidence, found);
  evidence.append(std::move(found));
}

}  // namespace gpuvet::derive
