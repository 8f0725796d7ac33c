// SPDX-License-Identifier: Apache-2.0
// A verdict as a hostile vendor would have it: every string that may come from a file carries
// something that breaks out of one format or another.
#pragma once

#include <cstdlib>
#include <memory>
#include <string>

#include "judge/verdict.hpp"
#include "report/format.hpp"

namespace gpuvet::report::testing {

inline const std::string escape_codes = "\x1b[2J\x1b]0;owned\x07";
inline const std::string script = "<script>alert('x')</script>";
inline const std::string quotes = R"("quoted" & 'single' \ back)";
inline const std::string cells = "a|b `c` *d* _e_ [f](g)";
inline const std::string lines = "first\nsecond\r\nthird\tend";
inline const std::string invalid = "bad \xff\xfe\xc0\x80 utf-8";
inline const std::string reversed = "\xe2\x80\xaetifnu\xe2\x80\xac";  // right-to-left override
inline const std::string endless(300, 'n');
inline const std::string hostile =
    escape_codes + script + quotes + cells + lines + invalid + reversed;

inline std::shared_ptr<const Provenance> provenance_of(std::string source) {
  return std::make_shared<const Provenance>(Provenance{
      How::reported, Custody::received, "nvidia-smi -q", "580.105.08", std::move(source), ""});
}

inline judge::Finding finding(std::string id, std::string group, std::string subject,
                              judge::Status status) {
  judge::Finding f;
  f.title = "Title of " + id;
  f.id = std::move(id);
  f.group = std::move(group);
  f.subject = std::move(subject);
  f.status = status;
  return f;
}

inline std::vector<judge::Finding> sample_findings() {
  using judge::Status;
  auto links = finding("topology.nvlink", "topology", "node", Status::fail);
  links.required = true;
  links.observation = "topology.nvlink.missing";
  links.value = Value{std::vector<std::string>{"GPU0~GPU3", script}};
  links.shown = "GPU0~GPU3, " + script;
  links.limit = "empty";
  links.source = "nvidia-smi documentation";
  links.tier = 1;
  links.provenance = {How::derived, Custody::received, "gpuvet derive", "", hostile, ""};
  links.line = 12;
  links.message = "Links are missing: " + hostile;
  links.next = {"Reseat the module; " + quotes, "Ask the vendor"};

  auto hot = finding("thermal.core", "thermal", "gpu:" + endless, Status::warn);
  hot.observation = "gpu.temperature.core";
  hot.value = Value{86.5};
  hot.unit = Unit::celsius;
  hot.shown = "86.5 °C";
  hot.where = {{"gpus", 8.0}, {"bytes", 17179869184.0}, {"datatype", std::string(cells)}};
  hot.limit = "pass <= 85 °C, fail > 89 °C";
  hot.source = "data sheet";
  hot.tier = 2;
  hot.provenance = {How::reported, Custody::received, "nvidia-smi -q",
                    "580.105.08",  "q.txt",           "today"};
  hot.message = endless;

  auto missing = finding("thermal.soak", "thermal", "node", Status::no_evidence);
  missing.required = true;
  missing.message = "No thermal log was among the files.";
  missing.next = {"Send a log of 48 h: `nvidia-smi dmon`"};

  auto broken = finding("memory.ecc", "memory", hostile, Status::error);
  broken.message = "could not be judged";
  return {links,
          broken,
          hot,
          missing,
          finding("memory.total", "memory", "gpu:a", Status::pass),
          finding("memory.total", "memory", "gpu:b", Status::pass),
          finding("cost.offer", "cost", "node", Status::no_evidence),
          finding("topology.bridge", "topology", "node", Status::not_applicable)};
}

inline std::vector<Observation> sample_observations() {
  const auto number = [](Id id, std::string subject, double v, const std::string& source) {
    return Observation{id, std::move(subject), {}, Value{v}, "", provenance_of(source), 7};
  };
  std::vector<Observation> out{
      number("gpu.temperature.core"_id, "gpu:a", 62, "a.txt"),
      number("gpu.temperature.core"_id, "gpu:a", 63.5, "b.txt"),  // the same series, another source
      number("gpu.temperature.core"_id, "gpu:a", 63.5, "b.txt"),  // and again
      number("gpu.temperature.core"_id, hostile, 64, hostile),
      number("topology.gpu_count"_id, "node", 8, "a.txt"),
      number("gpu.memory.total"_id, "gpu:a", 85899345920.0, "a.txt"),
      number("gpu.utilization"_id, "gpu:a", 0.1, "a.txt"),
  };
  out.push_back({"gpu.ecc.mode"_id, "gpu:a", {}, Value{true}, "", provenance_of("a.txt"), 0});
  out.push_back({"gpu.name"_id, "gpu:a", {}, Value{hostile}, hostile, provenance_of(hostile), 3});
  out.push_back({"gpu.xid"_id, "gpu:a", {}, Value{std::vector<double>{79, 119}}, "", nullptr, 0});
  out.push_back(
      {"gpu.fabric.state"_id, "gpu:a", {}, Absence::not_supported, "", provenance_of("a.txt"), 0});
  out.push_back({"collective.all_reduce.busbw"_id,
                 "node",
                 {{"gpus", 8.0}, {"bytes", 8589934592.0}, {"datatype", std::string("float")}},
                 Value{2.349e11},
                 "",
                 provenance_of("nccl.txt"),
                 40});
  return out;
}

inline judge::Verdict sample() {
  using catalogue::GroupKind;
  using judge::FitStatus;
  using judge::Status;
  judge::Verdict v;
  v.outcome = judge::Outcome::unfit;
  v.stage = catalogue::Stage::purchase;
  v.catalogue = "0123abcd";
  v.server = hostile;
  v.reasons = {"1 criterion failed: " + hostile, endless};
  v.inputs = {{"topo.txt", "nvidia_smi_topo", true, ""},
              {hostile + endless, "", false, "no importer knows " + hostile}};
  v.groups = {
      {"collectives",
       "Collectives",
       GroupKind::kit,
       Status::no_evidence,
       0,
       0,
       0,
       {"no nccl-tests log"}},
      {"topology", "NVLink topology", GroupKind::benchmark, Status::fail, 0, 0, 1, {}},
      {"thermal",
       "Thermal " + hostile,
       GroupKind::benchmark,
       Status::warn,
       0,
       1,
       0,
       {"soak: " + hostile}},
      {"memory", "Memory", GroupKind::benchmark, Status::pass, 2, 0, 0, {}},
      {"health", "Health", GroupKind::other, Status::no_evidence, 0, 0, 0, {endless}},
  };
  v.findings = sample_findings();
  v.fits = {
      {"serve-7b", "Serving a 7B model", FitStatus::fit, false, {"GPU memory is enough"}},
      {"llama3-70b-full", "Training " + script, FitStatus::unfit, true, {hostile, endless}},
      {"sdxl", "", FitStatus::no_evidence, false, {}},
  };
  v.evidence.observations = sample_observations();
  return v;
}

/// Renders the sample in the format named.
inline std::string rendered(std::string_view format, const judge::Verdict& v = sample(),
                            Style style = {}) {
  return format_named(format)->render(v, style);
}

inline std::size_t count(std::string_view text, std::string_view what) {
  std::size_t n = 0;
  for (auto at = text.find(what); at != std::string_view::npos;
       at = text.find(what, at + what.size()))
    ++n;
  return n;
}

}  // namespace gpuvet::report::testing
