// SPDX-License-Identifier: Apache-2.0
// gpu_burn: progress that overwrites itself with carriage returns, then OK or FAULTY for each GPU.
// OK only means that no result was wrong: a GPU that throttles all the time is OK too.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>

#include "core/text.hpp"
#include "ingest/gpu_burn_run.hpp"
#include "ingest/importer.hpp"
#include "ingest/nvidia_smi_fields.hpp"

namespace gpuvet::ingest {

Importer gpu_burn();

namespace {

constexpr std::size_t most_gpus = 64;

/// Segments between carriage returns and line feeds. One line of progress can be many megabytes, so
/// that a LineReader would refuse it.
class Segments {
 public:
  explicit Segments(ByteSource& source) : source_{source} {}

  std::optional<std::string_view> next() {
    if (error_) return {};
    segment_.clear();
    while (true) {
      if (at_ == filled_ && !refill()) break;
      const char c = buffer_[at_++];
      if (c == '\0' || segment_.size() == longest) {
        error_ = Error{c == '\0' ? Errc::malformed : Errc::too_large,
                       c == '\0' ? "a NUL byte: a binary or UTF-16 file, not text"
                                 : "longer than 64 KiB without a line end",
                       line_ + 1,
                       {},
                       {}};
        return {};
      }
      if (c == '\n' || c == '\r') {
        line_ = newlines_ + 1;
        newlines_ += c == '\n';
        return segment_;
      }
      segment_ += c;
    }
    if (segment_.empty() || error_) return {};
    line_ = newlines_ + 1;
    return segment_;
  }

  [[nodiscard]] std::size_t line() const { return line_; }
  [[nodiscard]] const std::optional<Error>& error() const { return error_; }

 private:
  static constexpr std::size_t longest = std::size_t{64} << 10;

  bool refill() {
    auto n = source_.read(buffer_.data(), buffer_.size());
    if (!n) {
      error_ = std::move(n).error();
      return false;
    }
    at_ = 0;
    filled_ = *n;
    return filled_ > 0;
  }

  ByteSource& source_;
  std::array<char, 4096> buffer_{};
  std::size_t at_ = 0, filled_ = 0, line_ = 0, newlines_ = 0;
  std::string segment_;
  std::optional<Error> error_;
};

struct Listed {
  std::string name, uuid;
  std::size_t line = 0;
};

class Reader {
 public:
  Reader(ByteSource& source, Recorder& out) : segments_{source}, out_{out} {}

  Result<void> read() {
    out_.tool("gpu_burn");
    out_.how(How::measured);
    while (const auto raw = segments_.next()) {
      const std::string text = strip_escapes(*raw);
      GPUVET_CHECK(read_segment(trim(text)));
    }
    if (segments_.error()) return tl::make_unexpected(*segments_.error());
    return finish();
  }

 private:
  Result<void> read_segment(std::string_view text) {
    if (contains(text, "proc'd: ")) return progress(text);
    if (text.starts_with("Summary at:")) {
      for (auto& gpu : gpus_) gpu.summary();
    } else if (text.starts_with("GPU ")) {
      read_gpu(text);
    } else if (contains(text, "Initialized device ")) {
      initialized(text);
    } else if (text.starts_with("Results are ")) {
      const auto tokens = words(text.substr(0, 200));
      if (tokens.size() == 9) pass_ = parse_integer(tokens[7]);
    } else if (text.starts_with("Couldn't init") || text.starts_with("Failure during compute") ||
               contains(text, "No CUDA devices") || contains(text, "No clients are alive")) {
      if (complaint_.empty()) complaint_ = printable(text.substr(0, 200));
    }
    // "Burning for 60 seconds." or the command itself: "$ ./gpu_burn -d 60".
    const auto tokens = words(text.substr(0, 400));
    if (tokens.size() == 4 && tokens[0] == "Burning" && tokens[3] == "seconds.")
      seconds_ = parse_integer(tokens[2]);
    else if (!seconds_ && tokens.size() > 1 &&
             (contains(text, "gpu_burn") || contains(text, "gpu-burn")))
      seconds_ = parse_integer(tokens.back());
    return {};
  }

  Result<void> progress(std::string_view text) {
    const auto now = burn_progress(text);
    if (!now) {
      // Two lines written at once, or the last one cut off; a comma would be in every line.
      if (contains(text.substr(0, text.find('%')), ","))
        return fail(Errc::malformed, "a decimal comma in the progress", segments_.line());
      return {};
    }
    if (gpus_.empty()) gpus_.resize(now->gpus.size());
    if (gpus_.size() != now->gpus.size()) return {};
    percent_ = now->percent;
    for (std::size_t i = 0; i < gpus_.size(); ++i) gpus_[i].add(now->gpus[i], segments_.line());
    return {};
  }

  /// "GPU 0: Tesla K80 (UUID: GPU-...)" of nvidia-smi -L, or "GPU 0: OK" at the end.
  void read_gpu(std::string_view text) {
    const auto colon = text.find(": ");
    if (colon == std::string_view::npos) return;
    const auto index = parse_integer(text.substr(4, colon - 4));
    if (!index || *index < 0 || *index >= static_cast<std::int64_t>(most_gpus)) return;
    const auto rest = trim(text.substr(colon + 2));
    const auto key = static_cast<std::size_t>(*index);
    if (rest == "OK" || rest == "FAULTY") {
      verdicts_[key] = {rest == "OK", segments_.line()};
      return;
    }
    const auto open = rest.rfind(" (UUID: ");
    if (open == std::string_view::npos || !rest.ends_with(')')) return;
    const auto uuid = rest.substr(open + 8, rest.size() - open - 9);
    if (!usable_uuid(uuid)) return;
    listed_[key] = {printable(rest.substr(0, std::min<std::size_t>(open, 80))), std::string(uuid),
                    segments_.line()};
  }

  /// "Initialized device 0 with 81251 MB of memory (...), using DOUBLES, using Tensor Cores".
  void initialized(std::string_view text) {
    text.remove_prefix(text.find("Initialized device ") + 19);
    device_ = parse_integer(text.substr(0, text.find(' ')));
    if (contains(text, "using DOUBLES")) backend_ = "gpu_burn fp64";
    if (contains(text, "using FLOATS")) backend_ = "gpu_burn fp32";
    if (contains(text, "using Tensor Cores")) backend_ += " tensor";
  }

  /// The order of gpu_burn is CUDA's; nvidia-smi's list is in that order when all are burnt and of
  /// one model. With -i N the only GPU is numbered 0, but the line of its start tells which it is.
  [[nodiscard]] std::string subject(std::size_t i, std::size_t burnt) const {
    std::size_t ordinal = i;
    if (burnt == 1 && device_ && *device_ >= 0) ordinal = static_cast<std::size_t>(*device_);
    const auto found = listed_.find(ordinal);
    if (found == listed_.end() || !alike()) return "gpu:cuda#" + std::to_string(ordinal);
    const bool whole = burnt == listed_.size() || (burnt == 1 && device_);
    return whole ? "gpu:" + found->second.uuid : "gpu:cuda#" + std::to_string(ordinal);
  }

  [[nodiscard]] bool alike() const {
    return std::ranges::all_of(listed_, [&](const auto& entry) {
      return entry.second.name == listed_.begin()->second.name;
    });
  }

  Result<void> finish() {
    const std::size_t burnt = std::max(gpus_.size(), verdicts_.size());
    if (burnt == 0)
      return fail(Errc::malformed,
                  complaint_.empty() ? "no progress and no result: send all that gpu_burn prints"
                                     : "gpu_burn did not run: " + complaint_,
                  segments_.line());
    for (const auto& [index, gpu] : listed_) {
      out_.line(gpu.line);
      out_.text("gpu.name"_id, "gpu:" + gpu.uuid, gpu.name);
      out_.text("gpu.uuid"_id, "gpu:" + gpu.uuid, gpu.uuid);
      out_.number("gpu.index"_id, "gpu:" + gpu.uuid, static_cast<double>(index));
    }
    const bool own = listed_.empty() || listed_.size() == burnt;
    for (std::size_t i = 0; i < burnt; ++i) {
      const std::string gpu = subject(i, burnt);
      if (i < gpus_.size()) {
        gpus_[i].record(out_, gpu, backend_, pass_, own);
        duration(gpu);
      }
      verdict(gpu, i);
    }
    return {};
  }

  void duration(const std::string& gpu) {
    if (seconds_ && *seconds_ > 0 && *seconds_ < 100'000'000)
      out_.number("compute.burn.duration"_id, gpu, static_cast<double>(*seconds_) * percent_ / 100);
    else
      out_.absent("compute.burn.duration"_id, gpu, Absence::malformed,
                  "the output does not say how long");
  }

  void verdict(const std::string& gpu, std::size_t i) {
    const Where where{{"test", "gpu_burn"}};
    const bool died = i < gpus_.size() && gpus_[i].died();
    const auto found = verdicts_.find(i);
    if (died) {
      out_.line(gpus_[i].died_line());
      out_.text("diag.result"_id, gpu, "fail", where);
      out_.detail("its process died during the burn-in");
      out_.text("diag.errors"_id, gpu,
                complaint_.empty() ? "its process died during the burn-in" : complaint_, where);
    } else if (found != verdicts_.end()) {
      out_.line(found->second.line);
      out_.text("diag.result"_id, gpu, found->second.passed ? "pass" : "fail", where);
    } else {
      out_.absent("diag.result"_id, gpu, Absence::malformed,
                  fmt::format("the output ends at {} % of the burn-in", format_number(percent_)),
                  where);
    }
  }

  struct Verdict {
    bool passed = false;
    std::size_t line = 0;
  };

  Segments segments_;
  Recorder& out_;
  std::map<std::size_t, Listed> listed_;
  std::vector<BurnGpu> gpus_;
  std::map<std::size_t, Verdict> verdicts_;
  std::string backend_ = "gpu_burn", complaint_;
  std::optional<std::int64_t> seconds_, pass_, device_;
  double percent_ = 0;
};

bool recognises(std::string_view head) {
  return (contains(head, "proc'd: ") && contains(head, " Gflop/s)")) ||
         contains(head, "GPU Burn\nUsage: gpu-burn") ||
         (contains(head, "Couldn't init a GPU test")) ||
         (contains(head, "Burning for ") && contains(head, "Initialized device ")) ||
         (contains(head, "\nTested ") && contains(head, " GPUs:\n\tGPU 0: "));
}

Result<void> read(ByteSource& source, Recorder& out) { return Reader(source, out).read(); }

}  // namespace

Importer gpu_burn() {
  return {"gpu_burn", "gpu_burn", "gpu_burn -tc 600 > gpu_burn.txt 2>&1", recognises, read};
}

}  // namespace gpuvet::ingest
