// SPDX-License-Identifier: Apache-2.0
#include "evidence/bundle.hpp"

#include <fmt/format.h>

#include "core/text.hpp"
#include "evidence/json.hpp"

namespace gpuvet {
namespace {

constexpr std::string_view schema = "gpuvet.bundle/1";

Json text_or_null(const std::string& s) { return s.empty() ? Json(nullptr) : Json(s); }

std::string text_of(const Json& j, const char* key) {
  const auto found = j.find(key);
  return found == j.end() || !found->is_string() ? std::string() : found->get<std::string>();
}

/// Only plain relative paths: no "..", no root, nothing that a vendor's bundle could reach outside
/// with.
bool stays_inside(const std::string& path) {
  if (path.empty() || path.front() == '/') return false;
  for (const auto part : split(path, '/'))
    if (part.empty() || part == "." || part == ".." || contains(part, "\\")) return false;
  return true;
}

const Json& list(const Json& j, const char* key) {
  static const Json none = Json::array();
  const auto found = j.find(key);
  return found == j.end() || !found->is_array() ? none : *found;
}

}  // namespace

std::vector<BundleFile> write_bundle(const Bundle& bundle) {
  std::vector<BundleFile> out;
  Json tables = Json::array();
  for (const auto& table : bundle.evidence.tables) {
    const auto file = fmt::format("tables/{:03}.json", tables.size() + 1);
    tables.push_back({{"name", table.name},
                      {"subject", table.subject},
                      {"where", to_json(table.where)},
                      {"file", file}});
    out.push_back({file, dump(to_json(table))});
  }
  Json observations = Json::array(), sources = Json::array();
  for (const auto& o : bundle.evidence.observations) observations.push_back(to_json(o));
  for (const auto& s : bundle.sources)
    sources.push_back({{"file", text_or_null(s.file)},
                       {"name", s.name},
                       {"kind", text_or_null(s.kind)},
                       {"reason", text_or_null(s.reason)},
                       {"bytes", s.bytes}});
  const Json document = {{"schema", schema},
                         {"machine",
                          {{"hostname", text_or_null(bundle.hostname)},
                           {"collected", text_or_null(bundle.collected)},
                           {"gpuvet", bundle.gpuvet}}},
                         {"observations", std::move(observations)},
                         {"tables", std::move(tables)},
                         {"sources", std::move(sources)}};
  out.push_back({"bundle.json", dump(document)});
  return out;
}

bool is_bundle(std::string_view head) {
  return trim(head.substr(0, 4096)).substr(0, 1) == "{" &&
         contains(head.substr(0, 4096), "\"gpuvet.bundle/");
}

Result<Bundle> read_bundle(
    std::string_view bundle_json,
    const std::function<Result<std::string>(const std::string&)>& table_file) {
  GPUVET_TRY(const Json document, parse_json(bundle_json));
  if (!document.is_object() || text_of(document, "schema") != schema)
    return fail(
        Errc::not_supported,
        fmt::format("schema is '{}', this gpuvet reads {}",
                    printable(document.is_object() ? text_of(document, "schema") : ""), schema));
  Bundle out;
  if (const auto machine = document.find("machine"); machine != document.end()) {
    out.hostname = text_of(*machine, "hostname");
    out.collected = text_of(*machine, "collected");
    out.gpuvet = text_of(*machine, "gpuvet");
  }
  for (const auto& j : list(document, "observations")) {
    GPUVET_TRY(auto observation, observation_from(j));
    out.evidence.observations.push_back(std::move(observation));
  }
  for (const auto& j : list(document, "tables")) {
    const auto file = text_of(j, "file");
    if (!stays_inside(file))
      return fail(Errc::malformed,
                  fmt::format("table file '{}' leaves the bundle", printable(file)));
    GPUVET_TRY(const auto bytes, table_file(file));
    GPUVET_TRY(const Json parsed, in_context(parse_json(bytes), file));
    GPUVET_TRY(auto table, in_context(table_from(parsed), file));
    out.evidence.tables.push_back(std::move(table));
  }
  for (const auto& j : list(document, "sources")) {
    BundleSource source{text_of(j, "file"), text_of(j, "name"), text_of(j, "kind"),
                        text_of(j, "reason"), 0};
    if (const auto bytes = j.find("bytes"); bytes != j.end() && bytes->is_number_unsigned())
      source.bytes = bytes->get<std::size_t>();
    if (!source.file.empty() && !stays_inside(source.file))
      return fail(Errc::malformed,
                  fmt::format("source file '{}' leaves the bundle", printable(source.file)));
    out.sources.push_back(std::move(source));
  }
  return out;
}

}  // namespace gpuvet
