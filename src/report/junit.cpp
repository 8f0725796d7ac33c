// SPDX-License-Identifier: Apache-2.0
// JUnit XML, for the test view of a CI system: one suite a group, one case a finding. A warning is
// a passed case that carries its message: JUnit knows no third colour.
#include <fmt/format.h>

#include <algorithm>
#include <pugixml.hpp>

#include "core/text.hpp"
#include "report/arrange.hpp"
#include "report/escape.hpp"
#include "report/format.hpp"

namespace gpuvet::report {
namespace {

using judge::Finding;
using judge::Status;

/// JUnit has no state for "no evidence"; skipped keeps it from reading as a pass.
struct Counts {
  std::size_t tests = 0, failures = 0, errors = 0, skipped = 0;

  void add(Status status) {
    ++tests;
    failures += status == Status::fail;
    errors += status == Status::error;
    skipped += status == Status::no_evidence || status == Status::not_applicable;
  }
};

// pugixml escapes markup; visible() removes what XML 1.0 cannot hold at all.
void attribute(pugi::xml_node node, const char* name, std::string_view text) {
  node.append_attribute(name).set_value(visible(text).c_str());
}

// CI systems trust these attributes and do not count for themselves.
void write(pugi::xml_node node, const Counts& counts) {
  node.append_attribute("tests").set_value(counts.tests);
  node.append_attribute("failures").set_value(counts.failures);
  node.append_attribute("errors").set_value(counts.errors);
  node.append_attribute("skipped").set_value(counts.skipped);
}

/// What a CI log should show below the one-line message.
std::string details(const Finding& f) {
  std::string out;
  const auto say = [&](std::string_view label, std::string_view text) {
    if (!text.empty()) out += fmt::format("{}: {}\n", label, visible(text));
  };
  say("message", f.message);
  say("seen", seen_text(f));
  say("limit", f.limit);
  say("source", source_text(f));
  for (const auto& step : f.next) say("next", step);
  return out;
}

void write_case(pugi::xml_node suite, const Finding& f) {
  auto node = suite.append_child("testcase");
  attribute(node, "classname", "gpuvet." + f.group);
  attribute(node, "name", fmt::format("{} [{}]", f.id, f.subject));
  const auto outcome = [&](const char* element) {
    auto child = node.append_child(element);
    attribute(child, "message", f.message);
    return child;
  };
  switch (f.status) {
    case Status::pass:
      break;
    case Status::fail:
      outcome("failure").text().set(details(f).c_str());
      break;
    case Status::error:
      outcome("error").text().set(details(f).c_str());
      break;
    case Status::not_applicable:
    case Status::no_evidence:
      outcome("skipped");
      break;
    case Status::warn:
      node.append_child("system-out").text().set(("warning\n" + details(f)).c_str());
  }
}

struct StringWriter : pugi::xml_writer {
  std::string out;
  void write(const void* data, std::size_t size) override {
    out.append(static_cast<const char*>(data), size);
  }
};

std::string render(const judge::Verdict& v, const Style&) {
  // Suites in scorecard order, then those that only findings name.
  std::vector<std::string_view> groups;
  const auto note = [&](std::string_view group) {
    if (std::ranges::find(groups, group) == groups.end()) groups.push_back(group);
  };
  for (const auto& g : v.groups) note(g.group);
  for (const auto& f : v.findings) note(f.group);

  pugi::xml_document document;
  auto declaration = document.append_child(pugi::node_declaration);
  declaration.append_attribute("version") = "1.0";
  declaration.append_attribute("encoding") = "UTF-8";
  auto suites = document.append_child("testsuites");
  attribute(suites, "name", "gpuvet: " + headline(v));
  Counts total;
  for (const auto& f : v.findings) total.add(f.status);
  write(suites, total);

  for (const auto group : groups) {
    Counts counts;
    for (const auto& f : v.findings)
      if (f.group == group) counts.add(f.status);
    if (counts.tests == 0) continue;
    auto suite = suites.append_child("testsuite");
    attribute(suite, "name", group);
    write(suite, counts);
    for (const auto& f : v.findings)
      if (f.group == group) write_case(suite, f);
  }

  // The encoding is stated, so that the locale has no say.
  StringWriter writer;
  document.save(writer, " ", pugi::format_indent, pugi::encoding_utf8);
  return std::move(writer.out);
}

}  // namespace

Format junit() { return {"junit", "JUnit XML, for CI systems", render}; }

}  // namespace gpuvet::report
