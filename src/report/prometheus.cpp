// SPDX-License-Identifier: Apache-2.0
// Prometheus text exposition: the verdict, the findings, the scorecard, the fits, and every number
// and flag that was observed, in base units. Clean under `promtool check metrics`.
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>
#include <utility>
#include <vector>

#include "core/text.hpp"
#include "report/escape.hpp"
#include "report/format.hpp"

namespace gpuvet::report {
namespace {

using Labels = std::vector<std::pair<std::string, std::string>>;

/// Label names are narrower than the dimensions and names that files may carry.
std::string label_name(std::string_view name) {
  std::string out;
  for (const char c : name) {
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
    const bool digit = c >= '0' && c <= '9';
    out += letter || (digit && !out.empty()) ? c : '_';
  }
  return out.empty() ? "_" : out;
}

/// `{a="b",c="d"}`. Prometheus takes an empty label for an absent one, so empty ones are left out:
/// otherwise two lines that look different would be one series.
std::string written(const Labels& labels) {
  std::string out;
  for (const auto& [name, value] : labels)
    if (!value.empty())
      out += fmt::format("{}{}=\"{}\"", out.empty() ? "{" : ",", name, escape_label(value));
  return out.empty() ? out : out + "}";
}

/// Samples of one metric stand together, and no series comes twice.
class Metric {
 public:
  Metric(std::string name, std::string_view help) : name_{std::move(name)}, help_{help} {}

  void add(const Labels& labels, double value) {
    const std::string series = written(labels);
    if (seen_.insert(series).second)
      samples_ += fmt::format("{}{} {}\n", name_, series, format_number(value));
  }

  [[nodiscard]] std::string text() const {
    if (samples_.empty()) return {};
    return fmt::format("# HELP {0} {1}\n# TYPE {0} gauge\n{2}", name_, help_, samples_);
  }

 private:
  std::string name_, help_, samples_;
  std::set<std::string> seen_;
};

std::string_view suffix(Unit unit) {
  switch (unit) {
    case Unit::none:
      return "";
    case Unit::ratio:
      return "_ratio";
    case Unit::byte:
      return "_bytes";
    case Unit::second:
      return "_seconds";
    case Unit::byte_per_second:
      return "_bytes_per_second";
    case Unit::watt:
      return "_watts";
    case Unit::joule:
      return "_joules";
    case Unit::hertz:
      return "_hertz";
    case Unit::celsius:
      return "_celsius";
    case Unit::kelvin:
      return "_kelvin";
    case Unit::flop_per_second:
      return "_flops_per_second";
    case Unit::usd:
      return "_usd";
  }
  return "";
}

/// Mechanical, so that the id is found again in the name, with the unit as Prometheus wants it.
std::string metric_name(const IdInfo& info) {
  std::string out = "gpuvet_" + std::string(info.name);
  std::ranges::replace(out, '.', '_');
  out += suffix(info.unit);
  // Endings that Prometheus keeps for counters, histograms and summaries; ours are gauges.
  for (const std::string_view reserved : {"_count", "_sum", "_bucket", "_total", "_info"})
    if (out.ends_with(reserved)) return out + "_value";
  return out;
}

/// HELP escapes backslash and line end only; visible() leaves no line end.
std::string help_text(std::string_view sentence) {
  std::string out = visible(sentence);
  for (std::size_t i = 0; (i = out.find('\\', i)) != std::string::npos; i += 2)
    out.insert(i, 1, '\\');
  return out;
}

/// The number, or the flag as 0 or 1 in `flag`; null for text, lists and absence: an absent value
/// is no sample, never a zero.
const double* numeric(const Observation& o, double& flag) {
  if (const bool* f = o.flag()) return flag = *f ? 1 : 0, &flag;
  return o.number();
}

Labels labels_of(const Observation& o) {
  Labels out{{"subject", o.subject}};
  for (const auto& [dimension, v] : o.where) {
    std::string name = label_name(dimension);
    // Never two labels of one name in a series, whatever dimensions a file made up.
    const auto taken = [&] {
      return name == "source" || name == "line" ||
             std::ranges::count(out, name, &Labels::value_type::first) > 0;
    };
    while (taken()) name += '_';
    const auto* text = std::get_if<std::string>(&v);
    out.emplace_back(name, text != nullptr ? *text : format_number(std::get<double>(v)));
  }
  return out;
}

/// Who says so, where several sources say something of the same series.
std::string source_of(const Observation& o) {
  if (o.provenance == nullptr) return "unknown";
  for (const auto* text : {&o.provenance->source, &o.provenance->tool})
    if (!text->empty()) return *text;
  return std::string(name(o.provenance->how));
}

/// The observations of one id: as they are, or with source, or with source and line, whichever is
/// the least that tells them apart.
std::string observed(Id id, const std::vector<const Observation*>& all) {
  std::map<std::string, std::size_t> series, sourced;
  for (const auto* o : all) {
    Labels labels = labels_of(*o);
    ++series[written(labels)];
    labels.emplace_back("source", source_of(*o));
    ++sourced[written(labels)];
  }
  Metric metric(metric_name(id.info()), help_text(id.info().sentence));
  for (const auto* o : all) {
    Labels labels = labels_of(*o);
    if (series[written(labels)] > 1) {
      labels.emplace_back("source", source_of(*o));
      if (sourced[written(labels)] > 1) labels.emplace_back("line", fmt::format("{}", o->line));
    }
    double flag = 0;
    metric.add(labels, *numeric(*o, flag));
  }
  return metric.text();
}

std::string observations(const Evidence& evidence) {
  std::map<Id, std::vector<const Observation*>> by_id;
  for (const auto& o : evidence.observations)
    if (double flag = 0; numeric(o, flag) != nullptr) by_id[o.id].push_back(&o);
  std::string out;
  for (const auto& [id, all] : by_id) out += observed(id, all);
  return out;
}

std::string render(const judge::Verdict& v, const Style&) {
  Metric info("gpuvet_info", "What was judged: server, stage and catalogue of the verdict.");
  info.add({{"server", v.server},
            {"stage", std::string(catalogue::name(v.stage))},
            {"catalogue", v.catalogue}},
           1);

  Metric verdict("gpuvet_verdict", "Outcome of the judgement: 1 for the one that holds.");
  for (const auto outcome :
       {judge::Outcome::fit, judge::Outcome::unfit, judge::Outcome::inconclusive})
    verdict.add({{"outcome", std::string(judge::name(outcome))}}, outcome == v.outcome);

  // Status is a label and the value always 1: an alert then names the status that it fires on, and
  // a status that is gone takes its series with it.
  Metric scorecard("gpuvet_scorecard",
                   "Status of each benchmark and of the validation kit; always 1.");
  for (const auto& g : v.groups)
    if (g.kind != catalogue::GroupKind::other)
      scorecard.add({{"benchmark", g.group}, {"status", std::string(judge::name(g.status))}}, 1);

  Metric finding("gpuvet_finding", "One criterion on one subject and its status; always 1.");
  for (const auto& f : v.findings)
    finding.add({{"id", f.id},
                 {"subject", f.subject},
                 {"group", f.group},
                 {"status", std::string(judge::name(f.status))},
                 {"required", f.required ? "true" : "false"},
                 {"observation", f.observation},
                 {"where", format(f.where)}},
                1);

  Metric fit("gpuvet_fit", "Whether the server suits each workload; always 1.");
  for (const auto& f : v.fits)
    fit.add({{"workload", f.workload},
             {"status", std::string(judge::name(f.status))},
             {"asked", f.asked ? "true" : "false"}},
            1);

  return info.text() + verdict.text() + scorecard.text() + finding.text() + fit.text() +
         observations(v.evidence);
}

}  // namespace

Format prometheus() { return {"prometheus", "Prometheus text, for a textfile collector", render}; }

}  // namespace gpuvet::report
