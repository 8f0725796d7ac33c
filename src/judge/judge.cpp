// SPDX-License-Identifier: Apache-2.0
#include "judge/judge.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>
#include <tuple>

#include "judge/criterion.hpp"
#include "judge/fits.hpp"

namespace gpuvet::judge {
namespace {

using catalogue::Catalogue;

/// Worst first; what is required and missing right after what failed.
int order(const Finding& f) {
  switch (f.status) {
    case Status::fail:
      return 0;
    case Status::error:
      return 1;
    case Status::warn:
      return 3;
    case Status::no_evidence:
      return f.required ? 2 : 5;
    case Status::pass:
      return 4;
    case Status::not_applicable:
      return 6;
  }
  return 7;
}

void sort_findings(std::vector<Finding>& findings, const Catalogue& catalogue) {
  const auto group = [&](const Finding& f) {
    return std::find_if(catalogue.groups.begin(), catalogue.groups.end(),
                        [&](const auto& g) { return g.id == f.group; }) -
           catalogue.groups.begin();
  };
  const auto criterion = [&](const Finding& f) {
    return std::find_if(catalogue.criteria.begin(), catalogue.criteria.end(),
                        [&](const auto& c) { return c.id == f.id; }) -
           catalogue.criteria.begin();
  };
  // Labels end with the GPU's number or begin with it; shorter first puts GPU 10 after GPU 9.
  std::stable_sort(findings.begin(), findings.end(), [&](const Finding& a, const Finding& b) {
    return std::tuple(order(a), group(a), criterion(a), a.label.size(), std::string_view(a.label)) <
           std::tuple(order(b), group(b), criterion(b), b.label.size(), std::string_view(b.label));
  });
}

bool unanswered(const Finding& f) {
  return f.status == Status::no_evidence || f.status == Status::error;
}

GroupResult summarise(const catalogue::Group& group, const std::vector<Finding>& findings) {
  GroupResult out{group.id, group.title, group.kind, Status::no_evidence, 0, 0, 0, {}};
  bool required_missing = false;
  std::map<std::string, std::size_t> told;  // one line a criterion: a matrix of pairs has a hundred
  for (const auto& f : findings) {
    if (f.group != group.id) continue;
    out.passed += f.status == Status::pass;
    out.warned += f.status == Status::warn;
    out.failed += f.status == Status::fail;
    if (!unanswered(f)) continue;
    required_missing = required_missing || f.required;
    if (++told[f.title] == 1) out.missing.push_back(fmt::format("{}: {}", f.title, f.message));
  }
  for (auto& line : out.missing) {
    const auto title = std::find_if(told.begin(), told.end(), [&](const auto& known) {
      return line.compare(0, known.first.size() + 1, known.first + ":") == 0;
    });
    if (title != told.end() && title->second > 1)
      line += fmt::format(" The same holds of {} more.", title->second - 1);
  }
  const std::size_t judged = out.passed + out.warned + out.failed;
  if (judged == 0) out.missing.insert(out.missing.begin(), "Needs " + group.evidence + ".");
  if (out.failed > 0)
    out.status = Status::fail;
  else if (required_missing || judged == 0)
    out.status = Status::no_evidence;
  else
    out.status = out.warned > 0 ? Status::warn : Status::pass;
  return out;
}

void conclude(Verdict& v) {
  std::set<std::string> failed, missing, warned;
  for (const auto& f : v.findings) {
    if (f.status == Status::fail) failed.insert(f.title);
    if (f.status == Status::warn) warned.insert(f.title);
    if (f.required && unanswered(f)) missing.insert(f.title);
  }
  const auto list = [](const std::set<std::string>& titles) {
    return fmt::format("{}", fmt::join(titles, "; "));
  };
  bool unfit = !failed.empty(), open = !missing.empty();
  if (!failed.empty()) v.reasons.push_back("Failed: " + list(failed) + ".");
  for (const auto& fit : v.fits) {
    if (!fit.asked || fit.status == FitStatus::fit) continue;
    (fit.status == FitStatus::unfit ? unfit : open) = true;
    v.reasons.push_back(fmt::format("{}: {}.{}", fit.workload, name(fit.status),
                                    fit.because.empty() ? "" : " " + fit.because.front()));
  }
  if (!missing.empty())
    v.reasons.push_back(
        fmt::format("Required for {}, without evidence: {}.", name(v.stage), list(missing)));
  if (!warned.empty()) v.reasons.push_back("Warnings: " + list(warned) + ".");
  v.outcome = unfit ? Outcome::unfit : open ? Outcome::inconclusive : Outcome::fit;
  if (v.reasons.empty())
    v.reasons.push_back(fmt::format(
        "Everything that {} requires was shown and is within its limits.", name(v.stage)));
}

/// Of a machine without any GPU, what it is and what was checked all the same: what nobody could
/// check for want of one would hide it.
void tell_of_no_gpu(Verdict& v, const Observation& count) {
  v.without_gpu = true;
  // The kit's tests are of GPUs: a quiet kernel log alone is no GPU that survived its faults.
  for (auto& g : v.groups)
    if (g.kind == catalogue::GroupKind::kit && g.status == Status::pass) {
      g.status = Status::no_evidence;
      g.missing.insert(g.missing.begin(), "There is no NVIDIA GPU to test.");
    }
  std::vector<std::string> checked;
  for (const auto& g : v.groups)
    if (const auto n = g.passed + g.warned + g.failed; n > 0)
      checked.push_back(fmt::format("{} ({})", g.title, n));
  std::vector<std::string> said{
      fmt::format("There is no NVIDIA GPU in this machine{}{}.", count.detail.empty() ? "" : ": ",
                  count.detail),
      checked.empty()
          ? std::string("Nothing else could be checked.")
          : fmt::format("Checked all the same, by criteria: {}.", fmt::join(checked, "; "))};
  v.reasons.insert(v.reasons.begin(), said.begin(), said.end());
}

}  // namespace

Verdict judge(Evidence evidence, const Catalogue& catalogue, const Request& request) {
  Verdict v;
  v.stage = request.stage;
  v.catalogue = catalogue.digest;
  const Index index(evidence, catalogue);
  for (const auto& criterion : catalogue.criteria) {
    auto findings = judge_criterion(criterion, index, request.stage);
    std::move(findings.begin(), findings.end(), std::back_inserter(v.findings));
  }
  sort_findings(v.findings, catalogue);
  for (const auto& group : catalogue.groups) v.groups.push_back(summarise(group, v.findings));
  for (const auto& workload : catalogue.workloads) {
    auto fit = judge_fit(workload, index);
    fit.asked = std::find(request.workloads.begin(), request.workloads.end(), workload.id) !=
                request.workloads.end();
    v.fits.push_back(std::move(fit));
  }
  conclude(v);
  if (index.without_gpu()) tell_of_no_gpu(v, *index.find("topology.gpu_count"_id, "node"));
  v.evidence = std::move(evidence);
  return v;
}

std::string_view name(Status s) {
  switch (s) {
    case Status::pass:
      return "pass";
    case Status::warn:
      return "warn";
    case Status::fail:
      return "fail";
    case Status::not_applicable:
      return "not_applicable";
    case Status::no_evidence:
      return "no_evidence";
    case Status::error:
      return "error";
  }
  return "";
}

std::string_view name(Outcome o) {
  switch (o) {
    case Outcome::fit:
      return "fit";
    case Outcome::unfit:
      return "unfit";
    case Outcome::inconclusive:
      return "inconclusive";
  }
  return "";
}

std::string_view name(FitStatus s) {
  switch (s) {
    case FitStatus::fit:
      return "fit";
    case FitStatus::unfit:
      return "unfit";
    case FitStatus::uncertain:
      return "uncertain";
    case FitStatus::no_evidence:
      return "no_evidence";
  }
  return "";
}

}  // namespace gpuvet::judge
