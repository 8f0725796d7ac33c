// SPDX-License-Identifier: Apache-2.0
// The report for a terminal: the verdict first, then why, then what to do, then what nobody tested.
#include <fmt/format.h>

#include <algorithm>

#include "core/text.hpp"
#include "report/arrange.hpp"
#include "report/escape.hpp"
#include "report/format.hpp"
#include "report/page.hpp"

namespace gpuvet::report {
namespace {

using judge::FitStatus;
using judge::Outcome;
using judge::Status;
using judge::Verdict;

constexpr std::size_t status_width = 13;  // "no evidence" and a gap
constexpr std::size_t label_width = 8;    // "Source" and a gap
constexpr std::size_t body = 6;           // indent of what stands under "FAIL  title"

Tint tint(Status status) {
  switch (status) {
    case Status::pass:
      return Tint::green;
    case Status::warn:
      return Tint::yellow;
    case Status::fail:
    case Status::error:
      return Tint::red;
    case Status::not_applicable:
      return Tint::dim;
    case Status::no_evidence:
      return Tint::yellow;
  }
  return Tint::none;
}

Tint tint(FitStatus status) {
  switch (status) {
    case FitStatus::fit:
      return Tint::green;
    case FitStatus::unfit:
      return Tint::red;
    case FitStatus::uncertain:
    case FitStatus::no_evidence:
      return Tint::yellow;
  }
  return Tint::none;
}

Tint tint(Outcome outcome) {
  switch (outcome) {
    case Outcome::fit:
      return Tint::green;
    case Outcome::unfit:
      return Tint::red;
    case Outcome::inconclusive:
      return Tint::yellow;
  }
  return Tint::none;
}

/// The first line alone must do for whoever reads no further.
void opening(Page& page, const Verdict& v) {
  page.line(0, {}, headline(v), tint(v.outcome));
  // The name comes from a file: below the verdict and cut, so that no name can pose as one.
  if (!v.server.empty()) page.line(0, {"Server", label_width, Tint::dim}, v.server);
  for (const auto& reason : v.reasons) page.row(2, {"-", 2}, reason);
}

/// One line each, cut if need be: the whole is told further down.
void scorecard(Page& page, const Verdict& v) {
  std::size_t title_width = 0;
  for (const auto& g : v.groups)
    if (on_scorecard(g)) title_width = std::max(title_width, columns(visible(g.title)) + 2);
  if (title_width == 0) return;
  title_width = std::min<std::size_t>(title_width, 30);

  page.heading("Scorecard");
  const auto rows = [&](catalogue::GroupKind kind) {
    for (const auto& g : v.groups) {
      if (g.kind != kind) continue;
      const std::string title = fitted(g.title, title_width - 2);
      const std::string gap(title_width - columns(title), ' ');
      const Page::Lead lead{word(g.status), status_width, tint(g.status)};
      page.line(2, lead, title + gap + visible(counts(g)));
    }
  };
  rows(catalogue::GroupKind::benchmark);
  rows(catalogue::GroupKind::kit);
}

std::string block_title(const Block& block) {
  const auto& f = *block.front();
  return fmt::format("{} ({}) [{}]", title(f), about(block), f.id);
}

/// The messages of a block, as a list when there are several.
void tell(Page& page, std::size_t indent, const Block& block) {
  const auto [each, common] = told(block);
  if (!common.empty()) page.row(indent, {}, common);
  for (const auto& text : each)
    page.row(indent, each.size() > 1 ? Page::Lead{"-", 2} : Page::Lead{}, text);
}

void advice(Page& page, std::size_t indent, const std::vector<std::string>& next) {
  for (std::size_t i = 0; i < next.size(); ++i)
    page.row(indent, {i == 0 ? "Next" : "", label_width, Tint::bold}, next[i]);
}

/// Everything about a failure: what, where, seen, limit, source, next.
void full_block(Page& page, const Block& block) {
  const auto& f = *block.front();
  const std::size_t wide = std::max(body, columns(word(f.status)) + 2);
  page.row(0, {word(f.status), wide, tint(f.status)}, block_title(block), Tint::bold);
  tell(page, body, block);
  const auto note = [&](std::string_view label, const std::string& text) {
    if (!text.empty()) page.row(body, {label, label_width, Tint::dim}, text, Tint::dim);
  };
  std::string_view label = "Seen";
  for (const auto& seen : seen_texts(block)) {
    note(label, seen);
    label = "";
  }
  note("Limit", f.limit);
  note("Source", source_text(f));
  advice(page, body, f.next);
}

/// "NVLink topology 5, Memory 12": what has nothing to say for itself.
void tally(Page& page, const Verdict& v, Status status, std::string_view what) {
  std::vector<std::pair<std::string_view, std::size_t>> by_name;
  for (const auto& f : v.findings) {
    if (f.status != status || !is_quiet(f)) continue;
    const auto same = std::ranges::find(by_name, f.group, &decltype(by_name)::value_type::first);
    if (same == by_name.end())
      by_name.emplace_back(f.group, 1);
    else
      ++same->second;
  }
  if (by_name.empty()) return;
  std::vector<std::string> parts;
  for (const auto& [group, n] : by_name)
    parts.push_back(fmt::format("{} {}", group_title(v, group), n));
  page.row(2, {word(status), status_width, tint(status)},
           fmt::format("{}{}", what, join(parts, ", ")));
}

void findings(Page& page, const Verdict& v, bool verbose) {
  for (const auto& group : by_group(blocks(v.findings, is_trouble))) {
    page.heading(group_title(v, group.front().front()->group));
    bool first = true;
    for (const auto& block : group) {
      if (!first) page.blank();
      first = false;
      full_block(page, block);
    }
  }

  if (const auto missing = blocks(v.findings, is_missing); !missing.empty()) {
    page.heading("Not tested, and required at this stage");
    for (const auto& block : missing) {
      const auto& f = *block.front();
      page.row(2, {"-", 2}, block_title(block), Tint::bold);
      tell(page, 4, block);
      advice(page, 4, f.next);
    }
  }

  if (std::ranges::none_of(v.findings, is_quiet)) return;
  page.heading("Everything else");
  // A hundred passes would bury the one failure above.
  if (!verbose) {
    tally(page, v, Status::pass, "");
    tally(page, v, Status::not_applicable, "");
    tally(page, v, Status::no_evidence, "not required at this stage: ");
    return;
  }
  for (const auto& group : by_group(blocks(v.findings, is_quiet))) {
    page.row(2, {}, group_title(v, group.front().front()->group), Tint::bold);
    for (const auto& block : group) {
      const auto& f = *block.front();
      std::string text = fmt::format("{} ({})", title(f), subjects(block));
      if (const auto [each, common] = told(block); !each.empty())
        text += ": " + join(each, " ") + (common.empty() ? "" : " ") + common;
      page.row(2, {word(f.status), status_width, tint(f.status)}, text);
    }
  }
}

/// Asked workloads in full and first; the others in one line each, to show what else fits.
void fits(Page& page, const Verdict& v, bool verbose) {
  if (v.fits.empty()) return;
  std::size_t id_width = 0;
  // Ids line up, unless one is so long that it would push the reasons off the line.
  for (const auto& fit : v.fits) id_width = std::max(id_width, columns(visible(fit.workload)) + 2);
  id_width = std::min<std::size_t>(id_width, 24);

  page.heading("Workloads");
  for (const auto& fit : v.fits) {
    if (!fit.asked && !verbose) continue;
    page.row(2, {word(fit.status), status_width, tint(fit.status)},
             fmt::format("{}{}{}", fit.workload, fit.title.empty() ? "" : ": ", fit.title),
             Tint::bold);
    for (const auto& because : fit.because) page.row(2 + status_width, {"-", 2}, because);
  }
  for (const auto& fit : v.fits) {
    if (fit.asked || verbose) continue;
    const std::string id = fitted(fit.workload, id_width - 2);
    const std::string gap(id_width - columns(id), ' ');
    page.line(2, {word(fit.status), status_width, tint(fit.status)},
              id + gap + (fit.because.empty() ? "" : visible(fit.because.front())));
  }
}

/// No evidence is never a pass, so the gaps are listed even under a fit verdict.
void untested(Page& page, const Verdict& v) {
  if (std::ranges::all_of(v.groups, [](const auto& g) { return g.missing.empty(); })) return;
  page.heading("What was not tested");
  for (const auto& g : v.groups) {
    if (g.missing.empty()) continue;
    page.row(2, {}, g.title.empty() ? g.group : g.title, Tint::bold);
    for (const auto& what : g.missing) page.row(4, {"-", 2}, what);
  }
}

/// What was not understood comes first: it may be the evidence that is missing above.
void inputs(Page& page, const Verdict& v) {
  if (v.inputs.empty()) return;
  page.heading("Inputs");
  for (const bool understood : {false, true})
    for (const auto& in : v.inputs) {
      if (in.understood != understood) continue;
      if (understood)
        page.row(2, {"read", status_width}, fmt::format("{} as {}", in.file, in.kind));
      else
        page.row(2, {"not read", status_width, Tint::yellow},
                 fmt::format("{}: {}", in.file, in.reason.empty() ? "no reason given" : in.reason));
    }
}

std::string render(const Verdict& v, const Style& style) {
  Page page(style.width, style.colour);
  opening(page, v);
  scorecard(page, v);
  findings(page, v, style.verbose);
  fits(page, v, style.verbose);
  untested(page, v);
  inputs(page, v);
  if (!v.catalogue.empty()) {
    page.blank();
    page.row(0, {}, fmt::format("Judged with catalogue {}.", v.catalogue), Tint::dim);
  }
  return page.take();
}

}  // namespace

Format terminal() { return {"terminal", "text for a terminal, 80 columns", render}; }

}  // namespace gpuvet::report
