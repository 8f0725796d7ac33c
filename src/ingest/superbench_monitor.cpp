// SPDX-License-Identifier: Apache-2.0
// SuperBench's monitor: one JSON object a moment, with keys such as "gpu_temperature:3". Its
// corrected and uncorrected errors are not told apart by memory, so they say nothing here.
#include <algorithm>
#include <cmath>
#include <set>

#include "core/text.hpp"
#include "evidence/json.hpp"
#include "ingest/importer.hpp"
#include "ingest/telemetry_log.hpp"

namespace gpuvet::ingest {

Importer superbench_monitor();

namespace {

/// "gpu_temperature:3".
struct Key {
  std::string_view name;
  std::size_t gpu;
};

std::optional<Key> key_of(std::string_view text) {
  const auto colon = text.find(':');
  if (colon == text.npos) return {};
  const auto gpu = parse_integer(text.substr(colon + 1));
  if (!gpu || *gpu < 0 || *gpu > 1023) return {};
  return Key{text.substr(0, colon), static_cast<std::size_t>(*gpu)};
}

class Reader {
 public:
  explicit Reader(Recorder& out) : out_{out} {}

  Result<void> line(std::string_view text, std::size_t number) {
    // Brackets in brackets are no record of the monitor, and take memory.
    if (std::ranges::count(text, '[') + std::ranges::count(text, '{') > 64)
      return fail(Errc::malformed, "a record that is nested", number);
    auto record = parse_json(text);
    if (!record) {
      record.error().input_line = number;
      return tl::make_unexpected(record.error());
    }
    const auto time = record->is_object() ? record->find("time") : record->end();
    if (!record->is_object() || time == record->end() || !time->is_string())
      return fail(Errc::malformed, "a record without its time", number);
    when_ = time->get<std::string>().substr(0, 80);
    GPUVET_TRY(const auto now, log_.time(when_, number));
    std::map<std::size_t, Sample> samples;
    for (const auto& [name, value] : record->items())
      if (const auto key = key_of(name); key && value.is_number())
        take(*key, value.get<double>(), samples);
    for (const auto& [gpu, sample] : samples) {
      GPUVET_TRY(auto* const series, log_.gpu(gpu_ordinal(gpu), number));
      log_.add(*series, sample, now, number);
    }
    line_ = number;
    return {};
  }

  Result<void> record(bool cut_off) {
    if (log_.empty()) return fail(Errc::malformed, "no record of a GPU", line_);
    out_.when(printable(when_));
    out_.line(line_);
    for (const auto& [gpu, bytes] : memory_) {
      out_.number("gpu.index"_id, gpu_ordinal(gpu), static_cast<double>(gpu));
      out_.number("gpu.memory.total"_id, gpu_ordinal(gpu), bytes);
    }
    for (const auto& [gpu, watt] : limits_)
      out_.number("gpu.power.limit"_id, gpu_ordinal(gpu), watt);
    log_.record(out_);
    if (cut_off) out_.detail("the log's last record is cut off and left out");
    return {};
  }

 private:
  void take(const Key& key, double value, std::map<std::size_t, Sample>& samples) {
    if (!(value >= 0) || value > 1e15) return;
    if (key.name == "gpu_mem_total")
      memory_[key.gpu] = value;
    else if (key.name == "gpu_power_limit")
      limits_[key.gpu] = value;
    else if (const Telemetry* t = find_telemetry(key.name))
      samples[key.gpu].*t->to = t->unit == "%" ? value / 100 : value;
  }

  Recorder& out_;
  TelemetryLog log_;
  std::map<std::size_t, double> memory_, limits_;
  std::string when_;
  std::size_t line_ = 0;
};

bool recognises(std::string_view head) {
  const std::string_view line = trim(head.substr(0, head.find('\n')));
  return line.starts_with('{') && contains(line, "\"time\"") &&
         contains(line, "\"gpu_temperature:");
}

Result<void> read(ByteSource& source, Recorder& out) {
  out.tool("SuperBench monitor");
  LineReader lines{source};
  Reader reader{out};
  bool cut_off = false;
  while (const auto line = lines.next()) {
    const std::string_view record = trim(*line);
    if (record.empty()) continue;
    const bool whole = record.back() == '}';
    auto done = reader.line(record, lines.line());
    if (done) continue;
    cut_off = !whole && !lines.next() && !lines.error();  // a monitor that was killed
    if (!cut_off) return done;
    break;
  }
  if (lines.error()) return tl::make_unexpected(*lines.error());
  return reader.record(cut_off);
}

}  // namespace

Importer superbench_monitor() {
  return {"superbench_monitor", "SuperBench monitor",
          "sb run with monitor enabled: outputs/*/nodes/*/monitor.jsonl", recognises, read};
}

}  // namespace gpuvet::ingest
