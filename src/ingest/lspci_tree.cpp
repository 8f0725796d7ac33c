// SPDX-License-Identifier: Apache-2.0
// `lspci -t`, -tv and -nntv: the tree of buses, drawn with characters. What belongs together stands
// in the same column, so a drawing that was re-wrapped or cut is refused. It shows no classes: of
// NVIDIA's devices those with function 0 that are no switch and no adapter count as GPUs, and
// nothing is counted.
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <optional>

#include "core/text.hpp"
#include "ingest/importer.hpp"
#include "ingest/lspci_device.hpp"
#include "ingest/watched_source.hpp"

namespace gpuvet::ingest {
namespace {

constexpr std::string_view hex_digits = "0123456789abcdef";

/// A bus and the bridges above it, nearest first; the chain is shared, not copied.
struct Bus {
  std::string name;    ///< "0000:0f"
  std::string bridge;  ///< address; empty for a root bus
  std::size_t above = 0;
};

bool is_hex(std::string_view s) {
  return !s.empty() && s.find_first_not_of(hex_digits) == std::string_view::npos;
}

/// NVSwitches and BlueField or ConnectX adapters are NVIDIA's too.
bool looks_like_gpu(const PciName& name) {
  if (!is_nvidia(name)) return false;
  for (const std::string_view other : {"Audio", "USB", "NVSwitch", "Bridge", "ConnectX", "MT"})
    if (contains(name.text, other)) return false;
  for (const std::string_view nvswitch : {"1ac0", "1ac1", "1ac2", "1af1", "22a3", "22a4"})
    if (name.device == nvswitch) return false;
  return true;
}

class Reader {
 public:
  Reader(ByteSource& source, Recorder& out) : source_{source}, lines_{source_}, out_{out} {
    buses_.push_back({});  // what root buses hang off
  }

  Result<void> read() {
    out_.tool("lspci -t");
    while (const auto line = lines_.next()) {
      out_.line(lines_.line());
      GPUVET_CHECK(take(*line));
    }
    if (lines_.error()) return tl::make_unexpected(*lines_.error());
    if (devices_ == 0) return fail(Errc::malformed, "no tree: no device in it", lines_.line());
    if (bare_end_ && source_.ends_inside_line())
      return fail(Errc::malformed, "the tree ends early, inside a line", lines_.line());
    return close_below(0);
  }

 private:
  /// A column where siblings start, and the bus they are on.
  struct Branch {
    std::size_t bus = 0, line = 0;
    bool closed = false;  ///< its last sibling, drawn with a backslash, was seen
  };

  Result<void> take(std::string_view line) {
    const auto begin = line.find_first_not_of(" |");
    if (begin == std::string_view::npos) return {};
    const bool root =
        line[begin] == '-' && (line.substr(begin, 2) == "-[" || line.substr(begin, 4) == "-+-[");
    const bool child = line[begin] == '+' || line[begin] == '\\';
    if (root && branches_.empty() && devices_ == 0) return draw(line, begin, 0);
    if (root) return fail(Errc::malformed, "a second tree: give one a file", lines_.line());
    if (!child || branches_.empty()) return {};  // a prompt, or prose around the drawing
    GPUVET_CHECK(close_below(begin + 1));
    const auto found = branches_.find(begin);
    if (found == branches_.end() || found->second.closed)
      return fail(Errc::malformed,
                  "the branch starts in a column of its own: the tree was re-wrapped or cut",
                  lines_.line());
    found->second.closed = line[begin] == '\\';
    return draw(line, begin + 1, found->second.bus);
  }

  /// Forgets branches from `column` on; all of their siblings must have come.
  Result<void> close_below(std::size_t column) {
    for (auto at = branches_.lower_bound(column); at != branches_.end();) {
      if (!at->second.closed)
        return fail(
            Errc::malformed,
            fmt::format("the tree ends early: siblings of line {} are missing", at->second.line),
            lines_.line());
      at = branches_.erase(at);
    }
    return {};
  }

  /// The rest of a line: "-[04-6a]----00.0-[05-6a]--+-00.0-[06]--" from `at` on, on `bus`.
  Result<void> draw(std::string_view line, std::size_t at, std::size_t bus) {
    bare_end_ = !line.ends_with("]--");
    std::string device;
    while (at < line.size()) {
      const char c = line[at];
      if (c == '-') {
        ++at;
      } else if (c == '+') {
        branches_[at] = {bus, lines_.line(), false};
        ++at;
      } else if (c == '[') {
        GPUVET_TRY(bus, open_bus(line, at, device, bus));
        bare_end_ = !line.ends_with("]--");
      } else if (c == ' ' || c == '\r') {
        return {};
      } else {
        GPUVET_TRY(device, read_device(line, at, bus));
        bare_end_ = false;
      }
    }
    return {};
  }

  /// "[0000:40]" of a root bus, "[04-6a]" or "[04]" below a bridge.
  Result<std::size_t> open_bus(std::string_view line, std::size_t& at, const std::string& bridge,
                               std::size_t above) {
    const auto close = line.find(']', at);
    if (close == std::string_view::npos)
      return fail(Errc::malformed, "a bus without its closing bracket: the tree was cut",
                  lines_.line());
    const auto inside = line.substr(at + 1, close - at - 1);
    at = close + 1;
    auto number = inside.substr(0, inside.find('-'));
    std::string domain;
    if (const auto colon = number.find(':'); colon != std::string_view::npos) {
      domain = number.substr(0, colon);
      number.remove_prefix(colon + 1);
    } else if (const auto& name = buses_[above].name; !name.empty()) {
      domain = name.substr(0, name.find(':'));
    }
    constexpr std::size_t longest_domain = 8;
    if (!is_hex(domain) || domain.size() > longest_domain || !is_hex(number) || number.size() != 2)
      return fail(Errc::malformed,
                  fmt::format("\"[{}]\" is no bus", printable(inside.substr(0, 40))),
                  lines_.line());
    if (buses_.size() > most_pci_devices)
      return fail(Errc::too_large, fmt::format("more than {} buses", most_pci_devices),
                  lines_.line());
    buses_.push_back({fmt::format("{}:{}", domain, number), bridge, above});
    return buses_.size() - 1;
  }

  /// "00.0", perhaps with a name behind it that takes the rest of the line.
  Result<std::string> read_device(std::string_view line, std::size_t& at, std::size_t bus) {
    constexpr std::size_t length = 4;
    const auto place = line.substr(at, length);
    if (place.size() != length || !is_hex(place.substr(0, 2)) || place[2] != '.' ||
        !is_hex(place.substr(3)) || buses_[bus].name.empty())
      return fail(Errc::malformed,
                  fmt::format("\"{}\" is neither device nor bus: the tree was re-wrapped or cut",
                              printable(line.substr(at, 24))),
                  lines_.line());
    if (++devices_ > most_pci_devices)
      return fail(Errc::too_large, fmt::format("more than {} devices", most_pci_devices),
                  lines_.line());
    at += length;
    const std::string address = read_pci_address(buses_[bus].name + ":" + std::string(place));
    const auto name = line.substr(at);
    if (name.starts_with(" ")) at = line.size();
    if (!buses_[bus].bridge.empty())
      out_.text("pci.parent"_id, "pci:" + address, buses_[bus].bridge);
    if (place.back() == '0' && name.starts_with("  ")) record_gpu(address, name, bus);
    return address;
  }

  void record_gpu(const std::string& address, std::string_view text, std::size_t bus) {
    const PciName name = read_pci_name(text);
    if (!looks_like_gpu(name)) return;
    const std::string gpu = "gpu:" + address;
    out_.text("pci.name"_id, gpu, name.text);
    if (!name.device.empty()) out_.text("gpu.pci.device_id"_id, gpu, name.device);
    PciPath path;
    constexpr std::size_t deepest = 32;
    for (; !buses_[bus].bridge.empty() && path.bridges.size() < deepest; bus = buses_[bus].above)
      path.bridges.push_back(buses_[bus].bridge);
    path.root = buses_[bus].name;
    record_gpu_path(out_, gpu, path);
  }

  WatchedSource source_;
  LineReader lines_;
  Recorder& out_;
  bool bare_end_ = false;  ///< the last line drawn ends in neither a device nor an empty bus
  std::vector<Bus> buses_;
  std::map<std::size_t, Branch> branches_;
  std::size_t devices_ = 0;
};

/// "-[0000:00]-" or "-+-[0000:60]-" at the start of one of the first lines.
bool recognises(std::string_view head) {
  constexpr int lines_that_count = 12;
  if (head.starts_with("\xef\xbb\xbf")) head.remove_prefix(3);
  for (int seen = 0; seen < lines_that_count && !head.empty();) {
    const auto end = std::min(head.find('\n'), head.size());
    auto line = trim(head.substr(0, std::min<std::size_t>(end, 1024)));
    head.remove_prefix(std::min(end + 1, head.size()));
    if (line.empty()) continue;
    ++seen;
    if (line.starts_with("-+")) line.remove_prefix(2);
    if (!line.starts_with("-[")) continue;
    const auto bus = line.substr(2, line.find(']') - 2);
    const auto colon = bus.find(':');
    if (colon >= 4 && colon <= 8 && is_hex(bus.substr(0, colon)) && is_hex(bus.substr(colon + 1)))
      return true;
  }
  return false;
}

Result<void> read(ByteSource& source, Recorder& out) { return Reader(source, out).read(); }

}  // namespace

Importer lspci_tree() {
  return {.kind = "lspci_tree",
          .title = "lspci -t",
          .obtain = "lspci -tv > lspci-tree.txt",
          .recognises = recognises,
          .read = read};
}

}  // namespace gpuvet::ingest
