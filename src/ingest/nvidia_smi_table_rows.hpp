// SPDX-License-Identifier: Apache-2.0
// The table that plain `nvidia-smi` prints, line by line: GPUs, MIG devices, processes.
#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.hpp"
#include "evidence/evidence.hpp"
#include "ingest/nvidia_smi_report.hpp"

namespace gpuvet::ingest {

/// Whether `line` is the table's first: "| NVIDIA-SMI 580.95.05    Driver Version: …".
bool starts_smi_table(std::string_view line);

class SmiTable {
 public:
  /// Any line of the file, without escapes and blanks around it.
  Result<void> line(std::string_view text, std::size_t number);

  /// After the last line, which is `number`.
  Result<void> finish(std::size_t number);

  [[nodiscard]] bool seen() const { return header_line_ > 0; }
  [[nodiscard]] const std::string& version() const { return version_; }

  /// What the last table of the file says.
  Result<void> record(Recorder& out, const std::vector<ReportNote>& notes) const;

 private:
  struct Text {
    std::string text;
    std::size_t line = 0;
  };
  /// Cells go by their names in nvidia-smi's XML, so that both are read alike.
  struct Gpu {
    std::size_t index = 0, line = 0;
    std::string pci, name;
    std::map<std::string, Text, std::less<>> cells;
    std::size_t processes = 0, mig_devices = 0;
    bool processes_unknown = false;
  };
  enum class Part { none, titles, gpus, mig, processes };
  /// A list below the GPUs; it counts when its bottom line is there.
  struct List {
    std::size_t begun = 0, closed = 0;
  };

  Result<void> begin(std::string_view text, std::size_t number);
  void title(std::string_view text, std::size_t number);
  void rule(std::string_view text, std::size_t number);
  Result<void> gpu_row(std::string_view text, std::size_t number);
  Result<void> first_row(const std::vector<std::string_view>& cells, std::size_t number);
  void second_row(const std::vector<std::string_view>& cells, std::size_t number);
  void process(std::string_view text);
  void mig_device(std::string_view text);
  [[nodiscard]] Result<void> whole_block(std::size_t number) const;
  void put(std::string_view name, std::string_view text, std::size_t number);
  Gpu* find(std::string_view index);
  [[nodiscard]] bool complete(const std::vector<ReportNote>& notes) const;
  [[nodiscard]] ReportGpu report(const Gpu& gpu, bool ordinals) const;
  [[nodiscard]] std::string subject(const Gpu& gpu, std::size_t position) const;
  void record_rest(Recorder& out, const Gpu& gpu, const std::string& subject) const;

  Part part_ = Part::none;
  std::string version_;
  std::map<std::string, Text, std::less<>> node_;
  std::vector<Gpu> gpus_;
  std::vector<std::string> earlier_;  ///< addresses in the table before this one
  std::size_t header_line_ = 0;
  std::size_t rows_due_ = 0, rows_ = 0;  ///< of a GPU: two, or three since MIG
  bool mig_ids_ = false;                 ///< processes have GI and CI columns
  List mig_, processes_;
};

}  // namespace gpuvet::ingest
