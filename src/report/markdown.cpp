// SPDX-License-Identifier: Apache-2.0
// GitHub-flavoured Markdown, for a ticket or a mail to the vendor.
#include <fmt/format.h>

#include <algorithm>

#include "core/text.hpp"
#include "report/arrange.hpp"
#include "report/escape.hpp"
#include "report/format.hpp"

namespace gpuvet::report {
namespace {

using judge::Status;
using judge::Verdict;

/// The only way of foreign text into the document.
std::string md(std::string_view text) { return escape_markdown(text); }

std::string bold(std::string_view text) { return "**" + md(text) + "**"; }

/// Marks what needs attention; the word alone says the rest.
std::string status_cell(Status status) {
  const auto text = word(status);
  return status == Status::fail || status == Status::error ? bold(text) : md(text);
}

std::string heading(std::string_view text) { return fmt::format("\n## {}\n\n", md(text)); }

std::string row(const std::vector<std::string>& cells) {
  return "| " + join(cells, " | ") + " |\n";
}

std::string table_head(const std::vector<std::string>& titles) {
  std::string rule = "|";
  for (std::size_t i = 0; i < titles.size(); ++i) rule += "---|";
  return row(titles) + rule + "\n";
}

/// An empty cell would be dropped by join().
std::string cell(std::string_view text) { return text.empty() ? "-" : md(text); }

/// Several texts in one cell, each on its own line.
std::string cell(const std::vector<std::string>& texts) {
  std::string out;
  for (const auto& text : texts) out += (out.empty() ? "" : "<br>") + md(text);
  return out.empty() ? "-" : out;
}

std::string bullets(const std::vector<std::string>& items, std::string_view indent = "") {
  std::string out;
  for (const auto& item : items) out += fmt::format("{}- {}\n", indent, md(item));
  return out;
}

std::string scorecard(const Verdict& v) {
  std::string out;
  for (const auto kind : {catalogue::GroupKind::benchmark, catalogue::GroupKind::kit})
    for (const auto& g : v.groups)
      if (g.kind == kind) out += row({cell(g.title), status_cell(g.status), cell(counts(g))});
  if (out.empty()) return out;
  return heading("Scorecard") + table_head({"Benchmark", "Status", "What was seen"}) + out;
}

std::vector<std::string> sentences(const Block& block) {
  auto [each, common] = told(block);
  if (!common.empty()) each.push_back(std::move(common));
  return std::move(each);
}

std::string limit_of(const judge::Finding& f) {
  const std::string source = source_text(f);
  if (f.limit.empty() || source.empty()) return f.limit + source;
  return fmt::format("{} ({})", f.limit, source);
}

/// The whole table, passes included: a ticket must stand without its attachments.
std::string findings_table(const Verdict& v) {
  std::string out;
  const auto rows = [&](bool (*wanted)(const judge::Finding&)) {
    for (const auto& block : blocks(v.findings, wanted)) {
      const auto& f = *block.front();
      out += row({status_cell(f.status), cell(title(f)), cell(f.id), cell(subjects(block)),
                  cell(sentences(block)), cell(limit_of(f))});
    }
  };
  rows(is_trouble);
  rows(is_missing);
  rows(is_quiet);
  if (out.empty()) return out;
  return heading("Findings") +
         table_head({"Status", "Criterion", "Id", "Subject", "Finding", "Limit and source"}) + out;
}

/// Outside the table, as lists that can be ticked off and copied.
std::string steps(const Verdict& v, std::string_view section,
                  bool (*wanted)(const judge::Finding&)) {
  std::string out;
  for (const auto& block : blocks(v.findings, wanted)) {
    const auto& f = *block.front();
    if (f.next.empty()) continue;
    out += fmt::format("- {} ({})\n", bold(title(f)), md(subjects(block)));
    out += bullets(f.next, "  ");
  }
  return out.empty() ? out : heading(section) + out;
}

std::string fits(const Verdict& v) {
  std::string out;
  for (const bool asked : {true, false})
    for (const auto& fit : v.fits) {
      if (fit.asked != asked) continue;
      const std::string name = fit.title.empty() ? fit.workload : fit.title;
      out += row({cell(name) + (asked ? " (asked)" : ""), cell(fit.workload), md(word(fit.status)),
                  cell(fit.because)});
    }
  if (out.empty()) return out;
  return heading("Workloads") + table_head({"Workload", "Id", "Fit", "Because"}) + out;
}

/// No evidence is never a pass, so the gaps are listed even under a fit verdict.
std::string untested(const Verdict& v) {
  std::string out;
  for (const auto& g : v.groups)
    if (!g.missing.empty())
      out += fmt::format("- {}\n{}", bold(g.title.empty() ? g.group : g.title),
                         bullets(g.missing, "  "));
  return out.empty() ? out : heading("What was not tested") + out;
}

std::string inputs(const Verdict& v) {
  std::string out;
  for (const auto& in : v.inputs)
    out += row({cell(in.file), in.understood ? "yes" : bold("no"),
                cell(in.understood ? in.kind : in.reason)});
  if (out.empty()) return out;
  return heading("Inputs") + table_head({"File", "Understood", "As, or why not"}) + out;
}

std::string render(const Verdict& v, const Style&) {
  std::string out = fmt::format("# {}\n\n", md(headline(v)));
  if (!v.server.empty()) out += fmt::format("Server: {}\n\n", md(v.server));
  out += bullets(v.reasons);
  out += scorecard(v);
  out += findings_table(v);
  out += steps(v, "Next steps", is_trouble);
  out += steps(v, "Evidence to send", is_missing);
  out += fits(v);
  out += untested(v);
  out += inputs(v);
  if (!v.catalogue.empty()) out += fmt::format("\nJudged with catalogue {}.\n", md(v.catalogue));
  return out;
}

}  // namespace

Format markdown() { return {"markdown", "Markdown, for a ticket or a mail", render}; }

}  // namespace gpuvet::report
