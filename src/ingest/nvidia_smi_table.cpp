// SPDX-License-Identifier: Apache-2.0
// Plain `nvidia-smi`, `nvidia-smi -L` and `nvidia-smi --version`, alone or in one file. Where
// nvidia-smi could not work at all, its excuse is all there is.
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "core/text.hpp"
#include "ingest/importer.hpp"
#include "ingest/nvidia_smi_list.hpp"
#include "ingest/nvidia_smi_table_rows.hpp"

namespace gpuvet::ingest {

Importer nvidia_smi_table();

namespace {

struct Excuse {
  std::string_view begins, reason;
};

constexpr std::array excuses{
    Excuse{"NVIDIA-SMI has failed because it couldn't communicate with the NVIDIA driver",
           "nvidia-smi could not reach the NVIDIA driver: load the driver and run it again"},
    Excuse{"NVIDIA-SMI couldn't find libnvidia-ml",
           "nvidia-smi did not find its library: install the driver and run it again"},
    Excuse{"Failed to initialize NVML: Driver/library version mismatch",
           "driver and library differ in version: reboot, then run nvidia-smi again"},
    Excuse{"Failed to initialize NVML",
           "nvidia-smi could not start: mend what it names, then run it again"},
    Excuse{
        "Unable to determine the device handle",
        "nvidia-smi gave up on a GPU that doesn't answer: reset it or reboot, then run it again"},
    Excuse{"No devices were found",
           "nvidia-smi found no GPU: see the kernel log, then run it again"},
    Excuse{"bash: nvidia-smi: command not found", "nvidia-smi is not installed here"},
    Excuse{"-bash: nvidia-smi: command not found", "nvidia-smi is not installed here"},
    Excuse{"nvidia-smi: command not found", "nvidia-smi is not installed here"},
};

const Excuse* excuse_in(std::string_view line) {
  const auto* found = std::ranges::find_if(
      excuses, [&](const Excuse& excuse) { return line.starts_with(excuse.begins); });
  return found == excuses.end() ? nullptr : found;
}

/// "  MIG 1g.5gb      Device  0: (UUID: MIG-…)", below its GPU in -L.
bool is_mig_line(std::string_view line) {
  line = trim(line);
  return line.starts_with("MIG ") && contains(line, "Device") && contains(line, "(UUID: MIG-");
}

/// "DRIVER version      : 580.95.05" -> "580.95.05"; nothing for other lines.
std::optional<std::string_view> version_in(std::string_view line, std::string_view label) {
  if (!lower(line.substr(0, label.size())).starts_with(label)) return {};
  line = trim(line.substr(label.size()));
  if (!line.starts_with(':')) return {};
  return trim(line.substr(1));
}

/// "Tue Jul 14 08:12:53 2026", above the table.
bool is_date(std::string_view line) {
  const auto tokens = words(line.substr(0, 80));
  return tokens.size() == 5 && tokens[0].size() == 3 && tokens[3].size() == 8 &&
         tokens[3][2] == ':' && tokens[3][5] == ':' && parse_integer(tokens[4]);
}

class Reader {
 public:
  Reader(ByteSource& source, Recorder& out) : lines_{source}, out_{out} {}

  Result<void> read() {
    while (const auto raw = lines_.next()) {
      const std::string line = strip_escapes(*raw);
      GPUVET_CHECK(read_line(trim(line)));
    }
    if (lines_.error()) return tl::make_unexpected(*lines_.error());
    GPUVET_CHECK(table_.finish(lines_.line()));
    if (!table_.seen() && list_.size() == 0 && versions_ == 0 && notes_.empty()) {
      if (excuse_ != nullptr)
        return fail(Errc::not_supported, std::string(excuse_->reason), excuse_line_);
      return fail(Errc::malformed, "no table, list or version of nvidia-smi", lines_.line());
    }
    return record();
  }

 private:
  Result<void> read_line(std::string_view line) {
    const std::size_t number = lines_.line();
    GPUVET_CHECK(table_.line(line, number));
    if (line.empty() || line.front() == '|' || line.front() == '+') return {};
    GPUVET_TRY(auto listed, read_gpu_line(line, number));
    if (listed) {
      GPUVET_TRY(now_, list_.add(*std::move(listed)));
      mig_.resize(list_.size());
      mig_[now_] = 0;
      return {};
    }
    if (is_mig_line(line) && list_.size() > 0) ++mig_[now_];
    if (is_date(line)) date_ = printable(line);
    if (notes_.size() < GpuList::most)
      if (const auto note = report_note(line, number)) notes_.push_back(*note);
    if (const Excuse* excuse = excuse_in(line); excuse != nullptr && excuse_ == nullptr) {
      excuse_ = excuse;
      excuse_line_ = number;
    }
    read_version(line);
    return {};
  }

  void read_version(std::string_view line) {
    if (const auto own = version_in(line, "nvidia-smi version")) version_ = printable(*own);
    for (const auto& [label, id] : {std::pair{"driver version", "node.driver.version"_id},
                                    std::pair{"kmd version", "node.driver.version"_id},
                                    std::pair{"cuda version", "node.cuda.version"_id},
                                    std::pair{"cuda umd version", "node.cuda.version"_id}}) {
      const auto value = version_in(line, label);
      if (!value || value->starts_with("Deprecated") || ++versions_ > 64) continue;
      out_.line(lines_.line());
      if (const auto why = absence_in(*value))
        out_.absent(id, "node", *why);
      else
        out_.text(id, "node", printable(value->substr(0, 80)));
    }
  }

  Result<void> record() {
    const bool table = table_.seen();
    const std::string version = table ? table_.version() : version_;
    out_.tool(table              ? "nvidia-smi"
              : list_.size() > 0 ? "nvidia-smi -L"
              : versions_ > 0    ? "nvidia-smi --version"
                                 : "nvidia-smi",
              version);
    if (!date_.empty()) out_.when(date_);
    if (table) {
      GPUVET_CHECK(table_.record(out_, notes_));
    } else {
      GPUVET_CHECK(record_report_gpus(out_, {}, notes_));
    }
    list_.record(out_);
    if (list_.size() == 0) return {};
    if (list_.complete() && !table) {
      out_.line(list_[0].line);
      out_.number("node.gpu.attached"_id, "node", static_cast<double>(list_.size()));
    }
    // A GPU without MIG devices may be one without MIG: that is for others to say.
    for (std::size_t i = 0; i < list_.size(); ++i) {
      out_.line(list_[i].line);
      if (mig_[i] > 0)
        out_.number("gpu.mig.instances"_id, list_.subject(i), static_cast<double>(mig_[i]));
    }
    return {};
  }

  LineReader lines_;
  Recorder& out_;
  SmiTable table_;
  GpuList list_;
  std::vector<std::size_t> mig_;  // devices below each GPU of list_
  std::size_t now_ = 0;
  std::vector<ReportNote> notes_;
  std::string date_, version_;
  std::size_t versions_ = 0;
  const Excuse* excuse_ = nullptr;
  std::size_t excuse_line_ = 0;
};

bool is_prompt(std::string_view line) {
  return line.starts_with('$') || line.starts_with('#') || line.starts_with('>') ||
         line.starts_with("```") || contains(line, "nvidia-smi -L");
}

/// The table's first line, a list of GPUs and nothing else, versions, or an excuse. Others print
/// lines like -L's above their own output, and whole tables into logs.
bool recognises(std::string_view head) {
  constexpr std::size_t lines_that_count = 40;
  std::size_t seen = 0;
  bool listed = false, other = false;
  for (std::string_view rest = head; !rest.empty();) {
    const auto end = std::min(rest.find('\n'), rest.size());
    const std::string stripped = strip_escapes(rest.substr(0, std::min<std::size_t>(end, 512)));
    const std::string_view line = trim(stripped);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    if (line.empty()) continue;
    if (++seen <= lines_that_count) {
      // The tables of `nvidia-smi vgpu` begin alike.
      if (starts_smi_table(line)) return !contains(head, "vGPU ID");
      if (version_in(line, "nvidia-smi version") || excuse_in(line) != nullptr) return true;
    } else if (!listed) {
      return false;
    }
    if (is_gpu_line(line) && (contains(line, "(UUID: GPU-") || listed))
      listed = true;
    else if (listed && !is_mig_line(line) && !is_prompt(line))
      other = true;
  }
  return listed && !other;
}

Result<void> read(ByteSource& source, Recorder& out) { return Reader(source, out).read(); }

}  // namespace

Importer nvidia_smi_table() {
  return {"nvidia_smi_table", "nvidia-smi", "nvidia-smi > nvidia-smi-table.txt", recognises, read};
}

}  // namespace gpuvet::ingest
