// SPDX-License-Identifier: Apache-2.0
#include "ingest/gpu_matrix.hpp"

#include <fmt/format.h>

#include <cstdint>

#include "core/text.hpp"
#include "ingest/cuda_devices.hpp"

namespace gpuvet::ingest {

Result<std::size_t> matrix_columns(std::string_view header, std::size_t line) {
  constexpr std::size_t longest_header = 4096;
  const auto labels = words(header.substr(0, longest_header));
  for (std::size_t i = 0; i < labels.size(); ++i)
    if (parse_integer(labels[i]) != static_cast<std::int64_t>(i))
      return fail(Errc::malformed, "the header of a matrix does not number its columns from 0",
                  line);
  if (labels.empty()) return fail(Errc::malformed, "the header of a matrix is due here", line);
  if (labels.size() > CudaDevices::most)
    return fail(Errc::too_large, fmt::format("more than {} GPUs", CudaDevices::most), line);
  return labels.size();
}

Result<MatrixRow> matrix_row(std::string_view text, std::size_t row, std::size_t columns,
                             std::size_t line) {
  constexpr double beyond_any = 1e9;
  const auto cells = words(text);
  if (cells.empty() || parse_integer(cells[0]) != static_cast<std::int64_t>(row))
    return fail(Errc::malformed, fmt::format("row {} of the matrix is due here", row), line);
  if (cells.size() != columns + 1)
    return fail(Errc::malformed,
                fmt::format("row {} has {} cells, the header has {} columns", row, cells.size() - 1,
                            columns),
                line);
  MatrixRow out;
  for (std::size_t i = 1; i <= columns; ++i) {
    const auto cell = cells[i];
    if (cell == "N/A") {
      out.emplace_back();
      continue;
    }
    const auto value = parse_number(cell);
    const auto point = cell.find('.');
    if (!value || point == std::string_view::npos || cell.size() - point != 3)
      return fail(
          Errc::malformed,
          fmt::format("\"{}\" is no figure with two decimals", printable(cell.substr(0, 40))),
          line);
    if (*value < 0 || *value > beyond_any)
      return fail(Errc::malformed,
                  fmt::format("{} is no bandwidth or latency", printable(cell.substr(0, 40))),
                  line);
    out.emplace_back(value);
  }
  return out;
}

}  // namespace gpuvet::ingest
