// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <memory>

#include "core/text.hpp"
#include "gpuvet/machines.hpp"
#include "gpuvet/outlook_output.hpp"
#include "platform/terminal.hpp"

namespace gpuvet::app {
namespace {

struct Options {
  std::vector<std::string> targets, workloads, what_if;
  std::string json;
};

Exit exit_of(const std::vector<model::Outlook>& all) {
  Exit worst = Exit::fit;
  for (const auto& o : all) {
    if (o.status == model::Outlook::Status::does_not_fit) return Exit::unfit;
    if (o.status != model::Outlook::Status::fits) worst = Exit::inconclusive;
  }
  return worst;
}

Result<Exit> predict(const Options& options, const Context& context) {
  GPUVET_TRY(const auto catalogue, load_catalogue(context));
  GPUVET_TRY(auto workloads, workloads_named(options.workloads, catalogue));
  GPUVET_TRY(auto what, WhatIf::parse(options.what_if));
  if (workloads.empty())
    for (const auto& w : catalogue.workloads) workloads.push_back(w);
  for (auto& workload : workloads) GPUVET_CHECK(apply(what, workload));
  const model::Outlooks outlooks(catalogue);
  Json document = {{"schema", "gpuvet.prediction/1"}, {"catalogue", catalogue.digest}};
  document["machines"] = Json::array();
  std::string text;
  std::vector<model::Outlook> all;
  const std::size_t width = platform::terminal_width();
  for (const auto& target : options.targets) {
    GPUVET_TRY(auto named, machine_named(target, catalogue));
    GPUVET_CHECK(apply(what, named, catalogue));
    GPUVET_CHECK(what.finish());
    const auto& machine = named.machine;
    text += fmt::format("{}{}: {} x {}, {}\n", text.empty() ? "" : "\n", printable(machine.name),
                        machine.gpus(), machine.gpu.id, model::topology_class(machine.fabric));
    for (const auto& note : machine.notes) text += item("  ", printable(note), width);
    Json entry = to_json(machine);
    entry["outlooks"] = Json::array();
    for (const auto& workload : workloads) {
      auto outlook = outlooks.of(workload, machine);
      text += "\n" + paragraph(outlook, width);
      entry["outlooks"].push_back(to_json(outlook));
      all.push_back(std::move(outlook));
    }
    document["machines"].push_back(std::move(entry));
  }
  if (!options.json.empty()) GPUVET_CHECK(write_json(options.json, document));
  if (options.json != "-" && !context.quiet) GPUVET_CHECK(print(text));
  return exit_of(all);
}

}  // namespace

Command predict_command(const Context& context) {
  const auto options = std::make_shared<Options>();
  return {"predict",
          "How fast a workload will run, whether it fits, and how sure that is",
          "  gpuvet predict dgx-a100-80 --for llama3-8b-lora,sdxl\n"
          "  gpuvet predict a100-pcie-80gb:8:pcie --for serve-13b --what-if rate=20\n"
          "  gpuvet predict offer.toml evidence/ --for my-workload.toml --json -",
          {
              {"SERVER",
               "A server of the catalogue, GPU:COUNT[:TOPOLOGY], an offer.toml, or evidence",
               &options->targets,
               "",
               true,
               {}},
              {"--for",
               "Workloads, or files of your own (default: all of the catalogue)",
               &options->workloads,
               "WORKLOAD,…",
               false,
               {}},
              {"--what-if",
               "Another value for one thing: rate=20, gpus=4, sequence=8192",
               &options->what_if,
               "KEY=VALUE,…",
               false,
               {}},
              json_option(&options->json),
          },
          [options, &context] { return predict(*options, context); }};
}

}  // namespace gpuvet::app
