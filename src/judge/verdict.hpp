// SPDX-License-Identifier: Apache-2.0
// What judging yields: findings, fits, coverage, one verdict. Plain data; report/ renders it.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "catalogue/catalogue.hpp"
#include "evidence/evidence.hpp"

namespace gpuvet::judge {

enum class Status { pass, warn, fail, not_applicable, no_evidence, error };
enum class Outcome { fit, unfit, inconclusive };
enum class FitStatus { fit, unfit, uncertain, no_evidence };

/// One criterion on one subject.
struct Finding {
  std::string id;       ///< of the criterion
  std::string title;    ///< of the criterion
  std::string group;    ///< "topology", "thermal", ...
  std::string subject;  ///< "node", "gpu:...", ...
  std::string label;    ///< the subject for people: "GPU 3 (0000:9b:00.0)"
  Status status = Status::no_evidence;
  bool required = false;    ///< at this stage
  std::string observation;  ///< id that was read; empty without evidence
  std::variant<std::monostate, Value> value;
  Unit unit = Unit::none;
  Where where;
  std::string shown;      ///< the value for people: "62 °C"
  std::string limit;      ///< "pass <= 85 °C, fail > 89 °C"; empty when no limit applied
  std::string source;     ///< where the limit comes from
  int tier = 0;           ///< of the source, 1..4; 0: no limit applied
  Provenance provenance;  ///< the weakest that the finding rests on
  std::size_t line = 0;   ///< in provenance.source
  std::string message;    ///< one or two sentences for people; names its subject
  std::vector<std::string> next;
};

struct Fit {
  std::string workload;  ///< id
  std::string title;
  FitStatus status = FitStatus::no_evidence;
  bool asked = false;  ///< named with --for: counts for the verdict
  std::vector<std::string> because;
};

/// One row of the scorecard and of the coverage: the seven benchmarks, the kit's three tests, and
/// the other groups that have criteria.
struct GroupResult {
  std::string group;  ///< "topology"
  std::string title;  ///< "NVLink topology"
  catalogue::GroupKind kind{};
  Status status = Status::no_evidence;  ///< pass, warn, fail or no_evidence
  std::size_t passed = 0, warned = 0, failed = 0;
  std::vector<std::string> missing;  ///< what was not tested, and why, for people
};

struct Input {
  std::string file;
  std::string kind;  ///< empty when nothing recognised it
  bool understood = false;
  std::string reason;  ///< why not; empty when understood
};

struct Verdict {
  Outcome outcome = Outcome::inconclusive;
  catalogue::Stage stage{};
  std::string catalogue;             ///< digest of the data that judged
  std::string server;                ///< host name or folder, for headings; may be empty
  bool without_gpu = false;          ///< somebody looked, and there is no NVIDIA GPU
  std::vector<std::string> reasons;  ///< why the outcome, one sentence each, weightiest first
  std::vector<Input> inputs;
  std::vector<GroupResult> groups;
  std::vector<Finding> findings;  ///< worst first, then by group and subject
  std::vector<Fit> fits;
  Evidence evidence;  ///< all observations, derived ones included
};

std::string_view name(Status);
std::string_view name(Outcome);
std::string_view name(FitStatus);

}  // namespace gpuvet::judge
