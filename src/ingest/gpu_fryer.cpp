// SPDX-License-Identifier: Apache-2.0
// gpu-fryer: a summary of three lines for each GPU, then its opinion of all. Its rates are means;
// burns go by CUDA's order, temperatures by nvidia-smi's, and it takes the two for the same.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <set>

#include "core/text.hpp"
#include "ingest/importer.hpp"
#include "ingest/nvidia_smi_fields.hpp"

namespace gpuvet::ingest {

Importer gpu_fryer();

namespace {

constexpr std::size_t most_gpus = 64;
constexpr double giga = 1e9;

/// What stands between the two, trimmed; empty when either is missing.
std::string_view field(std::string_view s, std::string_view before, std::string_view after) {
  return trim(between(s, before, after).value_or(std::string_view()));
}

struct Throttle {
  std::string_view label;
  Id id;
};

constexpr std::array throttles{
    Throttle{"Throttling HW: ", "gpu.clock_event.hw_slowdown"_id},
    Throttle{"Thermal SW: ", "gpu.clock_event.sw_thermal"_id},
    Throttle{"Thermal HW: ", "gpu.clock_event.hw_thermal"_id},
};

class Reader {
 public:
  Reader(ByteSource& source, Recorder& out) : lines_{source}, out_{out} {}

  Result<void> read() {
    out_.tool("gpu-fryer");
    out_.how(How::measured);
    while (const auto raw = lines_.next()) {
      const std::string line = strip_escapes(*raw);
      out_.line(lines_.line());
      GPUVET_CHECK(read_line(trim(line)));
    }
    if (lines_.error()) return tl::make_unexpected(*lines_.error());
    if (burnt_.empty())
      return fail(Errc::malformed, "no summary of a GPU: let gpu-fryer run to its end",
                  lines_.line());
    for (const std::size_t gpu : burnt_)
      if (!judged_)
        out_.absent("diag.result"_id, subject(gpu), Absence::malformed,
                    "the output ends before the result", where_test_);
    return {};
  }

 private:
  Result<void> read_line(std::string_view line) {
    if (line.starts_with("Detected GPU #"))
      detected(line);
    else if (line.starts_with("Using precision(s):"))
      precision(line.substr(19));
    else if (line.starts_with("GPU #") && contains(line, " Gflops/s (min: "))
      return rate(line);
    else if (line.starts_with("Temperature: ") && !burnt_.empty())
      return temperature(line);
    else if (line.starts_with("Throttling HW: ") && !burnt_.empty())
      throttling(line);
    else if (line == "All GPUs seem healthy" || line.starts_with("Some GPUs are not healthy."))
      opinion(line.starts_with("All"));
    else if (line.starts_with("- GPU ") && judged_)
      reason(line);
    return {};
  }

  /// "Detected GPU #0: "NVIDIA H100 80GB HBM3" (6b2c...)", the UUID without its GPU-.
  void detected(std::string_view line) {
    const auto index = parse_integer(field(line, "#", ":"));
    const auto uuid = "GPU-" + std::string(field(line, "\" (", ")"));
    const auto name = field(line, ": \"", "\" (");
    if (!index || *index < 0 || *index >= static_cast<std::int64_t>(most_gpus) ||
        !usable_uuid(uuid))
      return;
    const auto gpu = "gpu:" + uuid;
    uuids_[static_cast<std::size_t>(*index)] = uuid;
    out_.text("gpu.name"_id, gpu, printable(name.substr(0, 80)));
    out_.text("gpu.uuid"_id, gpu, uuid);
  }

  /// Which cells of the summary are FP32 is only clear when there is one precision.
  void precision(std::string_view text) {
    const auto tokens = words(text.substr(0, 100));
    if (tokens.size() == 1 && tokens[0].size() < 8)
      backend_ = "gpu-fryer " + lower(printable(tokens[0]));
  }

  /// "GPU #7:  51494 Gflops/s (min: 50577.53, max: 51677.05, dev: 51493.79)"; dev is the mean.
  Result<void> rate(std::string_view line) {
    const auto index = parse_integer(field(line, "#", ":"));
    const auto mean = parse_number(field(line, ": ", " Gflops/s"));
    const auto low = parse_number(field(line, "(min: ", ", max"));
    const auto high = parse_number(field(line, "max: ", ", dev"));
    constexpr double beyond_any = 1e9;
    if (!index || *index < 0 || *index >= static_cast<std::int64_t>(most_gpus) || !mean || !low ||
        !high || *mean < 0 || *high > beyond_any || !line.ends_with(')'))
      return fail(Errc::malformed, "a summary of a GPU that is cut off or no summary",
                  lines_.line());
    current_ = static_cast<std::size_t>(*index);
    burnt_.insert(current_);
    const Where where{{"backend", backend_}};
    if (*low > *high || *mean == 0) {
      // Shorter than its five seconds of warm-up.
      out_.absent("compute.burn"_id, subject(current_), Absence::malformed, "no sample", where);
      return {};
    }
    out_.number("compute.burn"_id, subject(current_), *mean * giga, where);
    out_.detail(fmt::format("mean; from {} to {} Gflop/s", *low, *high));
    return {};
  }

  Result<void> temperature(std::string_view line) {
    const auto hottest = parse_number(field(line, "max: ", ")"));
    if (!hottest || *hottest < 0 || *hottest > 250)
      return fail(Errc::malformed, "a summary of temperatures that is cut off", lines_.line());
    out_.number("compute.burn.temperature.max"_id, subject(current_), *hottest);
    return {};
  }

  void throttling(std::string_view line) {
    const std::string ended = std::string(line.substr(0, 200)) + ",";
    for (const auto& throttle : throttles) {
      const auto word = field(ended, throttle.label, ",");
      if (word == "true" || word == "false")
        out_.flag(throttle.id, subject(current_), word == "true");
    }
  }

  void opinion(bool healthy) {
    judged_ = true;
    if (!healthy) return;
    for (const std::size_t gpu : burnt_)
      out_.text("diag.result"_id, subject(gpu), "pass", where_test_);
  }

  /// "- GPU 3 - GPU is throttled. Check the throttling reasons and temperatures".
  void reason(std::string_view line) {
    const auto index = parse_integer(field(line, "- GPU ", " - "));
    if (!index || *index < 0 || !burnt_.contains(static_cast<std::size_t>(*index))) return;
    const auto gpu = subject(static_cast<std::size_t>(*index));
    out_.text("diag.result"_id, gpu, "fail", where_test_);
    out_.text("diag.errors"_id, gpu, printable(line.substr(0, 200)), where_test_);
  }

  [[nodiscard]] std::string subject(std::size_t gpu) const {
    const auto found = uuids_.find(gpu);
    return found != uuids_.end() ? "gpu:" + found->second : "gpu:cuda#" + std::to_string(gpu);
  }

  LineReader lines_;
  Recorder& out_;
  std::map<std::size_t, std::string> uuids_;
  std::set<std::size_t> burnt_;
  std::size_t current_ = 0;
  std::string backend_ = "gpu-fryer";
  bool judged_ = false;
  const Where where_test_{{"test", "gpu-fryer"}};
};

bool recognises(std::string_view head) {
  return contains(head, " Gflops/s (min: ") || contains(head, "Detected GPU #") ||
         (contains(head, "Gflops/s)") && contains(head, "Throttling: "));
}

Result<void> read(ByteSource& source, Recorder& out) { return Reader(source, out).read(); }

}  // namespace

Importer gpu_fryer() {
  return {"gpu_fryer", "gpu-fryer", "gpu-fryer 600 > gpu_fryer.txt", recognises, read};
}

}  // namespace gpuvet::ingest
