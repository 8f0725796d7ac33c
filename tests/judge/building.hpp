// SPDX-License-Identifier: Apache-2.0
// Small catalogues and evidence, built by hand.
#pragma once

#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "judge/judge.hpp"

namespace gpuvet::judge::testing {

inline catalogue::Condition condition(std::string_view written) {
  auto parsed = catalogue::parse_condition(written);
  if (!parsed) throw std::runtime_error(parsed.error().message());
  return *std::move(parsed);
}

/// A term of a When: "> 4" is a comparison, anything else a value to match.
inline catalogue::When::Term term(std::string key, std::vector<std::string> any_of) {
  return {std::move(key), std::move(any_of), {}};
}
inline catalogue::When::Term term(std::string key, std::string_view comparison) {
  return {std::move(key), {}, condition(comparison)};
}

/// Empty `pass` or `fail`: the limit has none.
inline catalogue::Limit limit(std::string_view pass, std::string_view fail = {},
                              std::string of = "absolute") {
  catalogue::Limit out;
  if (!pass.empty()) out.pass = condition(pass);
  if (!fail.empty()) out.fail = condition(fail);
  out.of = std::move(of);
  out.source = {2, "source of " + std::string(pass) + std::string(fail)};
  return out;
}

struct Asked {
  std::string group = "health";
  std::vector<catalogue::Stage> required_at = {};
};

inline catalogue::Criterion criterion(std::string id, std::string reads, catalogue::Limit limit,
                                      Asked asked = {}) {
  catalogue::Criterion out;
  out.title = "Title of " + id;
  out.why = "Because of " + id + ".";
  out.next = {"Mend " + id + "."};
  out.evidence = "what shows " + id;
  out.id = std::move(id);
  out.reads = std::move(reads);
  out.group = std::move(asked.group);
  out.required_at = std::move(asked.required_at);
  out.limits.push_back(std::move(limit));
  return out;
}

inline catalogue::Workload workload(std::string id, std::string reads, std::string_view pass,
                                    std::string otherwise = "unfit") {
  catalogue::Need need;
  need.reads = std::move(reads);
  need.pass = condition(pass);
  need.why = "Why " + id + " needs it.";
  need.otherwise = std::move(otherwise);
  return {id, "Title of " + id, "What " + id + " is.", {std::move(need)}, {}, {}};
}

inline catalogue::Catalogue catalogue_of(std::vector<catalogue::Criterion> criteria,
                                         std::vector<catalogue::Workload> workloads = {}) {
  catalogue::Catalogue out;
  out.digest = "digest";
  out.groups = {{"thermal", "Thermal", catalogue::GroupKind::benchmark, "a thermal log"},
                {"health", "Health", catalogue::GroupKind::other, "a health report"},
                {"cost", "Cost", catalogue::GroupKind::benchmark, "a price"}};
  out.criteria = std::move(criteria);
  out.workloads = std::move(workloads);
  return out;
}

/// Evidence that is written down fact by fact: Facts().number(...).flag(...).
class Facts {
 public:
  Facts& number(Id id, std::string subject, double value, Where where = {}) {
    recorder().number(id, std::move(subject), value, std::move(where));
    return *this;
  }
  Facts& text(Id id, std::string subject, std::string value) {
    recorder().text(id, std::move(subject), std::move(value));
    return *this;
  }
  Facts& flag(Id id, std::string subject, bool value) {
    recorder().flag(id, std::move(subject), value);
    return *this;
  }
  Facts& absent(Id id, std::string subject, Absence why = Absence::not_supported,
                Where where = {}) {
    recorder().absent(id, std::move(subject), why, {}, std::move(where));
    return *this;
  }
  Facts& detail(std::string words) {
    evidence_.observations.back().detail = std::move(words);
    return *this;
  }
  /// How the facts that follow are known.
  Facts& known(How how, Custody custody = Custody::received) {
    how_ = how;
    custody_ = custody;
    return *this;
  }
  operator Evidence() const { return evidence_; }  // NOLINT: reads as the evidence it is

 private:
  Recorder recorder() { return {evidence_, {how_, custody_, "a test", {}, "facts.txt", {}}}; }

  Evidence evidence_;
  How how_ = How::reported;
  Custody custody_ = Custody::received;
};

}  // namespace gpuvet::judge::testing
