// SPDX-License-Identifier: Apache-2.0
// data/gpus, data/servers, data/xid.toml, data/sxid.toml, data/article.toml: facts with sources.
#include <algorithm>

#include "catalogue/parse.hpp"

namespace gpuvet::catalogue {
namespace {

Severity severity(TomlReader& in) {
  const auto text = in.text("severity");
  if (text == "fail") return Severity::fail;
  if (text == "warn") return Severity::warn;
  if (text != "info") in.refuse("severity", "must be info, warn or fail");
  return Severity::info;
}

/// A misspelt name would let an unverified figure decide.
template <class Holds>
void check_unverified(TomlReader& in, const std::vector<std::string>& names, Holds holds) {
  for (const auto& name : names)
    if (!holds(name)) in.refuse("unverified", "'" + name + "' is no field of this file");
}

}  // namespace

void parse_gpu(TomlReader& in, Catalogue& out) {
  Gpu gpu;
  gpu.id = in.text("id");
  gpu.title = in.text("title");
  gpu.names = in.texts("names");
  gpu.device_ids = in.texts("device_ids");
  gpu.subsystem_ids = in.texts("subsystem_ids");
  gpu.architecture = in.text_or("architecture", "");
  gpu.datacenter = in.flag_or("datacenter", false);
  gpu.nvlink_attach = in.text_or("nvlink_attach", "none");
  gpu.source = in.text("source");
  gpu.unverified = in.texts("unverified");
  gpu.notes = in.texts("notes");
  in.table("fields", [&](TomlReader& t) {
    for (const auto& key : t.keys())
      if (const auto measure = t.measure(key)) gpu.fields.emplace(key, *measure);
  });
  in.table("texts", [&](TomlReader& t) {
    for (const auto& key : t.keys()) gpu.texts.emplace(key, t.text(key));
  });
  check_unverified(in, gpu.unverified, [&](const std::string& name) {
    return gpu.fields.contains(name) || gpu.texts.contains(name);
  });
  refuse_twice(in, out.gpus, gpu.id);
  out.gpus.push_back(std::move(gpu));
}

void parse_server(TomlReader& in, Catalogue& out) {
  Server server{in.text("id"),    in.text("vendor"), in.text("model"), in.text("kind"), {}, {},
                in.text("source")};
  server.unverified = in.texts("unverified");
  in.table("facts", [&](TomlReader& t) {
    for (const auto& key : t.keys()) server.facts.emplace_back(key, t.text(key));
  });
  check_unverified(in, server.unverified, [&](const std::string& name) {
    return std::any_of(server.facts.begin(), server.facts.end(),
                       [&](const auto& fact) { return fact.first == name; });
  });
  refuse_twice(in, out.servers, server.id);
  out.servers.push_back(std::move(server));
}

void parse_xids(TomlReader& in, Catalogue& out) {
  in.each_table("xid", [&](TomlReader& t) {
    Xid xid;
    xid.code = t.integer("code");
    xid.mnemonic = t.text_or("mnemonic", "");
    xid.meaning = t.text("meaning");
    xid.immediate = t.text_or("immediate", "");
    xid.investigate = t.text_or("investigate", "");
    xid.severity = severity(t);
    xid.application = t.flag_or("application", false);
    xid.next = t.text("next");
    xid.source = t.text("source");
    if (!out.xids.emplace(xid.code, xid).second) t.refuse("code", "stands twice");
  });
}

void parse_sxids(TomlReader& in, Catalogue& out) {
  in.each_table("sxid", [&](TomlReader& t) {
    const Sxid sxid{t.integer("code"), t.text("meaning"), t.flag_or("fatal", false), t.text("next"),
                    t.text("source")};
    if (!out.sxids.emplace(sxid.code, sxid).second) t.refuse("code", "stands twice");
  });
}

void parse_claims(TomlReader& in, Catalogue& out) {
  in.each_table("claim", [&](TomlReader& t) {
    refuse_twice(t, out.claims, t.text("id"));
    out.claims.push_back({t.text("id"), t.text("quote"), t.text("says"), t.text("found"),
                          t.text("verdict"), t.text("does"), t.text("kind"), t.texts("criteria")});
  });
}

void parse_article_orders(TomlReader& in, Catalogue& out) {
  in.each_table("order", [&](TomlReader& t) {
    ArticleOrder order;
    order.workload = t.text("workload");
    order.by = t.text("by");
    if (order.by != "time" && order.by != "cost") t.refuse("by", "must be time or cost");
    order.figure = t.text("figure");
    order.unit = t.text("unit");
    const std::string best = t.text("best");
    order.least_is_best = best == "least";
    if (!order.least_is_best && best != "most") t.refuse("best", "must be least or most");
    t.each_table("place", [&](TomlReader& p) {
      const auto value = p.measure("value");
      if (!value || value->unit != Unit::none) p.refuse("value", "must be a bare number");
      order.places.push_back({p.text("server"), value ? value->value : 0, p.text("claim")});
      const auto& all = order.places;
      const double step = all.size() < 2 ? 0 : all.back().value - all[all.size() - 2].value;
      if (order.least_is_best ? step < 0 : step > 0) p.refuse("value", "the best goes first");
    });
    t.each_table("differences", [&](TomlReader& d) {
      order.differences.push_back(
          {d.text("better"), d.text("worse"), d.texts("claims"), d.text("why")});
    });
    out.article_orders.push_back(std::move(order));
  });
}

const Claim* Catalogue::claim(std::string_view id) const {
  const auto found =
      std::find_if(claims.begin(), claims.end(), [&](const Claim& c) { return c.id == id; });
  return found == claims.end() ? nullptr : &*found;
}

std::optional<Measure> Gpu::decided(std::string_view field) const {
  if (std::find(unverified.begin(), unverified.end(), field) != unverified.end()) return {};
  const auto found = fields.find(field);
  return found == fields.end() ? std::nullopt : std::optional(found->second);
}

const Gpu* Catalogue::gpu_matching(std::string_view product, std::string_view device_id) const {
  const auto holds = [](const std::vector<std::string>& list, std::string_view what) {
    return !what.empty() && std::find(list.begin(), list.end(), what) != list.end();
  };
  // Some device ids are shared by several products, so the exact name goes first.
  for (const auto& candidate : gpus)
    if (holds(candidate.names, product)) return &candidate;
  for (const auto& candidate : gpus)
    if (holds(candidate.device_ids, device_id)) return &candidate;
  return nullptr;
}

const Gpu* Catalogue::gpu(std::string_view id) const {
  const auto found =
      std::find_if(gpus.begin(), gpus.end(), [&](const Gpu& g) { return g.id == id; });
  return found == gpus.end() ? nullptr : &*found;
}

const Criterion* Catalogue::criterion(std::string_view id) const {
  const auto found = std::find_if(criteria.begin(), criteria.end(),
                                  [&](const Criterion& c) { return c.id == id; });
  return found == criteria.end() ? nullptr : &*found;
}

}  // namespace gpuvet::catalogue
