// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <memory>

#include "core/text.hpp"
#include "evidence/json.hpp"
#include "gpuvet/commands.hpp"
#include "gpuvet/explain.hpp"
#include "platform/files.hpp"
#include "platform/terminal.hpp"

namespace gpuvet::app {
namespace {

struct Options {
  std::string id, json;
};

std::string as_text(const Explanation& e, std::size_t width) {
  std::string out = wrap(e.title, width) + "\n" + (e.title == e.id ? "" : e.id + "\n");
  for (const auto& [heading, lines] : e.sections) {
    if (lines.empty()) continue;
    out += "\n" + heading + "\n";
    for (const auto& line : lines) out += "  " + wrap(line, width, 2) + "\n";
  }
  return out;
}

std::string as_json(const Explanation& e) {
  Json out = {{"schema", "gpuvet.explanation/1"}, {"id", e.id}, {"title", e.title}};
  Json sections = Json::object();
  for (const auto& [heading, lines] : e.sections)
    if (!lines.empty()) sections[heading] = lines;
  out["sections"] = sections;
  return dump(out);
}

Result<Exit> run_explain(const Options& options, const Context& context) {
  GPUVET_TRY(const auto catalogue, load_catalogue(context));
  const auto found = explain(options.id, catalogue);
  if (!found) {
    const auto close = similar(options.id, catalogue);
    return fail(Errc::usage,
                fmt::format("nothing is called '{}'{}", printable(options.id),
                            close.empty() ? " (see gpuvet list)"
                                          : "; did you mean " + join(close, ", ") + "?"));
  }
  if (!options.json.empty()) GPUVET_CHECK(platform::write_file(options.json, as_json(*found)));
  if (options.json != "-") GPUVET_CHECK(print(as_text(*found, platform::terminal_width())));
  return Exit::fit;
}

}  // namespace

Command explain_command(const Context& context) {
  const auto options = std::make_shared<Options>();
  return {"explain",
          "What a criterion, observation, Xid, GPU, workload or claim means",
          "  gpuvet explain thermal.core       a criterion: limit, source, what the article says\n"
          "  gpuvet explain 79                 an Xid (sxid:12028 for an NVSwitch code)\n"
          "  gpuvet explain C015               a claim of the article, and the evidence",
          {
              {"ID", "Its name or code", &options->id, "", true, {}},
              {"--json",
               "Write JSON to FILE, or to standard output with -",
               &options->json,
               "FILE",
               false,
               {}},
          },
          [options, &context] { return run_explain(*options, context); }};
}

}  // namespace gpuvet::app
