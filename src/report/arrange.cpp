// SPDX-License-Identifier: Apache-2.0
// What formats for people share. No escaping here: each format escapes when it writes.
#include "report/arrange.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "core/text.hpp"

namespace gpuvet::report {
namespace {

using judge::FitStatus;
using judge::Outcome;
using judge::Status;

std::string_view purpose(catalogue::Stage stage) {
  switch (stage) {
    case catalogue::Stage::purchase:
      return "purchase";
    case catalogue::Stage::acceptance:
      return "acceptance";
    case catalogue::Stage::prejob:
      return "the next job";
  }
  return "";
}

/// Criteria, not findings: one criterion that fails on eight GPUs is one failure.
std::size_t criteria(const judge::Verdict& v, bool (*wanted)(const judge::Finding&)) {
  std::set<std::string_view> ids;
  for (const auto& f : v.findings)
    if (wanted(f)) ids.insert(f.id);
  return ids.size();
}

/// Only workloads that someone asked about have a say in the verdict.
std::size_t asked(const judge::Verdict& v, bool (*wanted)(FitStatus)) {
  return static_cast<std::size_t>(std::ranges::count_if(
      v.fits, [&](const judge::Fit& f) { return f.asked && wanted(f.status); }));
}

/// "Rows were remapped." of "GPU 3: 5. Rows were remapped."; empty when there is one sentence only.
std::string_view after_first_sentence(std::string_view message) {
  const auto end = message.find(". ");
  return end == std::string_view::npos ? std::string_view{} : message.substr(end + 2);
}

/// Subject, value and message may differ; what a reader has to do about it may not.
bool told_together(const judge::Finding& a, const judge::Finding& b) {
  return a.id == b.id && a.status == b.status && a.required == b.required && a.limit == b.limit &&
         a.source == b.source && a.tier == b.tier && a.next == b.next;
}

}  // namespace

std::string counted(std::size_t n, std::string_view one, std::string_view many) {
  return fmt::format("{} {}", n, n == 1 ? one : many);
}

std::string headline(const judge::Verdict& v) {
  const auto failed = criteria(v, [](const auto& f) { return f.status == Status::fail; });
  const auto warned = criteria(v, [](const auto& f) { return f.status == Status::warn; });
  const auto broken =
      criteria(v, [](const auto& f) { return f.required && f.status == Status::error; });
  const auto passed = criteria(v, [](const auto& f) { return f.status == Status::pass; });
  const auto missing = criteria(v, is_missing);
  const auto unfit = asked(v, [](FitStatus s) { return s == FitStatus::unfit; });
  const auto open = asked(
      v, [](FitStatus s) { return s == FitStatus::uncertain || s == FitStatus::no_evidence; });

  // The numbers behind the outcome that was reached, and no others: a fit server's gaps stand in
  // the coverage, an unfit server's passes in the scorecard.
  std::vector<std::string> parts;
  const auto say = [&](std::size_t n, std::string_view one, std::string_view many) {
    if (n > 0) parts.push_back(counted(n, one, many));
  };
  std::string_view outcome;
  switch (v.outcome) {
    case Outcome::unfit:
      outcome = "UNFIT";
      say(failed, "criterion failed", "criteria failed");
      say(unfit, "workload asked about does not fit", "workloads asked about do not fit");
      break;
    case Outcome::inconclusive:
      outcome = "INCONCLUSIVE";
      if (v.without_gpu) parts.emplace_back("no NVIDIA GPU in this machine");
      say(missing, "required criterion has no evidence", "required criteria have no evidence");
      say(broken, "criterion could not be judged", "criteria could not be judged");
      say(open, "workload asked about is undecided", "workloads asked about are undecided");
      break;
    case Outcome::fit:
      outcome = "FIT";
      say(passed, "criterion passed", "criteria passed");
      say(warned, "warning", "warnings");
      break;
  }
  const std::string because = join(parts, ", ");
  return fmt::format("{} for {}{}{}", outcome, purpose(v.stage), because.empty() ? "" : ": ",
                     because);
}

// Capitals for what needs action: they stand out on paper and without colour.
std::string_view word(Status status) {
  switch (status) {
    case Status::pass:
      return "pass";
    case Status::warn:
      return "WARN";
    case Status::fail:
      return "FAIL";
    case Status::not_applicable:
      return "n/a";
    case Status::no_evidence:
      return "no evidence";
    case Status::error:
      return "ERROR";
  }
  return "";
}

std::string_view word(FitStatus status) {
  switch (status) {
    case FitStatus::fit:
      return "fit";
    case FitStatus::unfit:
      return "UNFIT";
    case FitStatus::uncertain:
      return "uncertain";
    case FitStatus::no_evidence:
      return "no evidence";
  }
  return "";
}

bool on_scorecard(const judge::GroupResult& g) { return g.kind != catalogue::GroupKind::other; }

std::string counts(const judge::GroupResult& g) {
  std::vector<std::string> parts;
  if (g.failed > 0) parts.push_back(fmt::format("{} failed", g.failed));
  if (g.warned > 0) parts.push_back(fmt::format("{} warned", g.warned));
  if (g.passed > 0) parts.push_back(fmt::format("{} passed", g.passed));
  // Nothing judged: what is missing says more than three zeros.
  if (parts.empty()) return g.missing.empty() ? "nothing was tested" : join(g.missing, "; ");
  if (!g.missing.empty()) parts.push_back(fmt::format("{} not tested", g.missing.size()));
  return join(parts, ", ");
}

std::string_view group_title(const judge::Verdict& v, std::string_view group) {
  const auto found = std::ranges::find(v.groups, group, &judge::GroupResult::group);
  return found == v.groups.end() || found->title.empty() ? group : std::string_view(found->title);
}

std::string source_text(const judge::Finding& f) {
  if (f.tier == 0) return f.source;
  return fmt::format("tier {}{}{}", f.tier, f.source.empty() ? "" : ": ", f.source);
}

std::string provenance_text(const Provenance& p, std::size_t line) {
  std::string out(name(p.how));
  if (!p.tool.empty()) out += " by " + p.tool;
  if (!p.version.empty()) out += " " + p.version;
  out += fmt::format(", {}", name(p.custody));
  if (!p.source.empty()) out += ", " + p.source;
  // As compilers write it, so that editors and people find the place.
  if (!p.source.empty() && line > 0) out += fmt::format(":{}", line);
  return out;
}

std::string seen_text(const judge::Finding& f) {
  if (f.observation.empty() || f.shown.empty()) return {};
  const std::string conditions = format(f.where);
  return fmt::format("{}{}{} ({})", f.shown, conditions.empty() ? "" : " at ", conditions,
                     provenance_text(f.provenance, f.line));
}

std::vector<std::string> seen_texts(const Block& block) {
  if (block.size() == 1) {
    const std::string only = seen_text(*block.front());
    return only.empty() ? std::vector<std::string>{} : std::vector{only};
  }
  // Lines differ from finding to finding and would tear apart what one source says.
  std::vector<std::string> origins;
  std::vector<std::vector<std::string>> values;
  for (const auto* f : block) {
    if (f->observation.empty() || f->shown.empty()) continue;
    const std::string conditions = format(f->where);
    const std::string origin = fmt::format("{}{} ({})", conditions.empty() ? "" : " at ",
                                           conditions, provenance_text(f->provenance, 0));
    const auto known = std::ranges::find(origins, origin);
    const auto at = static_cast<std::size_t>(known - origins.begin());
    if (known == origins.end()) {
      origins.push_back(origin);
      values.emplace_back();
    }
    if (std::ranges::find(values[at], f->shown) == values[at].end()) values[at].push_back(f->shown);
  }
  std::vector<std::string> out;
  for (std::size_t i = 0; i < origins.size(); ++i)
    out.push_back(join(values[i], ", ") + origins[i]);
  return out;
}

std::vector<Block> blocks(const std::vector<judge::Finding>& findings,
                          bool (*wanted)(const judge::Finding&)) {
  std::vector<Block> out;
  for (const auto& f : findings) {
    if (!wanted(f)) continue;
    // Blocks are as few as criteria and their limits, so the search stays short on any input.
    const auto same = std::ranges::find_if(
        out, [&](const Block& block) { return told_together(*block.front(), f); });
    if (same == out.end())
      out.push_back({&f});
    else
      same->push_back(&f);
  }
  return out;
}

std::vector<std::vector<Block>> by_group(std::vector<Block> all) {
  std::vector<std::vector<Block>> out;
  for (auto& block : all) {
    const auto same = std::ranges::find_if(out, [&](const std::vector<Block>& group) {
      return group.front().front()->group == block.front()->group;
    });
    if (same == out.end())
      out.push_back({std::move(block)});
    else
      same->push_back(std::move(block));
  }
  return out;
}

bool is_trouble(const judge::Finding& f) {
  return f.status == Status::fail || f.status == Status::warn || f.status == Status::error;
}

bool is_missing(const judge::Finding& f) { return f.required && f.status == Status::no_evidence; }

bool is_quiet(const judge::Finding& f) { return !is_trouble(f) && !is_missing(f); }

std::string subjects(const Block& block) {
  constexpr std::size_t most = 16;  // two boards; the rest is a number
  std::set<std::string_view> seen;
  std::string out;
  for (const auto* f : block) {
    if (!seen.insert(f->subject).second || seen.size() > most) continue;
    if (!out.empty()) out += ", ";
    out += f->label.empty() ? f->subject : f->label;
  }
  if (seen.size() > most) out += fmt::format(" and {} more", seen.size() - most);
  return out;
}

std::string about(const Block& block) {
  return told(block).each.size() > 1 ? counted(block.size(), "finding", "findings")
                                     : subjects(block);
}

std::string title(const judge::Finding& f) { return f.title.empty() ? f.id : f.title; }

Told told(const Block& block) {
  Told out;
  std::set<std::string_view> seen, tails;
  for (const auto* f : block) {
    if (f->message.empty() || !seen.insert(f->message).second) continue;
    out.each.push_back(f->message);
    tails.insert(after_first_sentence(f->message));
  }
  if (out.each.size() < 2 || tails.size() != 1 || tails.begin()->empty()) return out;
  out.common = *tails.begin();
  for (auto& message : out.each) message.resize(message.size() - out.common.size() - 1);
  return out;
}

}  // namespace gpuvet::report
