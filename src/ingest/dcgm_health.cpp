// SPDX-License-Identifier: Apache-2.0
// `dcgmi health -c`: what DCGM's passive watches saw. Only entities with an incident are listed, so
// that a healthy machine's report is one line. As a tree for people, or as JSON (-j).
#include <algorithm>

#include "core/text.hpp"
#include "evidence/json.hpp"
#include "ingest/dcgm_diag_results.hpp"
#include "ingest/dcgm_text.hpp"
#include "ingest/importer.hpp"

namespace gpuvet::ingest {

Importer dcgm_health();

namespace {

constexpr std::size_t largest_file = std::size_t{1} << 20;  // an incident takes 300 bytes

/// Collects what both forms say, in the order in which they say it.
class Report {
 public:
  explicit Report(Recorder& out) : out_{out} {}

  void overall(std::string_view health, std::size_t line) {
    overall_ = true;
    tests_.push_back({"health watches", {entry("node", health, line)}});
  }
  void group(std::string_view name) { group_ = std::string(name.substr(0, 40)); }
  void entity(std::size_t id, std::string_view health, std::size_t line) {
    subject_ = diag_subject(group_, id);
    if (!subject_.starts_with("gpu:")) return;
    out_.line(line);
    out_.text("gpu.health"_id, subject_, dcgm_words(health));
  }
  void system(std::string_view name, std::string_view health, std::size_t line) {
    if (subject_.empty() || tests_.size() > DiagTest::most_entries) return;
    tests_.push_back({"health: " + dcgm_words(name), {entry(subject_, health, line)}});
  }
  void message(std::string_view piece) {
    if (tests_.empty() || subject_.empty() || trim(piece).empty()) return;
    auto& errors = tests_.back().entries.front().errors;
    if (errors.empty()) errors.emplace_back();
    if (errors[0].size() > DiagTest::longest_message) return;
    errors[0] += (errors[0].empty() ? "" : " ") + std::string(trim(piece));
  }
  Result<void> record(std::size_t line) {
    if (!overall_) return fail(Errc::malformed, "no line says \"Overall Health\"", line);
    for (const auto& test : tests_) GPUVET_CHECK(record_diag(out_, test));
    return {};
  }

 private:
  static DiagEntry entry(std::string subject, std::string_view health, std::size_t line) {
    return {std::move(subject), std::string(health.substr(0, 80)), {}, {}, {}, line};
  }

  Recorder& out_;
  std::vector<DiagTest> tests_;
  std::string group_, subject_;
  bool overall_ = false;
};

Result<void> read_tree(std::string_view text, Recorder& out) {
  MemorySource source{text};
  LineReader lines{source};
  Report report{out};
  bool closed = false;
  while (const auto raw = lines.next()) {
    const std::string line = strip_escapes(*raw);
    GPUVET_CHECK(check_dcgm_error(line, lines.line()));
    closed = closed ? !line.starts_with('|') : false;
    closed = closed || is_dcgm_border(line);
    const auto row = dcgm_row(line);
    if (!row) continue;
    std::string_view name = trim(row->left);
    const std::string_view value = trim(row->right);
    const bool nested = name.starts_with("->");
    while (name.starts_with("->")) name = trim(name.substr(2));
    if (name.starts_with("Overall Health"))
      report.overall(value, lines.line());
    else if (name.empty())
      report.message(value);
    else if (!nested)
      report.group(name);
    else if (const auto id = dcgm_gpu_id(name))
      report.entity(*id, value, lines.line());
    else if (name != "Errors")
      report.system(name, value, lines.line());
  }
  if (lines.error()) return tl::make_unexpected(*lines.error());
  if (!closed)
    return fail(Errc::malformed, "the report ends without its last border: the file is cut off",
                lines.line());
  return report.record(lines.line());
}

const Json* below(const Json& node, std::string_view key) {
  if (!node.is_object()) return nullptr;
  const auto found = node.find(key);
  return found == node.end() ? nullptr : &*found;
}

std::string value_of(const Json& node) {
  const Json* value = below(node, "value");
  const auto* text = value == nullptr ? nullptr : value->get_ptr<const std::string*>();
  return text == nullptr ? std::string() : *text;
}

/// The children of a node, or an empty object.
const Json& children(const Json& node) {
  static const Json none = Json::object();
  const Json* found = below(node, "children");
  return found == nullptr || !found->is_object() ? none : *found;
}

/// Texts at or below `node`, whichever member holds them.
void messages(const Json& node, Report& report, int depth) {
  if (const auto* text = node.get_ptr<const std::string*>()) return report.message(*text);
  if (depth > 4 || !node.is_structured()) return;
  for (const auto& [key, child] : node.items())
    if (key != "value" || depth > 0) messages(child, report, depth + 1);
}

Result<void> read_json(std::string_view text, Recorder& out) {
  // A report has 10 brackets for each incident; a hostile pile of them would take much memory.
  if (std::ranges::count(text, '[') > 10'000 || std::ranges::count(text, '{') > 50'000)
    return fail(Errc::too_large, "more brackets than a health report has");
  GPUVET_TRY(const Json root, parse_json(text));
  Report report{out};
  const Json* body = below(root, "body");
  if (body == nullptr || !body->is_object())
    return fail(Errc::malformed, "a health report without \"body\"", 1);
  for (const auto& [name, section] : body->items()) {
    if (name == "Overall Health") {
      report.overall(value_of(section), 0);
      continue;
    }
    report.group(name);
    for (const auto& [number, entity] : children(section).items()) {
      const auto id = dcgm_gpu_id(number);
      if (!id) continue;
      report.entity(*id, value_of(entity), 0);
      const Json* errors = below(children(entity), "Errors");
      if (errors == nullptr) continue;
      for (const auto& [system, incident] : children(*errors).items()) {
        report.system(system, value_of(incident), 0);
        messages(incident, report, 0);
      }
    }
  }
  return report.record(1);
}

Result<void> read(ByteSource& source, Recorder& out) {
  GPUVET_TRY(const std::string file, read_all(source, largest_file));
  const auto begin = file.find('{'), end = file.rfind('}'), bar = file.find('|');
  if (bar < begin || begin == file.npos) {
    out.tool("dcgmi health -c");
    return read_tree(file, out);
  }
  out.tool("dcgmi health -c -j");
  if (end == file.npos || end < begin)
    return fail(Errc::malformed, "the report ends early: the file is cut off");
  return read_json(std::string_view(file).substr(begin, end + 1 - begin), out);
}

bool recognises(std::string_view head) {
  return contains(head, "\"Health Monitor Report\"") || contains(head, "| Health Monitor Report");
}

}  // namespace

Importer dcgm_health() {
  return {"dcgm_health", "dcgmi health -c", "dcgmi health -c -j > dcgm-health.json", recognises,
          read};
}

}  // namespace gpuvet::ingest
