// SPDX-License-Identifier: Apache-2.0
#include "judge/fits.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <optional>

namespace gpuvet::judge {
namespace {

/// One need on one subject, in words for `because`.
std::string reason(const catalogue::Need& need, const Observation& seen, const Index& index) {
  return fmt::format("{}: {} {}, needs {}. {}", index.label(seen.subject), seen.id.name(),
                     format(seen), need.pass.written, need.why);
}

/// What a model predicts of the workload on this server, in words; nothing where nobody asked one.
struct Outlook {
  std::string status, words;
};
std::optional<Outlook> outlook_of(const catalogue::Workload& workload, const Index& index) {
  const auto* o = index.find("workload.outlook"_id, "workload:" + workload.id);
  if (o == nullptr || o->text() == nullptr) return {};
  return Outlook{*o->text(),
                 "predicted: " + *o->text() + (o->detail.empty() ? "" : ": " + o->detail)};
}

}  // namespace

Fit judge_fit(const catalogue::Workload& workload, const Index& index) {
  Fit fit;
  fit.workload = workload.id;
  fit.title = workload.title;
  std::vector<std::string> against, unknown, in_favour;
  bool unfit = false;
  for (const auto& need : workload.needs) {
    const auto id = find_id(need.reads);
    if (!id || index.holds(need.applies, "node", {}) == Answer::no) continue;
    const Observation* seen = nullptr;
    const Observation* short_of = nullptr;  // one GPU too small is enough to say so
    for (const auto& [subject, observations] : index.of(*id)) {
      const auto* o = index.find(*id, subject);
      if (o == nullptr) continue;
      seen = o;
      if (short_of == nullptr && !meets(*o->get(), need.pass)) short_of = o;
    }
    if (seen == nullptr) {
      unknown.push_back(fmt::format("{} is unknown, needs {}.", need.reads, need.pass.written));
    } else if (short_of != nullptr) {
      against.push_back(reason(need, *short_of, index));
      unfit = unfit || need.otherwise == "unfit";
    } else {
      in_favour.push_back(fmt::format("{} {}: {}", need.reads, need.pass.written, need.why));
    }
  }
  if (const auto predicted = outlook_of(workload, index)) {
    const bool against_it = predicted->status == "does not fit";
    unfit = unfit || against_it;
    if (against_it || predicted->status == "uncertain")
      against.push_back(predicted->words);
    else if (predicted->status == "fits")
      in_favour.push_back(predicted->words);
  }
  if (unfit)
    fit.status = FitStatus::unfit;
  else if (against.empty() && unknown.empty())
    fit.status = FitStatus::fit;
  else if (against.empty() && in_favour.empty())
    fit.status = FitStatus::no_evidence;
  else
    fit.status = FitStatus::uncertain;
  fit.because = fit.status == FitStatus::fit ? std::move(in_favour) : std::move(against);
  if (fit.status != FitStatus::fit)
    std::move(unknown.begin(), unknown.end(), std::back_inserter(fit.because));
  return fit;
}

}  // namespace gpuvet::judge
