// SPDX-License-Identifier: Apache-2.0
// `dcgmi discovery -l`: the GPUs that DCGM found, with name, address and UUID. Since 4.6 inactive
// GPUs are left out unless -a is given, and their names then end in "(last known)".
#include <fmt/format.h>

#include "core/text.hpp"
#include "ingest/dcgm_text.hpp"
#include "ingest/importer.hpp"
#include "ingest/nvidia_smi_fields.hpp"

namespace gpuvet::ingest {

Importer dcgm_discovery();

namespace {

constexpr std::string_view last_known = "(last known)";
constexpr std::size_t most_gpus = 1024;

struct Gpu {
  std::size_t id = 0, line = 0;
  std::string name, pci, uuid, status;
};

/// What follows `key` in "Name: NVIDIA H100".
std::optional<std::string_view> after(std::string_view text, std::string_view key) {
  text = trim(text);
  if (!text.starts_with(key)) return {};
  text = trim(text.substr(key.size()));
  if (text.ends_with(last_known)) text = trim(text.substr(0, text.size() - last_known.size()));
  return text;
}

class Reader {
 public:
  Reader(ByteSource& source, Recorder& out) : lines_{source}, out_{out} {}

  Result<void> read() {
    out_.tool("dcgmi discovery -l");
    while (const auto raw = lines_.next()) GPUVET_CHECK(line(strip_escapes(*raw)));
    if (lines_.error()) return tl::make_unexpected(*lines_.error());
    if (!count_)
      return fail(Errc::malformed, "no line says how many GPUs were found", lines_.line());
    if (gpus_.size() != *count_)
      return fail(
          Errc::malformed,
          fmt::format("{} GPUs found, {} are listed: the file is cut off", *count_, gpus_.size()),
          count_line_);
    for (const auto& gpu : gpus_) GPUVET_CHECK(record(gpu));
    out_.line(count_line_);
    if (!inactive_) out_.number("node.gpu.attached"_id, "node", static_cast<double>(gpus_.size()));
    return {};
  }

 private:
  Result<void> line(std::string_view text) {
    const auto tokens = words(text.substr(0, 256));
    if (tokens.size() >= 3 && tokens[1].starts_with("GPU") && tokens[2].starts_with("found") &&
        !count_) {
      if (const auto n = parse_integer(tokens[0]); n && *n >= 0) {
        count_ = static_cast<std::size_t>(*n);
        count_line_ = lines_.line();
      }
      return {};
    }
    if (contains(text, "Use -a flag to show all GPUs")) inactive_ = true;
    if (!count_) return check_dcgm_error(text, lines_.line());
    const auto row = dcgm_row(text);
    if (!row) {
      if (contains(text, "found.")) listing_gpus_ = false;  // switches, adapters and CPUs follow
      return {};
    }
    if (!listing_gpus_) return {};
    if (const auto id = dcgm_gpu_id(row->left)) {
      if (gpus_.size() == most_gpus)
        return fail(Errc::too_large, "more than 1024 GPUs", lines_.line());
      gpus_.push_back({*id, lines_.line(), {}, {}, {}, {}});
    }
    if (gpus_.empty()) return {};
    if (const auto v = after(row->right, "Name:")) gpus_.back().name = dcgm_words(*v);
    if (const auto v = after(row->right, "Status:")) gpus_.back().status = dcgm_words(*v);
    if (const auto v = after(row->right, "PCI Bus ID:"))
      gpus_.back().pci = pci_address(*v).value_or("");
    if (const auto v = after(row->right, "Device UUID:"); v && usable_uuid(*v))
      gpus_.back().uuid = std::string(*v);
    return {};
  }

  Result<void> record(const Gpu& gpu) {
    const std::string subject = gpu_subject({gpu.uuid, gpu.pci, {}});
    if (subject.empty())
      return fail(
          Errc::malformed,
          fmt::format("GPU {} has neither PCI address nor UUID: DCGM could not read it", gpu.id),
          gpu.line);
    out_.line(gpu.line);
    if (gpu.name.empty())
      out_.absent("gpu.name"_id, subject, Absence::malformed);
    else
      out_.text("gpu.name"_id, subject, gpu.name);
    if (!gpu.uuid.empty()) out_.text("gpu.uuid"_id, subject, gpu.uuid);
    if (!gpu.status.empty()) out_.text("gpu.health"_id, subject, gpu.status);
    if (gpu.pci.empty()) return {};
    out_.text("gpu.pci.address"_id, subject, gpu.pci);
    // DCGM's other outputs know the GPU by this number only.
    out_.text("gpu.pci.address"_id, dcgm_gpu(gpu.id), gpu.pci);
    return {};
  }

  LineReader lines_;
  Recorder& out_;
  std::vector<Gpu> gpus_;
  std::optional<std::size_t> count_;
  std::size_t count_line_ = 0;
  bool listing_gpus_ = true, inactive_ = false;
};

bool recognises(std::string_view head) {
  return contains(head, "| Device Information") && contains(head, "| GPU ID");
}

Result<void> read(ByteSource& source, Recorder& out) { return Reader(source, out).read(); }

}  // namespace

Importer dcgm_discovery() {
  return {"dcgm_discovery", "dcgmi discovery -l", "dcgmi discovery -l > dcgm-discovery.txt",
          recognises, read};
}

}  // namespace gpuvet::ingest
