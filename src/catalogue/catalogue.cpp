// SPDX-License-Identifier: Apache-2.0
#include "catalogue/catalogue.hpp"

#include <fmt/format.h>
#include <xxhash.h>

#include <set>

#include "catalogue/parse.hpp"

namespace gpuvet::catalogue {
namespace {

/// Which parser a data file goes to, by its path.
Result<void> parse_file(const File& file, TomlReader& in, Catalogue& out) {
  const auto in_folder = [&](std::string_view folder) { return file.path.rfind(folder, 0) == 0; };
  if (file.path == "groups.toml")
    parse_groups(in, out);
  else if (in_folder("criteria/"))
    parse_criteria(in, file.path, out);
  else if (in_folder("workloads/"))
    parse_workload(in, out);
  else if (in_folder("gpus/"))
    parse_gpu(in, out);
  else if (in_folder("servers/"))
    parse_server(in, out);
  else if (in_folder("models/"))
    parse_model(in, out);
  else if (in_folder("architectures/"))
    parse_architecture(in, out);
  else if (file.path == "intervals.toml")
    parse_intervals(in, out);
  else if (file.path == "prices.toml")
    parse_prices(in, out);
  else if (file.path == "upgrades.toml")
    parse_upgrades(in, out);
  else if (file.path == "verified.toml")
    parse_verified(in, out);
  else if (file.path == "xid.toml")
    parse_xids(in, out);
  else if (file.path == "sxid.toml")
    parse_sxids(in, out);
  else if (file.path == "article.toml")
    parse_claims(in, out);
  else if (file.path == "article_order.toml")
    parse_article_orders(in, out);
  else
    return fail(Errc::malformed, "no kind of catalogue data lives here");
  return {};
}

/// Simulated servers judge nothing: another room reads them, and no verdict depends on them.
bool is_scenario(const File& file) { return file.path.rfind("scenarios/", 0) == 0; }

bool wanted(const File& file, Parts parts) {
  if (is_scenario(file)) return false;
  switch (parts) {
    case Parts::all:
      return true;
    case Parts::judging:
      return file.path != "article.toml" && file.path != "article_order.toml" &&
             file.path != "intervals.toml" && file.path != "prices.toml" &&
             file.path != "sxid.toml" && file.path != "upgrades.toml" && file.path != "xid.toml" &&
             file.path != "verified.toml" && file.path.rfind("servers/", 0) != 0 &&
             file.path.rfind("models/", 0) != 0 && file.path.rfind("architectures/", 0) != 0;
    case Parts::xids:
      return file.path == "xid.toml";
  }
  return false;
}

Result<void> check_article_orders(const Catalogue& c) {
  const auto problem = [](const std::string& what) {
    return fail(Errc::malformed,
                fmt::format("article_order.toml: {} is not in the catalogue", what));
  };
  for (const auto& order : c.article_orders) {
    if (c.workload(order.workload) == nullptr) return problem("workload " + order.workload);
    for (const auto& place : order.places) {
      if (c.server(place.server) == nullptr) return problem("server " + place.server);
      if (c.claim(place.claim) == nullptr) return problem("claim " + place.claim);
    }
    for (const auto& difference : order.differences)
      for (const auto& id : difference.claims)
        if (c.claim(id) == nullptr) return problem("claim " + id);
  }
  return {};
}

/// What no single file can see: groups and criteria that are named but don't exist.
Result<void> check_references(const Catalogue& c) {
  std::set<std::string> groups, ids;
  for (const auto& group : c.groups) groups.insert(group.id);
  for (const auto& criterion : c.criteria) {
    ids.insert(criterion.id);
    if (!groups.contains(criterion.group))
      return fail(Errc::malformed,
                  fmt::format("{}: criterion {} is in group '{}', which groups.toml lacks",
                              criterion.file, criterion.id, criterion.group));
  }
  for (const auto& claim : c.claims)
    for (const auto& id : claim.criteria)
      if (!ids.contains(id))
        return fail(
            Errc::malformed,
            fmt::format("article.toml: claim {} names criterion {}, which is none", claim.id, id));
  GPUVET_CHECK(check_article_orders(c));
  for (const auto& upgrade : c.upgrades) {
    const auto problem = [&](const std::string& what) {
      return fail(Errc::malformed, fmt::format("upgrades.toml: {} is not in the catalogue", what));
    };
    if (c.server(upgrade.server) == nullptr) return problem(upgrade.server);
    if (!upgrade.to.empty() && c.gpu(upgrade.to) == nullptr) return problem(upgrade.to);
    for (const auto& from : upgrade.from)
      if (c.gpu(from) == nullptr) return problem(from);
  }
  return {};
}

std::string digest(const std::vector<File>& files) {
  XXH3_state_t* const state = XXH3_createState();
  XXH3_128bits_reset(state);
  for (const auto& file : files) {
    if (is_scenario(file) || file.path == "verified.toml") continue;
    // Lengths keep "ab"+"c" apart from "a"+"bc".
    const std::string head = fmt::format("{}\n{}\n", file.path, file.text.size());
    XXH3_128bits_update(state, head.data(), head.size());
    XXH3_128bits_update(state, file.text.data(), file.text.size());
  }
  const XXH128_hash_t hash = XXH3_128bits_digest(state);
  XXH3_freeState(state);
  return fmt::format("xxh128:{:016x}{:016x}", hash.high64, hash.low64);
}

}  // namespace

Result<Catalogue> parse(const std::vector<File>& files, Parts parts) {
  Catalogue out;
  for (const auto& file : files) {
    if (!wanted(file, parts)) continue;
    const auto parsed = toml::parse(file.text);
    if (!parsed)
      return in_context(
          Result<Catalogue>(fail(Errc::malformed, std::string(parsed.error().description()),
                                 parsed.error().source().begin.line)),
          file.path);
    std::optional<Error> problem;
    TomlReader reader(parsed.table(), problem);
    auto placed = in_context(parse_file(file, reader, out), file.path);
    if (!placed) return tl::make_unexpected(std::move(placed).error());
    reader.finish();
    if (problem) {
      problem->context.push_back(file.path);
      return tl::make_unexpected(std::move(*problem));
    }
  }
  GPUVET_CHECK(check_references(out));
  out.digest = digest(files);
  return out;
}

std::string_view name(Stage stage) {
  switch (stage) {
    case Stage::purchase:
      return "purchase";
    case Stage::acceptance:
      return "acceptance";
    case Stage::prejob:
      return "prejob";
  }
  return "";
}

std::optional<Stage> stage_named(std::string_view text) {
  for (const Stage stage : {Stage::purchase, Stage::acceptance, Stage::prejob})
    if (name(stage) == text) return stage;
  return {};
}

}  // namespace gpuvet::catalogue
