// SPDX-License-Identifier: Apache-2.0
// `nvidia-smi topo -m`: the matrix of paths between GPUs and network adapters, with CPU and NUMA
// affinity. Headers may be underlined with escapes, columns separated by tabs or blanks, and people
// trim, re-align and paste these tables, so cells are counted and not measured.
#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "core/text.hpp"
#include "ingest/importer.hpp"

namespace gpuvet::ingest {
namespace {

constexpr std::size_t most_devices = 1024;

bool is_gpu(std::string_view name) {
  return name.substr(0, 3) == "GPU" && parse_integer(name.substr(3)).value_or(-1) >= 0;
}

/// "X", "NV12", "PIX", "PXB", "PHB", "NODE", "SYS", and "SOC" of old drivers.
bool is_cell(std::string_view s) {
  static constexpr std::string_view paths[] = {"X", "PIX", "PXB", "PHB", "NODE", "SYS", "SOC"};
  if (std::find(std::begin(paths), std::end(paths), s) != std::end(paths)) return true;
  return s.substr(0, 2) == "NV" && s.size() > 2 && parse_integer(s.substr(2)).value_or(-1) >= 0;
}

struct Header {
  std::vector<std::string> devices;  ///< GPUs and network adapters
  bool cpu = false, numa = false;    ///< affinity columns
  bool gpu_numa = false;
};

/// "GPU0 GPU1 … CPU Affinity NUMA Affinity": devices up to the first affinity column.
std::optional<Header> header_in(std::string_view line) {
  Header out;
  const auto tokens = words(line);
  if (tokens.empty() || tokens[0] != "GPU0") return {};
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    const bool affinity = i + 1 < tokens.size() && tokens[i + 1] == "Affinity";
    if (tokens[i] == "CPU" && affinity)
      out.cpu = true;
    else if (tokens[i] == "NUMA" && affinity)
      out.numa = true;
    else if (tokens[i] == "GPU" && i + 2 < tokens.size() && tokens[i + 1] == "NUMA")
      out.gpu_numa = true;
    else if (!out.cpu && !out.numa && !out.gpu_numa) {
      if (is_cell(tokens[i])) return {};  // a row of a one-GPU matrix, "GPU0 X …"
      out.devices.emplace_back(tokens[i]);
    }
  }
  return out;
}

/// Drivers cut adapter names to the column's width, so that several may read "mlx5_ib".
void make_unique(std::vector<std::string>& devices) {
  std::multiset<std::string> all(devices.begin(), devices.end());
  std::map<std::string, int> seen;
  for (auto& device : devices)
    if (all.count(device) > 1) device += fmt::format("#{}", seen[device]++);
}

std::string subject_of(std::string_view device) {
  return is_gpu(device) ? gpu_ordinal(static_cast<std::size_t>(*parse_integer(device.substr(3))))
                        : "nic:" + std::string(device);
}

bool present(std::string_view affinity) { return !affinity.empty() && affinity != "N/A"; }

class Reader {
 public:
  Reader(ByteSource& source, Recorder& out) : lines_{source}, out_{out} {}

  Result<void> read() {
    out_.tool("nvidia-smi topo -m");
    while (const auto raw = lines_.next()) {
      const std::string line = strip_escapes(*raw);
      out_.line(lines_.line());
      if (header_.devices.empty()) {
        GPUVET_CHECK(look_for_header(line));
      } else {
        GPUVET_CHECK(read_line(line));
      }
    }
    if (lines_.error()) return tl::make_unexpected(*lines_.error());
    return finish();
  }

 private:
  Result<void> look_for_header(std::string_view line) {
    if (contains(line, "Option -m"))
      return fail(Errc::not_supported,
                  "nvidia-smi printed an error instead of a matrix: its topo command "
                  "has no -m on this system",
                  lines_.line());
    auto header = header_in(line);
    if (!header) return {};
    header_ = std::move(*header);
    header_line_ = lines_.line();
    if (header_.devices.size() > most_devices)
      return fail(Errc::too_large, fmt::format("more than {} devices", most_devices),
                  lines_.line());
    make_unique(header_.devices);
    gpus_ = static_cast<std::size_t>(
        std::count_if(header_.devices.begin(), header_.devices.end(), is_gpu));
    out_.texts("topology.columns"_id, "node", header_.devices);
    return {};
  }

  Result<void> read_line(std::string_view line) {
    const auto tokens = words(line);
    if (tokens.size() == 2 && tokens[0].substr(0, 3) == "NIC" && tokens[0].back() == ':') {
      out_.text("nic.name"_id, "nic:" + std::string(tokens[0].substr(0, tokens[0].size() - 1)),
                std::string(tokens[1]));
      return {};
    }
    // Rows come in the order of the columns; whatever else stands between or below them is prose.
    if (rows_ == header_.devices.size() || tokens.empty()) return {};
    const std::string& device = header_.devices[rows_];
    if (tokens[0] != device.substr(0, device.find('#'))) return refuse_unless_prose(tokens);
    return read_row(line, tokens, device);
  }

  /// A device row out of turn means a row is missing; anything else is left to finish().
  Result<void> refuse_unless_prose(const std::vector<std::string_view>& tokens) const {
    const bool device = std::any_of(header_.devices.begin(), header_.devices.end(),
                                    [&](const std::string& d) { return d == tokens[0]; });
    if (!device || tokens.size() < 2) return {};
    return fail(Errc::malformed,
                fmt::format("row of {} where the row of {} is due", printable(tokens[0]),
                            printable(header_.devices[rows_])),
                lines_.line());
  }

  Result<void> read_row(std::string_view line, const std::vector<std::string_view>& tokens,
                        const std::string& device) {
    const std::size_t columns = header_.devices.size();
    std::vector<std::string> cells;
    while (cells.size() < columns && cells.size() + 1 < tokens.size() &&
           is_cell(tokens[cells.size() + 1]))
      cells.emplace_back(tokens[cells.size() + 1]);
    if (cells.size() != columns)
      return fail(Errc::malformed,
                  fmt::format("row of {} has {} readable cells, the header has {} columns",
                              printable(device), cells.size(), columns),
                  lines_.line());
    if (cells[rows_] != "X")
      return fail(Errc::malformed,
                  fmt::format("row of {} lacks its X on the diagonal", printable(device)),
                  lines_.line());
    out_.texts("topology.row"_id, subject_of(device), cells);
    if (is_gpu(device)) {
      const std::size_t last =
          static_cast<std::size_t>(tokens[columns].data() - line.data()) + tokens[columns].size();
      read_affinity(
          subject_of(device), line.substr(last),
          std::vector(tokens.begin() + static_cast<std::ptrdiff_t>(columns) + 1, tokens.end()));
    }
    ++rows_;
    return {};
  }

  /// Affinities are separated by tabs and may be empty, or by blanks and are then all there.
  void read_affinity(const std::string& gpu, std::string_view rest,
                     const std::vector<std::string_view>& tokens) {
    std::string_view cpu, numa;
    const std::size_t due = std::size_t{header_.cpu} + header_.numa + header_.gpu_numa;
    if (tokens.size() == due || rest.find('\t') == std::string_view::npos) {
      if (header_.cpu && !tokens.empty()) cpu = tokens[0];
      if (header_.numa && tokens.size() > header_.cpu) numa = tokens[header_.cpu];
    } else {
      const auto fields = split(rest, '\t');
      if (header_.cpu && fields.size() > 1) cpu = trim(fields[1]);
      if (header_.numa && fields.size() > 2) numa = trim(fields[2]);
    }
    const auto record = [&](Id id, bool asked, std::string_view value) {
      if (present(value))
        out_.text(id, gpu, printable(value));
      else if (asked)
        out_.absent(id, gpu, Absence::not_supported);
    };
    record("topology.affinity.cpu"_id, header_.cpu, cpu);
    record("topology.affinity.numa"_id, header_.numa, numa);
  }

  Result<void> finish() {
    if (header_.devices.empty())
      return fail(Errc::malformed, "no matrix: no line starts with GPU0", lines_.line());
    // A trimmed paste may lack the adapters' rows; without all rows of GPUs the matrix says
    // nothing.
    if (rows_ < gpus_)
      return fail(Errc::malformed,
                  fmt::format("the header names {} GPUs, only {} rows follow: the file is cut off",
                              gpus_, rows_),
                  lines_.line());
    out_.line(header_line_);
    out_.number("node.gpu.attached"_id, "node", static_cast<double>(gpus_));
    return {};
  }

  LineReader lines_;
  Recorder& out_;
  Header header_;
  std::size_t rows_ = 0, gpus_ = 0, header_line_ = 0;
};

bool recognises(std::string_view head) {
  if (contains(head, "Option -m is missing its value")) return true;
  while (!head.empty()) {
    const auto end = head.find('\n');
    const auto line = head.substr(0, std::min<std::size_t>(end, 8192));
    if (contains(line, "GPU0")) {
      const auto header = header_in(strip_escapes(line));
      // "GPU0" alone may be any table's; a matrix has affinities, other devices, or its row below.
      if (header && (header->cpu || header->devices.size() > 1)) {
        const auto below =
            end == std::string_view::npos ? std::string_view{} : head.substr(end + 1);
        const auto row = words(below.substr(0, std::min<std::size_t>(below.find('\n'), 8192)));
        // The matrices of topo -p2p look alike, but their cells say OK and NS.
        const bool other = row.size() > 2 && header->devices.size() > 1 && !is_cell(row[2]);
        return !other && (header->cpu || row.empty() ||
                          (row.size() > 1 && row[0] == "GPU0" && row[1] == "X"));
      }
    }
    if (end == std::string_view::npos) break;
    head.remove_prefix(end + 1);
  }
  return false;
}

Result<void> read(ByteSource& source, Recorder& out) { return Reader(source, out).read(); }

}  // namespace

Importer nvidia_smi_topo() {
  return {"nvidia_smi_topo", "nvidia-smi topo -m", "nvidia-smi topo -m > topo.txt", recognises,
          read};
}

}  // namespace gpuvet::ingest
