// SPDX-License-Identifier: Apache-2.0
// `numactl --hardware`: processors, memory and distances of the NUMA nodes. Its "MB" are MiB. Nodes
// may have memory and no processors, or (a GPU's, before the driver adds it) neither.
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <optional>

#include "core/text.hpp"
#include "ingest/cpu_list.hpp"
#include "ingest/importer.hpp"
#include "ingest/watched_source.hpp"

namespace gpuvet::ingest {
namespace {

constexpr std::size_t most_nodes = 256;

/// Web pages and mail turn runs of blanks into no-break spaces.
std::string_view plain(std::string_view line, std::string& storage) {
  constexpr std::string_view no_break = "\xc2\xa0";
  if (!contains(line, no_break)) return line;
  storage.clear();
  for (std::size_t at = 0; at < line.size(); ++at) {
    const bool blank = line.substr(at, 2) == no_break;
    storage += blank ? ' ' : line[at];
    at += blank ? 1 : 0;
  }
  return storage;
}

class Reader {
 public:
  Reader(ByteSource& source, Recorder& out) : source_{source}, lines_{source_}, out_{out} {}

  Result<void> read() {
    out_.tool("numactl --hardware");
    std::string storage;
    while (const auto line = lines_.next()) {
      out_.line(lines_.line());
      GPUVET_CHECK(take(trim(plain(*line, storage))));
    }
    if (lines_.error()) return tl::make_unexpected(*lines_.error());
    if (!available_)
      return fail(Errc::malformed, "no \"available: ... nodes\" line", lines_.line());
    // The last figure is a node's distance to itself, which is 10; "1" would be the rest of it.
    const bool cut = source_.ends_inside_line() && in_row_ && last_distance_ != 10;
    if (cpus_.size() != *available_ || sizes_ != *available_ ||
        (distances_due_ && rows_ != *available_) || cut)
      return fail(Errc::malformed,
                  fmt::format("the file ends early: {} nodes are available, {} listed whole",
                              *available_, std::min(sizes_, distances_due_ ? rows_ : sizes_)),
                  lines_.line());
    out_.line(available_line_);
    record_numa_cpus(out_, cpus_);
    return {};
  }

 private:
  Result<void> take(std::string_view text) {
    in_row_ = false;
    if (contains(text, "No NUMA available") || contains(text, "No NUMA support available"))
      return fail(Errc::not_supported,
                  "numactl says that the kernel shows no NUMA nodes on this system", lines_.line());
    if (contains(text, "numactl: command not found"))
      return fail(Errc::not_supported, "numactl isn't installed there", lines_.line());
    const auto cells = words(text);
    if (cells.size() >= 3 && cells[0] == "available:" && cells[2].starts_with("node"))
      return take_available(cells[1]);
    if (!available_) return {};  // a prompt
    if (text == "node distances:")
      distances_due_ = true;
    else if (distances_due_ && !cells.empty())
      return take_distances(cells);
    else if (cells.size() >= 3 && cells[0] == "node")
      return take_node(text, cells);
    return {};
  }

  Result<void> take_available(std::string_view count) {
    const auto nodes = parse_integer(count);
    if (available_)
      return fail(Errc::malformed, "a second list of nodes: give one machine's output a file",
                  lines_.line());
    if (!nodes || *nodes < 1)
      return fail(Errc::malformed, "the count of nodes is no number", lines_.line());
    if (*nodes > static_cast<std::int64_t>(most_nodes))
      return fail(Errc::too_large, fmt::format("more than {} nodes", most_nodes), lines_.line());
    available_ = static_cast<std::size_t>(*nodes);
    available_line_ = lines_.line();
    return {};
  }

  static std::optional<int> node_number(std::string_view text) {
    const auto node = parse_integer(text);
    if (!node || *node < 0 || *node > 1'000'000) return {};
    return static_cast<int>(*node);
  }

  /// "node 0 cpus: 0 1 2", "node 0 size: 96549 MB", "node 0 free: 91010 MB".
  Result<void> take_node(std::string_view text, const std::vector<std::string_view>& cells) {
    const auto node = node_number(cells[1]);
    if (!node) return fail(Errc::malformed, "a node without its number", lines_.line());
    const std::string subject = fmt::format("numa:{}", *node);
    if (cells[2] == "cpus:") {
      const auto list = read_cpu_list(text.substr(text.find("cpus:") + 5));
      if (!list || cpus_.size() == most_nodes)
        return fail(Errc::malformed, "the node's processors are unreadable", lines_.line());
      cpus_[*node] = *list;
      return {};
    }
    if (cells[2] != "size:" && cells[2] != "free:") return {};
    const bool size = cells[2] == "size:";
    const Id id = size ? "numa.memory"_id : "numa.memory.free"_id;
    sizes_ += size ? 1 : 0;
    if (cells.size() > 3 && contains(cells[3], ","))
      return fail(Errc::malformed, "number with a decimal comma: rerun with LC_ALL=C",
                  lines_.line());
    const auto figure = cells.size() == 5 ? parse_number(cells[3]) : std::nullopt;
    constexpr double mib = 1024. * 1024;
    if (figure && *figure >= 0 && cells[4] == "MB")
      out_.number(id, subject, *figure * mib);
    else
      out_.absent(id, subject, Absence::malformed, printable(text.substr(0, 80)));
    return {};
  }

  /// "node   0   1" and below it a row for each node: "  0:  10  31".
  Result<void> take_distances(const std::vector<std::string_view>& cells) {
    if (cells[0] == "node" && columns_.empty()) {
      for (std::size_t i = 1; i < cells.size() && i <= most_nodes; ++i)
        if (const auto node = node_number(cells[i])) columns_.push_back(*node);
      if (columns_.size() != *available_ || cells.size() != *available_ + 1)
        return fail(Errc::malformed, "the header of the distances doesn't name all nodes",
                    lines_.line());
      return {};
    }
    if (!cells[0].ends_with(':') || rows_ == *available_) return {};  // the next prompt
    const auto from = node_number(cells[0].substr(0, cells[0].size() - 1));
    if (!from || cells.size() != columns_.size() + 1 || columns_.empty())
      return fail(Errc::malformed,
                  fmt::format("row of {} distances for {} nodes", cells.size() - 1, *available_),
                  lines_.line());
    for (std::size_t i = 0; i < columns_.size(); ++i) {
      const auto distance = parse_integer(cells[i + 1]);
      if (!distance || *distance < 0 || *distance > 255)
        return fail(Errc::malformed, "a distance that is none", lines_.line());
      out_.number("numa.distance"_id, fmt::format("numa:{}", *from), static_cast<double>(*distance),
                  {{"to", static_cast<double>(columns_[i])}});
    }
    ++rows_;
    in_row_ = true;
    last_distance_ = parse_integer(cells.back()).value_or(0);
    return {};
  }

  WatchedSource source_;
  LineReader lines_;
  Recorder& out_;
  std::optional<std::size_t> available_;
  std::map<int, std::vector<int>> cpus_;
  std::vector<int> columns_;
  std::size_t sizes_ = 0, rows_ = 0, available_line_ = 0;
  std::int64_t last_distance_ = 0;
  bool distances_due_ = false, in_row_ = false;
};

bool recognises(std::string_view head) {
  head = head.substr(0, 4096);
  if (contains(head, "No NUMA available on this system") ||
      contains(head, "No NUMA support available on this system") ||
      contains(head.substr(0, 256), "numactl: command not found"))
    return true;
  const auto begin = head.find("available: ");
  return begin != std::string_view::npos && (begin == 0 || head[begin - 1] == '\n') &&
         contains(head.substr(begin, 64), " node") && contains(head, "node 0 ");
}

Result<void> read(ByteSource& source, Recorder& out) { return Reader(source, out).read(); }

}  // namespace

Importer numactl() {
  return {.kind = "numactl",
          .title = "numactl --hardware",
          .obtain = "numactl --hardware > numactl.txt",
          .recognises = recognises,
          .read = read};
}

}  // namespace gpuvet::ingest
