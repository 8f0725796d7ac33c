// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <memory>

#include "core/text.hpp"
#include "evidence/json.hpp"
#include "gpuvet/commands.hpp"
#include "ingest/importer.hpp"
#include "platform/files.hpp"
#include "probe/probe.hpp"
#include "report/format.hpp"

namespace gpuvet::app {
namespace {

using Rows = std::vector<std::array<std::string, 2>>;

struct Options {
  std::string kind, json;
};

struct Kind {
  std::string_view name;
  Rows (*rows)(const catalogue::Catalogue&);
};

/// Sorted by name.
const std::array kinds = {
    Kind{"claims",
         [](const catalogue::Catalogue& c) {
           Rows r;
           for (const auto& e : c.claims)
             r.push_back({e.id, fmt::format("[{}] {}", e.verdict, e.quote)});
           return r;
         }},
    Kind{"criteria",
         [](const catalogue::Catalogue& c) {
           Rows r;
           for (const auto& e : c.criteria) r.push_back({e.id, e.title});
           return r;
         }},
    Kind{"formats",
         [](const catalogue::Catalogue&) {
           Rows r;
           for (const auto& e : report::all())
             r.push_back({std::string(e.name), std::string(e.title)});
           return r;
         }},
    Kind{"gpus",
         [](const catalogue::Catalogue& c) {
           Rows r;
           for (const auto& e : c.gpus) r.push_back({e.id, e.title});
           return r;
         }},
    Kind{"groups",
         [](const catalogue::Catalogue& c) {
           Rows r;
           for (const auto& e : c.groups) r.push_back({e.id, e.title});
           return r;
         }},
    Kind{"importers",
         [](const catalogue::Catalogue&) {
           Rows r;
           for (const auto& e : ingest::all())
             r.push_back({std::string(e.kind), std::string(e.obtain)});
           return r;
         }},
    Kind{"observations",
         [](const catalogue::Catalogue&) {
           Rows r;
           for (const auto& e : all_ids())
             r.push_back({std::string(e.name), std::string(e.sentence)});
           return r;
         }},
    Kind{"probes",
         [](const catalogue::Catalogue&) {
           Rows r;
           for (const auto& e : probe::all())
             r.push_back({std::string(e.name), std::string(e.title)});
           return r;
         }},
    Kind{"servers",
         [](const catalogue::Catalogue& c) {
           Rows r;
           for (const auto& e : c.servers) r.push_back({e.id, e.vendor + " " + e.model});
           return r;
         }},
    Kind{"sxids",
         [](const catalogue::Catalogue& c) {
           Rows r;
           for (const auto& [code, e] : c.sxids)
             r.push_back({fmt::format("sxid:{}", code), e.meaning});
           return r;
         }},
    Kind{"workloads",
         [](const catalogue::Catalogue& c) {
           Rows r;
           for (const auto& e : c.workloads) r.push_back({e.id, e.title});
           return r;
         }},
    Kind{"xids",
         [](const catalogue::Catalogue& c) {
           Rows r;
           for (const auto& [code, e] : c.xids)
             r.push_back({fmt::format("xid:{}", code), e.meaning});
           return r;
         }},
};

Result<Exit> run_list(const Options& options, const Context& context) {
  GPUVET_TRY(const auto catalogue, load_catalogue(context));
  const auto kind = std::find_if(kinds.begin(), kinds.end(),
                                 [&](const Kind& k) { return k.name == options.kind; });
  const Rows rows = kind->rows(catalogue);
  if (!options.json.empty()) {
    Json entries = Json::array();
    for (const auto& [id, title] : rows) entries.push_back({{"id", id}, {"title", title}});
    GPUVET_CHECK(platform::write_file(
        options.json,
        dump({{"schema", "gpuvet.list/1"}, {"kind", options.kind}, {"entries", entries}})));
    if (options.json == "-") return Exit::fit;
  }
  std::size_t widest = 0;
  for (const auto& row : rows) widest = std::max(widest, row[0].size());
  std::string out;
  for (const auto& [id, title] : rows) out += fmt::format("{:<{}}  {}\n", id, widest, title);
  GPUVET_CHECK(print(out));
  return Exit::fit;
}

}  // namespace

Command list_command(const Context& context) {
  const auto options = std::make_shared<Options>();
  std::vector<std::string> names;
  for (const auto& kind : kinds) names.emplace_back(kind.name);
  return {"list",
          "What gpuvet knows: criteria, observations, importers, GPUs, …",
          "  gpuvet list criteria\n"
          "  gpuvet list workloads --json -",
          {
              {"KIND", "What to list", &options->kind, "", true, names},
              {"--json",
               "Write JSON to FILE, or to standard output with -",
               &options->json,
               "FILE",
               false,
               {}},
          },
          [options, &context] { return run_list(*options, context); }};
}

}  // namespace gpuvet::app
