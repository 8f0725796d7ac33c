// SPDX-License-Identifier: Apache-2.0
// cuda-samples' p2pBandwidthLatencyTest. Between GPUs that are no peers its "P2P=Enabled" figures
// are copies through the host; its diagonal is the GPU's own memory, read and written bytes added.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <set>
#include <utility>

#include "core/text.hpp"
#include "ingest/cuda_devices.hpp"
#include "ingest/gpu_matrix.hpp"
#include "ingest/importer.hpp"

namespace gpuvet::ingest {

Importer p2p_bandwidth();

namespace {

constexpr std::string_view banner = "[P2P (Peer-to-Peer) GPU Bandwidth Latency Test]";
constexpr double giga = 1e9, micro = 1e-6;

/// What a title says of the matrix below it.
struct Kind {
  bool connectivity = false, latency = false, both = false, enabled = false, reads = false;
  bool writes = false;
};

std::optional<Kind> title_in(std::string_view line) {
  Kind kind;
  if (line == "P2P Connectivity Matrix") {
    kind.connectivity = true;
    return kind;
  }
  kind.enabled = contains(line, "P2P=Enabled");
  const bool disabled = contains(line, "P2P=Disabled");
  kind.latency = line.ends_with("(us)") && contains(line, "Latency");
  const bool bandwidth = line.ends_with("(GB/s)") && contains(line, "Bandwidth");
  if (kind.enabled == disabled || kind.latency == bandwidth) return {};
  kind.both = line.starts_with("Bidirectional");
  if (bandwidth && !kind.both && !line.starts_with("Unidirectional")) return {};
  kind.reads = contains(line, "(P2P Reads)");
  // Without peer access it writes too, and says so only where there is a choice.
  kind.writes = contains(line, "(P2P Writes)") || disabled;
  return kind;
}

/// "D\D 0 1 2" or "GPU 0 1 2": the part that numbers the columns.
std::optional<std::string_view> header_in(std::string_view line) {
  for (const std::string_view corner : {"D\\D", "GPU", "CPU"})
    if (line.starts_with(corner)) return line.substr(corner.size());
  return {};
}

/// The number after `name`, up to a comma; these are hexadecimal but for the ordinal.
std::optional<std::int64_t> number_after(std::string_view line, std::string_view name, int base) {
  const auto begin = line.find(name);
  if (begin == std::string_view::npos) return {};
  line.remove_prefix(begin + name.size());
  const auto value = parse_integer(trim(line.substr(0, line.find(','))), base);
  return value && *value >= 0 ? value : std::nullopt;
}

class Reader {
 public:
  Reader(ByteSource& source, Recorder& out) : lines_{source}, out_{out} {}

  Result<void> read() {
    out_.tool("p2pBandwidthLatencyTest");
    out_.how(How::measured);
    while (const auto raw = lines_.next()) {
      const std::string line = strip_escapes(*raw);
      out_.line(lines_.line());
      GPUVET_CHECK(read_line(trim(line)));
    }
    if (lines_.error()) return tl::make_unexpected(*lines_.error());
    return finish();
  }

 private:
  Result<void> read_line(std::string_view line) {
    if (columns_ > 0) return read_row(line);
    if (const auto title = title_in(line)) {
      kind_ = *title;
      cpu_follows_ = false;
      title_line_ = lines_.line();
    } else if (const auto header = header_in(line); header && is_due()) {
      // The CPU's view of the latency is the time of a launch.
      ignored_ = line.starts_with("CPU") || (kind_.latency && kind_.reads);
      GPUVET_TRY(columns_, matrix_columns(*header, lines_.line()));
      row_ = 0;
      cpu_follows_ = line.starts_with("GPU");
      title_line_ = 0;
    } else if (line.starts_with("Device: ")) {
      read_device(line);
    } else if (line.starts_with("Device=")) {
      read_access(line);
    } else if (line.starts_with("Cuda failure") || contains(line, "CUDA error at")) {
      out_.text("diag.result"_id, "node", "fail", where_test_);
      out_.text("diag.errors"_id, "node", printable(line.substr(0, 200)), where_test_);
      ++matrices_;
    }
    return {};
  }

  /// A header follows its title, or the GPU's matrix, at once or after an empty line.
  [[nodiscard]] bool is_due() const { return title_line_ > 0 && lines_.line() <= title_line_ + 2; }

  /// "Device: 0, NVIDIA A40, pciBusID: c1, pciDeviceID: 0, pciDomainID:0", the last three in hex.
  void read_device(std::string_view line) {
    const auto ordinal = number_after(line, "Device: ", 10);
    const auto bus = number_after(line, "pciBusID: ", 16);
    const auto device = number_after(line, "pciDeviceID: ", 16);
    const auto domain = number_after(line, "pciDomainID:", 16);
    const auto begin = line.find(", "), end = line.find(", pciBusID");
    if (!ordinal || end == std::string_view::npos || begin >= end) return;
    std::optional<std::string> address;
    if (bus && device && domain && *bus <= 0xff && *device <= 0xff && *domain <= 0xffffffff)
      address = pci_address(fmt::format("{:08x}:{:02x}:{:02x}", *domain, *bus, *device));
    devices_.add(static_cast<std::size_t>(*ordinal), line.substr(begin + 2, end - begin - 2),
                 std::move(address), lines_.line());
  }

  /// "Device=0 CANNOT Access Peer Device=1".
  void read_access(std::string_view line) {
    const auto tokens = words(line.substr(0, 200));
    if (tokens.size() != 5 || tokens[2] != "Access" || tokens[3] != "Peer") return;
    const auto from = number_after(tokens[0], "Device=", 10);
    const auto to = number_after(tokens[4], "Device=", 10);
    if (!from || !to || (tokens[1] != "CAN" && tokens[1] != "CANNOT")) return;
    access(static_cast<std::size_t>(*from), static_cast<std::size_t>(*to), tokens[1] == "CAN");
  }

  void access(std::size_t from, std::size_t to, bool can) {
    const auto pair = std::pair(from, to);
    if (from == to || from >= CudaDevices::most || to >= CudaDevices::most) return;
    if (!can) apart_.insert(pair);
    if (!asked_.insert(pair).second) return;  // the connectivity matrix repeats it
    out_.flag("link.p2p.access"_id, devices_.link(from, to), can);
    out_.detail(fmt::format("from GPU {} to GPU {}", from, to));
  }

  Result<void> read_row(std::string_view line) {
    if (kind_.connectivity) {
      GPUVET_CHECK(read_connectivity(line));
    } else {
      GPUVET_TRY(const auto row, matrix_row(line, row_, columns_, lines_.line()));
      for (std::size_t to = 0; to < columns_ && !ignored_; ++to) {
        if (!row[to]) continue;
        if (to == row_)
          read_diagonal(*row[to]);
        else if (kind_.latency)
          record("peer.latency"_id, to, *row[to] * micro);
        else
          record("peer.bandwidth"_id, to, *row[to] * giga);
      }
    }
    if (++row_ == columns_) {
      columns_ = 0;
      if (cpu_follows_) title_line_ = lines_.line();
      ++matrices_;
    }
    return {};
  }

  Result<void> read_connectivity(std::string_view line) {
    const auto cells = words(line);
    if (cells.size() != columns_ + 1 || parse_integer(cells[0]) != static_cast<int>(row_))
      return fail(Errc::malformed, fmt::format("row {} of the matrix is due here", row_),
                  lines_.line());
    for (std::size_t to = 0; to < columns_; ++to) access(row_, to, cells[to + 1] == "1");
    return {};
  }

  void record(Id id, std::size_t to, double value) {
    Where where{{"p2p", kind_.enabled ? "enabled" : "disabled"}};
    if (!kind_.latency && (kind_.both || kind_.reads || kind_.writes))
      where.emplace("direction", kind_.both ? "both" : kind_.reads ? "read" : "write");
    const auto words = fmt::format("GPU {} {} GPU {}", row_,
                                   kind_.both    ? "with"
                                   : kind_.reads ? "reads from"
                                                 : "writes to",
                                   to);
    if (kind_.enabled && apart_.contains(std::pair(row_, to))) {
      out_.absent(id, devices_.link(row_, to), Absence::not_supported,
                  words + ": no peer access, the figure is a copy through the host", where);
      return;
    }
    out_.number(id, devices_.link(row_, to), value, where);
    out_.detail(words);
  }

  struct Diagonal {
    double best = 0, worst = 0;
    std::size_t line = 0;
  };

  /// The first copy of a run may find the clocks still low, so the best of all matrices counts.
  void read_diagonal(double value) {
    if (kind_.latency) return;
    auto& seen = diagonal_[row_];
    if (seen.line == 0 || value < seen.worst) seen.worst = value;
    if (seen.line == 0 || value > seen.best) {
      seen.best = value;
      seen.line = lines_.line();
    }
  }

  Result<void> finish() {
    if (columns_ > 0 || (title_line_ == lines_.line() && !cpu_follows_))
      return fail(
          Errc::malformed,
          fmt::format("the file ends inside a matrix: it has {} of {} rows", row_, columns_),
          lines_.line());
    if (matrices_ == 0)
      return fail(Errc::malformed,
                  "no matrix of figures: send all that p2pBandwidthLatencyTest prints",
                  lines_.line());
    for (const auto& [gpu, seen] : diagonal_) {
      out_.line(seen.line);
      out_.number("memory.bandwidth.copy"_id, devices_.gpu(gpu), seen.best * giga,
                  {{"backend", "cuda memcpy"}});
      if (seen.worst < seen.best)
        out_.detail(
            fmt::format("the best of several copies; the slowest made {} GB/s", seen.worst));
    }
    devices_.record(out_);
    return {};
  }

  LineReader lines_;
  Recorder& out_;
  CudaDevices devices_;
  Kind kind_;
  bool ignored_ = false, cpu_follows_ = false;
  std::size_t title_line_ = 0, columns_ = 0, row_ = 0, matrices_ = 0;
  std::set<std::pair<std::size_t, std::size_t>> asked_, apart_;  ///< from, to
  std::map<std::size_t, Diagonal> diagonal_;
  const Where where_test_{{"test", "p2pBandwidthLatencyTest"}};
};

bool recognises(std::string_view head) {
  if (contains(head, banner)) return true;
  // An excerpt: one title, and the corner of its matrix on the next line.
  bool titled = false;
  while (!head.empty()) {
    const auto end = std::min(head.find('\n'), head.size());
    const auto line = trim(head.substr(0, std::min<std::size_t>(end, 512)));
    if (titled && header_in(line)) return true;
    titled = title_in(line).has_value() && !line.starts_with("P2P Connectivity");
    head.remove_prefix(std::min(end + 1, head.size()));
  }
  return false;
}

Result<void> read(ByteSource& source, Recorder& out) { return Reader(source, out).read(); }

}  // namespace

Importer p2p_bandwidth() {
  return {"p2p_bandwidth", "p2pBandwidthLatencyTest", "p2pBandwidthLatencyTest > p2p.txt",
          recognises, read};
}

}  // namespace gpuvet::ingest
