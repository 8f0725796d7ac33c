// SPDX-License-Identifier: Apache-2.0
// A series: columns of equal length, in base units, over time or over bytes.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/units.hpp"
#include "evidence/observation.hpp"

namespace gpuvet {

struct Column {
  std::string name;
  Unit unit = Unit::none;
  std::vector<double> values;  ///< NaN marks a missing cell, here and nowhere else
};

struct Table {
  std::string name;     ///< kind of series: "thermal.log", "collective.all_reduce"
  std::string subject;  ///< what it is about
  Where where;
  std::vector<Column> columns;
  std::shared_ptr<const Provenance> provenance;

  [[nodiscard]] const Column* column(std::string_view name) const;
  [[nodiscard]] std::size_t rows() const {
    return columns.empty() ? 0 : columns.front().values.size();
  }
};

}  // namespace gpuvet
