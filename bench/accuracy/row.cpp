// SPDX-License-Identifier: Apache-2.0
#include "accuracy/row.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "core/text.hpp"

namespace gpuvet::accuracy {
namespace {

std::map<std::string, std::string, std::less<>> params_in(std::string_view text) {
  std::map<std::string, std::string, std::less<>> out;
  std::size_t word = 0;
  for (const auto part : split(text, ';')) {
    const auto equals = part.find('=');
    if (trim(part).empty()) continue;
    if (equals == std::string_view::npos)
      out.emplace("#" + std::to_string(word++), trim(part));  // a word of its own: "compile"
    else
      out.emplace(trim(part.substr(0, equals)), trim(part.substr(equals + 1)));
  }
  return out;
}

}  // namespace

std::string_view Row::param(std::string_view name) const {
  const auto found = params.find(name);
  return found == params.end() ? std::string_view{} : found->second;
}

std::optional<double> Row::number(std::string_view name) const { return parse_number(param(name)); }

double scale_of(std::string_view unit) {
  constexpr std::array<std::pair<std::string_view, double>, 13> units = {{{"us", 1e-6},
                                                                          {"ms", 1e-3},
                                                                          {"min", 60},
                                                                          {"hours", 3600},
                                                                          {"kW", 1e3},
                                                                          {"GB/s", 1e9},
                                                                          {"TB/s", 1e12},
                                                                          {"GiB", 1073741824.0},
                                                                          {"GiB/GPU", 1073741824.0},
                                                                          {"GB", 1e9},
                                                                          {"GB/GPU", 1e9},
                                                                          {"TFLOPS/GPU", 1e12},
                                                                          {"%", 0.01}}};
  const auto first = unit.substr(0, unit.find(' '));  // "GB summed over GPUs", "hours (about)"
  const auto found = std::find_if(units.begin(), units.end(),
                                  [&](const auto& known) { return known.first == first; });
  return found == units.end() ? 1 : found->second;
}

Result<std::vector<Row>> read_rows(std::string_view text) {
  std::vector<Row> out;
  std::map<std::string, std::size_t, std::less<>> column;
  std::size_t number = 0;
  for (const auto line : split(text, '\n')) {
    ++number;
    if (trim(line).empty()) continue;
    const auto cells = split(line, '\t');
    if (column.empty()) {
      for (std::size_t i = 0; i < cells.size(); ++i) column.emplace(trim(cells[i]), i);
      for (const auto* name : {"id", "kind", "gpu_norm", "gpu", "n_gpus", "n_nodes", "topology",
                               "workload", "params", "metric", "value", "unit", "group"})
        if (!column.contains(name))
          return fail(Errc::malformed, std::string("the header lacks the column ") + name, number);
      continue;
    }
    const auto cell = [&](std::string_view name) {
      const auto at = column.find(name);
      if (at == column.end() || at->second >= cells.size()) return std::string();
      return std::string(trim(cells[at->second]));
    };
    if (cells.size() < 12)
      return fail(Errc::malformed, "a row has " + std::to_string(cells.size()) + " columns",
                  number);
    Row row;
    row.id = cell("id");
    row.kind = cell("kind");
    row.gpu_norm = cell("gpu_norm");
    row.gpu = cell("gpu");
    row.topology = cell("topology");
    row.workload = cell("workload");
    row.metric = cell("metric");
    row.unit = cell("unit");
    row.group = cell("group");
    row.note = cell("note");
    row.params = params_in(cell("params"));
    row.scale = scale_of(row.unit);
    row.gpus = static_cast<int>(parse_integer(cell("n_gpus")).value_or(1));
    row.nodes = static_cast<int>(parse_integer(cell("n_nodes")).value_or(1));
    if (const std::string value = cell("value"); !value.empty()) {
      const auto parsed = parse_number(value);
      if (!parsed) return fail(Errc::malformed, "'" + value + "' is no number", number);
      row.value = *parsed * row.scale;
    }
    out.push_back(std::move(row));
  }
  return out;
}

}  // namespace gpuvet::accuracy
