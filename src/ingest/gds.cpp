// SPDX-License-Identifier: Apache-2.0
// `gdscheck -p`: whether GPUDirect Storage works, on which file systems and GPUs. Guides show only
// the upper half, which stands for itself.
#include <algorithm>

#include "core/text.hpp"
#include "ingest/importer.hpp"

namespace gpuvet::ingest {

Importer gds();

namespace {

constexpr std::size_t most_gpus = 1024, most_filesystems = 64;

std::optional<std::string_view> after(std::string_view line, std::string_view key) {
  const auto at = line.find(key);
  if (at == line.npos) return {};
  return trim(line.substr(at + key.size()));
}

std::string_view first_word(std::string_view text) {
  return text.substr(0, text.find_first_of(" ,\t"));
}

class Reader {
 public:
  Reader(ByteSource& source, Recorder& out) : lines_{source}, out_{out} {}

  Result<void> read() {
    out_.tool("gdscheck");
    while (const auto raw = lines_.next()) {
      const std::string line = strip_escapes(raw->substr(0, 4096));
      out_.line(lines_.line());
      GPUVET_CHECK(read_line(trim(line)));
    }
    if (lines_.error()) return tl::make_unexpected(*lines_.error());
    if (filesystems_ == 0)
      return fail(Errc::malformed, "no list of file systems: the file is cut off", lines_.line());
    out_.line(drives_line_);
    out_.flag("node.gpudirect.storage"_id, "node", drives_);
    return {};
  }

 private:
  Result<void> read_line(std::string_view line) {
    if (line.ends_with("CONFIGURATION:") || line.ends_with("INFO:") || line == "ENVIRONMENT:") {
      section_ = line == "DRIVER CONFIGURATION:" ? Section::drivers
                 : line == "PLATFORM INFO:"      ? Section::platform
                                                 : Section::other;
      return {};
    }
    if (line.starts_with("GPU index ")) return gpu(line);
    if (section_ == Section::drivers) return driver(line);
    if (section_ == Section::platform) return platform(line);
    if (const auto v = after(line, "GDS release version:")) {
      const std::string version = printable(first_word(*v).substr(0, 40));
      out_.tool("gdscheck", version);
      out_.text("node.gds.version"_id, "node", version);
    }
    if (const auto v = after(line, "nvidia_fs version:")) {
      const std::string_view version = first_word(*v);
      if (version_parts(version).empty())
        out_.absent("node.nvidia_fs.version"_id, "node", Absence::not_supported,
                    "nvidia-fs is not loaded");
      else
        out_.text("node.nvidia_fs.version"_id, "node", printable(version.substr(0, 40)));
    }
    return {};
  }

  /// "NVMe : Supported"; lines with dashes tell of RDMA.
  Result<void> driver(std::string_view line) {
    const auto colon = line.rfind(" : ");
    if (colon == line.npos) return {};
    const std::string_view name = trim(line.substr(0, colon)), value = trim(line.substr(colon + 3));
    if (name.starts_with("--")) {
      // Disabled is no proof against it: dma-buf may do the same.
      if (name == "--Mellanox PeerDirect" && value == "Enabled")
        out_.flag("node.gpudirect.rdma"_id, "node", true);
      return {};
    }
    if (value != "Supported" && value != "Unsupported") return {};
    if (++filesystems_ > most_filesystems)
      return fail(Errc::too_large, "more than 64 file systems", lines_.line());
    const bool works = value == "Supported";
    out_.text("gds.filesystem"_id, "node", works ? "supported" : "unsupported",
              {{"filesystem", printable(name.substr(0, 80))}});
    if (name == "NVMe" || name == "NVMe P2PDMA") {
      drives_ = drives_ || works;
      drives_line_ = lines_.line();
    }
    return {};
  }

  /// "GPU index 0 NVIDIA H100 bar:1 bar size (MiB):131072 supports GDS, IOMMU State: Disabled".
  Result<void> gpu(std::string_view line) {
    const auto index = parse_integer(first_word(line.substr(10)));
    if (!index || *index < 0 || static_cast<std::size_t>(*index) >= most_gpus)
      return fail(Errc::malformed, "unreadable GPU index", lines_.line());
    // cuFile counts GPUs as CUDA does.
    const std::string subject = "gpu:cuda#" + std::to_string(*index);
    if (contains(line, " not support GDS") || contains(line, "unsupported"))
      out_.flag("gpu.gds"_id, subject, false);
    else if (contains(line, " supports GDS"))
      out_.flag("gpu.gds"_id, subject, true);
    else
      out_.absent("gpu.gds"_id, subject, Absence::malformed, printable(line.substr(0, 80)));
    if (const auto size = after(line, "bar:1 bar size (MiB):"))
      if (const auto mib = parse_integer(first_word(*size)); mib && *mib > 0 && *mib < (1LL << 40))
        out_.number("gpu.bar1.total"_id, subject, static_cast<double>(*mib) * 1024 * 1024);
    return {};
  }

  Result<void> platform(std::string_view line) {
    if (line.starts_with("IOMMU:")) {
      const std::string state = lower(trim(line.substr(6)).substr(0, 40));
      if (state == "disabled" || state == "enabled")
        out_.text("node.iommu"_id, "node", state);
      else
        out_.text("node.iommu"_id, "node",
                  contains(state, "pass") ? "passthrough" : printable(state));
    }
    if (const auto v = after(line, "Cuda Driver Version Installed:")) {
      const auto number = parse_integer(*v);  // 12080 is 12.8
      if (number && *number >= 1000 && *number < 1'000'000)
        out_.text("node.cuda.version"_id, "node",
                  std::to_string(*number / 1000) + "." + std::to_string(*number % 1000 / 10));
    }
    if (line.starts_with("Platform:"))
      if (const auto comma = line.find(", Arch:"); comma != line.npos)
        if (const auto model = trim(line.substr(9, comma - 9)); !model.empty())
          out_.text("node.model"_id, "node", printable(model.substr(0, 80)));
    return {};
  }

  enum class Section { other, drivers, platform };

  LineReader lines_;
  Recorder& out_;
  Section section_ = Section::other;
  std::size_t filesystems_ = 0, drives_line_ = 0;
  bool drives_ = false;
};

bool recognises(std::string_view head) {
  return contains(head, "GDS release version:") && contains(head, "DRIVER CONFIGURATION:");
}

Result<void> read(ByteSource& source, Recorder& out) { return Reader(source, out).read(); }

}  // namespace

Importer gds() {
  return {"gds", "gdscheck -p", "/usr/local/cuda/gds/tools/gdscheck -p > gdscheck.txt", recognises,
          read};
}

}  // namespace gpuvet::ingest
