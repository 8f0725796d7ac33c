// SPDX-License-Identifier: Apache-2.0
// How many GPUs of which kind: every data-centre GPU of the catalogue in its usual servers, the
// smallest that does the work in time.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <memory>

#include "core/text.hpp"
#include "gpuvet/machines.hpp"
#include "gpuvet/outlook_output.hpp"
#include "model/host_sizing.hpp"
#include "platform/terminal.hpp"

namespace gpuvet::app {
namespace {

struct Options {
  std::vector<std::string> workloads, gpus, what_if;
  std::string within, json;
};

/// Asked about when nobody names GPUs: what is offered today, cheapest memory first.
constexpr std::array<std::string_view, 9> usual = {
    "l4-24gb",        "a30-24gb",       "a100-pcie-40gb", "a100-sxm4-40gb", "l40s-48gb",
    "a100-pcie-80gb", "a100-sxm4-80gb", "h100-sxm5-80gb", "h200-sxm-141gb"};

struct Found {
  model::Machine machine;
  model::Outlook outlook;
};

/// The smallest of 1 to 8 GPUs, then of 2 to 16 servers of eight, that does it; nothing where none
/// does, and why.
struct Search {
  const model::Outlooks& outlooks;
  const catalogue::Workload& workload;
  double within;  ///< seconds of a job; 0: any

  [[nodiscard]] bool does(const model::Outlook& o) const {
    if (o.status != model::Outlook::Status::fits) return false;
    return within <= 0 || !o.job_time || o.job_time->high <= within;
  }
  [[nodiscard]] std::optional<Found> smallest(const catalogue::Gpu& gpu, std::string& why) const {
    for (const int count : {1, 2, 4, 8}) {
      const auto machine = model::machine_of(gpu, count, "");
      if (!machine) {
        why = machine.error().reason;
        continue;
      }
      if (auto found = tried(*machine, why)) return found;
    }
    const auto eight = model::machine_of(gpu, 8, "");
    for (const int servers : {2, 4, 8, 16}) {
      if (!eight) break;
      const auto machine = model::several(*eight, servers);
      if (!machine) {
        why = machine.error().reason;
        break;
      }
      if (auto found = tried(*machine, why)) return found;
    }
    return {};
  }
  [[nodiscard]] std::optional<Found> tried(const model::Machine& machine, std::string& why) const {
    auto outlook = outlooks.of(workload, machine);
    if (does(outlook)) return Found{machine, std::move(outlook)};
    if (!outlook.because.empty()) why = outlook.because.front();
    if (outlook.status == model::Outlook::Status::fits && outlook.job_time)
      why = fmt::format("a job takes {} on {} GPUs", format(*outlook.job_time, Unit::second),
                        machine.gpus());
    return {};
  }
};

std::string host_text(const std::vector<model::HostNeed>& needs) {
  std::string out;
  for (const auto& need : needs) {
    const bool memory = need.what == "memory";
    const auto amount = [&](double v) {
      return memory ? format_value(v, Unit::byte) : format_number(v);
    };
    out += fmt::format("{}{} {} (at least {}; the article asks {})", out.empty() ? "" : ", ",
                       amount(need.enough), need.what, amount(need.least), amount(need.article));
  }
  return out;
}

Result<Exit> size(const Options& options, const Context& context) {
  GPUVET_TRY(const auto catalogue, load_catalogue(context));
  GPUVET_TRY(auto workloads, workloads_named(options.workloads, catalogue));
  GPUVET_TRY(auto what, WhatIf::parse(options.what_if));
  for (auto& workload : workloads) GPUVET_CHECK(apply(what, workload));
  GPUVET_CHECK(what.finish());
  double within = 0;
  if (!options.within.empty()) {
    const auto limit = parse_measure(options.within);
    if (!limit || limit->unit != Unit::second || limit->value <= 0)
      return fail(Errc::usage,
                  "--within " + printable(options.within) + ": not a duration; write 24h");
    within = limit->value;
  }
  std::vector<std::string> kinds = options.gpus;
  if (kinds.empty()) kinds.assign(usual.begin(), usual.end());
  const model::Outlooks outlooks(catalogue);
  const model::HostSizing hosts{model::Constants(catalogue)};
  const std::size_t width = platform::terminal_width();
  Json document = {{"schema", "gpuvet.sizing/1"}, {"catalogue", catalogue.digest}};
  document["workloads"] = Json::array();
  std::string text;
  bool all_done = true;
  for (const auto& workload : workloads) {
    text += fmt::format("{}{}\n", text.empty() ? "" : "\n", workload.id);
    const auto& job = workload.training ? workload.training->job : workload.serving->load;
    text += item("  ", printable(job), width);
    Json one = {{"workload", workload.id}, {"job", job}};
    one["answers"] = Json::array();
    bool done = false;
    for (const auto& kind : kinds) {
      const auto* gpu = catalogue.gpu(kind);
      if (gpu == nullptr)
        return fail(Errc::usage, "--gpu " + printable(kind) + ": not in gpuvet list gpus");
      std::string why;
      const Search search{outlooks, workload, within};
      const auto found = search.smallest(*gpu, why);
      Json answer = {{"gpu", kind}};
      if (!found) {
        text += fmt::format("  {:<16} {}\n", kind, beside("none: " + printable(why), width, 19));
        answer["gpus"] = nullptr;
        answer["reason"] = why;
        one["answers"].push_back(std::move(answer));
        continue;
      }
      done = true;
      const auto& [machine, o] = *found;
      const int gpus = std::max(machine.gpus(), o.gpus_with_spare);
      std::string line = fmt::format("{} GPU{} ({})", gpus, gpus == 1 ? "" : "s",
                                     model::topology_class(machine.fabric));
      if (o.job_time) line += ", " + format(*o.job_time, Unit::second) + " a job";
      if (!o.plan.empty()) line += "; " + o.plan;
      text += fmt::format("  {:<16} {}\n", kind, beside(line, width, 19));
      const auto needs =
          hosts.needs(machine.gpu, machine.fabric.gpus, machine.fabric.servers, machine.host);
      text += fmt::format("  {:<16} {}\n", "",
                          beside("beside them, for one server: " + host_text(needs), width, 19));
      answer["gpus"] = gpus;
      answer["servers"] = machine.fabric.servers;
      answer["topology"] = model::topology_class(machine.fabric);
      answer["outlook"] = to_json(o);
      Json host = Json::array();
      for (const auto& need : needs)
        host.push_back({{"what", need.what},
                        {"least", need.least},
                        {"enough", need.enough},
                        {"article", need.article}});
      answer["host"] = std::move(host);
      one["answers"].push_back(std::move(answer));
    }
    all_done = all_done && done;
    document["workloads"].push_back(std::move(one));
  }
  if (!options.json.empty()) GPUVET_CHECK(write_json(options.json, document));
  if (options.json != "-" && !context.quiet) GPUVET_CHECK(print(text));
  return all_done ? Exit::fit : Exit::unfit;
}

}  // namespace

Command size_command(const Context& context) {
  const auto options = std::make_shared<Options>();
  return {"size",
          "How many GPUs of which kind a workload needs, and the host beside them",
          "  gpuvet size --for llama3-8b-full --within 24h\n"
          "  gpuvet size --for serve-7b --gpu a100-sxm4-80gb --what-if rate=50,first_token=100ms",
          {
              {"--for",
               "Workloads to size for, or files of your own",
               &options->workloads,
               "WORKLOAD,…",
               true,
               {}},
              {"--gpu",
               "Kinds of GPU to consider (default: what is offered today)",
               &options->gpus,
               "GPU,…",
               false,
               {}},
              {"--within",
               "How long one job may take, at the upper end of its interval",
               &options->within,
               "TIME",
               false,
               {}},
              {"--what-if",
               "Another value for one thing: rate=20, sequence=8192",
               &options->what_if,
               "KEY=VALUE,…",
               false,
               {}},
              json_option(&options->json),
          },
          [options, &context] { return size(*options, context); }};
}

}  // namespace gpuvet::app
