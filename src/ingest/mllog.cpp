// SPDX-License-Identifier: Apache-2.0
// MLPerf Training logs: ":::MLLOG {json}" records among a console's other lines. A file may hold
// several runs; processes write at once, so that two records may share a line and others be torn.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <nlohmann/json.hpp>

#include "core/statistics.hpp"
#include "core/text.hpp"
#include "ingest/importer.hpp"

namespace gpuvet::ingest {

Importer mllog();

namespace {

using Json = nlohmann::json;

constexpr std::string_view marker = ":::MLLOG ";
constexpr std::size_t most_runs = 1000, most_rates = 100'000, longest_text = 80;

// The rest, tens of thousands of weights_initialization, is not even parsed.
constexpr std::array keys{
    "\"run_start\"",
    "\"run_stop\"",
    "\"submission_benchmark\"",
    "\"init_start\"",
    "\"cache_clear\"",
    "\"submission_platform\"",
    "\"train_samples\"",
    "\"eval_accuracy\"",
    "\"global_batch_size\"",
    "\"local_batch_size\"",
    "\"d_batch_size\"",
    "\"tracked_stats\"",
    "\"throughput\"",
    "\"gradient_accumulation_steps\"",
};

struct Number {
  double value = 0;
  std::size_t line = 0;
};

struct Run {
  std::string benchmark, platform, status;
  std::optional<std::int64_t> start, stop;
  std::size_t start_line = 0, stop_line = 0, platform_line = 0;
  std::optional<Number> batch, batch_each, accumulation, samples, quality;
  std::vector<double> rates;
  std::size_t rates_line = 0;
};

std::optional<double> number_in(const Json& value) {
  if (!value.is_number()) return {};
  const double v = value.get<double>();
  return v >= -1e15 && v <= 1e15 ? std::optional(v) : std::nullopt;
}

std::string text_in(const Json& value) {
  return value.is_string() ? printable(value.get<std::string>().substr(0, longest_text))
                           : std::string();
}

/// The whole number in `s` right after `before`, up to a blank.
std::optional<double> count_after(std::string_view s, std::string_view before) {
  const auto begin = s.find(before);
  if (begin == std::string_view::npos) return {};
  s.remove_prefix(begin + before.size());
  const auto value = parse_integer(s.substr(0, s.find_first_of(" \t")));
  return value && *value > 0 && *value < 100'000 ? std::optional(static_cast<double>(*value))
                                                 : std::nullopt;
}

class Reader {
 public:
  Reader(ByteSource& source, Recorder& out) : lines_{source}, out_{out} {}

  Result<void> read() {
    out_.tool("MLPerf Training log");
    out_.how(How::measured);
    while (const auto line = lines_.next()) GPUVET_CHECK(read_line(*line));
    if (lines_.error()) return tl::make_unexpected(*lines_.error());
    GPUVET_CHECK(end_of_run());
    if (runs_ == 0)
      return fail(Errc::malformed, "no run_start and no run_stop: the log of a run is due",
                  lines_.line());
    return {};
  }

 private:
  Result<void> read_line(std::string_view line) {
    auto at = line.find(marker);
    if (at == std::string_view::npos) {
      console(line);
      return {};
    }
    while (at != std::string_view::npos) {
      line.remove_prefix(at + marker.size());
      at = line.find(marker);
      GPUVET_CHECK(record(trim(line.substr(0, at))));
    }
    return {};
  }

  /// NVIDIA's launch scripts say how many GPUs a node uses.
  void console(std::string_view line) {
    line = line.substr(0, 400);
    auto gpus = line.starts_with("num_gpus=") ? count_after(line, "num_gpus=") : std::nullopt;
    if (!gpus && line.starts_with("Run vars: ")) gpus = count_after(line, " gpus ");
    if (gpus) gpus_ = Number{*gpus, lines_.line()};
  }

  Result<void> record(std::string_view text) {
    const auto wanted = [&](std::string_view key) { return contains(text, key); };
    if (std::ranges::none_of(keys, wanted)) return {};
    const Json json = Json::parse(text.begin(), text.end(), nullptr, false);
    const bool whole = json.is_object() && json.contains("key") && json["key"].is_string() &&
                       json.contains("value");
    if (!whole) {
      // A torn record of a parameter is a loss, one of the run's start or end would mislead.
      if (wanted(keys[0]) || wanted(keys[1]))
        return fail(Errc::malformed, "a run_start or run_stop that is no whole JSON record",
                    lines_.line());
      return {};
    }
    const std::string key = json["key"].get<std::string>();
    const bool begins = key == "submission_benchmark" || key == "init_start" ||
                        key == "cache_clear" || key == "run_start";
    if (begins && (run_.stop || (run_.start && key != "init_start"))) GPUVET_CHECK(end_of_run());
    note(key, json);
    return {};
  }

  void note(const std::string& key, const Json& json) {
    const Json& value = json["value"];
    const auto number = number_in(value);
    const std::size_t line = lines_.line();
    if (key == "run_start" || key == "run_stop") {
      const auto time = json.find("time_ms");
      const auto ms = time == json.end() ? std::nullopt : number_in(*time);
      (key == "run_start" ? run_.start : run_.stop) = static_cast<std::int64_t>(ms.value_or(-1));
      (key == "run_start" ? run_.start_line : run_.stop_line) = line;
      const auto metadata = json.find("metadata");
      if (key == "run_stop" && metadata != json.end() && metadata->is_object() &&
          metadata->contains("status"))
        run_.status = text_in((*metadata)["status"]);
    } else if (key == "submission_benchmark") {
      run_.benchmark = text_in(value);
    } else if (key == "submission_platform") {
      run_.platform = text_in(value);
      run_.platform_line = line;
    } else if (key == "tracked_stats" && value.is_object()) {
      for (const char* const name : {"throughput", "imgs_sec"})
        if (value.contains(name)) rate(number_in(value[name]));
    } else if (key == "throughput") {
      // Follows a tracked_stats that says the same.
      if (run_.rates.empty()) rate(number);
    } else if (number && *number > 0) {
      parameter(key, {*number, line});
    }
  }

  void parameter(const std::string& key, Number number) {
    if (key == "global_batch_size") run_.batch = number;
    if (key == "local_batch_size" || key == "d_batch_size") run_.batch_each = number;
    if (key == "gradient_accumulation_steps") run_.accumulation = number;
    if (key == "train_samples") run_.samples = number;
    if (key == "eval_accuracy") run_.quality = number;
  }

  void rate(std::optional<double> value) {
    if (!value || *value <= 0 || run_.rates.size() == most_rates) return;
    run_.rates.push_back(*value);
    if (run_.rates_line == 0) run_.rates_line = lines_.line();
  }

  /// What the scripts said, or the global batch over that of one GPU.
  [[nodiscard]] std::optional<Number> gpus() const {
    const bool one_node = run_.platform.starts_with("1x");
    if (gpus_ && (one_node || run_.platform.empty())) return gpus_;
    if (!run_.batch || !run_.batch_each) return {};
    const double each =
        run_.batch_each->value * (run_.accumulation ? run_.accumulation->value : 1.0);
    const double count = run_.batch->value / each;
    const bool sound = count >= 1 && count < 100'000 &&
                       count == static_cast<double>(static_cast<std::int64_t>(count));
    return sound ? std::optional(Number{count, run_.batch->line}) : std::nullopt;
  }

  Result<void> end_of_run() {
    Run done = std::move(run_);
    run_ = {};
    if (!done.start && !done.stop) {
      run_ = std::move(done);  // what was said so far is about the run to come
      return {};
    }
    if (++runs_ > most_runs)
      return fail(Errc::too_large, fmt::format("more than {} runs", most_runs), lines_.line());
    run_ = std::move(done);
    record_run();
    run_ = {};
    return {};
  }

  void record_run() {
    const std::string subject =
        "workload:" + (run_.benchmark.empty() ? std::string("unnamed") : run_.benchmark);
    Where where;
    const auto count = gpus();
    if (count) {
      where.emplace("gpus", count->value);
      out_.line(count->line);
      out_.number("workload.gpus"_id, subject, count->value);
    } else {
      out_.line(run_.start_line);
      out_.absent("workload.gpus"_id, subject, Absence::not_asked, "the log does not say");
    }
    platform(subject);
    status(subject, where);
    const auto add = [&](Id id, const std::optional<Number>& number, std::string_view words) {
      if (!number) return;
      out_.line(number->line);
      out_.number(id, subject, number->value, where);
      if (!words.empty()) out_.detail(std::string(words));
    };
    add("workload.batch"_id, run_.batch, "");
    // The size of the training set, but for bert the samples that were used.
    add("workload.samples"_id, run_.samples, "train_samples");
    add("workload.quality"_id, run_.quality, "the last eval_accuracy");
    if (run_.rates.empty()) return;
    out_.line(run_.rates_line);
    out_.number("workload.throughput"_id, subject, median(run_.rates), where);
    out_.detail(fmt::format("median of {} reports of the run itself", run_.rates.size()));
  }

  void platform(const std::string& subject) {
    if (run_.platform.empty()) return;
    out_.line(run_.platform_line);
    if (contains(run_.platform, "PLACEHOLDER"))
      out_.absent("workload.platform"_id, subject, Absence::malformed,
                  "the log has the template's placeholder");
    else
      out_.text("workload.platform"_id, subject, run_.platform);
  }

  void status(const std::string& subject, const Where& where) {
    constexpr std::int64_t most_ms = std::int64_t{1} << 42;  // 139 years
    out_.line(run_.stop ? run_.stop_line : run_.start_line);
    if (!run_.status.empty())
      out_.text("workload.status"_id, subject, run_.status, where);
    else
      out_.absent("workload.status"_id, subject, Absence::malformed,
                  run_.stop ? "run_stop without a status"
                            : "no run_stop: the run was killed, or the log is cut off",
                  where);
    const bool timed = run_.start && run_.stop && *run_.start >= 0 && *run_.stop >= *run_.start &&
                       *run_.stop - *run_.start < most_ms;
    if (timed)
      out_.number("workload.duration"_id, subject,
                  static_cast<double>(*run_.stop - *run_.start) / 1000, where);
    else
      out_.absent("workload.duration"_id, subject, Absence::malformed,
                  run_.start && run_.stop ? "run_stop before run_start, or without a time"
                                          : "the log lacks run_start or run_stop",
                  where);
  }

  LineReader lines_;
  Recorder& out_;
  Run run_;
  std::optional<Number> gpus_;
  std::size_t runs_ = 0;
};

bool recognises(std::string_view head) { return contains(head, ":::MLLOG {"); }

Result<void> read(ByteSource& source, Recorder& out) { return Reader(source, out).read(); }

}  // namespace

Importer mllog() {
  return {"mllog", "MLPerf Training log", "the log of one MLPerf Training run, result_0.txt",
          recognises, read};
}

}  // namespace gpuvet::ingest
