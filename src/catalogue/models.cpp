// SPDX-License-Identifier: Apache-2.0
// data/models, data/architectures, data/intervals.toml: the numbers that predictions rest on.
#include <algorithm>

#include "catalogue/parse.hpp"
#include "core/text.hpp"

namespace gpuvet::catalogue {
namespace {

Source source_in(TomlReader& in) {
  Source out;
  in.table("source", [&](TomlReader& t) {
    out.tier = t.integer("tier");
    out.ref = t.text("ref");
  });
  if (out.ref.empty()) in.refuse("source", "every constant has a source = {tier, ref}");
  return out;
}

double number(TomlReader& in, std::string_view key) {
  const auto measure = in.measure(key);
  if (!measure) in.refuse(key, "must be a number, or text with a unit");
  return measure ? measure->value : 0;
}

}  // namespace

void parse_model(TomlReader& in, Catalogue& out) {
  ModelData model;
  model.id = in.text("id");
  model.title = in.text("title");
  in.each_table("constant", [&](TomlReader& t) {
    Constant constant;
    const std::string name = t.text("name");
    constant.value = number(t, "value");
    if (t.has("at_least") || t.has("at_most"))
      constant.range = {number(t, "at_least"), number(t, "at_most")};
    constant.means = t.text("means");
    constant.source = source_in(t);
    if (constant.range &&
        !(constant.range->first <= constant.value && constant.value <= constant.range->second))
      t.refuse("value", "is outside at_least … at_most");
    if (!model.constants.emplace(name, std::move(constant)).second)
      t.refuse("name", "stands twice");
  });
  refuse_twice(in, out.models, model.id);
  out.models.push_back(std::move(model));
}

void parse_architecture(TomlReader& in, Catalogue& out) {
  Architecture a;
  a.id = in.text("id");
  a.title = in.text("title");
  a.family = in.text("family");
  a.names = in.texts("names");
  a.source = in.text("source");
  in.table("numbers", [&](TomlReader& t) {
    for (const auto& key : t.keys()) a.numbers.emplace(key, number(t, key));
  });
  in.each_table("layer", [&](TomlReader& t) {
    Architecture::Layer layer;
    layer.kind = t.text("kind");
    for (const auto& key : t.keys()) {
      if (key == "kind") continue;
      if (key == "repeat")
        layer.repeat = number(t, key);
      else
        layer.numbers.emplace(key, number(t, key));
    }
    a.layers.push_back(std::move(layer));
  });
  refuse_twice(in, out.architectures, a.id);
  out.architectures.push_back(std::move(a));
}

void parse_intervals(TomlReader& in, Catalogue& out) {
  in.each_table("family", [&](TomlReader& t) {
    IntervalFamily f;
    f.id = t.text("id");
    f.gpus = t.texts("gpus");
    f.frameworks = t.texts("frameworks");
    f.topologies = t.texts("topologies");
    f.smallest = number(t, "smallest");
    f.largest = number(t, "largest");
    const auto optional = [&](const char* key) {
      const auto measure = t.measure(key);
      return measure ? std::optional(measure->value) : std::nullopt;
    };
    f.same_gpu = optional("same_gpu");
    f.new_gpu = optional("new_gpu");
    f.new_framework = optional("new_framework");
    f.new_topology = optional("new_topology");
    const auto errors = [&](const char* key) {
      std::optional<IntervalFamily::Errors> found;
      t.table(key, [&](TomlReader& e) { found = {number(e, "median"), number(e, "p90")}; });
      return found;
    };
    f.without_group = errors("without_group");
    f.without_gpu = errors("without_gpu");
    f.without_software = errors("without_software");
    f.rows = number(t, "rows");
    f.groups = number(t, "groups");
    refuse_twice(t, out.intervals, f.id);
    out.intervals.push_back(std::move(f));
  });
}

std::optional<double> Architecture::number(std::string_view name) const {
  const auto found = numbers.find(name);
  return found == numbers.end() ? std::nullopt : std::optional(found->second);
}

const Architecture* Catalogue::architecture(std::string_view name) const {
  const auto called_so = [&](const Architecture& a) {
    return equal_ignoring_case(a.id, name) ||
           std::any_of(a.names.begin(), a.names.end(),
                       [&](const std::string& other) { return equal_ignoring_case(other, name); });
  };
  const auto found = std::find_if(architectures.begin(), architectures.end(), called_so);
  return found == architectures.end() ? nullptr : &*found;
}

const Workload* Catalogue::workload(std::string_view id) const {
  const auto found =
      std::find_if(workloads.begin(), workloads.end(), [&](const auto& w) { return w.id == id; });
  return found == workloads.end() ? nullptr : &*found;
}

const Server* Catalogue::server(std::string_view id) const {
  const auto found =
      std::find_if(servers.begin(), servers.end(), [&](const auto& s) { return s.id == id; });
  return found == servers.end() ? nullptr : &*found;
}

}  // namespace gpuvet::catalogue
