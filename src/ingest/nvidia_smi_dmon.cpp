// SPDX-License-Identifier: Apache-2.0
// `nvidia-smi dmon` and `pmon`: a row for each GPU (or process) and moment below two header lines
// that come again every few rows. Rows have a time only with -o DT; else the command above them
// says how far apart they are, if somebody kept it. Without either there is no series.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <set>

#include "core/text.hpp"
#include "ingest/importer.hpp"
#include "ingest/query_time.hpp"
#include "ingest/series_binner.hpp"

namespace gpuvet::ingest {

Importer nvidia_smi_dmon();

namespace {

constexpr std::size_t most_gpus = 256, most_columns = 64, most_processes = 4096;
constexpr std::size_t most_bins = 32 * SeriesBinner::default_bins;  // of all GPUs together
constexpr double day = 86'400;

/// A column, what its last value says, and where its values go in a series. fb is left alone (its
/// MB are MiB or not, depending on the driver), so are the ECC counts, which are aggregates.
struct Quantity {
  std::string_view name, unit;
  Id id;
  double factor, divisor;
  double Sample::*to;
};

constexpr std::array quantities{
    Quantity{"pwr", "W", "gpu.power.draw"_id, 1, 1, &Sample::power},
    Quantity{"gtemp", "C", "gpu.temperature.core"_id, 1, 1, &Sample::core},
    Quantity{"temp", "C", "gpu.temperature.core"_id, 1, 1, &Sample::core},
    Quantity{"mtemp", "C", "gpu.temperature.memory"_id, 1, 1, &Sample::memory},
    Quantity{"sm", "%", "gpu.utilization"_id, 1, 100, &Sample::utilization},
    Quantity{"mem", "%", "gpu.utilization.memory"_id, 1, 100, nullptr},
    Quantity{"mclk", "MHz", "gpu.clock.memory"_id, 1e6, 1, nullptr},
    Quantity{"pclk", "MHz", "gpu.clock.sm"_id, 1e6, 1, &Sample::clock},
    Quantity{"pci", "errs", "gpu.pcie.replays"_id, 1, 1, nullptr},
};

struct Column {
  const Quantity* quantity = nullptr;
  std::string name;
};

struct Gpu {
  std::size_t line = 0, rows = 0;
  double previous = 0;
  std::vector<std::string> last;  ///< cells
  SeriesBinner series;
};

/// Fields between commas with --format csv, else words.
std::vector<std::string_view> fields_of(std::string_view line, bool commas) {
  if (!commas) return words(line);
  auto out = split(line, ',');
  for (auto& field : out) field = trim(field);
  return out;
}

/// "# gpu  pwr …" or "#Date  Time  gpu  pid …" without its '#'; nothing for other lines.
std::optional<std::vector<std::string>> header_in(std::string_view line) {
  line = trim(line);
  if (!line.starts_with('#') || line.size() > 2048) return {};
  line.remove_prefix(1);
  const auto fields = fields_of(line, contains(line, ","));
  std::vector<std::string> out;
  for (const auto field : fields) out.push_back(lower(field));
  const auto gpu = std::ranges::find(out, "gpu");
  if (gpu == out.end() || gpu - out.begin() > 2 || out.end() - gpu < 2 || out.size() > most_columns)
    return {};
  const bool known = std::ranges::any_of(out, [](const std::string& name) {
    return name == "pid" || name == "rxpci" || name == "fb" || name == "pviol" ||
           std::ranges::find(quantities, name, &Quantity::name) != quantities.end();
  });
  const bool times =
      std::all_of(out.begin(), gpu, [](const auto& s) { return s == "date" || s == "time"; });
  if (!known || !times) return {};
  return out;
}

/// Seconds between rows, from "nvidia-smi dmon -i 3 -d 5"; nothing for other lines.
std::optional<double> period_in(std::string_view line) {
  const auto at = line.find("dmon");
  if (at == line.npos || !contains(line.substr(0, at), "nvidia-smi") || line.size() > 2048)
    return {};
  const auto tokens = words(line.substr(at));
  for (std::size_t i = 0; i + 1 < tokens.size(); ++i)
    if (tokens[i] == "-d" || tokens[i] == "--delay") {
      const auto period = parse_number(tokens[i + 1]);
      return period && *period >= 1 && *period <= day ? period : std::nullopt;
    }
  return 1;
}

class Reader {
 public:
  Reader(ByteSource& source, Recorder& out) : lines_{source}, out_{out} {}

  Result<void> read() {
    while (const auto raw = lines_.next()) {
      if (raw->find('\x1b') == raw->npos) {
        GPUVET_CHECK(read_line(*raw));
      } else {
        GPUVET_CHECK(read_line(strip_escapes(*raw)));
      }
    }
    if (lines_.error()) return tl::make_unexpected(*lines_.error());
    if (columns_.empty())
      return fail(Errc::malformed, "no header of nvidia-smi dmon or pmon", lines_.line());
    if (gpus_.empty() && counts_.empty())
      return fail(Errc::malformed, "no row below the header", lines_.line());
    out_.tool(processes_ ? "nvidia-smi pmon" : "nvidia-smi dmon");
    if (!when_.empty()) out_.when(when_);
    record_index();
    for (auto& [index, gpu] : gpus_) GPUVET_CHECK(record(index, gpu));
    for (const auto& [index, count] : counts_) {
      out_.line(count.line);
      out_.number("gpu.processes"_id, gpu_ordinal(index), count.number);
    }
    return {};
  }

 private:
  struct Count {
    double number = 0;
    std::size_t line = 0;
  };

  Result<void> read_line(std::string_view line) {
    if (const auto period = period_in(line)) {
      // Another run: nobody knows how long after the one before.
      period_ = period;
      for (auto& [index, gpu] : gpus_) gpu.series = SeriesBinner{}, gpu.rows = 0;
      return {};
    }
    line = trim(line);
    if (line.starts_with('#')) {
      if (auto header = header_in(line)) return begin(*std::move(header), contains(line, ","));
      return {};
    }
    if (columns_.empty() || line.empty() || line[0] < '0' || line[0] > '9') return {};
    if (broken_ != 0)
      return fail(
          Errc::malformed,
          fmt::format("row has another number of fields than the header's {}", columns_.size()),
          broken_);
    const auto fields = fields_of(line.substr(0, 4096), commas_);
    // A process's name, the last column of pmon, may hold blanks. A logger that was killed leaves
    // half a row.
    const bool enough =
        processes_ ? fields.size() >= columns_.size() : fields.size() == columns_.size();
    if (!enough) {
      broken_ = lines_.line();
      return {};
    }
    return processes_ ? process_row(fields) : gpu_row(fields);
  }

  Result<void> begin(std::vector<std::string> names, bool commas) {
    commas_ = commas;
    gpu_at_ = static_cast<std::size_t>(std::ranges::find(names, "gpu") - names.begin());
    processes_ = std::ranges::find(names, "pid") != names.end();
    if (processes_ && (names.size() < gpu_at_ + 3 || names[gpu_at_ + 2] != "type"))
      return fail(Errc::malformed, "a header of pmon without gpu, pid and type", lines_.line());
    std::vector<Column> columns;
    for (auto& name : names) {
      const auto* known = std::ranges::find(quantities, name, &Quantity::name);
      columns.push_back({known == quantities.end() ? nullptr : known, std::move(name)});
    }
    const bool same = std::ranges::equal(columns, columns_, {}, &Column::name, &Column::name);
    if (!columns_.empty() && !same && !gpus_.empty())
      return fail(Errc::malformed, "another header than above: give one run a file", lines_.line());
    columns_ = std::move(columns);
    return {};
  }

  [[nodiscard]] Result<std::size_t> index_in(std::string_view text) const {
    const auto index = parse_integer(text);
    if (!index || *index < 0 || *index > 99'999)
      return fail(Errc::malformed, "row doesn't begin with a GPU's number", lines_.line());
    return static_cast<std::size_t>(*index);
  }

  /// Seconds since 1970, or of the day, or rows times their period; nothing when nobody says.
  Result<std::optional<double>> time_of(const std::vector<std::string_view>& fields,
                                        const Gpu& gpu) {
    std::string_view date, time;
    for (std::size_t i = 0; i < gpu_at_; ++i)
      (columns_[i].name == "date" ? date : time) = fields[i];
    if (time.empty()) {
      if (!date.empty() || !period_) return std::nullopt;
      return static_cast<double>(gpu.rows) * *period_;
    }
    const bool dated = date.size() == 8;
    const auto stamp = clock_.read(dated ? fmt::format("{}/{}/{} {}", date.substr(0, 4),
                                                       date.substr(4, 2), date.substr(6), time)
                                         : fmt::format("1970/01/01 {}", time));
    if (!stamp)
      return fail(Errc::malformed,
                  fmt::format("unreadable time '{}'", printable(time.substr(0, 40))),
                  lines_.line());
    when_ = dated ? fmt::format("{} {}", date, time) : std::string(time);
    double now = static_cast<double>(*stamp) / 1e6 + (dated ? 0 : midnights_ * day);
    if (!dated && now < latest_ - day / 2) {
      ++midnights_;
      now += day;
    }
    latest_ = now;
    return now;
  }

  Result<void> gpu_row(const std::vector<std::string_view>& fields) {
    GPUVET_TRY(const std::size_t index, index_in(fields[gpu_at_]));
    const bool first = !gpus_.contains(index);
    if (first && gpus_.size() == most_gpus)
      return fail(Errc::too_large, fmt::format("more than {} GPUs", most_gpus), lines_.line());
    Gpu& gpu = gpus_[index];
    if (first && gpus_.size() > most_bins / SeriesBinner::default_bins)
      for (auto& [other, it] : gpus_) it.series.limit(most_bins / gpus_.size());
    Sample sample;
    for (std::size_t i = gpu_at_ + 1; i < fields.size(); ++i) {
      GPUVET_TRY(const auto value, value_of(i, fields[i]));
      if (!value) continue;
      const Quantity* quantity = columns_[i].quantity;
      if (quantity != nullptr && quantity->to != nullptr) sample.*(quantity->to) = *value;
      if (columns_[i].name == "tviol") sample.sw_thermal = *value > 0 ? 1 : 0;
      if (columns_[i].name == "pviol") sample.power_cap = *value > 0 ? 1 : 0;
    }
    GPUVET_TRY(const auto now, time_of(fields, gpu));
    if (now) {
      if (!start_ || (gpu.rows == 0 && *now < *start_)) start_ = now;
      if (gpu.rows > 0) sample.gap = std::abs(*now - gpu.previous);
      sample.time = *now - *start_;
      gpu.previous = *now;
      gpu.series.add(sample);
    }
    ++gpu.rows;
    gpu.line = lines_.line();
    gpu.last.assign(fields.begin(), fields.end());
    return {};
  }

  /// In base units; nothing for "-" and for columns that mean nothing here.
  Result<std::optional<double>> value_of(std::size_t column, std::string_view text) const {
    const Quantity* quantity = columns_[column].quantity;
    const std::string& name = columns_[column].name;
    if (text == "-" || (quantity == nullptr && name != "tviol" && name != "pviol"))
      return std::nullopt;
    const auto number = parse_number(text);
    if (!number || (*number < 0 && !name.ends_with("temp")))
      return fail(Errc::malformed,
                  fmt::format("'{}' in column {}{}", printable(text.substr(0, 40)), name,
                              contains(text, ",") ? ": a decimal comma? rerun with LC_ALL=C" : ""),
                  lines_.line());
    return quantity == nullptr ? *number : *number * quantity->factor / quantity->divisor;
  }

  /// Only the last round counts: it begins where a process comes again.
  Result<void> process_row(const std::vector<std::string_view>& fields) {
    GPUVET_TRY(const std::size_t index, index_in(fields[gpu_at_]));
    const std::string_view pid = fields[gpu_at_ + 1], type = fields[gpu_at_ + 2];
    if (round_.size() == most_processes)
      return fail(Errc::too_large, fmt::format("more than {} processes", most_processes),
                  lines_.line());
    if (!round_.emplace(index, pid.substr(0, 20)).second) {
      round_.clear();
      counts_.clear();
      round_.emplace(index, pid.substr(0, 20));
    }
    Count& count = counts_[index];
    count.line = lines_.line();
    if (pid != "-" && contains(type, "C")) ++count.number;
    return {};
  }

  /// The ordinals of some GPUs (-i) are no inventory.
  void record_index() {
    std::set<std::size_t> indices;
    for (const auto& [index, gpu] : gpus_) indices.insert(index);
    for (const auto& [index, count] : counts_) indices.insert(index);
    if (*indices.rbegin() + 1 != indices.size()) return;
    for (const std::size_t index : indices) {
      out_.line(gpus_.contains(index) ? gpus_[index].line : counts_[index].line);
      out_.number("gpu.index"_id, gpu_ordinal(index), static_cast<double>(index));
    }
  }

  Result<void> record(std::size_t index, Gpu& gpu) {
    const std::string subject = gpu_ordinal(index);
    out_.line(gpu.line);
    for (std::size_t i = gpu_at_ + 1; i < gpu.last.size(); ++i) {
      const Quantity* quantity = columns_[i].quantity;
      if (quantity == nullptr) continue;
      GPUVET_TRY(const auto value, value_of(i, gpu.last[i]));
      if (value)
        out_.number(quantity->id, subject, *value);
      else
        out_.absent(quantity->id, subject, Absence::not_supported);
    }
    if (broken_ != 0 && index == gpus_.rbegin()->first)
      out_.detail("the log's last line is cut off and left out");
    if (gpu.series.samples() > 1) out_.table(gpu.series.table("thermal.log", subject));
    gpu.series = SeriesBinner{};
    return {};
  }

  LineReader lines_;
  Recorder& out_;
  std::vector<Column> columns_;
  std::size_t gpu_at_ = 0;
  bool processes_ = false, commas_ = false;
  std::optional<double> period_, start_;
  QueryTime clock_;
  double latest_ = 0, midnights_ = 0;
  std::string when_;
  std::map<std::size_t, Gpu> gpus_;
  std::map<std::size_t, Count> counts_;
  std::set<std::pair<std::size_t, std::string>, std::less<>> round_;
  std::size_t broken_ = 0;
};

/// Both header lines, one below the other: names, then units that start with GPU's "Idx".
bool recognises(std::string_view head) {
  constexpr std::size_t lines_that_count = 100;
  bool below = false;
  for (std::size_t seen = 0; !head.empty() && seen < lines_that_count; ++seen) {
    const auto end = std::min(head.find('\n'), head.size());
    const std::string line = strip_escapes(head.substr(0, std::min<std::size_t>(end, 2048)));
    head.remove_prefix(std::min(end + 1, head.size()));
    if (below && trim(line).starts_with('#') && contains(line, "Idx")) return true;
    below = header_in(line).has_value();
  }
  return false;
}

Result<void> read(ByteSource& source, Recorder& out) { return Reader(source, out).read(); }

}  // namespace

Importer nvidia_smi_dmon() {
  return {"nvidia_smi_dmon", "nvidia-smi dmon", "nvidia-smi dmon -s pucvmet -o DT > dmon.txt",
          recognises, read};
}

}  // namespace gpuvet::ingest
