// SPDX-License-Identifier: Apache-2.0
// One JSON document, schema gpuvet.verdict/1 (docs/schema/verdict-1.schema.json). Strings stay as
// their sources wrote them, save for invalid UTF-8, which becomes U+FFFD.
#include <cmath>
#include <initializer_list>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <utility>

#include "report/arrange.hpp"
#include "report/format.hpp"

namespace gpuvet::report {
namespace {

using Json = nlohmann::ordered_json;
using judge::Verdict;

/// `mutable`, so that a value can be moved out of an initializer list.
struct Member {
  std::string_view name;
  mutable Json value;
};

/// The members in this order. nlohmann's own braces build each object as a list of lists first, and
/// a verdict has thousands.
Json object(std::initializer_list<Member> members) {
  Json out = Json::object();
  auto& held = out.get_ref<Json::object_t&>();
  held.reserve(members.size());
  for (const Member& member : members)
    held.emplace_back(std::string(member.name), std::move(member.value));
  return out;
}

/// Text, or null for "there is none".
Json optional(std::string_view text) { return text.empty() ? Json(nullptr) : Json(text); }

/// Counts read as counts: integral doubles are JSON integers as long as they are exact.
Json number(double v) {
  constexpr double exact = 9007199254740992.0;  // 2^53
  if (std::nearbyint(v) == v && std::abs(v) < exact) return static_cast<std::int64_t>(v);
  return v;
}

Json value(const Value& v) {
  struct ToJson {
    Json operator()(double x) const { return number(x); }
    Json operator()(bool x) const { return x; }
    Json operator()(const std::string& x) const { return x; }
    Json operator()(const std::vector<double>& xs) const {
      Json out = Json::array();
      for (const double x : xs) out.push_back(number(x));
      return out;
    }
    Json operator()(const std::vector<std::string>& xs) const { return xs; }
  };
  return std::visit(ToJson{}, v);
}

/// An object even when empty: readers need not ask whether it is there.
Json where(const Where& dimensions) {
  Json out = Json::object();
  for (const auto& [dimension, v] : dimensions) {
    const auto* text = std::get_if<std::string>(&v);
    out[dimension] = text != nullptr ? Json(*text) : number(std::get<double>(v));
  }
  return out;
}

/// The line belongs to the fact, yet reads best beside the file that it is a line of.
Json provenance(const Provenance& p, std::size_t line) {
  return object({{"how", name(p.how)},
                 {"custody", name(p.custody)},
                 {"tool", p.tool},
                 {"version", optional(p.version)},
                 {"source", p.source},
                 {"line", line == 0 ? Json(nullptr) : Json(line)},
                 {"when", optional(p.when)}});
}

/// The value in base units; `shown` is for people and stays out.
Json finding(const judge::Finding& f) {
  const Value* seen = std::get_if<Value>(&f.value);
  return object(
      {{"id", f.id},
       {"title", f.title},
       {"group", f.group},
       {"subject", f.subject},
       {"status", judge::name(f.status)},
       {"required", f.required},
       {"observation", optional(f.observation)},
       {"value", seen == nullptr ? Json(nullptr) : value(*seen)},
       {"unit", optional(symbol(f.unit))},
       {"where", where(f.where)},
       {"limit", optional(f.limit)},
       {"source", optional(f.source)},
       {"tier", f.tier == 0 ? Json(nullptr) : Json(f.tier)},
       {"provenance", f.observation.empty() ? Json(nullptr) : provenance(f.provenance, f.line)},
       {"message", f.message},
       {"next", f.next}});
}

/// Value or reason, never both null and never both set.
Json observation(const Observation& o) {
  const Value* seen = o.get();
  return object(
      {{"id", o.id.name()},
       {"subject", o.subject},
       {"where", where(o.where)},
       {"value", seen == nullptr ? Json(nullptr) : value(*seen)},
       {"unit", optional(symbol(o.id.info().unit))},
       {"reason", seen == nullptr ? Json(name(std::get<Absence>(o.value))) : Json(nullptr)},
       {"detail", optional(o.detail)},
       {"provenance",
        o.provenance == nullptr ? Json(nullptr) : provenance(*o.provenance, o.line)}});
}

Json input(const judge::Input& in) {
  return object({{"file", in.file},
                 {"kind", optional(in.kind)},
                 {"understood", in.understood},
                 {"reason", optional(in.reason)}});
}

Json fit(const judge::Fit& f) {
  return object({{"workload", f.workload},
                 {"title", f.title},
                 {"status", judge::name(f.status)},
                 {"asked", f.asked},
                 {"because", f.because}});
}

Json score(const judge::GroupResult& g) {
  return object({{"benchmark", g.group}, {"title", g.title}, {"status", judge::name(g.status)}});
}

Json coverage(const judge::GroupResult& g) {
  return object({{"group", g.group},
                 {"title", g.title},
                 {"status", judge::name(g.status)},
                 {"passed", g.passed},
                 {"warned", g.warned},
                 {"failed", g.failed},
                 {"missing", g.missing}});
}

template <class T>
Json list(const std::vector<T>& items, Json (*one)(const T&)) {
  Json out = Json::array();
  out.get_ref<Json::array_t&>().reserve(items.size());
  for (const auto& item : items) out.push_back(one(item));
  return out;
}

/// Benchmarks, then the validation kit, whatever the order of the groups.
Json scorecard(const Verdict& v) {
  Json out = Json::array();
  for (const auto kind : {catalogue::GroupKind::benchmark, catalogue::GroupKind::kit})
    for (const auto& g : v.groups)
      if (g.kind == kind) out.push_back(score(g));
  return out;
}

std::string render(const Verdict& v, const Style&) {
  const Json document = object({{"schema", "gpuvet.verdict/1"},
                                {"verdict", judge::name(v.outcome)},
                                {"stage", catalogue::name(v.stage)},
                                {"catalogue", v.catalogue},
                                {"server", optional(v.server)},
                                {"reasons", v.reasons},
                                {"inputs", list(v.inputs, input)},
                                {"scorecard", scorecard(v)},
                                {"findings", list(v.findings, finding)},
                                {"fits", list(v.fits, fit)},
                                {"coverage", list(v.groups, coverage)},
                                {"observations", list(v.evidence.observations, observation)}});
  // Indented by one: readable in a diff, and hardly longer. Invalid UTF-8 must not throw here.
  return document.dump(1, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace

Format json() { return {"json", "one JSON document (schema gpuvet.verdict/1)", render}; }

}  // namespace gpuvet::report
