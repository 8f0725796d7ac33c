// SPDX-License-Identifier: Apache-2.0
// Inside collect: what NVML says, one call after the other. Runs in a child process, since a call
// may never return.
#pragma once

#include <string>

#include "evidence/evidence.hpp"
#include "platform/nvml.hpp"

namespace gpuvet::collect {

/// Versions and how many GPUs there are.
void record_driver(const platform::Nvml&, unsigned gpus, Recorder& out);

/// One GPU, as the files of nvidia-smi name its facts.
struct NvmlGpu {
  const platform::Nvml& nvml;
  nvml::Device device;
  std::string subject;
  Recorder& out;

  void identity() const;  ///< name, serial, firmware, modes
  void state() const;     ///< clocks, power, temperatures, memory, PCIe, processes
  void health() const;    ///< ECC, remapped rows, retired pages, recovery
  void links() const;     ///< NVLinks: state, remote ends, errors

  /// A number from `ask(&value)`, times `factor`; the reason where there is none.
  template <class Number, class Ask>
  void number(Id id, Ask ask, double factor = 1) const {
    Number value{};
    if (const auto said = ask(&value); said == nvml::Return::success)
      out.number(id, subject, static_cast<double>(value) * factor);
    else
      absent(id, said);
  }
  template <class Ask>
  void flag(Id id, Ask ask) const {
    unsigned value = 0;
    if (const auto said = ask(&value); said == nvml::Return::success)
      out.flag(id, subject, value != 0);
    else
      absent(id, said);
  }
  template <class Ask>
  void text(Id id, Ask ask) const {
    char value[96] = {};
    const auto said = ask(value, static_cast<unsigned>(sizeof value - 1));
    if (said == nvml::Return::success)
      record_text(id, value);
    else
      absent(id, said);
  }
  void absent(Id id, nvml::Return said) const;
  void record_text(Id id, const char* value) const;
};

/// Where a GPU is found: its subject by UUID, else by PCI address, else by index. Records both, the
/// index, and whether the driver has lost it.
std::string record_handle(const platform::Nvml&, nvml::Device, unsigned index, Recorder& out);

}  // namespace gpuvet::collect
