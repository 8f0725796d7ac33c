// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <memory>

#include "core/text.hpp"
#include "gpuvet/costing.hpp"
#include "gpuvet/outlook_output.hpp"
#include "platform/terminal.hpp"

namespace gpuvet::app {
namespace {

struct Options {
  std::vector<std::string> offers, workloads, what_if;
  std::string rent, json;
};

constexpr double hour = 3600;

/// Where no price is known the answer is the price at which owning costs what renting does.
void break_even(const model::Costs& costs, const model::CostInputs& inputs,
                const model::Answer<model::Input<model::UsdPerSecond>>& rent, std::string& text,
                Json& entry) {
  if (!rent) {
    text += fmt::format("  {:<22}unknown: {}\n", "break-even", rent.error().reason);
    return;
  }
  const double hourly = rent->likely().base() * hour;
  if (const auto price = costs.break_even_price(inputs, *rent)) {
    text += fmt::format("  {:<22}{} a server, against {} USD a GPU-hour rented\n",
                        "break-even price", format(*price), format_usd(hourly));
    entry["break_even_price"] = {{"p10", price->p10.base()},
                                 {"p50", price->p50.base()},
                                 {"p90", price->p90.base()},
                                 {"rent_per_gpu_hour", hourly}};
  }
  if (!inputs.price) return;
  if (const auto time = costs.break_even_time(inputs, *rent)) {
    text +=
        fmt::format("  {:<22}{:.0f} useful hours ({:.0f} to {:.0f}) of a life\n", "break-even time",
                    time->p50.base() / hour, time->p10.base() / hour, time->p90.base() / hour);
    entry["break_even_hours"] = {{"p10", time->p10.base() / hour},
                                 {"p50", time->p50.base() / hour},
                                 {"p90", time->p90.base() / hour}};
  }
}

std::string table_of(const model::CostResult& cost, const std::optional<model::Work>& work,
                     std::size_t width) {
  std::string out;
  const auto line = [&](std::string_view label, const std::string& value) {
    out += fmt::format("  {:<22}{}\n", label, value);
  };
  line("over its life", format(cost.total));
  for (const auto& part : cost.parts)
    if (part.usd.mean.base() != 0) line("  " + part.label, format(part.usd));
  line("a useful hour", format_hourly(cost.per_useful_hour));
  line("a useful GPU-hour", format_hourly(cost.per_gpu_hour));
  if (cost.per_result && work)
    line(work->per == model::Work::Per::job ? "a job" : "a million tokens",
         format(*cost.per_result));
  out += "  what the spread comes from:\n";
  for (const auto& share : cost.shares)
    if (share.of_variance >= 0.01)
      out += fmt::format("    {:>4.0f} %  {} ({}{}{})\n", 100 * share.of_variance, share.input,
                         model::name(share.known), share.source.empty() ? "" : ": ",
                         printable(share.source.substr(0, 60)));
  for (const auto& note : cost.notes) out += item("  note: ", printable(note), width);
  return out;
}

Result<Exit> tco(const Options& options, const Context& context) {
  GPUVET_TRY(const auto catalogue, load_catalogue(context));
  GPUVET_TRY(auto workloads, workloads_named(options.workloads, catalogue));
  GPUVET_TRY(auto what, WhatIf::parse(options.what_if));
  for (auto& workload : workloads) GPUVET_CHECK(apply(what, workload));
  const model::Outlooks outlooks(catalogue);
  const model::Costs costs(catalogue);
  const std::size_t width = platform::terminal_width();
  Json document = {{"schema", "gpuvet.tco/1"}, {"catalogue", catalogue.digest}};
  document["offers"] = Json::array();
  std::string text;
  for (const auto& target : options.offers) {
    GPUVET_TRY(auto named, machine_named(target, catalogue));
    GPUVET_CHECK(apply(what, named, catalogue));
    GPUVET_TRY(auto inputs, cost_inputs_of(named, catalogue, outlooks, costs, model::Load::dense));
    GPUVET_CHECK(apply(what, inputs));
    GPUVET_CHECK(what.finish());
    const auto rent = rent_for(options.rent, named.machine.gpu.id, catalogue);
    Json entry = to_json(named.machine);
    text += fmt::format("{}{}\n", text.empty() ? "" : "\n", printable(named.machine.name));
    entry["costs"] = Json::array();
    std::vector<std::optional<model::Work>> works;
    std::vector<std::string> titles;
    for (const auto& workload : workloads) {
      const auto outlook = outlooks.of(workload, named.machine);
      works.push_back(work_of(outlook));
      titles.push_back(workload.id);
      if (!works.back())
        text += item("  ",
                     fmt::format("{}: {}. {}", workload.id, model::name(outlook.status),
                                 outlook.because.empty() ? "" : outlook.because.front()),
                     width);
    }
    if (works.empty()) {
      works.emplace_back();
      titles.emplace_back();
    }
    for (std::size_t i = 0; i < works.size(); ++i) {
      if (!titles[i].empty() && !works[i]) continue;
      const auto cost = costs.cost(inputs, works[i] ? &*works[i] : nullptr);
      if (!cost) {
        text += item("  ", cost.error().reason, width);
        break;
      }
      if (!titles[i].empty())
        text += item("  ", fmt::format("{}: {}", titles[i], works[i]->definition), width);
      text += table_of(*cost, works[i], width);
      Json one = to_json(*cost);
      one["workload"] = titles[i].empty() ? Json() : Json(titles[i]);
      entry["costs"].push_back(std::move(one));
    }
    break_even(costs, inputs, rent, text, entry);
    document["offers"].push_back(std::move(entry));
  }
  if (!options.json.empty()) GPUVET_CHECK(write_json(options.json, document));
  if (options.json != "-" && !context.quiet) GPUVET_CHECK(print(text));
  return Exit::fit;
}

}  // namespace

Command tco_command(const Context& context) {
  const auto options = std::make_shared<Options>();
  return {"tco",
          "What a server costs per useful hour and result, and what that is uncertain of",
          "  gpuvet tco offer.toml --for llama3-8b-lora\n"
          "  gpuvet tco dgx-a100-80 --what-if price=150000,electricity=0.18,utilisation=60%\n"
          "  gpuvet tco offer.toml --rent 1.99 --json -",
          {
              {"OFFER",
               "An offer.toml, a server of the catalogue, GPU:COUNT[:TOPOLOGY], or evidence",
               &options->offers,
               "",
               true,
               {}},
              {"--for",
               "Workloads whose cost per job or million tokens is asked",
               &options->workloads,
               "WORKLOAD,…",
               false,
               {}},
              {"--what-if",
               "Another value for one thing: price=90000, pue=1.2, life=4",
               &options->what_if,
               "KEY=VALUE,…",
               false,
               {}},
              {"--rent",
               "USD of a rented GPU-hour (default: data/prices.toml)",
               &options->rent,
               "USD",
               false,
               {}},
              json_option(&options->json),
          },
          [options, &context] { return tco(*options, context); }};
}

}  // namespace gpuvet::app
