// SPDX-License-Identifier: Apache-2.0
#include "gpuvet/explain.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "core/text.hpp"
#include "device/sim/plants.hpp"
#include "probe/probe.hpp"

namespace gpuvet::app {
namespace {

using namespace catalogue;

std::string_view meaning_of_tier(int tier) {
  static constexpr std::string_view meanings[] = {
      "", "vendor document or code", "cloud operator's floor or raw benchmark log",
      "independent measurement", "unsourced article: warns, never fails"};
  return meanings[std::clamp(tier, 0, 4)];
}

std::string described(const When& when) {
  std::vector<std::string> terms;
  for (const auto& term : when.terms)
    terms.push_back(term.condition ? fmt::format("{} {}", term.key, term.condition->written)
                                   : fmt::format("{} is {}", term.key, join(term.any_of, " or ")));
  return join(terms, ", ");
}

std::string_view severity_name(Severity s) {
  return s == Severity::fail ? "failure" : s == Severity::warn ? "warning" : "information";
}

/// What the article says about this, and what the evidence says.
std::vector<std::string> article(const std::vector<std::string>& ids, const Catalogue& catalogue) {
  std::vector<std::string> out;
  for (const auto& id : ids)
    for (const auto& claim : catalogue.claims)
      if (claim.id == id)
        out.push_back(fmt::format("{}: \"{}\" The evidence: {} ({})", claim.id, claim.quote,
                                  claim.found, claim.verdict));
  return out;
}

Explanation of(const Criterion& c, const Catalogue& catalogue) {
  Explanation e{c.id, c.title, {}};
  std::vector<std::string> limits, stages;
  for (const auto& limit : c.limits) limits.push_back(describe(limit));
  for (const auto stage : c.required_at) stages.emplace_back(name(stage));
  e.sections = {
      {"Why", {c.why}},
      {"Reads", {c.reads + (c.pick.empty() ? "" : ", " + c.pick)}},
      {"Applies when",
       c.applies.terms.empty() ? std::vector<std::string>{} : std::vector{described(c.applies)}},
      {"Required at",
       stages.empty() ? std::vector<std::string>{"no stage"} : std::vector{join(stages, ", ")}},
      {"Counts only if", c.only_if.empty() ? std::vector<std::string>{} : std::vector{c.only_if}},
      {"Limits", limits},
      {"Evidence", {c.evidence}},
      {"What to do", c.next},
      {"What the article says", article(c.article, catalogue)}};
  return e;
}

Explanation of(const probe::Probe& test) {
  Explanation e{std::string(test.name), std::string(test.title), {}};
  std::vector<std::string> faults;
  for (const auto& plant : device::plant_kinds())
    if (plant.probe == test.name) faults.push_back(fmt::format("{}: {}", plant.name, plant.title));
  e.sections = {
      {"Run by",
       {fmt::format(
           "gpuvet probe {}; gpuvet vet --level {} or higher: {} at level 2, {} at level 3",
           test.name, test.level, format_value(test.quick, Unit::second),
           format_value(test.thorough, Unit::second))}},
      {"Method", {"docs/method/" + probe::method_file(test)}},
      {"Faults to rehearse it with (gpuvet probe --on sim:NAME --fault …)", faults}};
  return e;
}

Explanation of(Id id, const Catalogue& catalogue) {
  const auto& info = id.info();
  Explanation e{std::string(info.name), std::string(info.sentence), {}};
  std::vector<std::string> readers;
  for (const auto& c : catalogue.criteria)
    if (c.reads == info.name) readers.push_back(c.id);
  e.sections = {
      {"Unit", {info.unit == Unit::none ? "none" : std::string(symbol(info.unit))}},
      {"Dimensions", info.dimensions.empty() ? std::vector<std::string>{}
                                             : std::vector{std::string(info.dimensions)}},
      {"Nature",
       {info.nature == Nature::property ? "fixed for the machine: two values are a contradiction"
                                        : "changes with time"}},
      {"Judged by", readers}};
  return e;
}

Explanation of(const Xid& x) {
  Explanation e{fmt::format("xid:{}", x.code), fmt::format("Xid {}: {}", x.code, x.meaning), {}};
  e.sections = {
      {"Severity",
       {std::string(severity_name(x.severity)) +
        (x.application ? ", usually the application's doing" : "")}},
      {"Driver name", x.mnemonic.empty() ? std::vector<std::string>{} : std::vector{x.mnemonic}},
      {"NVIDIA's immediate action",
       x.immediate.empty() ? std::vector<std::string>{} : std::vector{x.immediate}},
      {"NVIDIA's investigation", x.investigate.empty() || x.investigate == "-"
                                     ? std::vector<std::string>{}
                                     : std::vector{x.investigate}},
      {"What to do", {x.next}},
      {"Source", {x.source}}};
  return e;
}

Explanation of(const Sxid& x) {
  return {fmt::format("sxid:{}", x.code),
          fmt::format("NVSwitch SXid {}: {}", x.code, x.meaning),
          {{"Severity", {x.fatal ? "fatal" : "not fatal"}},
           {"What to do", {x.next}},
           {"Source", {x.source}}}};
}

Explanation of(const Gpu& g) {
  Explanation e{g.id, g.title, {}};
  std::vector<std::string> figures;
  for (const auto& [field, measure] : g.fields) {
    const bool unverified =
        std::find(g.unverified.begin(), g.unverified.end(), field) != g.unverified.end();
    figures.push_back(fmt::format("{}: {}{}", field, format_value(measure.value, measure.unit),
                                  unverified ? " (unverified: never decides)" : ""));
  }
  for (const auto& [field, text] : g.texts) figures.push_back(field + ": " + text);
  e.sections = {{"Names", {join(g.names, "; ")}},
                {"Figures", figures},
                {"Notes", g.notes},
                {"Source", {g.source}}};
  return e;
}

Explanation of(const Server& s) {
  Explanation e{s.id, s.vendor + " " + s.model, {}};
  std::vector<std::string> facts;
  for (const auto& [fact, text] : s.facts) {
    const bool unverified =
        std::find(s.unverified.begin(), s.unverified.end(), fact) != s.unverified.end();
    facts.push_back(
        fmt::format("{}: {}{}", fact, text, unverified ? " (unverified: never decides)" : ""));
  }
  e.sections = {{"Facts", facts}, {"Source", {s.source}}};
  return e;
}

Explanation of(const Workload& w) {
  Explanation e{w.id, w.title, {{"What", {w.sentence}}, {"Needs", {}}}};
  for (const auto& need : w.needs)
    e.sections[1].second.push_back(fmt::format("{} {}: {} [tier {}: {}]", need.reads,
                                               need.pass.written, need.why, need.source.tier,
                                               need.source.ref));
  return e;
}

Explanation of(const Claim& c) {
  return {c.id,
          "The article: \"" + c.quote + "\"",
          {{"The article says", {c.says}},
           {"The evidence says", {c.found}},
           {"Verdict", {c.verdict}},
           {"What gpuvet does", {c.does}},
           {"Criteria", c.criteria}}};
}

template <class Range, class Key>
auto lookup(const Range& range, const std::string& id, Key key) {
  return std::find_if(range.begin(), range.end(),
                      [&](const auto& entry) { return key(entry) == id; });
}

/// Edit distance, for short ids.
std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j < row.size(); ++j) row[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = std::exchange(row[0], i);
    for (std::size_t j = 1; j <= b.size(); ++j)
      diagonal = std::exchange(
          row[j], std::min({row[j] + 1, row[j - 1] + 1, diagonal + (a[i - 1] != b[j - 1])}));
  }
  return row.back();
}

}  // namespace

std::string describe(const Limit& limit) {
  std::vector<std::string> parts;
  if (limit.pass)
    parts.push_back(limit.pass->op == Condition::Op::any ? "information"
                                                         : "pass " + limit.pass->written);
  if (limit.fail) parts.push_back("fail " + limit.fail->written);
  std::string out = join(parts, ", ");
  if (limit.of != "absolute") out += fmt::format(" (ref is {})", limit.of);
  if (!limit.when.terms.empty()) out += " when " + described(limit.when);
  return fmt::format("{} [tier {}, {}: {}]", out, limit.source.tier,
                     meaning_of_tier(limit.source.tier), limit.source.ref);
}

std::optional<Explanation> explain(const std::string& id, const Catalogue& catalogue) {
  if (const auto* criterion = catalogue.criterion(id)) {
    auto out = of(*criterion, catalogue);
    // Some criteria are named like the observation that they read.
    if (const auto same = find_id(id))
      out.sections.push_back({"As an observation", {std::string(same->info().sentence)}});
    return out;
  }
  if (const auto known = find_id(id)) return of(*known, catalogue);
  const auto code = parse_integer(lower(id).rfind("xid:", 0) == 0 ? id.substr(4) : id);
  if (code) {
    if (const auto x = catalogue.xids.find(static_cast<int>(*code)); x != catalogue.xids.end())
      return of(x->second);
  }
  const auto switch_code = parse_integer(lower(id).rfind("sxid:", 0) == 0 ? id.substr(5) : id);
  if (switch_code) {
    if (const auto x = catalogue.sxids.find(static_cast<int>(*switch_code));
        x != catalogue.sxids.end())
      return of(x->second);
  }
  if (const auto* test = probe::probe_named(id.rfind("probe:", 0) == 0 ? id.substr(6) : id))
    return of(*test);
  if (const auto* gpu = catalogue.gpu(id)) return of(*gpu);
  if (const auto s = lookup(catalogue.servers, id, [](const auto& e) { return e.id; });
      s != catalogue.servers.end())
    return of(*s);
  if (const auto w = lookup(catalogue.workloads, id, [](const auto& e) { return e.id; });
      w != catalogue.workloads.end())
    return of(*w);
  if (const auto c = lookup(catalogue.claims, id, [](const auto& e) { return e.id; });
      c != catalogue.claims.end())
    return of(*c);
  return {};
}

std::vector<std::string> similar(const std::string& id, const Catalogue& catalogue) {
  std::vector<std::string> all;
  for (const auto& c : catalogue.criteria) all.push_back(c.id);
  for (const auto& info : all_ids()) all.emplace_back(info.name);
  for (const auto& w : catalogue.workloads) all.push_back(w.id);
  for (const auto& g : catalogue.gpus) all.push_back(g.id);
  std::vector<std::pair<std::size_t, std::string>> ranked;
  for (const auto& candidate : all)
    ranked.emplace_back(contains(candidate, id) ? 1 : distance(id, candidate), candidate);
  std::sort(ranked.begin(), ranked.end());
  ranked.erase(std::unique(ranked.begin(), ranked.end()), ranked.end());
  std::vector<std::string> out;
  for (const auto& [far, candidate] : ranked)
    if (far <= std::max<std::size_t>(2, id.size() / 3) && out.size() < 5) out.push_back(candidate);
  return out;
}

}  // namespace gpuvet::app
