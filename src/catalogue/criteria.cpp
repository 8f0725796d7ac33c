// SPDX-License-Identifier: Apache-2.0
// data/criteria/*.toml and data/workloads/*.toml: limits and needs.
#include "catalogue/parse.hpp"
#include "core/text.hpp"

namespace gpuvet::catalogue {
namespace {

std::optional<Condition> condition(TomlReader& in, std::string_view key) {
  if (!in.has(key)) return {};
  auto parsed = parse_condition(in.text(key));
  if (parsed) return std::move(*parsed);
  in.refuse(key, parsed.error().what);
  return {};
}

Source source(TomlReader& in) {
  Source out;
  in.table("source", [&](TomlReader& t) {
    out.tier = t.integer("tier");
    out.ref = t.text("ref");
    if (out.tier < 1 || out.tier > 4) t.refuse("tier", "must be 1 to 4");
  });
  if (!in.has("source")) in.refuse("source", "is required: every threshold carries its source");
  return out;
}

When when(TomlReader& in, std::string_view key) {
  When out;
  in.table(key, [&](TomlReader& t) {
    for (const auto& name : t.keys()) {
      auto values = t.scalars(name);
      When::Term made{name, {}, {}};
      // A comparison is written with its operator ("> 4"); anything else is a value to match.
      if (values.size() == 1 &&
          (values[0].find_first_of("<>=!") == 0 || values[0].rfind("count ", 0) == 0))
        made.condition = condition(t, name);
      else
        made.any_of = std::move(values);
      out.terms.push_back(std::move(made));
    }
  });
  return out;
}

Limit limit(TomlReader& in) {
  Limit out;
  out.when = when(in, "when");
  out.of = in.text_or("of", "absolute");
  out.pass = condition(in, "pass");
  out.fail = condition(in, "fail");
  out.source = source(in);
  if (!out.pass && !out.fail) in.refuse("pass", "a limit needs pass, fail or both");
  if (out.fail && out.source.tier == 4)
    in.refuse("fail", "a tier 4 source alone never fails a server");
  const bool relative = (out.pass && out.pass->relative) || (out.fail && out.fail->relative);
  if (relative == (out.of == "absolute"))
    in.refuse("of", "'ref' needs a reference, and a reference needs 'ref'");
  return out;
}

/// A figure must be written in the unit of what it is compared with; offsets of temperatures are in
/// K.
void check_unit(TomlReader& in, std::string_view key, const std::optional<Condition>& c,
                Unit unit) {
  const bool numeric = c && c->op != Condition::Op::any && c->op != Condition::Op::empty &&
                       c->op != Condition::Op::not_empty && !c->text;
  if (!numeric || (c->relative && c->number == 0)) return;
  const bool offset = c->relative && unit == Unit::celsius && c->unit == Unit::kelvin;
  if (c->unit != (c->count ? Unit::none : unit) && !offset)
    in.refuse(key, "'" + c->written + "' is not in the unit of the observation, " +
                       std::string(symbol(unit)));
}

Criterion criterion(TomlReader& in, const std::string& file) {
  Criterion out;
  out.file = file;
  out.id = in.text("id");
  out.title = in.text("title");
  out.group = in.text("group");
  out.reads = in.text("reads");
  out.pick = in.text_or("pick", "");
  out.applies = when(in, "applies");
  for (const auto& stage : in.texts("required_at")) {
    const auto known = stage_named(stage);
    if (!known)
      in.refuse("required_at", "'" + stage + "' is no stage");
    else
      out.required_at.push_back(*known);
  }
  out.only_if = in.text_or("only_if", "");
  out.why = in.text("why");
  out.next = in.texts("next");
  out.evidence = in.text("evidence");
  out.article = in.texts("article");
  const auto id = find_id(out.reads);
  in.each_table("limit", [&](TomlReader& t) {
    out.limits.push_back(limit(t));
    if (!id) return;
    check_unit(t, "pass", out.limits.back().pass, id->info().unit);
    check_unit(t, "fail", out.limits.back().fail, id->info().unit);
  });
  if (!contains(out.reads, "*") && !find_id(out.reads))
    in.refuse("reads", "'" + out.reads + "' is not a declared observation");
  if (!out.only_if.empty() && !find_id(out.only_if))
    in.refuse("only_if", "is not a declared observation");
  if (out.limits.empty()) in.refuse("id", "has no [[criterion.limit]]");
  if (out.next.empty()) in.refuse("next", "is required: say what to do");
  return out;
}

}  // namespace

void parse_criteria(TomlReader& in, const std::string& file, Catalogue& out) {
  in.each_table("criterion", [&](TomlReader& t) {
    auto made = criterion(t, file);
    refuse_twice(t, out.criteria, made.id);
    out.criteria.push_back(std::move(made));
  });
}

void parse_groups(TomlReader& in, Catalogue& out) {
  in.each_table("group", [&](TomlReader& t) {
    Group group{t.text("id"), t.text("title"), GroupKind::other, t.text("evidence")};
    const auto kind = t.text("kind");
    if (kind == "benchmark")
      group.kind = GroupKind::benchmark;
    else if (kind == "kit")
      group.kind = GroupKind::kit;
    else if (kind != "other")
      t.refuse("kind", "must be benchmark, kit or other");
    refuse_twice(t, out.groups, group.id);
    out.groups.push_back(std::move(group));
  });
}

Need need_in(TomlReader& t) {
  Need need;
  need.reads = t.text("reads");
  need.applies = when(t, "when");
  if (auto pass = condition(t, "pass"))
    need.pass = std::move(*pass);
  else
    t.refuse("pass", "is required");
  need.why = t.text("why");
  need.source = source(t);
  need.otherwise = t.text_or("otherwise", "unfit");
  if (!find_id(need.reads)) t.refuse("reads", "'" + need.reads + "' is not a declared observation");
  if (need.otherwise != "unfit" && need.otherwise != "uncertain")
    t.refuse("otherwise", "must be unfit or uncertain");
  return need;
}

}  // namespace gpuvet::catalogue
