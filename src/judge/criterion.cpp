// SPDX-License-Identifier: Apache-2.0
#include "judge/criterion.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "core/statistics.hpp"
#include "core/text.hpp"

namespace gpuvet::judge {
namespace {

using catalogue::Condition;
using catalogue::Criterion;
using catalogue::Limit;

constexpr std::string_view information = "information";  // a limit that judges nothing

/// Worse is larger. A limit that could not be applied outranks nothing.
int badness(Status s) {
  switch (s) {
    case Status::fail:
      return 4;
    case Status::error:
      return 3;
    case Status::warn:
      return 2;
    case Status::pass:
      return 1;
    case Status::no_evidence:
    case Status::not_applicable:
      return 0;
  }
  return 0;
}

struct Reference {
  std::optional<double> value;
  const Observation* observation = nullptr;  ///< where it came from, if from evidence
};

/// The last figure that was seen under the same conditions: a copy of 1 MiB or by another tool does
/// not compare with one of 512 MiB.
const double* under_like_conditions(const std::vector<const Observation*>& seen,
                                    const Where& where) {
  const auto found = std::find_if(seen.rbegin(), seen.rend(), [&](const auto* o) {
    return o->where == where && o->number() != nullptr;
  });
  return found == seen.rend() ? nullptr : (*found)->number();
}

/// What "ref" stands for in this limit.
Reference reference_of(const Limit& limit, const Observation& seen, const Index& index) {
  const std::string_view of = limit.of;
  if (of.substr(0, 4) == "sku:") {
    const auto* sku = index.sku(seen.subject);
    const auto field = sku == nullptr ? std::nullopt : sku->decided(of.substr(4));
    return {field ? std::optional(field->value) : std::nullopt, nullptr};
  }
  if (of == "siblings:median") {
    std::vector<double> others;
    for (const auto& [subject, observations] : index.of(seen.id))
      if (const auto* figure = under_like_conditions(observations, seen.where);
          subject != seen.subject && figure != nullptr)
        others.push_back(*figure);
    return {others.empty() ? std::nullopt : std::optional(median(std::move(others))), nullptr};
  }
  if (of.substr(0, 4) == "gpu:" || of.substr(0, 6) == "model:") {
    const auto id = find_id(of.substr(0, 4) == "gpu:" ? "gpu." + std::string(of.substr(4))
                                                      : std::string(of.substr(6)));
    const auto* o = id ? index.find(*id, seen.subject) : nullptr;
    return {o != nullptr && o->number() != nullptr ? std::optional(*o->number()) : std::nullopt, o};
  }
  return {};
}

/// "<= ref - 3 K" with what ref is: "<= 82 °C".
std::string in_figures(const Condition& c, double reference, Unit unit) {
  if (!c.relative) return c.written;
  const auto op = c.written.substr(0, c.written.find_first_not_of("<>=!"));
  return fmt::format("{} {}", op, format_value(c.factor * reference + c.number, unit));
}

struct Judged {
  Status status = Status::no_evidence;
  std::string limit;
  const Limit* by = nullptr;
  const Observation* reference = nullptr;
};

Judged apply(const Limit& limit, const Observation& seen, const Index& index) {
  Judged out;
  double reference = 0;
  if (limit.of != "absolute") {
    const auto found = reference_of(limit, seen, index);
    if (!found.value) return out;
    reference = *found.value;
    out.reference = found.observation;
  }
  out.by = &limit;
  const Unit unit = seen.id.info().unit;
  std::vector<std::string> parts;
  if (limit.pass && limit.pass->op != Condition::Op::any)
    parts.push_back("pass " + in_figures(*limit.pass, reference, unit));
  if (limit.fail) parts.push_back("fail " + in_figures(*limit.fail, reference, unit));
  out.limit = parts.empty() ? std::string(information) : join(parts, ", ");
  if (limit.of != "absolute") out.limit += " (" + limit.of + ")";
  if (limit.fail && meets(*seen.get(), *limit.fail, reference))
    out.status = Status::fail;
  else if (!limit.pass || meets(*seen.get(), *limit.pass, reference))
    out.status = Status::pass;
  else
    out.status = Status::warn;
  return out;
}

/// The worst of all limits that apply.
Judged worst_limit(const Criterion& criterion, const Observation& seen, const Index& index) {
  Judged worst;
  for (const auto& limit : criterion.limits) {
    if (index.holds(limit.when, seen.subject, seen.where) != Answer::yes) continue;
    auto judged = apply(limit, seen, index);
    if (badness(judged.status) > badness(worst.status)) worst = std::move(judged);
  }
  return worst;
}

/// The weaker of two ways of knowing; what is modelled on received data is both.
Provenance weaker(Provenance a, const Provenance& b) {
  a.how = std::max(a.how, b.how);
  a.custody = std::max(a.custody, b.custody);
  return a;
}

Finding blank(const Criterion& criterion, std::string subject, const Index& index,
              catalogue::Stage stage) {
  Finding f;
  f.id = criterion.id;
  f.title = criterion.title;
  f.group = criterion.group;
  f.label = index.label(subject);
  f.subject = std::move(subject);
  f.required = std::find(criterion.required_at.begin(), criterion.required_at.end(), stage) !=
               criterion.required_at.end();
  return f;
}

Finding without_evidence(const Criterion& criterion, std::string subject, const Index& index,
                         catalogue::Stage stage, std::string message) {
  Finding f = blank(criterion, std::move(subject), index, stage);
  f.message = std::move(message);
  f.next = {"Send " + criterion.evidence + "."};
  return f;
}

/// A pass on a log that does not count is no pass.
void require(const Criterion& criterion, const Index& index, Finding& f) {
  const auto id = criterion.only_if.empty() ? std::nullopt : find_id(criterion.only_if);
  if (!id || f.status != Status::pass) return;
  const auto* o = index.find(*id, f.subject);
  if (o == nullptr) o = index.find(*id, "node");
  if (o != nullptr && o->flag() != nullptr && *o->flag()) return;
  f.status = Status::no_evidence;
  const std::string why = o == nullptr        ? std::string(id->name()) + " is unknown"
                          : o->detail.empty() ? std::string(id->name()) + " is not given"
                                              : o->detail;
  f.message = fmt::format("{}: {}{}, but {}.", f.label, f.shown,
                          f.limit == information ? "" : " is within its limit", why);
  f.next = {"Send " + criterion.evidence + "."};
}

Finding judge_one(const Criterion& criterion, const Observation& seen, const Index& index,
                  catalogue::Stage stage) {
  Finding f = blank(criterion, seen.subject, index, stage);
  f.observation = std::string(seen.id.name());
  f.unit = seen.id.info().unit;
  f.where = seen.where;
  f.line = seen.line;
  f.provenance = *seen.provenance;
  if (seen.get() == nullptr) {
    f.message = fmt::format("{} is unknown for {}: {}.", seen.id.name(), index.label(seen.subject),
                            format(seen));
    f.next = {"Send " + criterion.evidence + "."};
    return f;
  }
  std::visit([&](const auto& v) { f.value = Value{v}; }, *seen.get());
  f.shown = format(seen);
  const auto judged = worst_limit(criterion, seen, index);
  f.status = judged.status;
  const std::string conditions = seen.where.empty() ? "" : " (" + format(seen.where) + ")";
  if (judged.by == nullptr) {
    f.message = fmt::format("{}: {}{}; the catalogue has no limit for this case.",
                            index.label(seen.subject), f.shown, conditions);
    f.next = {"Judge this figure by hand, or send " + criterion.evidence + "."};
    return f;
  }
  f.limit = judged.limit;
  f.source = judged.by->source.ref;
  f.tier = judged.by->source.tier;
  if (judged.reference != nullptr)
    f.provenance = weaker(f.provenance, *judged.reference->provenance);
  f.message = fmt::format("{}: {}{}.", index.label(seen.subject), f.shown, conditions);
  if (f.status != Status::pass) {
    f.message += " " + (seen.detail.empty() ? criterion.why : seen.detail);
    f.next = criterion.next;
  }
  require(criterion, index, f);
  return f;
}

/// "largest:bytes": of the observations alike in all else, those with the largest dimension.
std::vector<const Observation*> picked(const Criterion& criterion,
                                       std::vector<const Observation*> seen) {
  if (criterion.pick.rfind("largest:", 0) != 0) return seen;
  const std::string dimension = criterion.pick.substr(8);
  std::map<std::string, std::vector<const Observation*>> best;
  const auto size = [&](const Observation* o) {
    const auto found = o->where.find(dimension);
    const auto* number = found == o->where.end() ? nullptr : std::get_if<double>(&found->second);
    return number == nullptr ? -1.0 : *number;
  };
  for (const auto* o : seen) {
    Where rest = o->where;
    rest.erase(dimension);
    auto& largest = best[format(rest)];
    if (!largest.empty() && size(o) > size(largest.front())) largest.clear();
    if (largest.empty() || size(o) == size(largest.front())) largest.push_back(o);
  }
  std::vector<const Observation*> out;
  for (const auto& [key, largest] : best) out.insert(out.end(), largest.begin(), largest.end());
  return out;
}

/// Whether the criterion applies to some subjects only; a term about the conditions of a figure
/// (a dimension, without a dot or colon) says nothing of what a subject has.
bool asks_about_subject(const catalogue::When& applies) {
  return std::any_of(applies.terms.begin(), applies.terms.end(), [](const auto& term) {
    return term.key.find_first_of(".:") != std::string::npos;
  });
}

/// Findings on one subject: one for each set of conditions, the worst where sources repeat one.
std::vector<Finding> judge_subject(const Criterion& criterion, const std::string& subject,
                                   const std::vector<const Observation*>& seen, const Index& index,
                                   catalogue::Stage stage) {
  std::map<std::string, Finding> by_conditions;
  for (const auto* o : picked(criterion, seen)) {
    const Answer applies = index.holds(criterion.applies, subject, o->where);
    Finding f;
    // A GPU of unknown kind that says it has no such feature has none; one that cannot say may
    // have.
    const auto* why = std::get_if<Absence>(&o->value);
    const bool lacks_it = why != nullptr && *why == Absence::not_supported;
    if (applies == Answer::no ||
        (applies == Answer::unknown && lacks_it && asks_about_subject(criterion.applies))) {
      f = blank(criterion, subject, index, stage);
      f.status = Status::not_applicable;
      f.message = "Does not apply to " + index.label(subject) + ".";
    } else {
      f = judge_one(criterion, *o, index, stage);
    }
    const auto [slot, fresh] = by_conditions.try_emplace(format(o->where), f);
    if (!fresh && badness(f.status) > badness(slot->second.status)) slot->second = std::move(f);
  }
  std::vector<Finding> out;
  for (auto& [where, f] : by_conditions) out.push_back(std::move(f));
  return out;
}

}  // namespace

std::vector<Finding> judge_criterion(const Criterion& criterion, const Index& index,
                                     catalogue::Stage stage) {
  std::vector<Finding> out;
  std::set<std::string> judged;
  for (const Id id : index.matching(criterion.reads))
    for (const auto& [subject, seen] : index.of(id)) {
      auto findings = judge_subject(criterion, subject, seen, index, stage);
      std::move(findings.begin(), findings.end(), std::back_inserter(out));
      judged.insert(subject);
    }
  const bool per_gpu =
      criterion.reads.rfind("gpu.", 0) == 0 || criterion.reads.rfind("thermal.", 0) == 0;
  if (judged.empty()) {
    if (index.holds(criterion.applies, "node", {}) == Answer::no) {
      Finding f = blank(criterion, "node", index, stage);
      f.status = Status::not_applicable;
      f.message = "Does not apply to this server.";
      return {f};
    }
    auto missing = without_evidence(criterion, "node", index, stage, "Nothing sent answers this.");
    if (index.without_gpu() && (per_gpu || criterion.group == "topology")) {
      missing.message = "There is no NVIDIA GPU to ask.";
      missing.next.clear();
    }
    return {std::move(missing)};
  }
  // A GPU that others speak of and this one's evidence leaves out must not pass by silence.
  if (per_gpu && !judged.contains("node"))
    for (const auto& gpu : index.gpus())
      if (!judged.contains(gpu) && index.holds(criterion.applies, gpu, {}) != Answer::no)
        out.push_back(without_evidence(criterion, gpu, index, stage,
                                       index.label(gpu) + ": nothing sent answers this."));
  return out;
}

}  // namespace gpuvet::judge
