// SPDX-License-Identifier: Apache-2.0
// The matrices that bandwidth tools print: a header that numbers the GPUs from 0, then rows of
// figures with two decimals.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>
#include <vector>

#include "core/result.hpp"

namespace gpuvet::ingest {

using MatrixRow = std::vector<std::optional<double>>;  ///< nothing where the tool says N/A

/// How many columns "0 1 2 3" numbers.
Result<std::size_t> matrix_columns(std::string_view header, std::size_t line);

/// "2 24.10 24.20 N/A 24.30", which must be row `row`. A figure with other than two decimals is
/// refused: the file was cut inside it, or it has a decimal comma.
Result<MatrixRow> matrix_row(std::string_view text, std::size_t row, std::size_t columns,
                             std::size_t line);

}  // namespace gpuvet::ingest
