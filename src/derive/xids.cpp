// SPDX-License-Identifier: Apache-2.0
// Logged Xid codes by the catalogue's severity. A log that was searched and holds none says so for
// every GPU; without a log nothing is said.
#include <algorithm>
#include <map>
#include <set>

#include "core/text.hpp"
#include "derive/steps.hpp"

namespace gpuvet::derive {
namespace {

struct Codes {
  std::set<double> all;
  std::vector<const Observation*> sources;
};

std::vector<double> with_severity(const std::set<double>& codes,
                                  const catalogue::Catalogue& catalogue,
                                  catalogue::Severity wanted) {
  std::vector<double> out;
  for (const double code : codes) {
    const auto known = catalogue.xids.find(static_cast<int>(code));
    const auto severity =
        known == catalogue.xids.end() ? catalogue::Severity::warn : known->second.severity;
    if (severity == wanted) out.push_back(code);
  }
  return out;
}

/// "79 (GPU has fallen off the bus): Reseat …" for every code.
std::string explained(const std::vector<double>& codes, const catalogue::Catalogue& catalogue) {
  std::vector<std::string> out;
  for (const double code : codes) {
    const auto known = catalogue.xids.find(static_cast<int>(code));
    out.push_back("Xid " + format_number(code) + ": " +
                  (known == catalogue.xids.end()
                       ? "not in NVIDIA's catalogue. Ask NVIDIA support."
                       : known->second.meaning + ". " + known->second.next));
  }
  return join(out, " ");
}

void record(Recorder& out, Id id, const std::string& subject, std::vector<double> codes,
            const catalogue::Catalogue& catalogue) {
  auto words = explained(codes, catalogue);
  out.numbers(id, subject, std::move(codes));
  out.detail(std::move(words));
}

}  // namespace

void classify_xids(Evidence& evidence, const catalogue::Catalogue& catalogue) {
  std::map<std::string, Codes> logged;
  for (const auto* o : all_of(evidence, "gpu.xid"_id)) {
    auto& entry = logged[o->subject];
    entry.sources.push_back(o);
    if (const auto* codes = o->as<std::vector<double>>())
      entry.all.insert(codes->begin(), codes->end());
  }
  const auto searched = all_of(evidence, "kernel_log.lines"_id);
  Evidence found;
  for (const auto& [subject, codes] : logged) {
    Recorder out(found, derived_from(codes.sources));
    out.line(codes.sources.front()->line);
    record(out, "gpu.xid.fatal"_id, subject,
           with_severity(codes.all, catalogue, catalogue::Severity::fail), catalogue);
    record(out, "gpu.xid.warning"_id, subject,
           with_severity(codes.all, catalogue, catalogue::Severity::warn), catalogue);
  }
  if (!searched.empty()) {
    Recorder out(found, derived_from(searched));
    auto quiet = gpus_of(evidence);
    quiet.erase(std::remove_if(quiet.begin(), quiet.end(),
                               [&](const auto& gpu) { return logged.contains(gpu); }),
                quiet.end());
    if (quiet.empty() && logged.empty()) quiet.emplace_back("node");
    for (const auto& subject : quiet) {
      if (is_gpu(subject)) out.numbers("gpu.xid"_id, subject, {});
      out.numbers("gpu.xid.fatal"_id, subject, {});
      out.numbers("gpu.xid.warning"_id, subject, {});
    }
    if (all_of(evidence, "nvswitch.sxid"_id).empty()) {
      out.numbers("nvswitch.sxid.fatal"_id, "node", {});
      out.numbers("nvswitch.sxid.nonfatal"_id, "node", {});
    }
  }
  evidence.append(std::move(found));
}

}  // namespace gpuvet::derive
