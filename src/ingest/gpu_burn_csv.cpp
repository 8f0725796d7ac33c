// SPDX-License-Identifier: Apache-2.0
// gpu-burn's progress turned into CSV: calculations, Gflop/s, temperature and errors of one GPU,
// without time and without the GPU's name. Its progress line prints each figure many times.
#include <algorithm>

#include "core/statistics.hpp"
#include "core/text.hpp"
#include "ingest/importer.hpp"
#include "ingest/telemetry_log.hpp"

namespace gpuvet::ingest {

Importer gpu_burn_csv();

namespace {

constexpr std::string_view header = "ClientCalcs,Gflops,Temperature,Errors";

Result<void> read(ByteSource& source, Recorder& out) {
  out.tool("gpu-burn");
  out.how(How::measured);
  LineReader lines{source};
  Thinned rates;
  std::optional<double> hottest, wrong;
  bool begun = false;
  std::size_t cut_line = 0, rows = 0;
  while (const auto line = lines.next()) {
    const std::string_view text = trim(*line);
    if (text.empty() || text == header) {
      begun = begun || text == header;
      continue;
    }
    if (cut_line != 0 || !begun)
      return fail(Errc::malformed, "row without its four fields",
                  cut_line != 0 ? cut_line : lines.line());
    const auto cells = split(text, ',');
    if (cells.size() > 4)
      return fail(Errc::malformed, "row has more than four fields: decimal commas?", lines.line());
    if (cells.size() < 4) {  // allowed at the end only, where a logger was killed
      cut_line = lines.line();
      continue;
    }
    ++rows;
    const auto rate = parse_number(trim(cells[1])), temperature = parse_number(trim(cells[2])),
               errors = parse_number(trim(cells[3]));
    if (!rate || *rate < 0 || *rate > 1e9 || !errors || *errors < 0)
      return fail(Errc::malformed, "unreadable figure", lines.line());
    rates.add(*rate * 1e9);
    wrong = std::max(wrong.value_or(0), *errors);
    if (temperature && *temperature > 0 && *temperature < 1000)
      hottest = std::max(hottest.value_or(0), *temperature);
  }
  if (lines.error()) return tl::make_unexpected(*lines.error());
  if (rows == 0) return fail(Errc::malformed, "no row below the header", lines.line());
  const std::string gpu = "gpu:cuda#0";  // the only one, as gpu-burn counts
  out.line(0);
  const auto& all = rates.values();
  out.number("compute.burn"_id, gpu, median(all), {{"backend", "gpu-burn"}});
  out.detail("median of " + std::to_string(rows) + " rows");
  if (const std::size_t tenth = all.size() / 10; tenth > 0) {
    const auto step = static_cast<std::ptrdiff_t>(tenth);
    const double first = median(std::vector<double>(all.begin(), all.begin() + step));
    const double last = median(std::vector<double>(all.end() - step, all.end()));
    if (first > 0) out.number("compute.burn.drop"_id, gpu, 1 - last / first);
  }
  if (hottest) out.number("compute.burn.temperature.max"_id, gpu, *hottest);
  out.number("compute.wrong"_id, gpu, *wrong, {{"backend", "gpu-burn"}});
  return {};
}

bool recognises(std::string_view head) {
  return trim(head.substr(0, std::min<std::size_t>(head.find('\n'), 256))) == header;
}

}  // namespace

Importer gpu_burn_csv() {
  return {"gpu_burn_csv", "gpu-burn as CSV", "better send the output of gpu_burn itself",
          recognises, read};
}

}  // namespace gpuvet::ingest
