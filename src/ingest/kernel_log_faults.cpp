// SPDX-License-Identifier: Apache-2.0
#include "ingest/kernel_log_faults.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <optional>

#include "core/text.hpp"
#include "ingest/kernel_log_line.hpp"

namespace gpuvet::ingest {
namespace {

constexpr std::array<Id, fault_kinds> ids = {
    "kernel_log.driver_failures"_id,  "kernel_log.edac.corrected"_id,
    "kernel_log.edac.uncorrected"_id, "kernel_log.iommu_faults"_id,
    "kernel_log.machine_checks"_id,   "kernel_log.nvlink_errors"_id,
    "kernel_log.nvme_errors"_id,      "kernel_log.out_of_memory"_id,
    "kernel_log.panics"_id,
};

/// A message that starts with `start` and holds `needle` tells of `fault`, in one of several ways.
struct Rule {
  Fault fault;
  std::size_t way;
  std::string_view start, needle;
};

// Anchored at the message's start: a log also quotes commands, unit names and profiles that hold
// words like "panic" or "oops".
constexpr Rule rules[] = {
    {Fault::driver, 0, "NVRM: ", "RmInitAdapter failed"},
    {Fault::driver, 0, "NVRM: ", "fallen off the bus"},
    {Fault::driver, 0, "NVRM: ", "API mismatch"},
    {Fault::driver, 0, "NVRM: ", "probe routine was not called"},  // nouveau or vfio holds the GPU
    {Fault::driver, 0, "NVRM: ", "is already bound to"},
    {Fault::driver, 0, "NVRM: ", "No NVIDIA GPU found"},
    {Fault::driver, 0, "NVRM: ", "is not supported by"},
    {Fault::driver, 0, "NVRM: ", "installed in this system is not supported"},
    {Fault::driver, 0, "NVRM: ", "request_mem_region failed"},
    {Fault::driver, 0, "NVRM: ", "assigned to your NVIDIA device is invalid"},
    {Fault::driver, 1, "NVRM: ", "rm_init_adapter failed"},
    {Fault::driver, 2, "NVRM: ", "probe routine failed"},
    {Fault::driver, 2, "nvidia ", "probe with driver nvidia failed"},
    {Fault::driver, 3, "nvidia: probe of ", "failed with error"},
    {Fault::iommu, 0, "DMAR: ", "Request device ["},
    {Fault::iommu, 1, "DMAR: ", "handling fault status"},
    {Fault::iommu, 0, "", "AMD-Vi: Event logged ["},
    {Fault::iommu, 0, "AMD-Vi: ", "Completion-Wait loop timed out"},
    {Fault::iommu, 0, "arm-smmu", "Unhandled context fault"},
    {Fault::iommu, 2, "arm-smmu", " event 0x"},
    {Fault::iommu, 3, "arm-smmu", " event: F_"},
    {Fault::machine_check, 0, "mce: ", "Machine check events logged"},
    {Fault::machine_check, 1, "mce: [Hardware Error]: ", "Machine Check: "},
    {Fault::machine_check, 1, "mce: [Hardware Error]: ", "Machine Check Exception: "},
    {Fault::machine_check, 1, "[Hardware Error]: ", "Machine Check Exception: "},
    {Fault::machine_check, 2, "[Hardware Error]: ", "_STATUS["},  // AMD's decoder, one for each
    {Fault::nvme, 0, "nvme nvme", " timeout, "},                  // not "Shutdown timeout set to"
    {Fault::nvme, 0, "nvme nvme", "controller is down; will reset"},
    {Fault::nvme, 0, "nvme nvme", "Device not ready"},
    {Fault::nvme, 0, "nvme nvme", "emoving after probe failure"},
    {Fault::nvme, 0, "nvme nvme", "isabling device after reset failure"},
    {Fault::out_of_memory, 0, "Out of memory: Kill", ""},
    {Fault::out_of_memory, 0, "Memory cgroup out of memory: Kill", ""},
    {Fault::out_of_memory, 1, "oom-kill:constraint=", ""},
    {Fault::out_of_memory, 2, "Killed process ", "-vm:"},
    {Fault::panic, 0, "Kernel panic - not syncing", ""},
    {Fault::panic, 1, "Oops: ", ""},
    {Fault::panic, 1, "Internal error: Oops", ""},
    {Fault::panic, 2, "BUG: unable to handle", ""},
    {Fault::panic, 2, "BUG: kernel NULL pointer", ""},
    {Fault::panic, 2, "kernel BUG at ", ""},
    {Fault::panic, 2, "general protection fault", ""},
    {Fault::panic, 2, "", "atchdog: BUG: soft lockup"},
    {Fault::panic, 2, "BUG: soft lockup", ""},
    {Fault::panic, 2, "", "atchdog detected hard LOCKUP"},
    {Fault::panic, 2, "rcu: INFO: ", "detected stall"},
    {Fault::panic, 2, "rcu: INFO: ", "detected expedited stall"},
    {Fault::panic, 3, "Panic#", " Part1"},
};

/// "0000:81:00.0" as the second word of "pcieport 0000:81:00.0: ...", where the kernel names a
/// driver's device.
std::optional<std::string> device_of(std::string_view message) {
  std::string_view address = first_words<2>(message)[1];
  if (address.ends_with(':')) address.remove_suffix(1);
  // Longer than any address: pci_address() splits, and a word may be a megabyte.
  constexpr std::size_t longest = 16;
  if (address.size() > longest || !contains(address, ".")) return {};
  return pci_address(address);
}

bool is_netdev(std::string_view name) {
  constexpr std::size_t longest = 15;  // IFNAMSIZ - 1
  return !name.empty() && name.size() <= longest && std::ranges::all_of(name, [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' ||
           c == '.' || c == '_';
  });
}

/// NVLink's own troubles. The driver has dozens of such messages and names each after a function.
bool tells_nvlink_error(std::string_view message) {
  const bool nvrm = message.starts_with("NVRM: ") && contains_ignoring_case(message, "nvlink");
  const bool link =
      message.starts_with("nvidia-nvlink: ") || message.starts_with("nvidia-nvswitch");
  if ((!nvrm && !link) || contains(message, "Xid (")) return false;
  for (const std::string_view word : {"fail", "error", "fault", "timed out", "timeout", "degraded"})
    if (contains_ignoring_case(message, word)) return true;
  return false;
}

}  // namespace

void Tally::add(std::size_t way, std::string_view message, std::size_t at, double times) {
  count[way] += times;
  if (way >= first_way) return;
  first_way = way;
  line = at;
  first = printable(shortened(message));
}

double Tally::total() const { return *std::ranges::max_element(count); }

Result<void> Faults::message(std::string_view message, std::size_t line, bool earlier_boot) {
  line_ = line;
  by_rule(message, earlier_boot);
  edac(message);
  GPUVET_CHECK(aer(message));
  GPUVET_CHECK(firmware_record(message));
  GPUVET_CHECK(bandwidth(message));
  return adapter(message);
}

void Faults::by_rule(std::string_view message, bool earlier_boot) {
  if (tells_nvlink_error(message)) tally(Fault::nvlink).add(0, message, line_);
  for (const Rule& rule : rules) {
    if (!message.starts_with(rule.start)) continue;
    if (!rule.needle.empty() && !contains(message, rule.needle)) continue;
    // A driver that did not load before the last boot says nothing of the one that runs; an Xid
    // that says "fallen off the bus" is counted as an Xid.
    if (rule.fault == Fault::driver && (earlier_boot || contains(message, "Xid ("))) continue;
    // The same header stands above each part of a dump.
    if (message.starts_with("Panic#") && !message.ends_with(rule.needle)) continue;
    return tally(rule.fault).add(rule.way, message, line_);
  }
}

/// "EDAC MC0: 3 CE memory read error on CPU_SrcID#0_...": the figure counts errors, and old drivers
/// leave it out. "EDAC MC0: Giving out device ..." is no error.
void Faults::edac(std::string_view message) {
  constexpr std::string_view start = "EDAC MC";
  if (!message.starts_with(start)) return;
  const auto word = first_words<4>(message);
  constexpr std::size_t most_digits = 9;
  const bool counted = leading_digits(word[2]) == word[2].size() && word[2].size() <= most_digits;
  const auto kind = counted ? word[3] : word[2];
  if (kind != "CE" && kind != "UE") return;
  const double times = counted ? parse_number(word[2]).value_or(1) : 1;
  tally(kind == "CE" ? Fault::edac_corrected : Fault::edac_uncorrected)
      .add(0, message, line_, times);
}

Faults::Severity Faults::severity_in(std::string_view words) {
  if (contains_ignoring_case(words, "non-fatal") || contains(words, "recoverable"))
    return Severity::nonfatal;
  if (contains_ignoring_case(words, "fatal")) return Severity::fatal;
  if (contains(words, "Correct") || contains(words, "corrected")) return Severity::corrected;
  return Severity::none;
}

/// A root port announces ("AER: Corrected error received: 0000:81:00.0"), then the device's own
/// line follows ("PCIe Bus Error: severity=Corrected, type=..."), unless the rate limit bites.
Result<void> Faults::aer(std::string_view message) {
  constexpr std::string_view bus_error = "PCIe Bus Error: severity=", announces = "AER: ";
  if (const auto at = message.find(bus_error); at != std::string_view::npos) {
    const auto words = message.substr(at + bus_error.size());
    if (const auto address = device_of(message))
      return pcie_error(*address, severity_in(words.substr(0, words.find(','))), 0, message);
    return {};
  }
  if (const auto at = message.find(announces); at != std::string_view::npos) {
    const auto words = message.substr(at + announces.size());
    const auto received = words.find(" received");
    const auto blank = words.rfind(' ');  // old kernels: "received: id=00e8"
    if (received == std::string_view::npos || blank < received) return {};
    if (const auto address = device_of("from " + std::string(words.substr(blank + 1, 16))))
      return pcie_error(*address, severity_in(words.substr(0, received)), 1, message);
    return {};
  }
  // "aer_ratelimit: 12 callbacks suppressed": of which device, the kernel does not say.
  const bool pcie = message.starts_with("aer_") || message.starts_with("pcie") ||
                    message.starts_with("pci_") || message.starts_with("print_aer");
  if (const auto word = first_words<4>(message);
      pcie && word[2] == "callbacks" && word[3].starts_with("suppressed") && word[1].size() <= 9)
    suppressed_ += std::max(0.0, parse_number(word[1]).value_or(0));
  return {};
}

/// Errors that the firmware saw first (APEI): "{1}[Hardware Error]: event severity: corrected",
/// then "section_type: PCIe error", then "device_id: 0000:81:00.0".
Result<void> Faults::firmware_record(std::string_view message) {
  constexpr std::string_view label = "[Hardware Error]:";
  const auto at = message.substr(0, 24).find(label);
  if (at == std::string_view::npos) return {};
  const auto words = trim(message.substr(at + label.size()));
  if (words.starts_with("event severity: ") || words.starts_with("Error ")) {
    record_severity_ = severity_in(words);
    record_is_pcie_ = false;
  } else if (words.starts_with("section_type: ")) {
    const bool bad = record_severity_ != Severity::corrected && record_severity_ != Severity::none;
    record_is_pcie_ = contains(words, "PCIe error");
    if (contains(words, "memory error"))
      tally(bad ? Fault::edac_uncorrected : Fault::edac_corrected).add(1, message, line_);
    else if (contains(words, "processor error"))
      tally(Fault::machine_check).add(3, message, line_);
  } else if (record_is_pcie_ && words.starts_with("device_id: ")) {
    record_is_pcie_ = false;
    if (const auto address = device_of(words.substr(0, 64)))
      return pcie_error(*address, record_severity_, 2, message);
  }
  return {};
}

Result<void> Faults::pcie_error(std::string_view address, Severity severity, std::size_t way,
                                std::string_view message) {
  if (severity == Severity::none) return {};
  auto& errors = pcie_[std::string(address)];
  if (pcie_.size() > most_log_devices)
    return fail(Errc::too_large, "PCIe errors of more than 4096 devices", line_);
  errors.by_severity[static_cast<std::size_t>(severity) - 1].add(way, message, line_);
  return {};
}

/// "pci 0000:81:00.0: 31.504 Gb/s available PCIe bandwidth, limited by 8.0 GT/s PCIe x4 link at
/// 0000:80:03.1 (capable of 126.016 Gb/s with 8.0 GT/s PCIe x16 link)".
Result<void> Faults::bandwidth(std::string_view message) {
  constexpr std::string_view mark = " available PCIe bandwidth, limited by ";
  const auto at = message.find(mark);
  if (at == std::string_view::npos) return {};
  // Virtual machines often show no link at all, and the kernel then knows nothing.
  if (message.substr(at + mark.size()).starts_with("Unknown")) return {};
  const auto address = device_of(message);
  if (!address) return {};
  auto& said = limited_[*address];
  if (limited_.size() > most_log_devices)
    return fail(Errc::too_large, "limited links of more than 4096 devices", line_);
  const auto label = message.find(": ");
  said = {printable(shortened(message.substr(label + 2))), line_};
  return {};
}

/// "mlx5_core 0000:41:00.0 enp65s0f0np0: Link down", "igb 0000:c2:00.0 eno1: igb: eno1 NIC Link is
/// Up 1000 Mbps", "mlx4_en: eth0: Link Down". A disk's "ata3: SATA link down" has no interface.
Result<void> Faults::adapter(std::string_view message) {
  // A bounded tail: searching without regard for case is slow.
  const auto tail = message.substr(message.size() - std::min<std::size_t>(message.size(), 16));
  const bool down =
      contains_ignoring_case(tail, "link down") || contains_ignoring_case(tail, "link is down");
  const bool up = !down && (message.ends_with("Link up") || contains(message, " Link is Up"));
  if (!down && !up) return {};
  const auto word = first_words<3>(message);
  std::string_view name = device_of(message) ? word[2] : word[1];
  if (!device_of(message) && !word[0].ends_with(':')) return {};
  if (name.ends_with(':')) name.remove_suffix(1);
  if (!is_netdev(name) || name == "SATA") return {};
  auto& adapter = adapters_[std::string(name)];
  if (adapters_.size() > most_log_devices)
    return fail(Errc::too_large, "links of more than 4096 adapters", line_);
  if (adapter.line == 0 || (down && adapter.downs == 0)) adapter.line = line_;
  if (down && adapter.downs == 0) adapter.first = printable(shortened(message));
  if (down) adapter.downs += 1;
  return {};
}

void Faults::record(Recorder& out, bool whole) const {
  for (std::size_t i = 0; i < fault_kinds; ++i) {
    const Tally& tally = tallies_[i];
    out.line(tally.line);
    if (tally.total() > 0) {
      out.number(ids[i], "node", tally.total());
      out.detail(tally.first);
    } else if (whole) {
      out.number(ids[i], "node", 0);
    } else {
      out.absent(ids[i], "node", Absence::not_asked,
                 "an excerpt: the log does not show the boot from its start");
    }
  }
  record_devices(out, whole);
}

void Faults::record_devices(Recorder& out, bool whole) const {
  constexpr std::array severities = {"pci.aer.corrected"_id, "pci.aer.nonfatal"_id,
                                     "pci.aer.fatal"_id};
  for (const auto& [address, errors] : pcie_) {
    for (std::size_t i = 0; i < severities.size(); ++i) {
      const Tally& tally = errors.by_severity[i];
      if (tally.total() == 0 && !whole) continue;
      out.line(tally.line);
      out.number(severities[i], "pci:" + address, tally.total());
      if (!tally.first.empty()) out.detail(tally.first);
      if (!tally.first.empty() && suppressed_ > 0)
        out.detail(fmt::format("at least: the kernel swallowed {} more messages on PCIe errors",
                               format_number(suppressed_)));
    }
  }
  for (const auto& [address, said] : limited_) {
    out.line(said.line);
    out.text("pci.bandwidth.limited"_id, "pci:" + address, said.words);
  }
  for (const auto& [name, adapter] : adapters_) {
    if (adapter.downs == 0 && !whole) continue;
    out.line(adapter.line);
    out.number("nic.link_downs"_id, "nic:" + name, adapter.downs);
    if (!adapter.first.empty()) out.detail(adapter.first);
  }
}

}  // namespace gpuvet::ingest
