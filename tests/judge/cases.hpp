// SPDX-License-Identifier: Apache-2.0
// tests/judge/cases/<criterion>.toml: what a criterion says of which evidence. A case that cannot
// be read throws, so that a slip of the pen never passes for a case.
#pragma once

#include <toml++/toml.h>
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <initializer_list>
#include <iterator>
#include <set>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

#include "catalogue/packed.hpp"
#include "judge/judge.hpp"

namespace gpuvet::judge::testing {

struct Case {
  std::string name;
  std::string expect;   ///< a status; several joined by "+", by name, where conditions differ
  std::string subject;  ///< whose finding is checked
  catalogue::Stage stage = catalogue::Stage::purchase;
  std::string limit;  ///< text that the finding's limit must contain; empty: not checked
  Evidence evidence;
};

struct CaseFile {
  std::string criterion;
  std::vector<Case> cases;
};

/// What became of a case. Two are equal when nothing that the case looks at differs.
struct CaseOutcome {
  std::string status;       ///< as Case::expect; empty: no finding on the subject
  bool limit_shown = true;  ///< the text that the case asks for, where it does
  std::string limits;       ///< for people
  friend bool operator==(const CaseOutcome& a, const CaseOutcome& b) {
    return a.status == b.status && a.limit_shown == b.limit_shown;
  }
};

/// The embedded catalogue.
inline const catalogue::Catalogue& embedded_catalogue() {
  static const catalogue::Catalogue all = catalogue::built_in();
  return all;
}

/// The same GPUs, one criterion, nothing else to judge.
inline catalogue::Catalogue only(const catalogue::Catalogue& all, catalogue::Criterion criterion) {
  catalogue::Catalogue out;
  out.gpus = all.gpus;
  out.criteria.push_back(std::move(criterion));
  return out;
}

inline CaseOutcome run(const Case& c, const std::string& criterion,
                       const catalogue::Catalogue& catalogue) {
  std::set<std::string> statuses;
  CaseOutcome out;
  for (const auto& f : judge(c.evidence, catalogue, {c.stage, {}}).findings) {
    if (f.id != criterion || f.subject != c.subject) continue;
    statuses.insert(std::string(name(f.status)));
    if (f.limit.find(c.limit) == std::string::npos) out.limit_shown = false;
    out.limits += "[" + f.limit + "]";
  }
  for (const auto& status : statuses) out.status += (out.status.empty() ? "" : "+") + status;
  return out;
}

namespace detail {

inline void only_keys(const toml::table& table, std::initializer_list<std::string_view> known,
                      const std::string& at) {
  for (const auto& [key, node] : table)
    if (std::find(known.begin(), known.end(), key.str()) == known.end())
      throw std::runtime_error(at + ": '" + std::string(key.str()) + "' does not belong here");
}

inline std::string text(const toml::table& table, std::string_view key, const std::string& at) {
  const auto value = table[key].value_exact<std::string>();
  if (!value) throw std::runtime_error(at + ": " + std::string(key) + " is missing or no text");
  return *value;
}

/// "85 °C" in base units; the unit must be the observation's.
inline double measured(std::string_view written, Unit unit, const std::string& at) {
  const auto measure = parse_measure(written);
  if (!measure) throw std::runtime_error(at + ": " + measure.error().what);
  if (measure->unit != unit)
    throw std::runtime_error(at + ": '" + std::string(written) + "' is not in " +
                             std::string(symbol(unit)));
  return measure->value;
}

inline Value value_of(const toml::node& node, Unit unit, const std::string& at) {
  if (const auto flag = node.value_exact<bool>()) return Value{*flag};
  if (const auto written = node.value_exact<std::string>())
    return unit == Unit::none ? Value{*written} : Value{measured(*written, unit, at)};
  if (node.is_number()) {
    if (unit != Unit::none) throw std::runtime_error(at + ": the number needs its unit");
    return Value{*node.value<double>()};
  }
  const toml::array* list = node.as_array();
  if (list == nullptr) throw std::runtime_error(at + ": no value of a kind that observations have");
  std::vector<double> numbers;
  std::vector<std::string> texts;
  for (const auto& element : *list) {
    const Value one = value_of(element, unit, at);
    if (const auto* number = std::get_if<double>(&one))
      numbers.push_back(*number);
    else if (const auto* text = std::get_if<std::string>(&one))
      texts.push_back(*text);
    else
      throw std::runtime_error(at + ": lists hold numbers or texts");
  }
  if (!numbers.empty() && !texts.empty()) throw std::runtime_error(at + ": a list of two kinds");
  return numbers.empty() ? Value{std::move(texts)} : Value{std::move(numbers)};
}

inline Where where_of(const toml::table& table, const std::string& at) {
  Where out;
  for (const auto& [key, node] : table) {
    const std::string dimension(key.str());
    const auto written = node.value_exact<std::string>();
    if (written && dimension == "bytes")
      out[dimension] = measured(*written, Unit::byte, at);
    else if (written)
      out[dimension] = *written;
    else if (node.is_number())
      out[dimension] = *node.value<double>();
    else
      throw std::runtime_error(at + ": dimensions are numbers or text");
  }
  return out;
}

inline Absence absence_named(std::string_view written, const std::string& at) {
  for (const auto why : {Absence::not_supported, Absence::permission, Absence::timeout,
                         Absence::malformed, Absence::not_asked})
    if (name(why) == written) return why;
  throw std::runtime_error(at + ": '" + std::string(written) + "' is no absence");
}

inline void observe(const toml::table& table, Recorder& out, const std::string& at) {
  only_keys(table, {"id", "subject", "value", "absent", "where", "detail"}, at);
  const auto id = find_id(text(table, "id", at));
  if (!id) throw std::runtime_error(at + ": " + text(table, "id", at) + " is not declared");
  auto subject = text(table, "subject", at);
  Where where;
  if (const auto* dimensions = table["where"].as_table()) where = where_of(*dimensions, at);
  const toml::node* value = table.get("value");
  if ((value == nullptr) != table.contains("absent"))
    throw std::runtime_error(at + ": an observation has either a value or is absent");
  if (value == nullptr) {
    out.absent(*id, std::move(subject), absence_named(text(table, "absent", at), at), {},
               std::move(where));
  } else {
    Value v = value_of(*value, id->info().unit, at);
    if (auto* number = std::get_if<double>(&v))
      out.number(*id, subject, *number, where);
    else if (auto* flag = std::get_if<bool>(&v))
      out.flag(*id, subject, *flag, where);
    else if (auto* words = std::get_if<std::string>(&v))
      out.text(*id, subject, *words, where);
    else if (auto* list = std::get_if<std::vector<double>>(&v))
      out.numbers(*id, subject, *list, where);
    else
      out.texts(*id, subject, std::get<std::vector<std::string>>(v), where);
  }
  if (table.contains("detail")) out.detail(text(table, "detail", at));
}

inline bool is_expectation(const std::string& expect) {
  std::istringstream parts(expect);
  std::string previous, part;
  for (; std::getline(parts, part, '+'); previous = part) {
    bool known = false;
    for (const auto s : {Status::pass, Status::warn, Status::fail, Status::not_applicable,
                         Status::no_evidence, Status::error})
      known = known || name(s) == part;
    if (!known || part <= previous) return false;
  }
  return !previous.empty();
}

inline Case case_of(const toml::table& table, const std::string& file) {
  Case out;
  out.name = text(table, "name", file);
  const std::string at = file + ": " + out.name;
  only_keys(table, {"name", "expect", "subject", "stage", "limit", "observe"}, at);
  out.expect = text(table, "expect", at);
  if (!is_expectation(out.expect)) throw std::runtime_error(at + ": cannot expect " + out.expect);
  if (table.contains("stage")) {
    const auto stage = catalogue::stage_named(text(table, "stage", at));
    if (!stage) throw std::runtime_error(at + ": no such stage");
    out.stage = *stage;
  }
  if (table.contains("limit")) out.limit = text(table, "limit", at);
  Recorder recorder(out.evidence, {How::reported, Custody::received, "a test case", {}, file, {}});
  if (const auto* observations = table["observe"].as_array())
    for (const auto& element : *observations) {
      if (!element.is_table()) throw std::runtime_error(at + ": observe holds no table");
      observe(*element.as_table(), recorder, at);
    }
  if (table.contains("subject"))
    out.subject = text(table, "subject", at);
  else if (!out.evidence.observations.empty())
    out.subject = out.evidence.observations[0].subject;
  else
    out.subject = "node";
  return out;
}

}  // namespace detail

inline std::filesystem::path cases_folder() { return GPUVET_SOURCE_DIR "/tests/judge/cases"; }

inline CaseFile parse_cases(std::string_view text, const std::string& file) {
  const auto parsed = toml::parse(text);
  if (!parsed) {
    std::ostringstream problem;
    problem << file << ": " << parsed.error();
    throw std::runtime_error(problem.str());
  }
  const toml::table& table = parsed.table();
  detail::only_keys(table, {"criterion", "case"}, file);
  CaseFile out{detail::text(table, "criterion", file), {}};
  std::set<std::string> names;
  if (const auto* cases = table["case"].as_array())
    for (const auto& element : *cases) {
      if (!element.is_table()) throw std::runtime_error(file + ": case holds no table");
      out.cases.push_back(detail::case_of(*element.as_table(), file));
      if (!names.insert(out.cases.back().name).second)
        throw std::runtime_error(file + ": two cases are called " + out.cases.back().name);
    }
  return out;
}

inline CaseFile load_cases(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) throw std::runtime_error("cannot read " + path.string());
  return parse_cases(std::string(std::istreambuf_iterator<char>(in), {}), path.filename().string());
}

inline CaseFile cases_of(const std::string& criterion) {
  return load_cases(cases_folder() / (criterion + ".toml"));
}

/// Ids of all criteria, for tests with one run each.
inline std::vector<std::string> criterion_ids() {
  std::vector<std::string> out;
  for (const auto& criterion : embedded_catalogue().criteria) out.push_back(criterion.id);
  return out;
}

/// "gpu.remap.failure" as gtest likes its names.
inline std::string test_name(const std::string& criterion) {
  std::string out = criterion;
  std::replace(out.begin(), out.end(), '.', '_');
  return out;
}

}  // namespace gpuvet::judge::testing
