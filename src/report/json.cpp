// SPDX-License-Identifier: Apache-2.0
// One JSON document, schema gpuvet.verdict/1 (docs/schema/verdict-1.schema.json). Strings stay as
// their sources wrote them, save for invalid UTF-8, which becomes U+FFFD.
#include <string>
#include <variant>
#include <vector>

#include "report/arrange.hpp"
#include "report/format.hpp"
#include "report/json_writer.hpp"

namespace gpuvet::report {
namespace {

using judge::Verdict;

void value(JsonWriter& to, const Value& v) {
  struct Write {
    JsonWriter& out;
    void operator()(double x) const { out.number(x); }
    void operator()(bool x) const { out.flag(x); }
    void operator()(const std::string& x) const { out.text(x); }
    void operator()(const std::vector<double>& xs) const {
      out.array([&] {
        for (const double x : xs) out.number(x);
      });
    }
    void operator()(const std::vector<std::string>& xs) const { out.texts(xs); }
  };
  std::visit(Write{to}, v);
}

void value_or_null(JsonWriter& to, const Value* seen) {
  if (seen == nullptr)
    to.null();
  else
    value(to, *seen);
}

void count_or_null(JsonWriter& to, std::size_t count) {
  if (count == 0)
    to.null();
  else
    to.count(count);
}

/// An object even when empty: readers need not ask whether it is there.
void where(JsonWriter& to, const Where& dimensions) {
  to.object([&] {
    for (const auto& [dimension, v] : dimensions) {
      to.key(dimension);
      if (const auto* text = std::get_if<std::string>(&v))
        to.text(*text);
      else
        to.number(std::get<double>(v));
    }
  });
}

/// The line belongs to the fact, yet reads best beside the file that it is a line of.
void provenance(JsonWriter& to, const Provenance& p, std::size_t line) {
  to.object([&] {
    to.key("how").text(name(p.how));
    to.key("custody").text(name(p.custody));
    to.key("tool").text(p.tool);
    to.key("version").text_or_null(p.version);
    to.key("source").text(p.source);
    count_or_null(to.key("line"), line);
    to.key("when").text_or_null(p.when);
  });
}

/// The value in base units; `shown` is for people and stays out.
void finding(JsonWriter& to, const judge::Finding& f) {
  to.key("id").text(f.id);
  to.key("title").text(f.title);
  to.key("group").text(f.group);
  to.key("subject").text(f.subject);
  to.key("status").text(judge::name(f.status));
  to.key("required").flag(f.required);
  to.key("observation").text_or_null(f.observation);
  value_or_null(to.key("value"), std::get_if<Value>(&f.value));
  to.key("unit").text_or_null(symbol(f.unit));
  where(to.key("where"), f.where);
  to.key("limit").text_or_null(f.limit);
  to.key("source").text_or_null(f.source);
  count_or_null(to.key("tier"), static_cast<std::size_t>(f.tier));
  to.key("provenance");
  if (f.observation.empty())
    to.null();
  else
    provenance(to, f.provenance, f.line);
  to.key("message").text(f.message);
  to.key("next").texts(f.next);
}

/// Value or reason, never both null and never both set.
void observation(JsonWriter& to, const Observation& o) {
  const Value* const seen = o.get();
  to.key("id").text(o.id.name());
  to.key("subject").text(o.subject);
  where(to.key("where"), o.where);
  value_or_null(to.key("value"), seen);
  to.key("unit").text_or_null(symbol(o.id.info().unit));
  to.key("reason").text_or_null(seen == nullptr ? name(std::get<Absence>(o.value)) : "");
  to.key("detail").text_or_null(o.detail);
  to.key("provenance");
  if (o.provenance == nullptr)
    to.null();
  else
    provenance(to, *o.provenance, o.line);
}

void input(JsonWriter& to, const judge::Input& in) {
  to.key("file").text(in.file);
  to.key("kind").text_or_null(in.kind);
  to.key("understood").flag(in.understood);
  to.key("reason").text_or_null(in.reason);
}

void fit(JsonWriter& to, const judge::Fit& f) {
  to.key("workload").text(f.workload);
  to.key("title").text(f.title);
  to.key("status").text(judge::name(f.status));
  to.key("asked").flag(f.asked);
  to.key("because").texts(f.because);
}

void score(JsonWriter& to, const judge::GroupResult& g) {
  to.key("benchmark").text(g.group);
  to.key("title").text(g.title);
  to.key("status").text(judge::name(g.status));
}

void coverage(JsonWriter& to, const judge::GroupResult& g) {
  to.key("group").text(g.group);
  to.key("title").text(g.title);
  to.key("status").text(judge::name(g.status));
  to.key("passed").count(g.passed);
  to.key("warned").count(g.warned);
  to.key("failed").count(g.failed);
  to.key("missing").texts(g.missing);
}

/// `members` writes what stands in one item's braces.
template <class T>
void list(JsonWriter& to, const std::vector<T>& items, void (*members)(JsonWriter&, const T&)) {
  to.array([&] {
    for (const auto& item : items) to.object([&] { members(to, item); });
  });
}

/// Benchmarks, then the validation kit, whatever the order of the groups.
void scorecard(JsonWriter& to, const Verdict& v) {
  to.array([&] {
    for (const auto kind : {catalogue::GroupKind::benchmark, catalogue::GroupKind::kit})
      for (const auto& g : v.groups)
        if (g.kind == kind) to.object([&] { score(to, g); });
  });
}

std::string render(const Verdict& v, const Style&) {
  constexpr std::size_t one = 520;  // bytes of a finding or an observation
  JsonWriter to(one * (v.findings.size() + v.evidence.observations.size()));
  to.object([&] {
    to.key("schema").text("gpuvet.verdict/1");
    to.key("verdict").text(judge::name(v.outcome));
    to.key("stage").text(catalogue::name(v.stage));
    to.key("catalogue").text(v.catalogue);
    to.key("server").text_or_null(v.server);
    to.key("reasons").texts(v.reasons);
    list(to.key("inputs"), v.inputs, input);
    scorecard(to.key("scorecard"), v);
    list(to.key("findings"), v.findings, finding);
    list(to.key("fits"), v.fits, fit);
    list(to.key("coverage"), v.groups, coverage);
    list(to.key("observations"), v.evidence.observations, observation);
  });
  return to.finish();
}

}  // namespace

Format json() { return {"json", "one JSON document (schema gpuvet.verdict/1)", render}; }

}  // namespace gpuvet::report
