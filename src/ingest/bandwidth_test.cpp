// SPDX-License-Identifier: Apache-2.0
// cuda-samples' bandwidthTest, its text and its --csv. A sweep (shmoo) starts at sizes that measure
// overhead, so that its largest size counts; with --device=all it adds all GPUs up.
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "core/text.hpp"
#include "ingest/cuda_devices.hpp"
#include "ingest/importer.hpp"

namespace gpuvet::ingest {

Importer bandwidth_test();

namespace {

constexpr std::string_view banner = "[CUDA Bandwidth Test]";
constexpr double giga = 1e9;
constexpr double mebi = 1024.0 * 1024.0;  // what CUDA 10 and older call MB

struct Copy {
  std::string_view words, code;  ///< in the text, in CSV
  Id id;
};

constexpr std::array copies{
    Copy{"Host to Device Bandwidth", "H2D", "hostlink.h2d"_id},
    Copy{"Device to Host Bandwidth", "D2H", "hostlink.d2h"_id},
    Copy{"Device to Device Bandwidth", "D2D", "memory.bandwidth.copy"_id},
};

/// What stands between the two, trimmed; empty when either is missing.
std::string_view field(std::string_view s, std::string_view before, std::string_view after) {
  return trim(between(s, before, after).value_or(std::string_view()));
}

class Reader {
 public:
  Reader(ByteSource& source, Recorder& out) : lines_{source}, out_{out} {}

  Result<void> read() {
    out_.tool("bandwidthTest");
    out_.how(How::measured);
    while (const auto raw = lines_.next()) {
      const std::string line = strip_escapes(*raw);
      GPUVET_CHECK(read_line(trim(line)));
    }
    if (lines_.error()) return tl::make_unexpected(*lines_.error());
    end_of_copy();
    if (results_ == 0)
      return fail(Errc::malformed, "no figure: send all that bandwidthTest prints", lines_.line());
    return {};
  }

 private:
  Result<void> read_line(std::string_view line) {
    if (contains(line, banner)) {
      end_of_copy();
      gpus_.clear();
    } else if (line.starts_with("Device ") && line.find(": ") != std::string_view::npos) {
      const auto ordinal = parse_integer(field(line, "Device ", ":"));
      if (ordinal && *ordinal >= 0 && gpus_.size() < CudaDevices::most)
        gpus_.push_back("gpu:cuda#" + std::to_string(*ordinal));
    } else if (line.starts_with("Result = ")) {
      end_of_copy();
      result(trim(line.substr(9)));
    } else if (line.starts_with("bandwidthTest-")) {
      return csv(line);
    } else if (!heading(line)) {
      return row(line);
    }
    return {};
  }

  /// "Host to Device Bandwidth, 1 Device(s)", then memory, then "Transfer Size (Bytes) ...".
  bool heading(std::string_view line) {
    for (const auto& copy : copies)
      if (line.starts_with(copy.words)) {
        end_of_copy();
        copy_ = &copy;
        devices_ = parse_integer(field(line, ", ", " Device")).value_or(0);
        return true;
      }
    if (line.ends_with("Memory Transfers")) {
      // Write-combined memory is pinned too, and reads back slowly.
      memory_ = lower(line.substr(0, line.find(' ')));
      return true;
    }
    if (line.starts_with("Transfer Size (Bytes)")) {
      unit_ = contains(line, "GB/s") ? giga : mebi;
      return true;
    }
    return false;
  }

  Result<void> row(std::string_view line) {
    if (copy_ == nullptr || unit_ == 0) return {};
    const auto cells = words(line.substr(0, 200));
    if (cells.size() < 2 || !parse_integer(cells[0])) return {};
    return figure(cells[0], cells[1], unit_);
  }

  /// "bandwidthTest-H2D-Pinned, Bandwidth = 12.1 GB/s, Time = ... s, Size = 1000 bytes, ...".
  Result<void> csv(std::string_view line) {
    const auto name = split(line.substr(0, line.find(',')), '-');
    const auto found = std::ranges::find_if(
        copies, [&](const Copy& copy) { return name.size() > 1 && name[1] == copy.code; });
    const auto size = field(line, "Size = ", " bytes");
    if (found == copies.end() || size.empty())
      return fail(Errc::malformed, "a line of results that ends early or names no copy",
                  lines_.line());
    const std::string memory = name.size() > 2 ? lower(name[2]) : "";
    if (copy_ != found || memory_ != memory) end_of_copy();
    copy_ = found;
    memory_ = memory;
    const auto used = line.rfind("NumDevsUsed = ");
    devices_ =
        used == std::string_view::npos ? 0 : parse_integer(line.substr(used + 14)).value_or(0);
    const auto rate = words(field(line, "Bandwidth = ", ",").substr(0, 100));
    if (rate.size() != 2 || (rate[1] != "GB/s" && rate[1] != "MB/s"))
      return fail(Errc::malformed, "a line of results without a bandwidth in GB/s or MB/s",
                  lines_.line());
    return figure(size, rate[0], rate[1] == "GB/s" ? giga : mebi);
  }

  Result<void> figure(std::string_view size, std::string_view rate, double unit) {
    const auto bytes = parse_integer(size);
    const auto value = parse_number(rate);
    const auto point = rate.find('.');
    // Always one decimal: a figure that was cut short, or has a comma, is no figure.
    if (!bytes || *bytes <= 0 || !value || *value < 0 || *value > 1e9 ||
        point == std::string_view::npos || rate.size() - point != 2)
      return fail(
          Errc::malformed,
          fmt::format("\"{}\" is no bandwidth with one decimal", printable(rate.substr(0, 40))),
          lines_.line());
    ++results_;
    if (best_line_ > 0 && *bytes < best_bytes_) return {};
    best_bytes_ = *bytes;
    best_rate_ = *value * unit;
    best_line_ = lines_.line();
    return {};
  }

  /// Records the figure of the largest size.
  void end_of_copy() {
    if (copy_ != nullptr && best_line_ > 0) {
      out_.line(best_line_);
      const bool own = copy_->id == "memory.bandwidth.copy"_id;
      Where where{{"bytes", static_cast<double>(best_bytes_)}};
      if (own)
        where.emplace("backend", "cuda memcpy");
      else if (!memory_.empty())
        where.emplace("memory", printable(std::string_view(memory_).substr(0, 40)));
      if (devices_ == 1 && gpus_.size() <= 1)
        out_.number(copy_->id, gpus_.empty() ? "gpu:cuda#0" : gpus_.front(), best_rate_, where);
      else
        for (const auto& gpu : gpus_)
          out_.absent(copy_->id, gpu, Absence::not_asked,
                      fmt::format("the tool prints {} GB/s for {} GPUs together",
                                  format_number(best_rate_ / giga), gpus_.size()),
                      where);
    }
    copy_ = nullptr;
    best_line_ = 0;
    best_bytes_ = 0;
    unit_ = 0;
    memory_.clear();
  }

  void result(std::string_view word) {
    if (word != "PASS" && word != "FAIL") return;
    ++results_;
    out_.line(lines_.line());
    for (const auto& gpu : gpus_)
      out_.text("diag.result"_id, gpu, lower(word), {{"test", "bandwidthTest"}});
  }

  LineReader lines_;
  Recorder& out_;
  std::vector<std::string> gpus_;
  const Copy* copy_ = nullptr;
  std::string memory_;
  std::int64_t devices_ = 0, best_bytes_ = 0;
  double unit_ = 0, best_rate_ = 0;
  std::size_t best_line_ = 0, results_ = 0;
};

bool recognises(std::string_view head) {
  return contains(head, banner) || contains(head, "bandwidthTest-H2D") ||
         contains(head, "bandwidthTest-D2H") || contains(head, "bandwidthTest-D2D");
}

Result<void> read(ByteSource& source, Recorder& out) { return Reader(source, out).read(); }

}  // namespace

Importer bandwidth_test() {
  return {"bandwidth_test", "bandwidthTest", "bandwidthTest --device=0 > bandwidth.txt", recognises,
          read};
}

}  // namespace gpuvet::ingest
