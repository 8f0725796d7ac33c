// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <memory>

#include "gpuvet/bundles.hpp"
#include "gpuvet/commands.hpp"
#include "gpuvet/evidence_files.hpp"
#include "gpuvet/live_machine.hpp"
#include "platform/files.hpp"
#include "platform/terminal.hpp"

namespace gpuvet::app {
namespace {

struct Options {
  std::vector<std::string> from;  ///< none: this machine
  LiveOptions live;
  std::string out;
};

Result<Exit> collect(const Options& options, const Context& context) {
  if (std::find(options.from.begin(), options.from.end(), "-") != options.from.end())
    return fail(Errc::usage,
                "collect keeps files as they are: write standard input to a file first");
  GPUVET_CHECK(refuse_existing(options.out));
  LiveEvidence live;
  if (options.from.empty()) {
    GPUVET_TRY(live, gather_live(options.live));
  } else {
    GPUVET_TRY(live.gathered,
               gather(options.from, !context.quiet && platform::error_is_terminal()));
  }
  auto& gathered = live.gathered;
  for (const auto& complaint : gathered.complaints) complain(complaint);
  if (gathered.evidence.empty())
    return fail(Errc::malformed, "no evidence: none of the files could be understood");

  Bundle bundle = new_bundle();
  GPUVET_CHECK(platform::make_folder(options.out + "/sources"));
  GPUVET_CHECK(platform::make_folder(options.out + "/tables"));
  for (std::size_t i = 0; i < gathered.sources.size(); ++i) {
    auto source = gathered.sources[i];
    // Refused files of a known kind are kept too: a later importer may read them.
    source.file = stored_name(bundle.sources.size() + 1, source.name);
    if (i < live.kept.size()) {
      source.bytes = live.kept[i].bytes.size();
      GPUVET_CHECK(platform::write_file(options.out + "/" + source.file, live.kept[i].bytes));
    } else if (!source.kind.empty() && !gathered.paths[i].empty()) {
      GPUVET_TRY(source.bytes,
                 platform::copy_file(gathered.paths[i], options.out + "/" + source.file));
    } else {
      source.file.clear();
    }
    bundle.sources.push_back(std::move(source));
  }
  for (auto& file : gathered.evidence) bundle.evidence.append(std::move(file.evidence));
  const auto understood = std::ranges::count_if(
      bundle.sources, [](const BundleSource& source) { return source.reason.empty(); });
  GPUVET_CHECK(write_files(bundle, options.out));
  if (!context.quiet)
    GPUVET_CHECK(
        print(fmt::format("{}: {} observations and {} tables from {} of {} files\n", options.out,
                          bundle.evidence.observations.size(), bundle.evidence.tables.size(),
                          understood, bundle.sources.size())));
  return gathered.complaints.empty() ? Exit::fit : Exit::usage;
}

}  // namespace

Command collect_command(const Context& context) {
  const auto options = std::make_shared<Options>();
  Command out{
      "collect",
      "Gather evidence into a bundle, to judge elsewhere",
      "  gpuvet collect --out bundle                   this machine, as root or not\n"
      "  gpuvet collect --from topo.txt smi.xml dmesg.txt --out bundle && gpuvet vet bundle",
      {
          {"--from",
           "Files and folders to gather; none: this machine",
           &options->from,
           "FILES",
           false,
           {}},
          {"--out", "Folder to write the bundle to", &options->out, "DIR", true, {}},
      },
      [options, &context] { return collect(*options, context); }};
  for (auto& option : live_options(options->live)) out.options.push_back(std::move(option));
  return out;
}

}  // namespace gpuvet::app
