// SPDX-License-Identifier: Apache-2.0
#include "evidence/evidence.hpp"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <set>
#include <stdexcept>

#include "core/text.hpp"

namespace gpuvet {
namespace {

void require_finite(double v, Id id) {
  if (!std::isfinite(v))
    throw std::invalid_argument("not a finite number: " + std::string(id.name()));
}

void require_declared(const Where& where, Id id) {
  const auto declared = words(id.info().dimensions);
  for (const auto& [dimension, value] : where) {
    if (std::find(declared.begin(), declared.end(), dimension) == declared.end())
      throw std::invalid_argument(std::string(id.name()) + " has no dimension " + dimension);
    if (const double* v = std::get_if<double>(&value)) require_finite(*v, id);
  }
}

}  // namespace

void Evidence::append(Evidence other) {
  std::move(other.observations.begin(), other.observations.end(), std::back_inserter(observations));
  std::move(other.tables.begin(), other.tables.end(), std::back_inserter(tables));
}

std::vector<std::string> gpus_listed(const Evidence& evidence) {
  std::set<std::string> by_driver, by_device;
  for (const auto& o : evidence.observations) {
    if (o.subject.compare(0, 4, "gpu:") != 0) continue;
    if (o.id == "gpu.name"_id || o.id == "gpu.index"_id || o.id == "topology.row"_id)
      by_driver.insert(o.subject);
    else if (o.id == "gpu.pci.device_id"_id)
      by_device.insert(o.subject);
  }
  const auto& listed = by_driver.empty() ? by_device : by_driver;
  return {listed.begin(), listed.end()};
}

const Column* Table::column(std::string_view wanted) const {
  const auto found = std::find_if(columns.begin(), columns.end(),
                                  [&](const Column& c) { return c.name == wanted; });
  return found == columns.end() ? nullptr : &*found;
}

Recorder::Recorder(Evidence& evidence, Provenance provenance)
    : evidence_{evidence}, provenance_{std::make_shared<Provenance>(std::move(provenance))} {}

void Recorder::tool(std::string tool_name, std::string version) {
  provenance_->tool = std::move(tool_name);
  provenance_->version = std::move(version);
}

void Recorder::when(std::string time) { provenance_->when = std::move(time); }

void Recorder::how(How known) { provenance_->how = known; }

void Recorder::add(Id id, std::string subject, std::variant<Absence, Value> value, Where where) {
  require_declared(where, id);
  evidence_.observations.push_back(
      {id, std::move(subject), std::move(where), std::move(value), {}, provenance_, line_});
}

void Recorder::number(Id id, std::string subject, double value, Where where) {
  require_finite(value, id);
  add(id, std::move(subject), Value{value}, std::move(where));
}

void Recorder::text(Id id, std::string subject, std::string value, Where where) {
  add(id, std::move(subject), Value{std::move(value)}, std::move(where));
}

void Recorder::flag(Id id, std::string subject, bool value, Where where) {
  add(id, std::move(subject), Value{value}, std::move(where));
}

void Recorder::numbers(Id id, std::string subject, std::vector<double> values, Where where) {
  for (const double v : values) require_finite(v, id);
  add(id, std::move(subject), Value{std::move(values)}, std::move(where));
}

void Recorder::texts(Id id, std::string subject, std::vector<std::string> values, Where where) {
  add(id, std::move(subject), Value{std::move(values)}, std::move(where));
}

void Recorder::absent(Id id, std::string subject, Absence why, std::string detail, Where where) {
  add(id, std::move(subject), why, std::move(where));
  evidence_.observations.back().detail = std::move(detail);
}

void Recorder::table(Table table) {
  table.provenance = provenance_;
  evidence_.tables.push_back(std::move(table));
}

void Recorder::detail(std::string words_) {
  if (!evidence_.observations.empty()) evidence_.observations.back().detail = std::move(words_);
}

}  // namespace gpuvet
