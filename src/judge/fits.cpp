// SPDX-License-Identifier: Apache-2.0
#include "judge/fits.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace gpuvet::judge {
namespace {

/// One need on one subject, in words for `because`.
std::string reason(const catalogue::Need& need, const Observation& seen, const Index& index) {
  return fmt::format("{}: {} {}, needs {}. {}", index.label(seen.subject), seen.id.name(), format(seen), need.pass.written, need.why);
}

}  // namespace

Fit judge_fit(const catalogue::Workload& workload, const Index& index) {
  Fit fit;
  fit.workload = workload.id;
  fit.title = workload.title;
  std::size_t met = 0;
  bool unfit = false, uncertain = false;
  std::vector<std::string> against, unknown, in_favour;
  for (const auto& need : workload.needs) {
    const auto id = find_id(need.reads);
    if (!id || index.holds(need.applies, "node", {}) == Answer::no) continue;
    std::size_t seen = 0;
    for (const auto& [subject, observations] : index.of(*id)) {
      const auto* o = index.find(*id, subject);
      if (o == nullptr) continue;
      ++seen;
      if (meets(*o->get(), need.pass)) continue;
      (need.otherwise == "unfit" ? unfit : uncertain) = true;
      against.push_back(reason(need, *o, index));
      break;  // one GPU too small is enough to say so
    }
    if (seen == 0) unknown.push_back(fmt::format("{} is unknown, needs {}.", need.reads, need.pass.written));
    else if (against.empty()) in_favour.push_back(fmt::format("{} {}: {}", need.reads, need.pass.written, need.why));
    met += seen > 0;
  }
  fit.because = std::move(against);
  std::move(unknown.begin(), unknown.end(), std::back_inserter(fit.because));
  if (unfit) fit.status = FitStatus::unfit;
  else if (met == 0) fit.status = FitStatus::no_evidence;
  else if (uncertain || met < workload.needs.size()) fit.status = uncertain || !unknown.empty() ? FitStatus::uncertain : FitStatus::fit;
  else fit.status = FitStatus::fit;
  if (fit.status == FitStatus::fit) fit.because = std::move(in_favour);
  return fit;
}

}  // namespace gpuvet::judge
