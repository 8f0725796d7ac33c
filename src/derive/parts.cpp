// SPDX-License-Identifier: Apache-2.0
// What the parts of the server come to: counts, sums and the names of those that are not well. One
// subject is one part: "dimm:A1", "psu:1", "drive:nvme0", "slot:3", "nic:mlx5_0". Redfish, IPMI and
// the firmware call the same part by names of their own ("Power Supply 1", "PS1", "PSU1"), so
// counts are what the one that lists most says, and never the sum of all lists.
#include <algorithm>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "core/text.hpp"
#include "derive/steps.hpp"

namespace gpuvet::derive {
namespace {

using Sources = std::vector<const Observation*>;

std::string bare(const std::string& subject) { return subject.substr(subject.find(':') + 1); }

/// "OK", "ok", "passed", "healthy": how the field says that a part is well.
bool well(const std::string& health) {
  const std::string said = lower(health);
  return said == "ok" || said == "passed" || said == "healthy" || said == "good";
}

/// A state that no other source's word may cover up.
bool is_sick(const Observation& o) {
  constexpr std::string_view about = ".health";
  const auto name = o.id.info().name;
  return name.size() > about.size() && name.substr(name.size() - about.size()) == about &&
         o.text() != nullptr && lower(*o.text()) != "absent" && !well(*o.text());
}

/// Whose names a source uses; the tools of the operating system share theirs.
std::string_view namer(const Observation& o) {
  const std::string_view tool =
      o.provenance == nullptr ? std::string_view() : std::string_view(o.provenance->tool);
  for (const std::string_view own : {"Redfish", "ipmi", "dmidecode"})
    if (tool.substr(0, own.size()) == own) return own;
  return "";
}

/// All facts about one kind of part, by subject: the last that was said of each id.
class Parts {
 public:
  Parts(const Evidence& evidence, std::string_view prefix) {
    for (const auto& o : evidence.observations) {
      if (o.subject.compare(0, prefix.size(), prefix) != 0) continue;
      auto& part = parts_[o.subject];
      namers_[o.subject].insert(namer(o));
      // A value outweighs an absence that another source reports.
      auto& known = part.try_emplace(o.id, &o).first->second;
      if (o.get() != nullptr && !is_sick(*known)) known = &o;
    }
  }

  using Part = std::map<Id, const Observation*>;
  [[nodiscard]] const std::map<std::string, Part>& all() const { return parts_; }
  [[nodiscard]] const std::set<std::string_view>& namers(const std::string& subject) const {
    return namers_.at(subject);
  }
  [[nodiscard]] bool any(Id id) const {
    return std::any_of(parts_.begin(), parts_.end(),
                       [&](const auto& p) { return p.second.contains(id); });
  }

 private:
  std::map<std::string, Part> parts_;
  std::map<std::string, std::set<std::string_view>> namers_;
};

/// A sum for each namer, of which the largest is the server's.
class Tally {
 public:
  explicit Tally(const Parts& parts) : parts_(&parts) {}
  void add(const std::string& subject, double amount = 1) {
    for (const auto namer : parts_->namers(subject)) sums_[namer] += amount;
  }
  [[nodiscard]] double most() const {
    double out = 0;
    for (const auto& [namer, sum] : sums_) out = std::max(out, sum);
    return out;
  }

 private:
  const Parts* parts_;
  std::map<std::string_view, double> sums_;
};

const Observation* fact(const Parts::Part& part, Id id) {
  const auto found = part.find(id);
  return found == part.end() || found->second->get() == nullptr ? nullptr : found->second;
}

std::optional<double> number(const Parts::Part& part, Id id) {
  const auto* o = fact(part, id);
  return o == nullptr || o->number() == nullptr ? std::nullopt : std::optional(*o->number());
}

std::string text(const Parts::Part& part, Id id) {
  const auto* o = fact(part, id);
  return o == nullptr || o->text() == nullptr ? std::string() : *o->text();
}

/// What the parts come to, gathered while they are walked: each total remembers what it rests on.
struct Totals {
  Evidence found;

  void count(Id id, double n, const Sources& sources) {
    if (!sources.empty()) Recorder(found, derived_from(sources)).number(id, "node", n);
  }
  void list(Id id, std::vector<std::string> names, const Sources& sources) {
    if (!sources.empty())
      Recorder(found, derived_from(sources)).texts(id, "node", std::move(names));
  }
};

/// Counts, sums and names over parts, of which only those with `id` take part.
Sources with(const Parts& parts, Id id) {
  Sources out;
  for (const auto& [subject, part] : parts.all())
    if (const auto found = part.find(id); found != part.end()) out.push_back(found->second);
  return out;
}

void modules(const Evidence& evidence, Totals& totals) {
  const Parts dimms(evidence, "dimm:");
  const auto sizes = with(dimms, "dimm.size"_id);
  Tally sockets(dimms), populated(dimms), installed(dimms);
  for (const auto* o : sizes) {
    sockets.add(o->subject);
    if (o->number() == nullptr || *o->number() <= 0) continue;
    populated.add(o->subject);
    installed.add(o->subject, *o->number());
  }
  totals.count("node.dimm.slots"_id, sockets.most(), sizes);
  totals.count("node.dimm.populated"_id, populated.most(), sizes);
  if (populated.most() > 0) totals.count("node.memory.installed"_id, installed.most(), sizes);

  std::vector<std::string> slow, sick;
  Sources speeds, states;
  for (const auto& [subject, part] : dimms.all()) {
    const auto rated = number(part, "dimm.speed.rated"_id);
    const auto runs = number(part, "dimm.speed.configured"_id);
    if (rated && runs) {
      speeds.push_back(fact(part, "dimm.speed.configured"_id));
      if (*runs < *rated)
        slow.push_back(bare(subject) + " at " + format_number(*runs) + " of " +
                       format_number(*rated) + " MT/s");
    }
    if (const auto* health = fact(part, "dimm.health"_id); health != nullptr) {
      states.push_back(health);
      if (health->text() != nullptr && !well(*health->text()))
        sick.push_back(bare(subject) + ": " + *health->text());
    }
  }
  totals.list("node.dimm.below_rated"_id, std::move(slow), speeds);
  totals.list("node.dimm.unhealthy"_id, std::move(sick), states);
}

void power_supplies(const Evidence& evidence, Totals& totals) {
  const Parts supplies(evidence, "psu:");
  std::vector<std::string> failed;
  Sources states, capacities;
  Tally present(supplies), capacity(supplies);
  for (const auto& [subject, part] : supplies.all()) {
    const std::string health = lower(text(part, "psu.health"_id));
    if (health == "absent") continue;
    present.add(subject);
    if (const auto rated = number(part, "psu.capacity"_id)) {
      capacity.add(subject, *rated);
      capacities.push_back(fact(part, "psu.capacity"_id));
    }
    if (health.empty()) continue;
    states.push_back(fact(part, "psu.health"_id));
    if (!well(health)) failed.push_back(bare(subject) + ": " + health);
  }
  const Sources& any = states.empty() ? capacities : states;
  totals.count("node.psu.count"_id, present.most(), any);
  totals.count("node.power.capacity"_id, capacity.most(), capacities);
  totals.list("node.psu.failed"_id, std::move(failed), states);
}

void fans(const Evidence& evidence, Totals& totals) {
  const Parts all(evidence, "fan:");
  std::vector<std::string> failed;
  Sources sources;
  Tally count(all);
  // Where none turns there may be none to turn: liquid cooling, or fans that stop when it is cool.
  const bool any_turns = std::any_of(all.all().begin(), all.all().end(), [](const auto& fan) {
    return number(fan.second, "fan.speed"_id).value_or(0) > 0;
  });
  for (const auto& [subject, part] : all.all()) {
    const std::string health = lower(text(part, "fan.health"_id));
    if (health == "absent") continue;
    count.add(subject);
    const auto* known = fact(part, "fan.health"_id);
    if (known == nullptr) known = fact(part, "fan.speed"_id);
    if (known == nullptr) known = fact(part, "fan.speed.ratio"_id);
    if (known == nullptr) continue;
    sources.push_back(known);
    const auto speed = number(part, "fan.speed"_id);
    if (health.empty() ? any_turns && speed && *speed == 0 : !well(health))
      failed.push_back(bare(subject) + ": " + (health.empty() ? "stands still" : health));
  }
  totals.count("node.fan.count"_id, count.most(), sources);
  totals.list("node.fan.failed"_id, std::move(failed), sources);
}

/// A drive bay is no slot for a card: "U.2", Redfish's "U2", SMBIOS' "x4 PCI Express 4 SFF-8639".
bool is_drive_bay(const std::string& slot_type) {
  return contains(slot_type, "U2") || contains(slot_type, "U.2") || contains(slot_type, "SFF-8639");
}

void drives(const Evidence& evidence, Totals& totals) {
  const Parts all(evidence, "drive:");
  std::vector<std::string> sick;
  Sources seen, nvme, states, ages;
  Tally drive_count(all), nvme_count(all), capacity(all);
  double oldest = 0;
  for (const auto& [subject, part] : all.all()) {
    const auto* any = part.begin()->second;
    seen.push_back(any);
    drive_count.add(subject);
    if (text(part, "drive.bus"_id) == "nvme") {
      nvme.push_back(fact(part, "drive.bus"_id));
      nvme_count.add(subject);
      capacity.add(subject, number(part, "drive.capacity"_id).value_or(0));
    }
    if (const auto hours = number(part, "drive.power_on"_id)) {
      ages.push_back(fact(part, "drive.power_on"_id));
      oldest = std::max(oldest, *hours);
    }
    const std::string health = text(part, "drive.health"_id);
    const auto warning = number(part, "drive.critical_warning"_id);
    for (const Id id : {"drive.health"_id, "drive.critical_warning"_id})
      if (const auto* o = fact(part, id)) states.push_back(o);
    if (warning && *warning != 0)
      sick.push_back(bare(subject) + ": critical warning " + format_number(*warning));
    else if (!health.empty() && !well(health))
      sick.push_back(bare(subject) + ": " + health);
  }
  totals.count("node.drives"_id, drive_count.most(), seen);
  // Drives of unknown bus make the count of NVMe drives a guess.
  if (all.any("drive.bus"_id)) totals.count("node.drive.nvme.count"_id, nvme_count.most(), seen);
  totals.count("node.drive.nvme.capacity"_id, capacity.most(), nvme);
  totals.list("node.drive.unhealthy"_id, std::move(sick), states);
  totals.count("node.power_on"_id, oldest, ages);
}

/// What one drive says about the question whether all storage is M.2 or SATA.
enum class Attached { small, wide, unknown, beside };

Attached attached(const Parts::Part& drive) {
  const std::string bus = lower(text(drive, "drive.bus"_id));
  std::string form = lower(text(drive, "drive.form_factor"_id));
  form.erase(std::remove(form.begin(), form.end(), '.'), form.end());  // Redfish: M2_2280
  if (contains(bus, "usb")) return Attached::beside;
  if (contains(bus, "ata") || form.starts_with("m2")) return Attached::small;
  // A SATA drive behind a SAS adapter shows as SAS.
  return bus == "nvme" && !form.empty() ? Attached::wide : Attached::unknown;
}

/// Bays or drives of another kind answer it; a drive of unknown kind leaves it open.
void storage_kind(const Evidence& evidence, Totals& totals) {
  Sources wide, small, unknown;
  const Parts drives(evidence, "drive:"), slots(evidence, "slot:");
  for (const auto& [subject, part] : drives.all()) {
    const Attached how = attached(part);
    if (how == Attached::beside) continue;
    const auto* known = fact(part, "drive.form_factor"_id);
    if (known == nullptr) known = fact(part, "drive.bus"_id);
    if (known == nullptr) known = part.begin()->second;
    (how == Attached::wide ? wide : how == Attached::small ? small : unknown).push_back(known);
  }
  for (const auto& [subject, part] : slots.all())
    if (is_drive_bay(text(part, "slot.type"_id))) wide.push_back(fact(part, "slot.type"_id));
  bool no_bays = false;
  for (const auto* o : all_of(evidence, "node.bays.nvme"_id)) {
    if (o->number() == nullptr) continue;
    no_bays = *o->number() == 0;
    (no_bays ? small : wide).push_back(o);
  }
  constexpr Id id = "node.drive.m2_or_sata_only"_id;
  if (!wide.empty())
    Recorder(totals.found, derived_from(wide)).flag(id, "node", false);
  else if (!small.empty() && (unknown.empty() || no_bays))
    Recorder(totals.found, derived_from(small)).flag(id, "node", true);
  else if (!unknown.empty())
    Recorder(totals.found, derived_from(unknown))
        .absent(id, "node", Absence::not_asked,
                "whether they are M.2 or SATA is not told of " + std::to_string(unknown.size()) +
                    " drives");
}

void slots(const Evidence& evidence, Totals& totals) {
  const Parts all(evidence, "slot:");
  const auto usages = with(all, "slot.usage"_id);
  Tally count(all), free(all), free_x16(all);
  for (const auto* o : usages) count.add(o->subject);
  for (const auto& [subject, part] : all.all()) {
    if (text(part, "slot.usage"_id) != "free" || is_drive_bay(text(part, "slot.type"_id))) continue;
    free.add(subject);
    // Both the mechanics and the lanes must be there; a source may know only one of them.
    const double lanes = number(part, "slot.lanes"_id).value_or(16);
    const double width = number(part, "slot.width"_id).value_or(lanes);
    const bool known =
        fact(part, "slot.lanes"_id) != nullptr || fact(part, "slot.width"_id) != nullptr;
    if (known && lanes >= 16 && width >= 16 && number(part, "slot.generation"_id).value_or(0) >= 4)
      free_x16.add(subject);
  }
  totals.count("node.slot.count"_id, count.most(), usages);
  totals.count("node.slot.free"_id, free.most(), usages);
  totals.count("node.slot.free_x16"_id, free_x16.most(), usages);
}

void sensors(const Evidence& evidence, Totals& totals) {
  std::vector<std::string> critical, warning;
  Sources sources;
  const Parts all(evidence, "sensor:");
  Tally count(all);
  for (const auto* o : with(all, "sensor.health"_id)) {
    if (o->text() == nullptr) continue;
    sources.push_back(o);
    count.add(o->subject);
    if (*o->text() == "critical") critical.push_back(bare(o->subject));
    if (*o->text() == "warning") warning.push_back(bare(o->subject));
  }
  totals.count("bmc.sensors"_id, count.most(), sources);
  totals.list("bmc.sensor.critical"_id, std::move(critical), sources);
  totals.list("bmc.sensor.warning"_id, std::move(warning), sources);
}

/// RDMA that the kernel plays on an ordinary card (rdma_rxe, siw): the same verbs at the
/// processor's speed, by the names that everybody gives such devices.
bool in_software(const std::string& name) {
  return name.starts_with("rxe") || name.starts_with("siw");
}

/// RDMA ports: InfiniBand always is one; Ethernet only where the source says so, since a server's
/// management ports are Ethernet too.
void ports(const Evidence& evidence, Totals& totals) {
  constexpr double fast = 100e9 / 8;
  const Parts all(evidence, "nic:");
  std::vector<std::string> down, layers;
  std::vector<double> rates;
  Sources sources;
  Tally active(all), fast_ones(all), sum(all);
  for (const auto& [subject, part] : all.all()) {
    const std::string layer = text(part, "nic.link_layer"_id);
    const auto* rdma = fact(part, "nic.rdma"_id);
    const bool offers =
        rdma != nullptr && rdma->flag() != nullptr ? *rdma->flag() : layer == "InfiniBand";
    const auto* state = fact(part, "nic.state"_id);
    if (!offers || state == nullptr || state->text() == nullptr) continue;
    sources.push_back(state);
    if (lower(*state->text()) != "active") {
      const std::string physical = text(part, "nic.physical_state"_id);
      down.push_back(bare(subject) + ": " + *state->text() +
                     (physical.empty() ? "" : " (" + physical + ")"));
      continue;
    }
    active.add(subject);
    if (!layer.empty() && std::find(layers.begin(), layers.end(), layer) == layers.end())
      layers.push_back(layer);
    const auto rate = number(part, "nic.rate"_id);
    if (!rate) continue;
    if (in_software(bare(subject))) continue;
    sum.add(subject, *rate);
    if (*rate >= fast) fast_ones.add(subject);
    if (std::find(rates.begin(), rates.end(), *rate) == rates.end()) rates.push_back(*rate);
  }
  totals.count("node.nic.rdma.ports"_id, active.most(), sources);
  totals.count("node.nic.rdma.fast"_id, fast_ones.most(), sources);
  totals.count("node.nic.rdma.rate"_id, sum.most(), sources);
  totals.list("node.nic.down"_id, std::move(down), sources);
  if (sources.empty()) return;
  Recorder out(totals.found, derived_from(sources));
  if (!layers.empty()) out.texts("node.nic.link_layers"_id, "node", std::move(layers));
  if (!rates.empty()) out.numbers("node.nic.rates"_id, "node", std::move(rates));
}

void access_control(const Evidence& evidence, Totals& totals) {
  const auto bridges = all_of(evidence, "pci.acs"_id);
  std::vector<std::string> on;
  for (const auto* o : bridges)
    if (o->flag() != nullptr && *o->flag()) on.push_back(bare(o->subject));
  totals.list("node.acs.enabled"_id, std::move(on), bridges);
}

void diagnostics(const Evidence& evidence, Totals& totals) {
  const auto results = all_of(evidence, "diag.result"_id);
  std::vector<std::string> failed, warned;
  for (const auto* o : results) {
    if (o->text() == nullptr || (*o->text() != "fail" && *o->text() != "warn")) continue;
    const std::string test = format(o->where);
    (*o->text() == "fail" ? failed : warned)
        .push_back(test + (o->subject == "node" ? "" : " on " + o->subject));
  }
  // A diagnostic that skipped every test says nothing.
  const bool ran = std::any_of(results.begin(), results.end(), [](const auto* o) {
    return o->text() != nullptr && *o->text() != "skip";
  });
  if (!ran) return;
  totals.list("node.diag.failed"_id, std::move(failed), results);
  totals.list("node.diag.warned"_id, std::move(warned), results);
}

}  // namespace

void count_parts(Evidence& evidence) {
  Totals totals;
  modules(evidence, totals);
  power_supplies(evidence, totals);
  fans(evidence, totals);
  drives(evidence, totals);
  storage_kind(evidence, totals);
  slots(evidence, totals);
  sensors(evidence, totals);
  ports(evidence, totals);
  access_control(evidence, totals);
  diagnostics(evidence, totals);
  evidence.append(std::move(totals.found));
}

}  // namespace gpuvet::derive
