// SPDX-License-Identifier: Apache-2.0
// One HTML page that stands alone: no script, no request to anywhere, so it can be mailed, archived
// and opened years later. Everything that came from a file goes through escape_xml().
#include <fmt/format.h>

#include <algorithm>

#include "core/text.hpp"
#include "report/arrange.hpp"
#include "report/escape.hpp"
#include "report/format.hpp"
#include "report/html_style.hpp"

namespace gpuvet::report {
namespace {

using judge::Verdict;

std::string e(std::string_view text) { return escape_xml(text); }

/// Status as a word in a coloured frame; `S` is Status or FitStatus.
template <class S>
std::string badge(S status) {
  return fmt::format("<span class=\"badge {}\">{}</span>", judge::name(status), word(status));
}

std::string items(const std::vector<std::string>& texts) {
  std::string out = "<ul>";
  for (const auto& text : texts) out += "<li>" + e(text) + "</li>";
  return out + "</ul>\n";
}

/// Sections without content are left out; `id` is for links into the page.
std::string section(std::string_view id, std::string_view title, std::string_view body) {
  if (body.empty()) return {};
  return fmt::format("<section id=\"{}\">\n<h2>{}</h2>\n{}</section>\n", id, e(title), body);
}

/// Cells are HTML already.
std::string row(std::initializer_list<std::string> cells) {
  std::string out = "<tr>";
  for (const auto& cell : cells) out += "<td>" + cell + "</td>";
  return out + "</tr>\n";
}

/// Wide tables scroll in their own frame, so that the page never does on a phone.
std::string table(std::initializer_list<std::string_view> titles, std::string_view rows) {
  if (rows.empty()) return {};
  std::string head;
  for (const auto title : titles) head += fmt::format("<th scope=\"col\">{}</th>", title);
  return fmt::format(
      "<div "
      "class=\"scroll\"><table>\n<thead><tr>{}</tr></thead>\n<tbody>\n{}</tbody>\n</table></div>\n",
      head, rows);
}

std::string code(std::string_view text) { return "<code>" + e(text) + "</code>"; }

std::string scorecard(const Verdict& v) {
  std::string rows;
  for (const auto kind : {catalogue::GroupKind::benchmark, catalogue::GroupKind::kit})
    for (const auto& g : v.groups)
      if (g.kind == kind) rows += row({e(g.title), badge(g.status), e(counts(g))});
  return table({"Benchmark", "Status", "What was seen"}, rows);
}

std::string said(const Block& block) {
  const auto [each, common] = told(block);
  const std::string lead = common.empty() ? "" : "<p>" + e(common) + "</p>\n";
  if (each.size() == 1) return "<p>" + e(each.front()) + "</p>\n";
  return each.empty() ? "" : lead + items(each);
}

/// Limit, source and next steps, folded away unless someone has to act on them.
std::string details(const Block& block) {
  const auto& f = *block.front();
  std::string rows;
  const auto term = [&](std::string_view name, const std::string& text) {
    if (!text.empty()) rows += fmt::format("<dt>{}</dt><dd>{}</dd>\n", name, text);
  };
  const auto seen = seen_texts(block);
  if (seen.size() == 1) term("Seen", e(seen.front()));
  if (seen.size() > 1) term("Seen", items(seen));
  term("Limit", e(f.limit));
  term("Source", e(source_text(f)));
  if (!f.next.empty()) term("Next", items(f.next));
  term("Criterion", code(f.id));
  return fmt::format(
      "<details{}><summary>Limit, source, next steps</summary>\n<dl>{}</dl></details>\n",
      is_quiet(f) ? "" : " open", rows);
}

/// One block as a card. Its class colours it; the badge says the status in words.
std::string finding(const Block& block) {
  const auto& f = *block.front();
  return fmt::format(
      "<article class=\"finding {}\">\n<h4>{} {} <span "
      "class=\"soft\">{}</span></h4>\n{}{}</article>\n",
      judge::name(f.status), badge(f.status), e(title(f)), code(about(block)), said(block),
      details(block));
}

std::string findings(const Verdict& v, bool (*wanted)(const judge::Finding&)) {
  std::string out;
  for (const auto& group : by_group(blocks(v.findings, wanted))) {
    out += "<h3>" + e(group_title(v, group.front().front()->group)) + "</h3>\n";
    for (const auto& block : group) out += finding(block);
  }
  return out;
}

/// What passed, does not apply or was not asked for: on demand only.
std::string quiet_findings(const Verdict& v) {
  const auto n = std::ranges::count_if(v.findings, is_quiet);
  if (n == 0) return {};
  return fmt::format(
      "<details><summary>{} that passed, do not apply or are not "
      "required</summary>\n{}</details>\n",
      counted(static_cast<std::size_t>(n), "finding", "findings"), findings(v, is_quiet));
}

/// Asked workloads first, since they count for the verdict.
std::string fits(const Verdict& v) {
  std::string rows;
  for (const bool asked : {true, false})
    for (const auto& fit : v.fits)
      if (fit.asked == asked)
        rows += row({e(fit.title.empty() ? fit.workload : fit.title) +
                         (asked ? " <strong>(asked)</strong>" : "") + "<br><span class=\"soft\">" +
                         code(fit.workload) + "</span>",
                     badge(fit.status),
                     fit.because.size() == 1 ? e(fit.because.front())
                     : fit.because.empty()   ? ""
                                             : items(fit.because)});
  return table({"Workload", "Fit", "Because"}, rows);
}

/// All groups, tested or not: a verdict is worth what it rests on.
std::string coverage(const Verdict& v) {
  std::string rows;
  for (const auto& g : v.groups)
    rows += row({e(g.title.empty() ? g.group : g.title), badge(g.status),
                 fmt::format("{}", g.passed), fmt::format("{}", g.warned),
                 fmt::format("{}", g.failed), g.missing.empty() ? "" : items(g.missing)});
  return table({"Group", "Status", "Passed", "Warned", "Failed", "Not tested"}, rows);
}

std::string inputs(const Verdict& v) {
  std::string rows;
  for (const auto& in : v.inputs)
    rows += row({code(in.file), in.understood ? "read" : "<strong>not read</strong>",
                 e(in.understood ? in.kind : in.reason)});
  return table({"File", "Understood", "As, or why not"}, rows);
}

/// Folded away: there may be thousands, and they are for whoever doubts a finding.
std::string observations(const Verdict& v) {
  std::string rows;
  for (const auto& o : v.evidence.observations)
    rows += row({code(o.id.name()), code(o.subject), e(format(o.where)), e(format(o)),
                 o.provenance == nullptr ? "" : e(provenance_text(*o.provenance, o.line))});
  if (rows.empty()) return {};
  return fmt::format("<details><summary>{}</summary>\n{}</details>\n",
                     counted(v.evidence.observations.size(), "observation", "observations"),
                     table({"Observation", "Subject", "Conditions", "Value", "How we know"}, rows));
}

std::string render(const Verdict& v, const Style&) {
  const std::string title = headline(v);
  std::string out = fmt::format(
      "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
      // Belt and braces: were an escape ever missed, the browser still runs and loads nothing.
      "<meta http-equiv=\"Content-Security-Policy\" "
      "content=\"default-src 'none'; style-src 'unsafe-inline'\">\n"
      "<title>{}{}</title>\n<style>{}</style>\n</head>\n<body>\n",
      e(title), v.server.empty() ? "" : " - " + e(v.server), html_style);
  out += fmt::format("<header class=\"{}\">\n<h1>{}</h1>\n", judge::name(v.outcome), e(title));
  if (!v.server.empty()) out += fmt::format("<p class=\"server\">Server {}</p>\n", code(v.server));
  if (!v.reasons.empty()) out += items(v.reasons);
  out += "</header>\n<main>\n";
  out += section("scorecard", "Scorecard", scorecard(v));
  out += section("findings", "Failures and warnings", findings(v, is_trouble));
  out += section("missing", "Not tested, and required at this stage", findings(v, is_missing));
  out += section("fits", "Workloads", fits(v));
  out += section("coverage", "What was tested and what was not", coverage(v));
  out += section("quiet", "Everything else", quiet_findings(v));
  out += section("inputs", "Inputs", inputs(v));
  out += section("observations", "Observations", observations(v));
  out += fmt::format("</main>\n<footer>Stage {}, catalogue {}.</footer>\n</body>\n</html>\n",
                     catalogue::name(v.stage), v.catalogue.empty() ? "unknown" : code(v.catalogue));
  return out;
}

}  // namespace

Format html() { return {"html", "one HTML page that stands alone", render}; }

}  // namespace gpuvet::report
