// SPDX-License-Identifier: Apache-2.0
// What a kernel log says went wrong outside Xid and SXid: counts for the machine, PCIe errors for
// each device, lost links for each adapter.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "core/result.hpp"
#include "evidence/evidence.hpp"

namespace gpuvet::ingest {

enum class Fault : std::uint8_t {
  driver,
  edac_corrected,
  edac_uncorrected,
  iommu,
  machine_check,
  nvlink,
  nvme,
  out_of_memory,
  panic,
};
inline constexpr std::size_t fault_kinds = 9;

/// The kernel often tells one event in several ways: "oom-kill:...", "Out of memory: Killed ...".
/// Each way is counted by itself and the largest count stands, so that no event counts twice.
struct Tally {
  static constexpr std::size_t ways = 4;
  std::array<double, ways> count{};
  std::size_t line = 0;  ///< of the first, with its message; lower ways tell more
  std::string first;
  std::size_t first_way = ways;

  void add(std::size_t way, std::string_view message, std::size_t at, double times = 1);
  [[nodiscard]] double total() const;
};

class Faults {
 public:
  /// `earlier_boot`: the message is from a boot before the one that the log is about.
  Result<void> message(std::string_view message, std::size_t line, bool earlier_boot);

  /// `whole`: the log shows the boot from its start, so that what it does not name did not happen.
  void record(Recorder& out, bool whole) const;

 private:
  enum class Severity : std::uint8_t { none, corrected, nonfatal, fatal };
  struct PcieErrors {
    std::array<Tally, 3> by_severity;
  };
  struct Text {
    std::string words;
    std::size_t line = 0;
  };
  struct Adapter {
    double downs = 0;
    std::size_t line = 0;  ///< of the first loss, else of the first link
    std::string first;
  };

  static Severity severity_in(std::string_view words);
  Tally& tally(Fault fault) { return tallies_[static_cast<std::size_t>(fault)]; }
  void by_rule(std::string_view message, bool earlier_boot);
  void edac(std::string_view message);
  Result<void> aer(std::string_view message);
  Result<void> firmware_record(std::string_view message);
  Result<void> bandwidth(std::string_view message);
  Result<void> adapter(std::string_view message);
  Result<void> pcie_error(std::string_view address, Severity severity, std::size_t way,
                          std::string_view message);
  void record_devices(Recorder& out, bool whole) const;

  std::array<Tally, fault_kinds> tallies_;
  std::map<std::string, PcieErrors> pcie_;
  std::map<std::string, Text> limited_;
  std::map<std::string, Adapter> adapters_;
  Severity record_severity_ = Severity::none;  ///< of the firmware's record that is being printed
  bool record_is_pcie_ = false;
  double suppressed_ = 0;  ///< messages on PCIe errors that the kernel's rate limit swallowed
  std::size_t line_ = 0;
};

}  // namespace gpuvet::ingest
