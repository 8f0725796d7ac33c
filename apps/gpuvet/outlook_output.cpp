// SPDX-License-Identifier: Apache-2.0
#include "gpuvet/outlook_output.hpp"

#include <fmt/format.h>

#include <cmath>

#include "core/text.hpp"
#include "platform/files.hpp"

namespace gpuvet::app {
namespace {

constexpr double hour = 3600;

Json to_json(const std::optional<model::Prediction>& p, Unit unit) {
  if (!p) return nullptr;
  Json notes = Json::array();
  for (const auto& note : p->notes) notes.push_back(note);
  return {{"value", p->value},
          {"low", p->low},
          {"high", p->high},
          {"unit", symbol(unit)},
          {"transfer", model::name(p->transfer)},
          {"notes", std::move(notes)}};
}

template <class Q>
Json range(const model::Range<Q>& r, double scale = 1) {
  return {{"p10", r.p10.base() * scale},
          {"p50", r.p50.base() * scale},
          {"p90", r.p90.base() * scale},
          {"mean", r.mean.base() * scale}};
}

}  // namespace

Json to_json(const model::Outlook& o) {
  Json shares = Json::object();
  for (const auto& [what, share] : o.shares) shares[what] = share;
  return {{"workload", o.workload},
          {"machine", o.machine},
          {"status", model::name(o.status)},
          {"because", o.because},
          {"plan", o.plan},
          {"job", o.job},
          {"rate_unit", fmt::format("{}/s", o.unit)},
          {"memory_peak", to_json(o.memory, Unit::byte)},
          {"rate", to_json(o.rate, Unit::none)},
          {"job_time", to_json(o.job_time, Unit::second)},
          {"first_token_p95", to_json(o.first_token, Unit::second)},
          {"per_token_p95", to_json(o.per_token, Unit::second)},
          {"power", to_json(o.power, Unit::watt)},
          {"gpus_needed", o.gpus_needed},
          {"gpus_with_spare", o.gpus_with_spare},
          {"shares", std::move(shares)}};
}

Json to_json(const model::CostResult& c) {
  Json parts = Json::array(), shares = Json::array();
  for (const auto& part : c.parts)
    parts.push_back({{"part", part.label}, {"usd", range(part.usd)}});
  for (const auto& share : c.shares)
    shares.push_back({{"input", share.input},
                      {"of_variance", share.of_variance},
                      {"known", model::name(share.known)},
                      {"source", share.source}});
  Json out = {{"total", range(c.total)},
              {"parts", std::move(parts)},
              {"lost_to_downtime", range(c.lost_to_downtime)},
              {"useful_hours", range(c.useful_time, 1 / hour)},
              {"per_useful_hour", range(c.per_useful_hour, hour)},
              {"per_gpu_hour", range(c.per_gpu_hour, hour)}};
  out["per_result"] = c.per_result ? range(*c.per_result) : Json();
  out["shares"] = std::move(shares);
  out["interactions"] = c.interactions;
  out["notes"] = c.notes;
  return out;
}

Json to_json(const model::Ranking& r) {
  Json order = Json::array(), pairs = Json::array(), flips = Json::array(), ask = Json::array();
  for (const auto& place : r.order)
    order.push_back({{"offer", place.offer},
                     {"usd", range(place.metric)},
                     {"time", place.time.base()},
                     {"risk", place.risk},
                     {"on_front", place.on_front},
                     {"cheapest_share", place.best}});
  for (const auto& pair : r.pairs)
    pairs.push_back({{"cheaper", pair.cheaper},
                     {"dearer", pair.dearer},
                     {"probability", pair.probability},
                     {"real", pair.real}});
  for (const auto& flip : r.flips)
    flips.push_back({{"cheaper", flip.cheaper},
                     {"dearer", flip.dearer},
                     {"offer", flip.offer},
                     {"input", flip.input},
                     {"at", flip.at},
                     {"shown", format(flip)},
                     {"chance", flip.chance}});
  for (const auto& question : r.ask)
    ask.push_back({{"offer", question.offer},
                   {"input", question.input},
                   {"known", model::name(question.known)},
                   {"narrows", question.narrows},
                   {"worth", question.worth}});
  return {{"order", std::move(order)},
          {"pairs", std::move(pairs)},
          {"flips", std::move(flips)},
          {"ask", std::move(ask)}};
}

Json to_json(const model::Machine& m) {
  return {{"name", m.name},
          {"server", m.server},
          {"gpu", m.gpu.id},
          {"gpus", m.gpus()},
          {"servers", m.fabric.servers},
          {"topology", model::topology_class(m.fabric)},
          {"notes", m.notes}};
}

std::string format(const model::Ranking::Flip& flip) {
  using enum model::Ranking::In;
  switch (flip.in) {
    case usd:
      return "USD " + format_usd(flip.at);
    case usd_per_year:
      return fmt::format("USD {} a year", format_usd(flip.at * model::year.base()));
    case watt:
      return format_value(flip.at, Unit::watt);
    case number:
      return fmt::format("{:.2f}", flip.at);
    case usd_per_kwh:
      return fmt::format("USD {:.3f}/kWh", flip.at * 3.6e6);
    case share_per_year:
      return format_value(flip.at, Unit::ratio) + " a year";
    case years:
      return fmt::format("{:.1f} years", flip.at / model::year.base());
    case share:
      return format_value(flip.at, Unit::ratio);
    case second:
      return format_value(flip.at, Unit::second);
  }
  return {};
}

std::string format(const model::Prediction& p, Unit unit) {
  return fmt::format("{} ({} to {})", format_value(p.value, unit), format_value(p.low, unit),
                     format_value(p.high, unit));
}

std::string format_usd(double usd) {
  const bool whole = std::abs(usd) >= 1000;
  const std::string digits = fmt::format("{:.{}f}", std::abs(usd), whole ? 0 : 2);
  const auto end = std::min(digits.find('.'), digits.size());
  std::string out = usd < 0 ? "-" : "";
  for (std::size_t i = 0; i < digits.size(); ++i) {
    if (i > 0 && i < end && (end - i) % 3 == 0) out += ',';
    out += digits[i];
  }
  return out;
}

std::string format(const model::Range<Usd>& r) {
  return fmt::format("USD {} ({} to {})", format_usd(r.p50.base()), format_usd(r.p10.base()),
                     format_usd(r.p90.base()));
}

std::string format_hourly(const model::Range<model::UsdPerSecond>& r) {
  const auto hourly = [](model::UsdPerSecond v) { return Usd::base(v.base() * hour); };
  return format(model::Range<Usd>{hourly(r.p10), hourly(r.p50), hourly(r.p90), hourly(r.mean)});
}

std::string beside(std::string_view text, std::size_t width, std::size_t indent) {
  std::string out;
  for (const char c : wrap(text, width - std::min(indent, width / 2)))
    c == '\n' ? out += "\n" + std::string(indent, ' ') : out += c;
  return out;
}

std::string item(const std::string& label, std::string_view text, std::size_t width) {
  return label + beside(text, width, label.size()) + "\n";
}

std::string paragraph(const model::Outlook& o, std::size_t width) {
  std::string out = fmt::format("{}: {}\n", o.workload, model::name(o.status));
  constexpr std::size_t indent = 15;
  const auto line = [&](std::string_view label, const std::string& text) {
    if (text.empty()) return;
    out += item(fmt::format("  {:<{}}", label, indent - 2), printable(text), width);
  };
  line("job", o.job);
  if (o.job_time) line("time", format(*o.job_time, Unit::second) + " a job");
  if (o.rate)
    line("rate", fmt::format("{:.4g} {}/s ({:.4g} to {:.4g}), {}", o.rate->value, o.unit,
                             o.rate->low, o.rate->high, model::name(o.rate->transfer)));
  if (o.first_token) line("first token", format(*o.first_token, Unit::second) + ", of 95 %");
  if (o.per_token) line("each after", format(*o.per_token, Unit::second) + ", of 95 %");
  if (o.gpus_needed > 0)
    line("GPUs", fmt::format("{} for the load, {} with spares", o.gpus_needed, o.gpus_with_spare));
  if (o.memory) line("memory", format(*o.memory, Unit::byte) + " at most on one GPU");
  line("layout", o.plan);
  std::string shares;
  for (const auto& [what, share] : o.shares)
    if (share >= 0.005)
      shares += fmt::format("{}{} {:.0f} %", shares.empty() ? "" : ", ", what, 100 * share);
  line("where it goes", shares);
  if (o.power) line("power", format(*o.power, Unit::watt) + " at the wall");
  for (const auto& reason : o.because) line("because", reason);
  if (o.rate)
    for (const auto& note : o.rate->notes) line("note", note);
  return out;
}

Result<void> write_json(const std::string& file, const Json& document) {
  return platform::write_file(file, dump(document));
}

}  // namespace gpuvet::app
