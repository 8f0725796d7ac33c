// SPDX-License-Identifier: Apache-2.0
// What GPUs and NVSwitches logged about themselves: Xid, SXid and the UUIDs beside them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "core/result.hpp"
#include "evidence/evidence.hpp"

namespace gpuvet::ingest {

/// Keeps codes, not lines: a log may be gigabytes long.
class GpuEvents {
 public:
  Result<void> line(std::string_view text, std::size_t number);
  void record(Recorder& out) const;

  /// Lines with an Xid or an SXid, readable or not.
  [[nodiscard]] std::size_t count() const { return events_; }

 private:
  /// Where one code was seen first, and where first as fatal (0: never).
  struct Seen {
    std::size_t line = 0, fatal_line = 0;
  };
  /// What one GPU or NVSwitch logged.
  struct Device {
    std::map<std::int64_t, Seen> codes;
    std::size_t first_line = 0;
    std::string first_message;
    std::map<std::string, std::size_t> uuids;  ///< -> line; two when a board was replaced
  };
  using Devices = std::map<std::string, Device>;

  static void record_gpu(Recorder& out, const std::string& address, const Device& gpu);
  static void record_switch(Recorder& out, const std::string& subject, const Device& nvswitch);
  Result<Device*> device(Devices& devices, const std::string& address);
  Result<void> uuid(std::string_view text);
  Result<void> event(std::string_view text, std::string_view marker, Devices& devices);

  Devices gpus_, switches_;
  std::size_t events_ = 0, number_ = 0;
};

}  // namespace gpuvet::ingest
