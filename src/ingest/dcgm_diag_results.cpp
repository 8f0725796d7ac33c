// SPDX-License-Identifier: Apache-2.0
// Figures hide in sentences such as "GPU 0 GPU to Host bandwidth:\t\t13.15 GB/s".
#include "ingest/dcgm_diag_results.hpp"

#include <algorithm>
#include <array>
#include <optional>

#include "core/text.hpp"
#include "ingest/dcgm_text.hpp"

namespace gpuvet::ingest {
namespace {

constexpr std::size_t most_figures = 64;  // in one sentence

/// A figure follows `before` and is followed by `unit`.
struct Figure {
  std::string_view before, unit;
  Id id;
  double factor;
  std::string_view backend;  // which measured, where the id asks
  std::string_view remark;
};

constexpr std::array figures{
    Figure{"GPU to Host bandwidth:", "GB/s", "hostlink.d2h"_id, 1e9, {}, {}},
    Figure{"Host to GPU bandwidth:", "GB/s", "hostlink.h2d"_id, 1e9, {}, {}},
    Figure{"bidirectional bandwidth:", "GB/s", "hostlink.bidirectional"_id, 1e9, {}, {}},
    Figure{"GPU to Host latency:", "us", "hostlink.latency"_id, 1e-6, {}, "GPU to host"},
    Figure{"Host to GPU latency:", "us", "hostlink.latency"_id, 1e-6, {}, "host to GPU"},
    // The test mixes precisions, so that its rate is none of a single one.
    Figure{"calculated at approximately", "gigaflops", "compute.burn"_id, 1e9, "dcgm", {}},
    Figure{"Allocated", "bytes (", "memory.tested"_id, 1, "dcgm", {}},
    Figure{"power average:", "W", "gpu.power.draw"_id, 1, {}, "average during the test"},
};

/// The GPU that "... GPU 3 " just before a figure names; the sentence's own subject otherwise.
std::string whose(std::string_view before, const std::string& subject) {
  constexpr std::size_t longest = 12;
  if (before.size() > longest) before.remove_prefix(before.size() - longest);
  const auto name = before.rfind("GPU ");
  if (name == before.npos) return subject;
  const auto id = dcgm_gpu_id(before.substr(name));
  return id ? dcgm_gpu(*id) : subject;
}

Result<void> record_figure(Recorder& out, const Figure& f, std::string_view info,
                           const std::string& subject, std::size_t line) {
  std::size_t at = 0;
  for (std::size_t n = 0; n < most_figures; ++n) {
    at = info.find(f.before, at);
    if (at == info.npos) return {};
    const std::string gpu = whose(info.substr(0, at), subject);
    at += f.before.size();
    const std::string_view rest = trim(info.substr(at, 64));
    const auto digits = std::min(rest.find_first_not_of(".0123456789"), rest.size());
    const auto number = parse_number(rest.substr(0, digits));
    const std::string_view after = rest.substr(digits);
    if (number && after.size() > 1 && after[0] == ',' && after[1] >= '0' && after[1] <= '9')
      return fail(Errc::malformed, "number with a decimal comma: rerun with LC_ALL=C", line);
    // Without its unit, or on no GPU, it may be any number.
    if (!number || !trim(after).starts_with(f.unit) || gpu == "node") continue;
    Where where;
    if (!f.backend.empty()) where["backend"] = std::string(f.backend);
    out.number(f.id, gpu, f.factor < 1 ? *number / 1e6 : *number * f.factor, std::move(where));
    if (!f.remark.empty()) out.detail(std::string(f.remark));
  }
  return {};
}

/// "pass" of "Pass"; empty when it is no outcome.
std::string_view outcome(std::string_view status) {
  constexpr std::array<std::array<std::string_view, 3>, 4> known{{{"pass", "passed", "healthy"},
                                                                  {"skip", "skipped", ""},
                                                                  {"warn", "warning", ""},
                                                                  {"fail", "failed", "failure"}}};
  const std::string word = lower(status.substr(0, 16));
  for (const auto& spellings : known)
    if (!word.empty() && std::ranges::find(spellings, word) != spellings.end()) return spellings[0];
  return {};
}

int severity(const DiagEntry& entry) {
  const auto word = outcome(entry.status);
  return word == "fail" ? 3 : word == "warn" ? 2 : word == "pass" ? 1 : 0;
}

void record_outcome(Recorder& out, const std::string& test, const DiagEntry& entry) {
  const Where where{{"test", test}};
  const auto word = outcome(entry.status);
  std::string said = entry.remark;
  if (!entry.errors.empty())
    said += (said.empty() ? "" : "; ") + dcgm_words(entry.errors.front(), 300);
  if (!word.empty()) {
    out.text("diag.result"_id, entry.subject, std::string(word), where);
    if (!said.empty()) out.detail(said);
  } else if (lower(entry.status) == "not run") {
    out.absent("diag.result"_id, entry.subject, Absence::not_asked, said, where);
  } else {
    out.absent("diag.result"_id, entry.subject, Absence::malformed, dcgm_words(entry.status),
               where);
  }
  // What is said of a test that passed or was left out is no error.
  if (entry.errors.empty() || (word != "fail" && word != "warn")) return;
  std::vector<std::string> errors;
  for (const auto& error : entry.errors) errors.push_back(dcgm_words(error, 300));
  out.texts("diag.errors"_id, entry.subject, std::move(errors), where);
}

}  // namespace

std::string diag_subject(std::string_view group, std::size_t id) {
  const std::string kind = lower(group.substr(0, 40));
  if (kind == "gpu") return dcgm_gpu(id);
  return (kind.empty() ? "entity" : printable(kind)) + ":dcgm#" + std::to_string(id);
}

Result<void> record_diag(Recorder& out, const DiagTest& test) {
  int worst = -1;
  for (const auto& entry : test.entries)
    if (entry.subject != "node") worst = std::max(worst, severity(entry));
  for (const auto& entry : test.entries) {
    out.line(entry.line);
    // The summary repeats what its parts say, unless it knows more.
    if (entry.subject != "node" || severity(entry) > worst) record_outcome(out, test.name, entry);
    for (const auto& info : entry.infos)
      for (const auto& figure : figures)
        GPUVET_CHECK(record_figure(out, figure, info, entry.subject, entry.line));
  }
  return {};
}

}  // namespace gpuvet::ingest
