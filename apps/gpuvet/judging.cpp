// SPDX-License-Identifier: Apache-2.0
#include "gpuvet/judging.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "core/text.hpp"
#include "derive/derive.hpp"
#include "gpuvet/bundles.hpp"
#include "gpuvet/evidence_files.hpp"
#include "judge/judge.hpp"
#include "model/outlook.hpp"
#include "platform/files.hpp"
#include "platform/terminal.hpp"
#include "report/format.hpp"

namespace gpuvet::app {
namespace {

using catalogue::Stage;

/// How long a thermal log must last when the user does not say.
double thermal_hours(Stage stage) { return stage == Stage::purchase ? 48 : 4; }

Result<double> thermal_seconds(const JudgingOptions& options, Stage stage) {
  if (options.thermal.empty()) return thermal_hours(stage) * 3600;
  const auto measure = parse_measure(options.thermal);
  if (!measure || measure->unit != Unit::second || measure->value < 0)
    return fail(Errc::usage, fmt::format("--thermal {}: not a duration; write 48h or 30min",
                                         printable(options.thermal)));
  return measure->value;
}

Result<void> check_workloads(const std::vector<std::string>& asked,
                             const catalogue::Catalogue& catalogue) {
  for (const auto& id : asked)
    if (std::none_of(catalogue.workloads.begin(), catalogue.workloads.end(),
                     [&](const auto& w) { return w.id == id; }))
      return fail(Errc::usage,
                  fmt::format("--for {}: no such workload (gpuvet list workloads)", printable(id)));
  return {};
}

bool any_xid(const Evidence& evidence) {
  return std::any_of(evidence.observations.begin(), evidence.observations.end(),
                     [](const auto& o) { return o.id == "gpu.xid"_id && o.get() != nullptr; });
}

/// A host name that all sources agree on, for headings.
std::string server_name(const Evidence& evidence) {
  std::string out;
  for (const auto& o : evidence.observations) {
    if (o.id != "node.hostname"_id || o.text() == nullptr) continue;
    if (!out.empty() && out != *o.text()) return {};
    out = *o.text();
  }
  return out;
}

Result<void> write_reports(const judge::Verdict& verdict, const JudgingOptions& options,
                           const Context& context) {
  bool printed = false;
  for (const auto& [name, file] : options.outputs) {
    if (file.empty()) continue;
    const auto* format = report::format_named(name);
    GPUVET_CHECK(platform::write_file(file, format->render(verdict, {})));
    printed = printed || file == "-";
  }
  if (printed) return {};
  report::Style style;
  style.colour = !context.no_color && platform::environment("NO_COLOR").empty() &&
                 platform::output_is_terminal();
  style.verbose = options.verbose;
  style.width = platform::terminal_width();
  const auto text = report::format_named("terminal")->render(verdict, style);
  return print(context.quiet ? text.substr(0, text.find('\n') + 1) : text);
}

/// What the models say of the workloads asked about, as observations.
Result<void> predict(Evidence& evidence, const std::vector<std::string>& workloads,
                     const Context& context) {
  GPUVET_TRY(const auto catalogue, load_catalogue(context));
  const auto machine = model::machine_of(evidence, catalogue);
  if (!machine) return {};  // too little is known of the server: its inventory alone decides
  const model::Outlooks outlooks(catalogue);
  Provenance provenance;
  provenance.how = How::modelled;
  provenance.custody = Custody::own;
  provenance.tool = "gpuvet model";
  Recorder out(evidence, provenance);
  for (const auto& id : workloads)
    if (const auto* workload = catalogue.workload(id))
      model::record(outlooks.of(*workload, *machine), out);
  return {};
}

/// Runs what the level asks for; `live` keeps what was found, and its bundle does as it comes.
Result<void> add_probes(LiveEvidence& live, const JudgingOptions& options, const Context& context) {
  Evidence inventory;
  for (const auto& file : live.gathered.evidence)
    inventory.observations.insert(inventory.observations.end(), file.evidence.observations.begin(),
                                  file.evidence.observations.end());
  GPUVET_CHECK(refuse_busy(inventory, options.probing));
  Evidence found;
  GPUVET_CHECK(run_probes(probes_of_level(options.level), options.level > 2, options.target,
                          options.probing, context, found, [&](const Evidence& so_far) {
                            return options.bundle.empty()
                                       ? Result<void>{}
                                       : keep_bundle(options.bundle, live, so_far);
                          }));
  live.gathered.inputs.push_back({"this machine: probes", "probe", true, ""});
  live.gathered.evidence.push_back({"this machine: probes", std::move(found)});
  return {};
}

Result<Gathered> gather_targets(const JudgingOptions& options, const Context& context) {
  if (!options.targets.empty())
    return gather(options.targets, !context.quiet && platform::error_is_terminal());
  GPUVET_TRY(auto live, gather_live(options.live));
  if (options.level > 1) GPUVET_CHECK(add_probes(live, options, context));
  return std::move(live.gathered);
}

Exit exit_code(const judge::Verdict& verdict, bool unreadable, bool strict) {
  // A sick server is sick whatever else could not be read; a healthy one is not known to be.
  if (verdict.outcome == judge::Outcome::unfit) return Exit::unfit;
  if (unreadable) return Exit::usage;
  if (verdict.outcome == judge::Outcome::inconclusive) return Exit::inconclusive;
  const bool warned = std::any_of(verdict.findings.begin(), verdict.findings.end(),
                                  [](const auto& f) { return f.status == judge::Status::warn; });
  return strict && warned ? Exit::unfit : Exit::fit;
}

}  // namespace

std::vector<Option> judging_options(JudgingOptions& options) {
  std::vector<Option> out = {
      {"--stage",
       "Which decision this is for (default: purchase for files, prejob for this machine, "
       "acceptance from --level 2 on)",
       &options.stage,
       "",
       false,
       {"purchase", "acceptance", "prejob"}},
      {"--for",
       "Workloads that must fit too (gpuvet list workloads)",
       &options.workloads,
       "WORKLOAD,…",
       false,
       {}},
      {"--server",
       "Which machine to judge when the files speak of several",
       &options.server,
       "NAME",
       false,
       {}},
      {"--thermal",
       "How long a thermal log must last (default: 48h for purchase, 4h else)",
       &options.thermal,
       "TIME",
       false,
       {}},
      {"--strict", "Exit 1 on warnings too", &options.strict, "", false, {}},
      {"--verbose,-v",
       "Show every finding, not only what needs attention",
       &options.verbose,
       "",
       false,
       {}},
  };
  for (const auto& format : report::all())
    if (format.name != "terminal")
      out.push_back(
          {"--" + std::string(format.name),
           "Write " + std::string(format.title) + " to FILE, or to standard output with -",
           &options.outputs[std::string(format.name)],
           "FILE",
           false,
           {}});
  return out;
}

Result<Exit> judge_and_print(const JudgingOptions& options, const Context& context) {
  GPUVET_TRY(auto catalogue, load_catalogue(context, catalogue::Parts::judging));
  GPUVET_CHECK(check_workloads(options.workloads, catalogue));
  const bool live = options.targets.empty();
  const Stage stage = !options.stage.empty() ? *catalogue::stage_named(options.stage)
                      : !live                ? Stage::purchase
                      : options.level > 1    ? Stage::acceptance
                                             : Stage::prejob;
  GPUVET_TRY(const double thermal, thermal_seconds(options, stage));
  GPUVET_TRY(auto gathered, gather_targets(options, context));
  for (const auto& complaint : gathered.complaints) complain(complaint);
  const bool nothing = gathered.evidence.empty();
  const bool written = std::any_of(options.outputs.begin(), options.outputs.end(),
                                   [](const auto& o) { return !o.second.empty(); });
  if (nothing && !written) {
    if (gathered.complaints.empty())
      for (const auto& input : gathered.inputs) complain(input.file + ": " + input.reason);
    return fail(Errc::malformed, "no evidence: none of the files could be understood");
  }
  GPUVET_TRY(
      auto evidence,
      derive::one_server(std::move(gathered.evidence),
                         options.server.empty() ? std::nullopt : std::optional(options.server)));
  if (any_xid(evidence)) {
    GPUVET_TRY(auto codes, load_catalogue(context, catalogue::Parts::xids));
    catalogue.xids = std::move(codes.xids);
  }
  evidence = derive::derive(std::move(evidence), catalogue, {thermal});
  if (!options.workloads.empty()) GPUVET_CHECK(predict(evidence, options.workloads, context));
  auto verdict = judge::judge(std::move(evidence), catalogue, {stage, options.workloads});
  verdict.inputs = std::move(gathered.inputs);
  verdict.server = server_name(verdict.evidence);
  GPUVET_CHECK(write_reports(verdict, options, context));
  return exit_code(verdict, nothing || !gathered.complaints.empty(), options.strict);
}

}  // namespace gpuvet::app
