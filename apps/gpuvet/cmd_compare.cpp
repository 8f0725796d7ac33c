// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <memory>

#include "core/text.hpp"
#include "gpuvet/article_order.hpp"
#include "gpuvet/costing.hpp"
#include "gpuvet/outlook_output.hpp"
#include "platform/terminal.hpp"

namespace gpuvet::app {
namespace {

struct Options {
  std::vector<std::string> offers, workloads, what_if;
  std::string rent, json;
};

/// One offer's answer to one workload.
struct Entry {
  const NamedMachine* named = nullptr;
  model::Outlook outlook;
};

bool possible(const model::Outlook& o) {
  return o.rate.has_value() && o.status != model::Outlook::Status::does_not_fit;
}

/// How long one result takes, for ordering by speed.
double seconds_of(const model::Outlook& o) {
  if (o.job_time) return o.job_time->value;
  return o.million_tokens;
}

std::string speed_table(std::vector<Entry> entries, std::size_t width) {
  std::stable_sort(entries.begin(), entries.end(), [](const Entry& a, const Entry& b) {
    if (possible(a.outlook) != possible(b.outlook)) return possible(a.outlook);
    return seconds_of(a.outlook) < seconds_of(b.outlook);
  });
  std::string out;
  int place = 0;
  for (const auto& [named, o] : entries) {
    if (!possible(o)) {
      out += item("  -  ",
                  fmt::format("{}: {}. {}", printable(named->machine.name), model::name(o.status),
                              o.because.empty() ? "" : printable(o.because.front())),
                  width);
      continue;
    }
    const std::string time =
        o.job_time ? format(*o.job_time, Unit::second) + " a job"
                   : fmt::format("{:.3g} requests/s ({:.3g} to {:.3g}) within the limits",
                                 o.rate->value, o.rate->low, o.rate->high);
    out += item(fmt::format("  {}  ", ++place),
                fmt::format("{}: {}{}", printable(named->machine.name), time,
                            o.status == model::Outlook::Status::uncertain ? ", if it fits" : ""),
                width);
  }
  return out;
}

/// What speaks for the faster of two: which part of the step is longer in the slower. "1.08 times
/// as long as", "100 % of the difference in compute"; nothing where neither is faster.
std::pair<std::string, std::string> longer_part(const Entry& fast, const Entry& slow) {
  const double a = seconds_of(fast.outlook), b = seconds_of(slow.outlook);
  std::string what;
  double most = 0;
  for (const auto& [part, share] : slow.outlook.shares) {
    double other = 0;
    for (const auto& [name, of] : fast.outlook.shares)
      if (name == part) other = of;
    const double longer = share * b - other * a;
    if (longer > most) {
      most = longer;
      what = part;
    }
  }
  if (what.empty() || b <= a) return {};
  return {
      fmt::format("{:.2f} times as long", b / a),
      fmt::format("{:.0f} % of the difference in {}", std::min(100.0, 100 * most / (b - a)), what)};
}

std::string why_faster(const Entry& fast, const Entry& slow) {
  const auto [times, part] = longer_part(fast, slow);
  if (times.empty()) return {};
  return fmt::format("{} takes {} as {}, {}", slow.named->machine.name, times,
                     fast.named->machine.name, part);
}

std::string ranking_text(const model::Ranking& r, std::size_t width) {
  std::string out = "  by cost:\n";
  int place = 0;
  for (const auto& p : r.order)
    out += item(
        fmt::format("  {}  ", ++place),
        fmt::format("{}: {}, cheapest in {:.0f} % of draws{}", printable(p.offer), format(p.metric),
                    100 * p.best, p.on_front ? "" : "; another is at least as good in every way"),
        width);
  for (const auto& pair : r.pairs)
    out += item("     ",
                fmt::format("{} before {}: {:.0f} % sure, {}", printable(pair.cheaper),
                            printable(pair.dearer), 100 * pair.probability,
                            pair.real ? "a real difference" : "not a real difference"),
                width);
  for (std::size_t i = 0; i < r.flips.size() && i < 3; ++i) {
    const auto& flip = r.flips[i];
    out += item("     ",
                fmt::format("the order of {} and {} would change at {}{} = {} ({:.0f} % likely)",
                            printable(flip.cheaper), printable(flip.dearer), printable(flip.input),
                            flip.offer.empty() ? "" : " of " + printable(flip.offer), format(flip),
                            100 * flip.chance),
                width);
  }
  for (std::size_t i = 0; i < r.ask.size() && i < 3; ++i) {
    const auto& ask = r.ask[i];
    out += item(
        "     ",
        fmt::format("ask next: {}{} (now {}): would narrow the cost by {:.0f} %",
                    printable(ask.input), ask.offer.empty() ? "" : " of " + printable(ask.offer),
                    model::name(ask.known), 100 * ask.narrows),
        width);
  }
  return out;
}

/// Ours by time, for the article's order by time.
std::vector<OurPlace> by_time(const std::vector<Entry>& entries) {
  std::vector<OurPlace> out;
  for (const auto& [named, o] : entries)
    if (possible(o) && o.job_time)
      out.push_back({named->machine.name, named->machine.server, o.job_time->value, o.job_time->low,
                     o.job_time->high, format_value(o.job_time->value, Unit::second)});
  return out;
}

std::vector<OurPlace> by_cost(const std::vector<Entry>& entries, const model::Ranking& ranking) {
  std::vector<OurPlace> out;
  for (const auto& place : ranking.order)
    for (const auto& e : entries)
      if (e.named->machine.name == place.offer)
        out.push_back({place.offer, e.named->machine.server, place.metric.p50.base(),
                       place.metric.p10.base(), place.metric.p90.base(),
                       "USD " + format_usd(place.metric.p50.base())});
  return out;
}

class Comparison {
 public:
  Comparison(const catalogue::Catalogue& catalogue, const model::Outlooks& outlooks,
             const Options& options)
      : catalogue_{catalogue}, outlooks_{outlooks}, costs_{catalogue}, options_{options} {}

  Result<void> of(const catalogue::Workload& workload, const std::vector<NamedMachine>& machines,
                  WhatIf& what, std::string& text, Json& document) {
    const std::size_t width = platform::terminal_width();
    std::vector<Entry> entries;
    for (const auto& named : machines)
      entries.push_back({&named, outlooks_.of(workload, named.machine)});
    text += fmt::format("{}{}\n", text.empty() ? "" : "\n", workload.id);
    const auto& job = entries.front().outlook.job;
    text += item("  ", printable(job), width) + "  by speed:\n" + speed_table(entries, width);
    Json one = {{"workload", workload.id}, {"job", job}};
    one["outlooks"] = Json::array();
    for (const auto& e : entries) one["outlooks"].push_back(to_json(e.outlook));
    one["reasons"] = reasons(entries, text, width);
    one["article"] = Json::array();
    article(workload, "time", entries, by_time(entries), text, one, width);
    one["ranking"] = nullptr;
    std::vector<model::Candidate> candidates;
    std::vector<std::string> without_price;
    for (const auto& e : entries) {
      if (!possible(e.outlook)) continue;
      GPUVET_TRY(auto inputs,
                 cost_inputs_of(*e.named, catalogue_, outlooks_, costs_, model::Load::dense));
      GPUVET_CHECK(apply(what, inputs));
      inputs.offer = e.named->machine.name;
      if (!inputs.price) {
        without_price.push_back(e.named->machine.name);
        one["break_even"].push_back(break_even(e, inputs, text, width));
        continue;
      }
      const double risk = e.outlook.status == model::Outlook::Status::uncertain ? 0.5 : 0;
      candidates.push_back({std::move(inputs), work_of(e.outlook), risk});
    }
    if (candidates.size() > 1) {
      const auto ranking = model::rank(candidates, costs_);
      if (!ranking) return fail(Errc::not_supported, ranking.error().reason);
      text += ranking_text(*ranking, width);
      one["ranking"] = to_json(*ranking);
      article(workload, "cost", entries, by_cost(entries, *ranking), text, one, width);
    } else if (!without_price.empty()) {
      text +=
          item("  ",
               "by cost: not ranked, since prices are missing; the figures above are the prices "
               "at which each costs what renting its GPUs does",
               width);
    }
    document["workloads"].push_back(std::move(one));
    return {};
  }

 private:
  static Json reasons(std::vector<Entry> entries, std::string& text, std::size_t width) {
    std::erase_if(entries, [](const Entry& e) { return !possible(e.outlook); });
    std::stable_sort(entries.begin(), entries.end(), [](const Entry& a, const Entry& b) {
      return seconds_of(a.outlook) < seconds_of(b.outlook);
    });
    Json out = Json::array();
    for (std::size_t i = 1; i < entries.size(); ++i) {
      const auto why = why_faster(entries[i - 1], entries[i]);
      if (why.empty()) continue;
      out.push_back(why);
      text += item("     ", printable(why), width);
    }
    return out;
  }

  /// The article's orders are of its own servers: without two of them there is nothing to say.
  void article(const catalogue::Workload& workload, std::string_view by,
               const std::vector<Entry>& entries, const std::vector<OurPlace>& ours,
               std::string& text, Json& one, std::size_t width) const {
    const auto entry = [&](const std::string& name) -> const Entry& {
      return *std::find_if(entries.begin(), entries.end(),
                           [&](const Entry& e) { return e.named->machine.name == name; });
    };
    const Reason reason = [&](const std::string& fast, const std::string& slow) {
      const auto [times, part] = longer_part(entry(fast), entry(slow));
      return times.empty() ? times : times + ", " + part;
    };
    for (const auto& order : catalogue_.article_orders) {
      if (order.workload != workload.id || order.by != by) continue;
      const auto compared = against_article(order, ours, reason);
      if (compared.pairs == 0) continue;
      text += text_of(compared, catalogue_, width);
      one["article"].push_back(to_json(compared, catalogue_));
    }
  }

  Json break_even(const Entry& e, const model::CostInputs& inputs, std::string& text,
                  std::size_t width) const {
    const auto rent = rent_for(options_.rent, e.named->machine.gpu.id, catalogue_);
    if (!rent) return {{"offer", e.named->machine.name}, {"reason", rent.error().reason}};
    const auto price = costs_.break_even_price(inputs, *rent);
    if (!price) return {{"offer", e.named->machine.name}, {"reason", price.error().reason}};
    text += item("     ",
                 fmt::format("{}: no price offered; worth {}", printable(e.named->machine.name),
                             format(*price)),
                 width);
    return {{"offer", e.named->machine.name},
            {"p10", price->p10.base()},
            {"p50", price->p50.base()},
            {"p90", price->p90.base()}};
  }

  const catalogue::Catalogue& catalogue_;
  const model::Outlooks& outlooks_;
  model::Costs costs_;
  const Options& options_;
};

Result<Exit> compare(const Options& options, const Context& context) {
  if (options.offers.size() < 2)
    return fail(Errc::usage, "compare takes two offers or more; gpuvet tco says what one costs");
  GPUVET_TRY(const auto catalogue, load_catalogue(context));
  GPUVET_TRY(auto workloads, workloads_named(options.workloads, catalogue));
  GPUVET_TRY(auto what, WhatIf::parse(options.what_if));
  for (auto& workload : workloads) GPUVET_CHECK(apply(what, workload));
  std::vector<NamedMachine> machines;
  for (const auto& target : options.offers) {
    GPUVET_TRY(auto named, machine_named(target, catalogue));
    GPUVET_CHECK(apply(what, named, catalogue));
    machines.push_back(std::move(named));
  }
  model::CostInputs unused;
  GPUVET_CHECK(apply(what, unused));
  GPUVET_CHECK(what.finish());
  const model::Outlooks outlooks(catalogue);
  Json document = {{"schema", "gpuvet.comparison/1"}, {"catalogue", catalogue.digest}};
  document["machines"] = Json::array();
  for (const auto& named : machines) document["machines"].push_back(to_json(named.machine));
  document["workloads"] = Json::array();
  std::string text;
  Comparison comparison(catalogue, outlooks, options);
  for (const auto& workload : workloads)
    GPUVET_CHECK(comparison.of(workload, machines, what, text, document));
  if (!options.json.empty()) GPUVET_CHECK(write_json(options.json, document));
  if (options.json != "-" && !context.quiet) GPUVET_CHECK(print(text));
  return Exit::fit;
}

}  // namespace

Command compare_command(const Context& context) {
  const auto options = std::make_shared<Options>();
  return {
      "compare",
      "Which of these servers is the best buy for a workload, and why",
      "  gpuvet compare examples/offers/*.toml --for llama3-8b-lora,sdxl,serve-13b\n"
      "  gpuvet compare dgx-a100-80 a100-pcie-80gb:8:pcie --for llama3-8b-full --json -",
      {
          {"OFFER",
           "Offers, servers of the catalogue, GPU:COUNT[:TOPOLOGY], or evidence",
           &options->offers,
           "",
           true,
           {}},
          {"--for", "Workloads to compare them for", &options->workloads, "WORKLOAD,…", true, {}},
          {"--what-if",
           "Another value for one thing, of all offers: electricity=0.2",
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
      [options, &context] { return compare(*options, context); }};
}

}  // namespace gpuvet::app
