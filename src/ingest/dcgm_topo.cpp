// SPDX-License-Identifier: Apache-2.0
// `dcgmi topo --gpuid N`: how one GPU reaches the others, in words. The form for a group says only
// the worst path.
#include <array>

#include "core/text.hpp"
#include "ingest/dcgm_text.hpp"
#include "ingest/importer.hpp"

namespace gpuvet::ingest {

Importer dcgm_topo();

namespace {

struct Path {
  std::string_view words, kind;
};

/// DCGM says "CPU-level link" for both node and sys.
constexpr std::array paths{
    Path{"on-board PCIe switch", "pix"},
    Path{"single PCIe switch", "pix"},
    Path{"multiple PCIe switches", "pxb"},
    Path{"PCIe host bridge", "phb"},
};

class Reader {
 public:
  Reader(ByteSource& source, Recorder& out) : lines_{source}, out_{out} {}

  Result<void> read() {
    out_.tool("dcgmi topo");
    while (const auto raw = lines_.next()) GPUVET_CHECK(line(strip_escapes(*raw)));
    if (lines_.error()) return tl::make_unexpected(*lines_.error());
    finish_pair();
    if (own_ && !closed_)
      return fail(Errc::malformed, "the table ends without its last border: the file is cut off",
                  lines_.line());
    if (!found_) return fail(Errc::malformed, "no table of a GPU", lines_.line());
    return {};
  }

 private:
  Result<void> line(std::string_view text) {
    const std::string_view trimmed = trim(text);
    out_.line(lines_.line());
    if (const auto row = dcgm_row(text)) return own_ ? cell(*row) : Result<void>{};
    if (trimmed.starts_with("| GPU ID:")) {
      finish_pair();
      own_ = dcgm_gpu_id(trim(trimmed.substr(1, trimmed.size() - 2)));
    } else if (trimmed.starts_with("| Group") || trimmed.starts_with("| DCGM_ALL")) {
      return fail(Errc::not_supported,
                  "the form for a group names only the worst path: run dcgmi topo --gpuid for each "
                  "GPU",
                  lines_.line());
    } else if (is_dcgm_border(trimmed)) {
      closed_ = true;  // unless more rows follow: some versions draw a line below each
    } else if (!own_) {
      return check_dcgm_error(text, lines_.line());
    }
    return {};
  }

  Result<void> cell(const DcgmRow& row) {
    const std::string_view name = trim(row.left), value = trim(row.right);
    closed_ = false;
    if (!name.empty()) finish_pair();
    if (name == "CPU Core Affinity") {
      found_ = true;
      affinity_ = true;
      cpus_ = dcgm_words(value, 400);
    } else if (name.starts_with("To GPU")) {
      found_ = true;
      other_ = dcgm_gpu_id(name.substr(3));
      pair_line_ = lines_.line();
      path(value);
    } else if (name.empty() && other_) {
      path(value);
    } else if (name.empty() && affinity_) {
      cpus_ += " " + dcgm_words(value, 400);
      if (cpus_.size() > 4096)
        return fail(Errc::too_large, "CPU affinity beyond 4096 characters", lines_.line());
    }
    return {};
  }

  void path(std::string_view value) {
    for (const auto& [words, kind] : paths)
      if (contains(value, words)) kind_ = kind;
    if (!contains(value, "NVLINK")) return;
    const auto list = value.find("(Link");
    // The words ("twelve") count bits of a mask; the list names the links.
    if (list != value.npos && value.ends_with(')')) links_ = split(value.substr(list), ',').size();
  }

  void finish_pair() {
    if (affinity_ && own_) {
      if (absence_in(cpus_))
        out_.absent("topology.affinity.cpu"_id, dcgm_gpu(*own_), Absence::not_supported);
      else
        out_.text("topology.affinity.cpu"_id, dcgm_gpu(*own_), cpus_);
      affinity_ = false;
    }
    if (!other_ || !own_) return;
    const auto [a, b] = std::minmax(*own_, *other_);
    const std::string link = "link:dcgm#" + std::to_string(a) + "~dcgm#" + std::to_string(b);
    out_.line(pair_line_);
    if (links_ > 0) {
      out_.text("link.kind"_id, link, "nvlink");
      out_.number("link.nvlink_count"_id, link, static_cast<double>(links_));
    } else if (!kind_.empty()) {
      out_.text("link.kind"_id, link, std::string(kind_));
    } else {
      out_.absent("link.kind"_id, link, Absence::not_asked,
                  "DCGM does not tell a path within a NUMA node from one between sockets");
    }
    out_.line(lines_.line());
    other_.reset();
    kind_ = {};
    links_ = 0;
  }

  LineReader lines_;
  Recorder& out_;
  std::optional<std::size_t> own_, other_;
  std::string cpus_;
  std::string_view kind_;
  std::size_t links_ = 0, pair_line_ = 0;
  bool found_ = false, closed_ = false, affinity_ = false;
};

bool recognises(std::string_view head) { return contains(head, "| Topology Information"); }

Result<void> read(ByteSource& source, Recorder& out) { return Reader(source, out).read(); }

}  // namespace

Importer dcgm_topo() {
  return {"dcgm_topo", "dcgmi topo", "dcgmi topo --gpuid 0 > dcgm-topo.txt", recognises, read};
}

}  // namespace gpuvet::ingest
