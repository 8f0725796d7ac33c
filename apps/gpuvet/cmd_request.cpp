// SPDX-License-Identifier: Apache-2.0
// What to demand from a vendor: a one-page list, a form for what only documents say, and a script
// that gathers the rest with tools they already have.
#include <fmt/format.h>

#include <algorithm>
#include <memory>

#include "core/text.hpp"
#include "gpuvet/commands.hpp"
#include "gpuvet/request_texts.hpp"
#include "ingest/declared.hpp"
#include "platform/files.hpp"

namespace gpuvet::app {
namespace {

struct Options {
  std::string out;
  std::vector<std::string> workloads;
};

/// What the criteria required at purchase ask for, one line for each kind of evidence.
std::string evidence_list(const catalogue::Catalogue& catalogue) {
  std::vector<std::pair<std::string, std::vector<std::string>>> asked;
  for (const auto& c : catalogue.criteria) {
    const bool required = std::find(c.required_at.begin(), c.required_at.end(),
                                    catalogue::Stage::purchase) != c.required_at.end();
    if (!required) continue;
    auto found = std::find_if(asked.begin(), asked.end(),
                              [&](const auto& a) { return a.first == c.evidence; });
    if (found == asked.end()) found = asked.insert(asked.end(), {c.evidence, {}});
    found->second.push_back(c.title);
  }
  std::string out;
  for (const auto& [evidence, titles] : asked)
    out += fmt::format("- {}\n", wrap(evidence + " (shows: " + join(titles, "; ") + ")", 98, 2));
  return out;
}

std::string workload_list(const catalogue::Catalogue& catalogue,
                          const std::vector<std::string>& ids) {
  std::string out;
  for (const auto& w : catalogue.workloads)
    if (std::find(ids.begin(), ids.end(), w.id) != ids.end()) {
      out += fmt::format("- {} ({})\n", w.title, w.id);
      for (const auto& need : w.needs)
        out += fmt::format(
            "  - {}\n",
            wrap(fmt::format("{} {}: {}", need.reads, need.pass.written, need.why), 98, 4));
    }
  return out.empty() ? out : "\n## It is meant for\n\n" + out;
}

Result<Exit> run_request(const Options& options, const Context& context) {
  GPUVET_TRY(const auto catalogue, load_catalogue(context));
  for (const auto& id : options.workloads)
    if (std::none_of(catalogue.workloads.begin(), catalogue.workloads.end(),
                     [&](const auto& w) { return w.id == id; }))
      return fail(Errc::usage,
                  fmt::format("--for {}: no such workload (gpuvet list workloads)", printable(id)));
  const std::string page = fmt::format("{}{}{}{}", request_head, evidence_list(catalogue),
                                       workload_list(catalogue, options.workloads), request_tail);
  if (options.out.empty()) {
    GPUVET_CHECK(print(page));
    return Exit::fit;
  }
  GPUVET_CHECK(platform::make_folder(options.out));
  GPUVET_CHECK(platform::write_file(options.out + "/REQUEST.md", page));
  GPUVET_CHECK(platform::write_file(options.out + "/declared.toml", ingest::declared_form()));
  GPUVET_CHECK(platform::write_file(options.out + "/gather.sh", std::string(gather_script)));
  if (!context.quiet)
    GPUVET_CHECK(
        print(fmt::format("Wrote REQUEST.md, declared.toml and gather.sh to {}\n", options.out)));
  return Exit::fit;
}

}  // namespace

Command request_command(const Context& context) {
  const auto options = std::make_shared<Options>();
  return {"request",
          "What to demand from a vendor",
          "  gpuvet request                                the list, to read\n"
          "  gpuvet request --for serve-13b --out request  list, form and script, to send",
          {
              {"--for",
               "Workloads that the server is meant for",
               &options->workloads,
               "WORKLOAD,…",
               false,
               {}},
              {"--out",
               "Write the list, the form and the script to this folder",
               &options->out,
               "DIR",
               false,
               {}},
          },
          [options, &context] { return run_request(*options, context); }};
}

}  // namespace gpuvet::app
