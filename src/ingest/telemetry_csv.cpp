// SPDX-License-Identifier: Apache-2.0
// CSV logs of other exporters than nvidia-smi: one row a GPU and moment, or one row a moment with
// columns "gpu3_temp_c"; GPU-Z logs; logs without header, refused unless their course tells.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "core/text.hpp"
#include "ingest/importer.hpp"
#include "ingest/nvidia_smi_fields.hpp"
#include "ingest/query_fields.hpp"
#include "ingest/telemetry_log.hpp"
#include "ingest/unnamed_log.hpp"
#include "ingest/watched_source.hpp"

namespace gpuvet::ingest {

Importer telemetry_csv();

namespace {

constexpr std::size_t most_columns = 4096, longest_row = std::size_t{1} << 16;

std::string_view without_bom(std::string_view line) {
  return line.starts_with("\xef\xbb\xbf") ? line.substr(3) : line;
}

enum class Role : std::uint8_t {
  unused,
  when,
  elapsed,
  gpu,
  uuid,
  model,
  quantity,
  events,    // NVML's bits
  perf_cap,  // GPU-Z's bits
  gflops,
  tflops,
  memory_total,
  node_power,
  node_inlet,
};

struct RoleName {
  std::string_view name;
  Role role;
};

constexpr std::array role_names{
    RoleName{"timestamp", Role::when},
    RoleName{"time", Role::when},
    RoleName{"date", Role::when},
    RoleName{"datetime", Role::when},
    RoleName{"elapsed_seconds", Role::elapsed},
    RoleName{"elapsed_s", Role::elapsed},
    RoleName{"gpu", Role::gpu},
    RoleName{"gpu_id", Role::gpu},
    RoleName{"gpu_index", Role::gpu},
    RoleName{"gpu_idx", Role::gpu},
    RoleName{"device", Role::gpu},
    RoleName{"gpu_uuid", Role::uuid},
    RoleName{"uuid", Role::uuid},
    RoleName{"gpu_model", Role::model},
    RoleName{"gpu_name", Role::model},
    RoleName{"modelname", Role::model},
    RoleName{"throttle_reasons", Role::events},
    RoleName{"clock_event_reasons", Role::events},
    RoleName{"dcgm_fi_dev_clock_throttle_reasons", Role::events},
    RoleName{"perfcap_reason", Role::perf_cap},
    RoleName{"gpu_gflops", Role::gflops},
    RoleName{"gpu_tflops", Role::tflops},
    RoleName{"mem_total_mib", Role::memory_total},
    RoleName{"sys_power_w", Role::node_power},
    RoleName{"dcmi_power_w", Role::node_power},
    RoleName{"inlet_temp_c", Role::node_inlet},
};

struct Column {
  Role role = Role::unused;
  const Telemetry* quantity = nullptr;
  std::string subject;  ///< of "gpu3_temp_c"; empty: the row says whose it is
  std::string unit;     ///< from the title's brackets
};

/// "gpu3_bmc_temp_c" -> the temperature of the BMC's GPU 3.
void read_wide(std::string_view name, Column& column) {
  if (!name.starts_with("gpu")) return;
  name.remove_prefix(3);
  const auto digits = std::min(name.find_first_not_of("0123456789"), name.size());
  const auto id = parse_integer(name.substr(0, digits));
  if (!id || *id > 1023 || !name.substr(digits).starts_with('_')) return;
  name.remove_prefix(digits + 1);
  column.quantity = find_telemetry(name);
  if (column.quantity == nullptr) return;
  column.role = Role::quantity;
  const bool bmc = name.starts_with("bmc_");
  column.subject =
      bmc ? "gpu:bmc#" + std::to_string(*id) : gpu_ordinal(static_cast<std::size_t>(*id));
}

std::vector<Column> read_header(std::string_view line) {
  std::vector<Column> out;
  for (const auto title : split(without_bom(line), ',')) {
    Column column;
    const std::string name = telemetry_name(title);
    const auto role = std::ranges::find(role_names, name, &RoleName::name);
    if (role != role_names.end()) {
      column.role = role->role;
    } else if ((column.quantity = find_telemetry(name)) != nullptr) {
      column.role = Role::quantity;
    } else {
      read_wide(name, column);
    }
    // GPU-Z writes the degree sign in the code page of the machine: what counts is the letter.
    const auto open = title.find('['), close = title.find(']');
    if (open != title.npos && close != title.npos && close > open) {
      std::string_view unit = trim(title.substr(open + 1, close - open - 1));
      const bool degrees = unit.size() > 1 && static_cast<unsigned char>(unit[0]) > 127;
      column.unit = std::string(degrees ? unit.substr(unit.size() - 1) : unit.substr(0, 16));
    }
    out.push_back(std::move(column));
    if (out.size() > most_columns) return {};
  }
  return out;
}

bool has(const std::vector<Column>& columns, Role role) {
  return std::ranges::any_of(columns, [&](const Column& c) { return c.role == role; });
}

bool is_telemetry_header(std::string_view line) {
  if (line.find(',') == line.npos || line.size() > longest_row) return false;
  const auto columns = read_header(line);
  return (has(columns, Role::when) || has(columns, Role::elapsed)) && has(columns, Role::quantity);
}

/// "41, 0 %, 222 MiB", and nothing that says whose figures these are.
bool is_unnamed_sample(const std::vector<std::string_view>& cells) {
  return cells.size() == 3 && parse_number(trim(cells[0])) && trim(cells[1]).ends_with(" %") &&
         trim(cells[2]).ends_with(" MiB");
}

/// Why a log of this shape cannot be read; empty when its first line is none of these.
std::string_view unreadable(std::string_view line) {
  const auto cells = split(trim(without_bom(line)).substr(0, 4096), ',');
  if (cells.size() < 2) return {};
  QueryTime time;
  const std::string_view first = trim(cells[0]);
  const bool dated = cells.size() > 2 && first.size() >= 19 && first[13] == ':' &&
                     time.read(first) && std::all_of(cells.begin() + 1, cells.end(), [](auto c) {
                       return parse_number(trim(c)).has_value();
                     });
  if (is_unnamed_sample(cells) || dated)
    return "no header names its columns: log with --format=csv, without noheader, and with "
           "timestamp and index among the fields";
  const bool bare = telemetry_name(cells[0]) == "timestamp" &&
                    std::all_of(cells.begin() + 1, cells.end(), [](auto c) {
                      const std::string name = telemetry_name(c);
                      return name.starts_with("gpu") && name.size() > 3 &&
                             parse_integer(std::string_view(name).substr(3));
                    });
  if (bare)
    return "the header names GPUs and not what was measured: log power and temperature in columns "
           "of their own";
  return {};
}

class Reader {
 public:
  Reader(std::vector<Column> columns, Recorder& out) : columns_{std::move(columns)}, out_{out} {
    for (const Column& c : columns_) wide_ = wide_ || !c.subject.empty();
    const Role clock = has(columns_, Role::when) ? Role::when : Role::elapsed;
    for (std::size_t i = 0; i < columns_.size(); ++i)
      if (columns_[i].role == clock && when_ == npos) when_ = i;
    named_ = has(columns_, Role::gpu) || has(columns_, Role::uuid);
  }

  [[nodiscard]] std::size_t columns() const { return columns_.size(); }

  Result<void> row(std::string_view text, std::size_t line) {
    if (text.size() > longest_row) return fail(Errc::too_large, "row is longer than 64 KiB", line);
    cells_ = split(text, ',');
    if (cells_.size() != columns_.size()) {
      std::string what =
          fmt::format("row has {} fields, the header has {}", cells_.size(), columns_.size());
      if (cells_.size() > columns_.size()) what += ": decimal commas?";
      return fail(Errc::malformed, std::move(what), line);
    }
    line_ = line;
    GPUVET_TRY(const auto now, log_.time(query_cell(cells_[when_]), line));
    last_when_ = std::string(query_cell(cells_[when_]).substr(0, 80));
    GPUVET_CHECK(wide_ ? wide(now) : narrow(now));
    return node();
  }

  Result<void> record(bool cut_off) {
    if (log_.empty()) return fail(Errc::malformed, "no data row below the header", line_);
    out_.when(printable(last_when_));
    out_.line(line_);
    for (const auto& [subject, index] : indices_)
      out_.number("gpu.index"_id, subject, static_cast<double>(index));
    for (const auto& [subject, model] : models_) out_.text("gpu.name"_id, subject, model);
    for (const auto& [subject, bytes] : memory_) out_.number("gpu.memory.total"_id, subject, bytes);
    // Exporters write 0 for what they could not read.
    if (power_ > 0) out_.number("node.power.consumed"_id, "node", power_);
    if (inlet_ > 0) out_.number("node.temperature.inlet"_id, "node", inlet_);
    log_.record(out_);
    if (cut_off && !out_.evidence().observations.empty())
      out_.detail("the log's last line is cut off and left out");
    return {};
  }

 private:
  static constexpr std::size_t npos = static_cast<std::size_t>(-1);

  Result<double> value(std::size_t at) const {
    const Column& c = columns_[at];
    const std::string_view cell = query_cell(cells_[at]);
    const std::string_view unit = c.unit.empty() ? c.quantity->unit : std::string_view(c.unit);
    GPUVET_TRY(const auto number, read_number(c.quantity->id, {cell, unit, line_}));
    return number.value_or(Sample::missing);
  }

  Result<void> wide(std::int64_t now) {
    std::map<std::string_view, Sample> samples;
    for (std::size_t i = 0; i < columns_.size(); ++i) {
      if (columns_[i].subject.empty() || columns_[i].quantity == nullptr) continue;
      GPUVET_TRY(samples[columns_[i].subject].*columns_[i].quantity->to, value(i));
    }
    for (const auto& [subject, sample] : samples) {
      GPUVET_TRY(auto* const gpu, log_.gpu(std::string(subject), line_));
      log_.add(*gpu, sample, now, line_);
    }
    return {};
  }

  Result<void> narrow(std::int64_t now) {
    GPUVET_TRY(const std::string subject, whose());
    GPUVET_TRY(auto* const gpu, log_.gpu(subject, line_));
    if (!named_ && gpu->series.samples() > 0 && gpu->previous == now)
      return fail(Errc::malformed,
                  "rows share a timestamp and nothing tells their GPUs apart: log a column gpu",
                  line_);
    Sample sample;
    for (std::size_t i = 0; i < columns_.size(); ++i) {
      const Role role = columns_[i].role;
      if (role == Role::unused || i == when_) continue;
      if (role == Role::quantity) {
        // The first column of a quantity counts: "gpu_temp" before "temperature" of something else.
        double& to = sample.*columns_[i].quantity->to;
        if (!std::isnan(to)) continue;
        GPUVET_TRY(to, value(i));
        continue;
      }
      other(role, query_cell(cells_[i]), subject, *gpu, sample);
    }
    log_.add(*gpu, sample, now, line_);
    return {};
  }

  void other(Role role, std::string_view cell, const std::string& subject, TelemetryLog::Gpu& gpu,
             Sample& sample) {
    const auto number = parse_number(cell);
    if (role == Role::events) {
      const auto decimal = parse_integer(cell);
      if (const auto bits = read_clock_events(cell))
        set_clock_events(sample, *bits);
      else if (decimal && *decimal >= 0)
        set_clock_events(sample, static_cast<std::uint64_t>(*decimal));
    } else if (role == Role::perf_cap && number && *number >= 0 && *number < 1024) {
      const auto bits = static_cast<unsigned>(*number);
      sample.power_cap = (bits & 1U) != 0 ? 1 : 0;
      sample.sw_thermal = (bits & 2U) != 0 ? 1 : 0;
    } else if ((role == Role::gflops || role == Role::tflops) && number && *number > 0) {
      if (*number < 1e9) gpu.rates.add(*number * (role == Role::gflops ? 1e9 : 1e12));
    } else if (role == Role::model && !cell.empty()) {
      if (!models_.contains(subject)) models_[subject] = printable(cell.substr(0, 80));
    } else if (role == Role::memory_total && number && *number > 0 && *number < 1e9) {
      memory_[subject] = *number * 1024 * 1024;
    }
  }

  Result<std::string> whose() {
    std::string_view uuid, index;
    for (std::size_t i = 0; i < columns_.size(); ++i) {
      if (columns_[i].role == Role::uuid && uuid.empty()) uuid = query_cell(cells_[i]);
      if (columns_[i].role == Role::gpu && index.empty()) index = query_cell(cells_[i]);
    }
    if (!named_) return gpu_ordinal(0);
    const auto number = parse_integer(index);
    const bool sound = number && *number >= 0 && *number < 1024;
    const auto position = sound ? std::optional(static_cast<std::size_t>(*number)) : std::nullopt;
    std::string subject =
        gpu_subject({usable_uuid(uuid) ? uuid : std::string_view(), {}, position});
    if (subject.empty())
      return fail(Errc::malformed, "row doesn't say which GPU it is about", line_);
    if (position && indices_.size() < 1024) indices_.try_emplace(subject, *position);
    return subject;
  }

  Result<void> node() {
    for (std::size_t i = 0; i < columns_.size(); ++i) {
      const Role role = columns_[i].role;
      if (role != Role::node_power && role != Role::node_inlet) continue;
      const auto number = parse_number(query_cell(cells_[i]));
      if (number && *number >= 0 && *number < 1e7)
        (role == Role::node_power ? power_ : inlet_) = *number;
    }
    return {};
  }

  std::vector<Column> columns_;
  Recorder& out_;
  TelemetryLog log_;
  std::vector<std::string_view> cells_;
  std::map<std::string, std::size_t> indices_;
  std::map<std::string, std::string> models_;
  std::map<std::string, double> memory_;
  std::string last_when_;
  double power_ = 0, inlet_ = 0;
  std::size_t when_ = npos, line_ = 0;
  bool wide_ = false, named_ = false;
};

/// What a person should look at in a log from which nothing may be concluded.
std::string hint(const UnnamedLog& log) {
  constexpr double hot_from = 85, no_temperature_from = 150;
  if (log.highest() < hot_from || log.highest() >= no_temperature_from) return {};
  return "; its first column reaches " + format_number(log.highest()) +
         ": if that is the core's temperature in C, the GPU is hot";
}

Result<void> read_unnamed(const std::string& why, const std::string& first, LineReader& lines,
                          Recorder& out) {
  const std::size_t at = lines.line();
  UnnamedLog log;
  for (std::optional<std::string_view> line = first; line; line = lines.next()) {
    const auto cells = split(trim(without_bom(*line)).substr(0, 4096), ',');
    // A cut last row says nothing; anything else ends what this log is known to be.
    if (!is_unnamed_sample(cells)) {
      if (trim(*line).empty() || !lines.next()) break;
      return fail(Errc::not_supported, why + hint(log), at);
    }
    const auto share = trim(cells[1]);
    log.add(parse_number(trim(cells[0])).value_or(-1),
            parse_number(trim(share.substr(0, share.size() - 1))).value_or(-1), lines.line());
  }
  if (lines.error()) return tl::make_unexpected(*lines.error());
  if (!log.is_temperature()) return fail(Errc::not_supported, why + hint(log), at);
  out.tool("nvidia-smi --query-gpu without header (columns inferred)");
  out.line(log.hottest_line());
  out.number("thermal.temperature.unnamed.max"_id, "node", log.highest());
  out.detail(log.reason());
  return {};
}

Result<void> read(ByteSource& source, Recorder& out) {
  WatchedSource watched{source};
  LineReader lines{watched};
  auto line = lines.next();
  while (line && trim(*line).empty()) line = lines.next();
  if (lines.error()) return tl::make_unexpected(*lines.error());
  const std::string header(line ? *line : std::string_view());
  if (const auto why = unreadable(header); !why.empty()) {
    if (is_unnamed_sample(split(trim(without_bom(header)), ',')))
      return read_unnamed(std::string(why), header, lines, out);
    return fail(Errc::not_supported, std::string(why), lines.line());
  }
  if (!is_telemetry_header(header))
    return fail(Errc::malformed, "no header with a time and a temperature or power", lines.line());
  out.tool("telemetry log");
  Reader reader{read_header(header), out};
  bool cut_off = false;
  while ((line = lines.next())) {
    if (trim(*line).empty() || *line == header) continue;
    auto done = reader.row(*line, lines.line());
    if (done) continue;
    // A logger that was killed leaves half a row.
    const auto fields = static_cast<std::size_t>(std::count(line->begin(), line->end(), ',')) + 1;
    cut_off =
        fields < reader.columns() && !lines.next() && !lines.error() && watched.ends_inside_line();
    if (!cut_off) return done;
    break;
  }
  if (lines.error()) return tl::make_unexpected(*lines.error());
  return reader.record(cut_off);
}

bool recognises(std::string_view head) {
  head = without_bom(head);
  const auto begin = std::min(head.find_first_not_of("\r\n"), head.size());
  const std::string_view line = head.substr(begin, head.find('\n', begin) - begin);
  return !looks_like_query_header(line) && (!unreadable(line).empty() || is_telemetry_header(line));
}

}  // namespace

Importer telemetry_csv() {
  return {"telemetry_csv", "telemetry log (CSV)",
          "a CSV log with columns timestamp, gpu, temp_c, power_w, gpu_util_pct, sm_clock_mhz",
          recognises, read};
}

}  // namespace gpuvet::ingest
