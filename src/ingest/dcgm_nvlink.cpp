// SPDX-License-Identifier: Apache-2.0
// `dcgmi nvlink -s`: the state of every NVLink as one letter; `dcgmi nvlink -e -g N`: the error
// counters of one GPU, link by link. A file may hold both, or several GPUs.
#include <algorithm>
#include <array>
#include <map>

#include "core/text.hpp"
#include "ingest/dcgm_text.hpp"
#include "ingest/importer.hpp"

namespace gpuvet::ingest {

Importer dcgm_nvlink();

namespace {

struct Counter {
  std::string_view name;
  Id id;
};

/// Others ("Symbol BER", "Tx Discards") are rates, or no errors.
constexpr std::array counters{
    Counter{"CRC FLIT Error", "gpu.nvlink.errors.crc_flit"_id},
    Counter{"CRC Data Error", "gpu.nvlink.errors.crc_data"_id},
    Counter{"Replay Error", "gpu.nvlink.errors.replay"_id},
    Counter{"Recovery Error", "gpu.nvlink.errors.recovery"_id},
    Counter{"Effective Error", "gpu.nvlink.errors.effective"_id},
};

class Reader {
 public:
  Reader(ByteSource& source, Recorder& out) : lines_{source}, out_{out} {}

  Result<void> read() {
    out_.tool("dcgmi nvlink");
    while (const auto raw = lines_.next()) GPUVET_CHECK(line(strip_escapes(*raw)));
    if (lines_.error()) return tl::make_unexpected(*lines_.error());
    if (states_open_ || (gpu_ && !closed_))
      return fail(Errc::malformed, "the output ends early: the file is cut off", lines_.line());
    if (gpu_) record();
    if (!found_) return fail(Errc::malformed, "no GPU is listed", lines_.line());
    return {};
  }

 private:
  Result<void> line(std::string_view text) {
    const std::string_view trimmed = trim(text);
    out_.line(lines_.line());
    if (contains(text, "NvLink Link Status")) return states_open_ = true, Result<void>{};
    if (trimmed.starts_with("Key: Up=U")) return states_open_ = false, Result<void>{};
    if (states_open_) return state_line(trimmed);
    if (contains(text, "NVLINK Error Counts")) return errors_open_ = true, Result<void>{};
    if (errors_open_) return error_line(text);
    return check_dcgm_error(text, lines_.line());
  }

  /// "gpuId 0:", and on the next line "U U D X _".
  Result<void> state_line(std::string_view text) {
    if (text.starts_with("NvSwitches")) due_.reset();
    if (text.starts_with("gpuId ") && text.ends_with(':')) {
      due_ = dcgm_gpu_id(text.substr(6, text.size() - 7));
      return {};
    }
    if (!due_) return {};
    const std::string gpu = dcgm_gpu(*std::exchange(due_, std::nullopt));
    double up = 0, all = 0;
    std::vector<double> down;
    const auto letters = words(text.substr(0, 512));
    for (std::size_t i = 0; i < letters.size(); ++i) {
      const std::string_view s = letters[i];
      if (s != "U" && s != "D" && s != "X" && s != "_")
        return fail(Errc::malformed, "unknown NVLink state " + dcgm_words(s), lines_.line());
      if (s == "_") continue;
      ++all;
      if (s == "U")
        ++up;
      else
        down.push_back(static_cast<double>(i));
    }
    found_ = true;
    if (all == 0) {
      out_.absent("gpu.nvlink.links"_id, gpu, Absence::not_supported);
      out_.absent("gpu.nvlink.active"_id, gpu, Absence::not_supported);
      return {};
    }
    out_.number("gpu.nvlink.links"_id, gpu, all);
    out_.number("gpu.nvlink.active"_id, gpu, up);
    out_.numbers("gpu.nvlink.inactive"_id, gpu, std::move(down));
    return {};
  }

  Result<void> error_line(std::string_view text) {
    if (const auto row = dcgm_row(text)) {
      closed_ = false;
      return counter(*row);
    }
    const std::string_view header = trim(text);
    if (header.starts_with("| GPU ")) {
      if (gpu_) record();
      gpu_ = dcgm_gpu_id(trim(header.substr(1, header.size() - 2)));
      sums_ = {};
    } else if (header.starts_with("Warning: Unable to retrieve nvlink")) {
      ++unread_;
    } else if (is_dcgm_border(header)) {
      closed_ = true;  // unless more rows follow: some versions draw a line below each
    }
    return {};
  }

  /// "-> CRC FLIT Error | 0", below "Link 3".
  Result<void> counter(const DcgmRow& row) {
    std::string_view name = trim(row.left);
    if (name.starts_with("->")) name = trim(name.substr(2));
    const auto known = std::ranges::find(counters, name, &Counter::name);
    if (known == counters.end() || !gpu_) return {};
    const auto number = parse_integer(trim(row.right));
    if (!number || *number < 0) {
      ++unread_;
      return {};
    }
    sums_[std::string(name)] += static_cast<double>(*number);
    return {};
  }

  void record() {
    const std::string gpu = dcgm_gpu(*std::exchange(gpu_, std::nullopt));
    found_ = true;
    for (const auto& [name, id] : counters) {
      const auto sum = sums_.find(name);
      if (sum == sums_.end()) continue;  // Blackwell has other counters than Ampere
      out_.number(id, gpu, sum->second);
      if (unread_ > 0) out_.detail(std::to_string(unread_) + " counters could not be read");
    }
    unread_ = 0;
  }

  LineReader lines_;
  Recorder& out_;
  std::optional<std::size_t> due_, gpu_;
  std::map<std::string, double, std::less<>> sums_;
  std::size_t unread_ = 0;
  bool states_open_ = false, errors_open_ = false, closed_ = false, found_ = false;
};

bool recognises(std::string_view head) {
  return contains(head, "|  NvLink Link Status  |") || contains(head, "| NVLINK Error Counts");
}

Result<void> read(ByteSource& source, Recorder& out) { return Reader(source, out).read(); }

}  // namespace

Importer dcgm_nvlink() {
  return {"dcgm_nvlink", "dcgmi nvlink", "dcgmi nvlink -s > dcgm-nvlink.txt", recognises, read};
}

}  // namespace gpuvet::ingest
