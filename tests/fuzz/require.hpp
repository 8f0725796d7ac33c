// SPDX-License-Identifier: Apache-2.0
// What fuzz targets check: a broken property aborts, which libFuzzer and the replay both report.
#pragma once

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <variant>
#include <vector>

#include "evidence/evidence.hpp"

namespace gpuvet::fuzz {

inline void require(bool holds, const char* property) {
  if (holds) return;
  std::fprintf(stderr, "broken property: %s\n", property);
  std::abort();
}

inline void require_finite(const Where& where) {
  for (const auto& [dimension, value] : where)
    if (const double* number = std::get_if<double>(&value))
      require(std::isfinite(*number), "every dimension is finite");
}

/// Values and dimensions are finite; a cell of a table may be missing (NaN) but not infinite.
inline void require_finite(const Evidence& evidence) {
  for (const Observation& o : evidence.observations) {
    require_finite(o.where);
    if (const double* number = o.number())
      require(std::isfinite(*number), "every number is finite");
    if (const auto* numbers = o.as<std::vector<double>>())
      for (const double number : *numbers)
        require(std::isfinite(number), "every number of a list is finite");
  }
  for (const Table& table : evidence.tables) {
    require_finite(table.where);
    for (const Column& column : table.columns) {
      require(column.values.size() == table.rows(), "columns of a table are equally long");
      for (const double cell : column.values) require(!std::isinf(cell), "no cell is infinite");
    }
  }
}

}  // namespace gpuvet::fuzz
