// SPDX-License-Identifier: Apache-2.0
// `nvidia-smi nvlink -s`, `-e`, `-c` and `nvidia-smi c2c -s`: per GPU a line for each link, or one
// sentence when it has none. Nothing says how many links there should be, so a list with a hole or
// with an early end must not pass for a GPU with fewer links.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>

#include "core/text.hpp"
#include "ingest/importer.hpp"
#include "ingest/nvidia_smi_list.hpp"

namespace gpuvet::ingest {

Importer nvidia_smi_nvlink();

namespace {

constexpr std::size_t most_links = 256;  // NVLink 5 has 18

struct Counter {
  std::string_view label;  // lower case
  Id id;
};

/// Lane CRCs, BERs and packet counts are left alone: they add up to nothing that has an id.
constexpr std::array counters{
    Counter{"replay errors", "gpu.nvlink.errors.replay"_id},
    Counter{"recovery errors", "gpu.nvlink.errors.recovery"_id},
    Counter{"crc errors", "gpu.nvlink.errors.crc_flit"_id},
    Counter{"crc flit errors", "gpu.nvlink.errors.crc_flit"_id},
    Counter{"crc data errors", "gpu.nvlink.errors.crc_data"_id},
    Counter{"ecc errors", "gpu.nvlink.errors.ecc"_id},
    Counter{"ecc data errors", "gpu.nvlink.errors.ecc"_id},
    Counter{"effective errors", "gpu.nvlink.errors.effective"_id},
};

template <class T>
using ByLink = std::map<std::size_t, T>;

/// A rate, or nothing for a link that is down.
using Rates = ByLink<std::optional<double>>;

struct Gpu {
  Rates nvlink, c2c;
  std::map<Id, ByLink<std::optional<double>>> errors;  ///< nothing: the driver gives no count
  std::size_t nvlink_line = 0, c2c_line = 0, errors_line = 0;
  bool any_line = false;
  std::optional<Absence> no_nvlink, no_c2c;
  std::string words;  ///< of the sentence in place of links
  bool all_down = false;
};

/// What follows "Link " or "C2C Link ": "3" and "25 GB/s".
struct LinkLine {
  bool c2c = false;
  std::size_t number = 0;
  std::string_view rest;
  bool capability = false;  ///< "Link 0, P2P is supported: true"
};

std::optional<LinkLine> link_line(std::string_view line) {
  LinkLine out;
  line = trim(line);
  if (line.starts_with("C2C ")) out.c2c = true, line.remove_prefix(4);
  if (!line.starts_with("Link ")) return {};
  line.remove_prefix(5);
  const auto end = line.find_first_not_of("0123456789");
  const auto number = parse_integer(line.substr(0, end));
  if (!number || *number < 0 || end == line.npos || (line[end] != ':' && line[end] != ','))
    return {};
  out.number = static_cast<std::size_t>(*number);
  out.capability = line[end] == ',';
  out.rest = trim(line.substr(end + 1));
  return out;
}

bool is_sentence(std::string_view line) {
  return contains_ignoring_case(line, "nvlink information") ||
         contains_ignoring_case(line, "support nvlink") ||
         contains_ignoring_case(line, "support c2c") || trim(line).starts_with("NVML: ");
}

/// Links are numbered 0, 1, 2, …: a hole means that somebody shortened the list, or asked for one.
template <class T>
bool without_holes(const ByLink<T>& links) {
  return links.empty() || links.rbegin()->first + 1 == links.size();
}

class Reader {
 public:
  Reader(ByteSource& source, Recorder& out) : lines_{source}, out_{out} {}

  Result<void> read() {
    while (const auto raw = lines_.next()) GPUVET_CHECK(read_line(strip_escapes(*raw)));
    if (lines_.error()) return tl::make_unexpected(*lines_.error());
    if (list_.size() == 0)
      return fail(Errc::malformed, "no line names a GPU: give the whole output", lines_.line());
    GPUVET_CHECK(check_end());
    out_.tool(c2c_ ? "nvidia-smi c2c" : "nvidia-smi nvlink");
    list_.record(out_);
    for (std::size_t i = 0; i < gpus_.size(); ++i) record(gpus_[i], list_.subject(i));
    return {};
  }

 private:
  Result<void> read_line(std::string_view line) {
    GPUVET_TRY(auto listed, read_gpu_line(line, lines_.line()));
    if (listed) {
      GPUVET_TRY(now_, list_.add(*std::move(listed)));
      gpus_.resize(list_.size());
      return {};
    }
    line = trim(line);
    if (const auto link = link_line(line)) {
      if (list_.size() == 0)
        return fail(Errc::malformed, "links before the line that names their GPU", lines_.line());
      return read_link(*link);
    }
    if (list_.size() > 0 && is_sentence(line)) read_sentence(line);
    const bool broken = line.starts_with("Link ") || line.starts_with("C2C ") ||
                        (!line.empty() && (std::string_view("Link ").starts_with(line) ||
                                           std::string_view("C2C ").starts_with(line)));
    if (broken && !is_sentence(line))
      return fail(Errc::malformed, "the line of a link breaks off", lines_.line());
    return {};
  }

  /// "25 GB/s", "<inactive>", "Replay Errors: 0"; a remote address or a capability is nothing here.
  Result<void> read_link(const LinkLine& link) {
    if (link.number >= most_links)
      return fail(Errc::too_large, "more than 256 links of a GPU", lines_.line());
    Gpu& gpu = gpus_[now_];
    gpu.any_line = true;
    c2c_ = c2c_ || link.c2c;
    if (link.capability) return {};
    if (const auto colon = link.rest.find(": "); colon != link.rest.npos)
      return read_counter(gpu, link, link.rest.substr(0, colon), trim(link.rest.substr(colon + 1)));
    if (pci_address(link.rest) || link.rest.ends_with(":")) return {};
    Rates& rates = link.c2c ? gpu.c2c : gpu.nvlink;
    (link.c2c ? gpu.c2c_line : gpu.nvlink_line) = lines_.line();
    const std::string said = lower(link.rest);
    if (said == "<inactive>" || said == "inactive") {
      rates[link.number] = std::nullopt;
      return {};
    }
    GPUVET_TRY(rates[link.number], read_rate(link.rest));
    return {};
  }

  Result<double> read_rate(std::string_view text) const {
    const auto unit = text.find(' ');
    const auto value = parse_number(text.substr(0, unit));
    if (contains(text.substr(0, unit), ","))
      return fail(Errc::malformed, "number with a decimal comma: rerun with LC_ALL=C",
                  lines_.line());
    if (!value || *value < 0 || unit == text.npos || text.substr(unit + 1) != "GB/s")
      return fail(
          Errc::malformed,
          fmt::format("neither a rate in GB/s nor <inactive>: '{}'", printable(text.substr(0, 40))),
          lines_.line());
    return *value * 1e9;
  }

  Result<void> read_counter(Gpu& gpu, const LinkLine& link, std::string_view label,
                            std::string_view value) {
    const std::string wanted = lower(trim(label));
    const auto known = std::ranges::find(counters, wanted, &Counter::label);
    if (known == counters.end()) return {};
    gpu.errors_line = lines_.line();
    auto& count = gpu.errors[known->id][link.number];
    count = {};
    if (absence_in(value)) return {};
    const auto number = parse_integer(value);
    if (!number || *number < 0)
      return fail(Errc::malformed,
                  fmt::format("not a count of errors: '{}'", printable(value.substr(0, 40))),
                  lines_.line());
    count = static_cast<double>(*number);
    return {};
  }

  void read_sentence(std::string_view line) {
    Gpu& gpu = gpus_[now_];
    gpu.any_line = true;
    gpu.words = printable(line.substr(0, 120));
    gpu.nvlink_line = gpu.c2c_line = lines_.line();
    const bool c2c = contains_ignoring_case(line, "c2c");
    c2c_ = c2c_ || c2c;
    if (contains_ignoring_case(line, "all links are inactive")) {
      gpu.all_down = true;
      return;
    }
    (c2c ? gpu.no_c2c : gpu.no_nvlink) =
        contains_ignoring_case(line, "permission") ? Absence::permission
        : contains_ignoring_case(line, "support")  ? Absence::not_supported
                                                   : Absence::malformed;
  }

  /// A file that stops in its last GPU: that one has fewer lines than its siblings, or its last
  /// link has fewer counters than the others.
  [[nodiscard]] Result<void> check_end() const {
    const Gpu& last = gpus_.back();
    const auto end = [&](std::string_view what, std::size_t here, std::size_t there) {
      return fail(Errc::malformed,
                  fmt::format("the file ends early: GPU {} shows {} {}, others show {}",
                              list_[list_.size() - 1].index, here, what, there),
                  lines_.line());
    };
    for (std::size_t i = 0; i + 1 < gpus_.size(); ++i) {
      if (last.all_down || last.no_nvlink || list_[i].name != list_[list_.size() - 1].name)
        continue;
      if (gpus_[i].nvlink.size() > last.nvlink.size())
        return end("links", last.nvlink.size(), gpus_[i].nvlink.size());
      if (gpus_[i].c2c.size() > last.c2c.size())
        return end("C2C links", last.c2c.size(), gpus_[i].c2c.size());
      for (const auto& [id, counts] : gpus_[i].errors)
        if (const auto own = last.errors.find(id);
            own == last.errors.end() || own->second.size() < counts.size())
          return end("links with error counters", own == last.errors.end() ? 0 : own->second.size(),
                     counts.size());
    }
    for (const auto& [id, counts] : last.errors)
      if (counts.size() != last.errors.begin()->second.size())
        return fail(Errc::malformed, "the file ends early: its last link lacks counters",
                    lines_.line());
    return {};
  }

  void record(const Gpu& gpu, const std::string& subject) {
    out_.line(gpu.nvlink_line);
    if (!gpu.nvlink.empty()) {
      record_nvlink(gpu, subject);
    } else if (gpu.all_down) {
      // No count of links: a card without its bridge says this as well as a broken one.
      out_.number("gpu.nvlink.active"_id, subject, 0);
      out_.detail(gpu.words);
      out_.absent("gpu.nvlink.links"_id, subject, Absence::malformed, gpu.words);
    } else if (gpu.no_nvlink) {
      out_.absent("gpu.nvlink.links"_id, subject, *gpu.no_nvlink, gpu.words);
      out_.absent("gpu.nvlink.active"_id, subject, *gpu.no_nvlink, gpu.words);
    } else if (!gpu.any_line && !c2c_) {
      out_.absent("gpu.nvlink.links"_id, subject, Absence::not_supported, "nothing is printed");
    }
    out_.line(gpu.c2c_line);
    if (!gpu.c2c.empty())
      record_c2c(gpu, subject);
    else if (gpu.no_c2c || (!gpu.any_line && c2c_))
      out_.absent("gpu.c2c.links"_id, subject, gpu.no_c2c.value_or(Absence::not_supported),
                  gpu.words);
    out_.line(gpu.errors_line);
    for (const auto& [id, counts] : gpu.errors) record_errors(id, counts, subject);
  }

  void record_nvlink(const Gpu& gpu, const std::string& subject) {
    std::vector<double> down;
    std::optional<double> slowest;
    for (const auto& [number, rate] : gpu.nvlink) {
      if (!rate)
        down.push_back(static_cast<double>(number));
      else
        slowest = std::min(*rate, slowest.value_or(*rate));
    }
    const auto links = static_cast<double>(gpu.nvlink.size());
    if (without_holes(gpu.nvlink)) {
      out_.number("gpu.nvlink.links"_id, subject, links);
      out_.number("gpu.nvlink.active"_id, subject, links - static_cast<double>(down.size()));
      out_.numbers("gpu.nvlink.inactive"_id, subject, down);
      if (slowest) out_.number("gpu.nvlink.speed"_id, subject, *slowest);
    } else {
      const std::string hole = fmt::format("{} links listed, up to number {}", gpu.nvlink.size(),
                                           gpu.nvlink.rbegin()->first);
      for (const Id id : {"gpu.nvlink.links"_id, "gpu.nvlink.active"_id})
        out_.absent(id, subject, Absence::malformed, hole);
      if (!down.empty()) out_.numbers("gpu.nvlink.inactive"_id, subject, down);
    }
  }

  void record_c2c(const Gpu& gpu, const std::string& subject) {
    std::optional<double> slowest;
    std::size_t up = 0;
    for (const auto& [number, rate] : gpu.c2c) {
      if (!rate) continue;
      slowest = std::min(*rate, slowest.value_or(*rate));
      ++up;
    }
    if (without_holes(gpu.c2c)) {
      out_.number("gpu.c2c.links"_id, subject, static_cast<double>(gpu.c2c.size()));
      if (up < gpu.c2c.size()) out_.detail(fmt::format("{} of them are up", up));
    } else {
      out_.absent("gpu.c2c.links"_id, subject, Absence::malformed, "links are missing in the list");
    }
    // A link that is down carries nothing: that is its rate.
    out_.number("gpu.c2c.speed"_id, subject, up == gpu.c2c.size() ? *slowest : 0);
  }

  /// The sum over all links; of a list with holes it says something only when it isn't zero.
  void record_errors(Id id, const ByLink<std::optional<double>>& counts,
                     const std::string& subject) {
    double sum = 0;
    std::size_t counted = 0;
    for (const auto& [number, count] : counts) {
      sum += count.value_or(0);
      counted += count ? 1 : 0;
    }
    const bool whole = without_holes(counts) && counted == counts.size();
    if (counted == 0) {
      out_.absent(id, subject, Absence::not_supported);
    } else if (!whole && sum == 0) {
      out_.absent(id, subject, Absence::malformed,
                  fmt::format("only {} links are counted", counted));
    } else {
      out_.number(id, subject, sum);
      if (!whole) out_.detail(fmt::format("at least: only {} links are counted", counted));
    }
  }

  LineReader lines_;
  Recorder& out_;
  GpuList list_;
  std::vector<Gpu> gpus_;  // as in list_
  std::size_t now_ = 0;
  bool c2c_ = false;
};

/// A GPU's line with a link or the sentence in place of links right below it.
bool recognises(std::string_view head) {
  bool below_gpu = false;
  while (!head.empty()) {
    const auto end = std::min(head.find('\n'), head.size());
    const std::string line = strip_escapes(head.substr(0, std::min<std::size_t>(end, 512)));
    head.remove_prefix(std::min(end + 1, head.size()));
    if (trim(line).empty()) continue;
    if (below_gpu && (link_line(line) || is_sentence(line))) return true;
    below_gpu = is_gpu_line(line);
  }
  return false;
}

Result<void> read(ByteSource& source, Recorder& out) { return Reader(source, out).read(); }

}  // namespace

Importer nvidia_smi_nvlink() {
  return {"nvidia_smi_nvlink", "nvidia-smi nvlink",
          "nvidia-smi nvlink -s > nvlink.txt; nvidia-smi nvlink -e > nvlink-errors.txt", recognises,
          read};
}

}  // namespace gpuvet::ingest
