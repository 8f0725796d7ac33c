// SPDX-License-Identifier: Apache-2.0
// What `nvidia-smi -q` reports, as text or as XML: which facts stand where, how the GPUs are told
// apart, and what the two forms count or say in prose.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ingest/nvidia_smi_fields.hpp"

namespace gpuvet::ingest {

/// One GPU of a report. Cells go by the names of the XML, those of its newest schema.
struct ReportGpu {
  /// A number that is counted over a list, and where the list stands.
  struct Count {
    std::size_t number = 0, line = 0;
  };

  std::string pci;                   ///< normalised; empty when the report gives no address
  std::string uuid;                  ///< as it stands
  std::size_t line = 0;              ///< where the GPU begins
  std::size_t uuid_line = 0;         ///< 0: the report has no such cell
  std::optional<std::size_t> index;  ///< nvidia-smi's ordinal; nothing when GPUs may be left out
  bool lost = false;                 ///< the report says so in any of its cells
  std::optional<Count> mig_instances, compute_processes;
  FindCell find;
};

/// What nvidia-smi says about one GPU in a line of prose, outside of its report.
struct ReportNote {
  enum class Says : std::uint8_t { lost, corrupt_inforom };
  Says says;
  std::string pci;  ///< normalised
  std::size_t line = 0;
};

/// "WARNING: infoROM is corrupted at gpu 0000:3B:00.0", "Unable to determine the device handle for
/// GPU 0000:3B:00.0: ..."; nothing for any other line.
std::optional<ReportNote> report_note(std::string_view text, std::size_t line);

/// Whether a cell or a group of cells is asked for; the others need not be kept.
bool report_wants(std::string_view name);

/// Whether a process of this type computes: "C", "C+G" and "M+C" do, "G" doesn't. Drivers that give
/// no type list only those that do.
bool type_computes(std::string_view type);

/// Driver, CUDA and the number of GPUs.
Result<void> record_report_node(Recorder& out, const FindCell& find);

/// Everything about the GPUs. A UUID or address that is blanked out or shared names none of them:
/// it would join GPUs that differ.
Result<void> record_report_gpus(Recorder& out, const std::vector<ReportGpu>& gpus,
                                const std::vector<ReportNote>& notes);

/// Everything about a GPU that is called `subject`, apart from its identity and health.
Result<void> record_report_cells(Recorder& out, const ReportGpu& gpu, const std::string& subject);

}  // namespace gpuvet::ingest
