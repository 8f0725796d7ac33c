// SPDX-License-Identifier: Apache-2.0
#include "gpuvet/live_machine.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>

#include "collect/collector.hpp"
#include "core/text.hpp"
#include "ingest/importer.hpp"
#include "platform/files.hpp"
#include "platform/http.hpp"
#include "platform/terminal.hpp"

namespace gpuvet::app {
namespace {

constexpr std::string_view here = "this machine";

/// The variables of a captured machine's job; this process's say nothing of it.
std::map<std::string, std::string, std::less<>> captured_environment(const platform::Root& root) {
  std::map<std::string, std::string, std::less<>> out;
  const auto text = root.read("/proc/self/environ");
  if (!text) return out;
  for (const auto variable : split(*text, '\0'))
    if (const auto equals = variable.find('='); equals != std::string_view::npos)
      out.emplace(variable.substr(0, equals), variable.substr(equals + 1));
  return out;
}

/// User and password of the management controller: from a file, "user=…" and "password=…" in lines
/// of their own, or from the environment. Never from the command line, which everybody can read.
Result<void> set_controller(const LiveOptions& options, collect::Machine& out) {
  out.bmc = options.bmc;
  out.bmc_ca = options.ca;
  out.bmc_insecure = options.insecure;
  if (out.bmc.empty()) {
    if (!options.bmc_credentials.empty() || !options.ca.empty() || options.insecure)
      return fail(Errc::usage, "--bmc-credentials, --ca and --insecure need --bmc HOST");
    return {};
  }
  // Before a word of it is read: a driver's library that crashes later must not spill it.
  platform::keep_memory_private();
  out.bmc_user = platform::environment("GPUVET_BMC_USER");
  out.bmc_password = platform::environment("GPUVET_BMC_PASSWORD");
  if (options.bmc_credentials.empty()) return {};
  constexpr std::size_t small = 4096;
  GPUVET_TRY(const auto text, platform::read_private_file(options.bmc_credentials, small));
  for (const auto line : split(text, '\n')) {
    constexpr std::string_view user = "user=", password = "password=";
    const auto kept = line.substr(0, line.find('\r'));
    if (kept.starts_with(user)) out.bmc_user = kept.substr(user.size());
    if (kept.starts_with(password)) out.bmc_password = kept.substr(password.size());
  }
  if (out.bmc_user.empty())
    return fail(Errc::usage, options.bmc_credentials +
                                 ": write user=NAME and password=WORD in lines of their own");
  return {};
}

Result<collect::Machine> machine_of(const LiveOptions& options) {
  collect::Machine out;
  out.root = platform::Root(options.root);
  out.is_root = ::geteuid() == 0;
  if (!options.nvml.empty()) out.nvml_library = options.nvml;
  // Inside `sim run` the loader finds the simulated library under the driver's own name.
  if (!options.root.empty() || !options.nvml.empty() ||
      !platform::environment("GPUVET_SIM").empty())
    out.custody = Custody::simulated;
  if (!options.call_limit.empty()) {
    const auto limit = parse_measure(options.call_limit);
    if (!limit || limit->unit != Unit::second || limit->value <= 0)
      return fail(Errc::usage,
                  "--call-limit " + printable(options.call_limit) + ": not a duration; write 8s");
    out.call_limit = limit->value;
  }
  for (const auto& tool : options.tools) {
    const auto equals = tool.find('=');
    if (equals == std::string::npos || equals + 1 >= tool.size() || tool[equals + 1] != '/')
      return fail(Errc::usage, "--tool " + printable(tool) + ": write NAME=/full/path");
    out.tools[tool.substr(0, equals)] = tool.substr(equals + 1);
  }
  out.environment = out.root.is_this_machine() ? platform::environment_variables()
                                               : captured_environment(out.root);
  GPUVET_CHECK(set_controller(options, out));
  return out;
}

/// Reads one kept source as if it were a file.
void read_kept(const collect::Source& source, Custody custody, LiveEvidence& out) {
  const std::string name = std::string(here) + ": " + source.name;
  const auto* importer = ingest::recognise(source.bytes.substr(0, std::size_t{64} << 10));
  if (!source.kind.empty() && (importer == nullptr || importer->kind != source.kind)) {
    const auto all = ingest::all();
    const auto found = std::find_if(all.begin(), all.end(), [&](const auto& candidate) {
      return candidate.kind == source.kind;
    });
    importer = found == all.end() ? nullptr : &*found;
  }
  derive::FileEvidence file{name, {}};
  std::string reason = importer == nullptr ? "no importer reads it" : "";
  if (importer != nullptr) {
    Provenance provenance;
    provenance.tool = std::string(importer->title);
    provenance.source = name;
    provenance.custody = custody;
    provenance.when = platform::utc_now();
    Recorder recorder(file.evidence, provenance);
    MemorySource bytes(source.bytes);
    if (const auto read = importer->read(bytes, recorder); !read) reason = read.error().message();
  }
  out.gathered.inputs.push_back({name, source.kind, reason.empty(), reason});
  out.gathered.sources.push_back({"", name, source.kind, reason, 0});
  out.kept.push_back({source.name, source.kind, source.bytes});
  if (reason.empty()) out.gathered.evidence.push_back(std::move(file));
}

}  // namespace

std::vector<Option> live_options(LiveOptions& options) {
  return {
      {"--root", "Folder to read in place of / (a captured tree)", &options.root, "DIR", false, {}},
      {"--nvml", "Library to ask in place of libnvidia-ml.so.1", &options.nvml, "FILE", false, {}},
      {"--call-limit",
       "How long a driver call may take (default 8s)",
       &options.call_limit,
       "TIME",
       false,
       {}},
      {"--tool",
       "Where a tool lies: ipmitool=/opt/bin/ipmitool",
       &options.tools,
       "NAME=PATH",
       false,
       {}},
      {"--bmc",
       "Ask this management controller too, over Redfish (host name or address)",
       &options.bmc,
       "HOST",
       false,
       {}},
      {"--bmc-credentials",
       "File with user=NAME and password=WORD of the controller; or GPUVET_BMC_USER and "
       "GPUVET_BMC_PASSWORD in the environment",
       &options.bmc_credentials,
       "FILE",
       false,
       {}},
      {"--ca", "Certificates to trust for --bmc", &options.ca, "FILE", false, {}},
      {"--insecure",
       "Do not verify the controller's certificate: anybody may answer in its place",
       &options.insecure,
       "",
       false,
       {}}};
}

Result<LiveEvidence> gather_live(const LiveOptions& options) {
  GPUVET_TRY(const auto machine, machine_of(options));
  if (machine.bmc_insecure)
    complain("--insecure: the certificate of " + machine.bmc +
             " is NOT verified; its password and its answers may go to and come from anybody");
  LiveEvidence out;
  for (const auto& collector : collect::all()) {
    collect::Collected collected;
    std::string reason;
    try {
      if (const auto done = collector.collect(machine, collected); !done)
        reason = done.error().message();
    } catch (const std::exception& broken) {
      reason = std::string("failed: ") + broken.what();
    }
    const std::string name = fmt::format("{}: {}", here, collector.name);
    // A controller is only asked when the user names it, so that its silence is no detail.
    if (collector.name == "redfish" && !reason.empty()) {
      if (collected.sources.empty())
        out.gathered.complaints.push_back("--bmc: " + reason);
      else
        complain("--bmc: " + reason);
    }
    if (!reason.empty() || !collected.evidence.observations.empty())
      out.gathered.inputs.push_back({name, std::string(collector.name), reason.empty(), reason});
    if (!collected.evidence.observations.empty())
      out.gathered.evidence.push_back({name, std::move(collected.evidence)});
    for (const auto& source : collected.sources) read_kept(source, machine.custody, out);
  }
  return out;
}

}  // namespace gpuvet::app
