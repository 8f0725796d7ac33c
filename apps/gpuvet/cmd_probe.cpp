// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <set>

#include "core/text.hpp"
#include "derive/derive.hpp"
#include "device/job.hpp"
#include "evidence/json.hpp"
#include "gpuvet/bundles.hpp"
#include "gpuvet/commands.hpp"
#include "gpuvet/probing.hpp"
#include "gpuvet/simulated_files.hpp"
#include "gpuvet/simulated_machine.hpp"
#include "judge/judge.hpp"
#include "platform/files.hpp"

namespace gpuvet::app {
namespace {

struct Options {
  std::vector<std::string> names;
  bool thorough = false;
  std::string out, json;
  ProbingOptions probing;
  LiveOptions live;
  SimulationOptions simulation;
};

Result<std::vector<const probe::Probe*>> probes_named(const std::vector<std::string>& names) {
  std::vector<const probe::Probe*> out;
  for (const auto& name : names) {
    const auto* found = probe::probe_named(name);
    if (found == nullptr)
      return fail(Errc::usage, printable(name) + ": no such probe (gpuvet list probes)");
    out.push_back(found);
  }
  return out;
}

/// In a job of several processes only what they do together makes sense; the first of them reports.
Result<void> fit_for_job(const std::vector<const probe::Probe*>& probes, const Options& options) {
  for (const auto* probe : probes)
    if (probe->name != "collectives")
      return fail(Errc::usage, std::string(probe->name) +
                                   ": processes that mpirun or srun started together can only run "
                                   "collectives; run this on each node without mpirun");
  if (options.probing.on.starts_with("sim:"))
    return fail(Errc::usage, "a simulated server is one process: run it without mpirun");
  return {};
}

/// What each fact is, one line each: id, subject, conditions, value, quality.
std::string table_of(const Evidence& evidence) {
  std::string out;
  std::string_view last;
  for (const auto& o : evidence.observations) {
    if (o.subject != last) out += fmt::format("{}{}\n", out.empty() ? "" : "\n", o.subject);
    last = o.subject;
    auto where = o.where;
    where.erase("backend");
    out +=
        fmt::format("  {}{}  {}{}\n", o.id.name(), where.empty() ? "" : " (" + format(where) + ")",
                    format(o), o.detail.empty() || o.get() == nullptr ? "" : "; " + o.detail);
  }
  return out;
}

/// Everything that the files say and that follows from it.
Result<Evidence> all_of(std::vector<derive::FileEvidence> files,
                        const catalogue::Catalogue& catalogue) {
  GPUVET_TRY(auto joined, derive::one_server(std::move(files), std::nullopt));
  return derive::derive(std::move(joined), catalogue, {});
}

/// Findings about what these probes observed and what follows from it; the others are vet's
/// business.
Result<std::vector<judge::Finding>> findings_of(const Evidence& inventory, const Evidence& found,
                                                const catalogue::Catalogue& catalogue) {
  GPUVET_TRY(const auto before, all_of({{"inventory", inventory}}, catalogue));
  GPUVET_TRY(auto evidence, all_of({{"inventory", inventory}, {"probes", found}}, catalogue));
  std::set<std::string_view> known, observed;
  for (const auto& o : before.observations) known.insert(o.id.name());
  for (const auto& o : found.observations) observed.insert(o.id.name());
  auto verdict = judge::judge(std::move(evidence), catalogue, {catalogue::Stage::acceptance, {}});
  std::vector<judge::Finding> out;
  for (auto& finding : verdict.findings) {
    const bool ours = observed.contains(finding.observation) ||
                      (!finding.observation.empty() && !known.contains(finding.observation));
    if (ours && finding.status != judge::Status::no_evidence &&
        finding.status != judge::Status::not_applicable)
      out.push_back(std::move(finding));
  }
  return out;
}

Json document(const Evidence& found, const std::vector<judge::Finding>& findings) {
  Json observations = Json::array(), judged = Json::array();
  for (const auto& o : found.observations) observations.push_back(to_json(o));
  for (const auto& f : findings)
    judged.push_back({{"id", f.id},
                      {"subject", f.subject},
                      {"status", judge::name(f.status)},
                      {"message", f.message},
                      {"next", f.next}});
  return {{"schema", "gpuvet.probe/1"}, {"observations", observations}, {"findings", judged}};
}

Exit exit_of(const Evidence& found, const std::vector<judge::Finding>& findings) {
  for (const auto& f : findings)
    if (f.status == judge::Status::fail) return Exit::unfit;
  for (const auto& o : found.observations)
    if (o.id == "probe.completed"_id && (o.flag() == nullptr || !*o.flag()))
      return Exit::inconclusive;
  return Exit::fit;
}

Result<Exit> run(Options options, const Context& context) {
  GPUVET_TRY(const auto probes, probes_named(options.names));
  const auto rank = device::launched_rank();
  if (rank) GPUVET_CHECK(fit_for_job(probes, options));
  const bool reports = rank.value_or(0) == 0;
  if (!reports) options.out.clear();
  if (!options.out.empty()) GPUVET_CHECK(refuse_existing(options.out));
  constexpr std::string_view simulated = "sim:";
  ProbeTarget target;
  std::optional<SimulatedMachine> machine;
  if (options.probing.on.starts_with(simulated)) {
    target.scenario = options.probing.on.substr(simulated.size());
    GPUVET_TRY(auto simulated_server, simulate(target.scenario, options.simulation));
    machine.emplace(std::move(simulated_server));
    GPUVET_CHECK(write_tree(machine->world, machine->folder.path()));
    options.live.root = machine->folder.path();
    options.live.nvml = machine->library;
    GPUVET_TRY(auto faults, faults_of(options.simulation));
    target.faults = std::move(faults.server);
    target.plants = std::move(faults.plants);
  } else if (!options.probing.on.empty() && options.probing.on != "gpu" &&
             options.probing.on != "host") {
    return fail(Errc::usage, "--on " + printable(options.probing.on) +
                                 ": write gpu, host, or sim:NAME (gpuvet sim list)");
  } else if (!options.simulation.faults.empty()) {
    return fail(Errc::usage, "--fault is for simulated servers: --on sim:NAME");
  }
  options.probing.tools = options.live.tools;
  GPUVET_TRY(const auto live, gather_live(options.live));
  Evidence inventory;
  for (const auto& file : live.gathered.evidence) inventory.append(file.evidence);
  GPUVET_CHECK(refuse_busy(inventory, options.probing));
  Probed probed;
  GPUVET_CHECK(run_probes(probes, options.thorough, target, options.probing, context, probed,
                          [&](const Probed& so_far) {
                            return options.out.empty() ? Result<void>{}
                                                       : keep_bundle(options.out, live, so_far);
                          }));
  if (!reports) return Exit::fit;
  const auto& found = probed.evidence;
  GPUVET_TRY(const auto catalogue, load_catalogue(context, catalogue::Parts::judging));
  GPUVET_TRY(const auto findings, findings_of(inventory, found, catalogue));
  if (!options.json.empty()) {
    GPUVET_CHECK(platform::write_file(options.json, dump(document(found, findings))));
    if (options.json == "-") return exit_of(found, findings);
  }
  std::string text = context.quiet ? "" : table_of(found) + "\n";
  for (const auto& f : findings)
    if (!context.quiet || f.status != judge::Status::pass)
      text += fmt::format("{:<6}{} {}: {}\n", judge::name(f.status), f.id, f.subject,
                          strip_escapes(f.message));
  GPUVET_CHECK(print(text));
  return exit_of(found, findings);
}

}  // namespace

Command probe_command(const Context& context) {
  const auto options = std::make_shared<Options>();
  Command out{"probe",
              "Run active tests by name: measure this machine, and check what it computes",
              "  gpuvet list probes\n"
              "  gpuvet probe memory.integrity --budget 10min --gpus 3 --out bundle\n"
              "  gpuvet probe memory.bandwidth compute --json -\n"
              "  gpuvet probe host --on host                     no GPU needed\n"
              "  gpuvet probe peer --on sim:dgx-a100 --fault link-slow:0-5\n"
              "  mpirun -n 2 gpuvet probe collectives --json -   one process per node or GPU",
              {{"NAME", "Which probes (gpuvet list probes)", &options->names, "", true, {}},
               {"--on",
                "What to test: gpu (default), host, or sim:NAME",
                &options->probing.on,
                "TARGET",
                false,
                {}},
               {"--thorough",
                "Larger sizes and more rounds, as vet --level 3",
                &options->thorough,
                "",
                false,
                {}},
               {"--out",
                "Folder for a bundle of what was found, written as it comes",
                &options->out,
                "DIR",
                false,
                {}},
               json_option(&options->json)},
              {}};
  for (auto& option : probing_options(options->probing)) out.options.push_back(std::move(option));
  for (auto& option : live_options(options->live)) out.options.push_back(std::move(option));
  for (auto& option : simulation_options(options->simulation))
    out.options.push_back(std::move(option));
  out.run = [options, &context] { return run(*options, context); };
  return out;
}

}  // namespace gpuvet::app
