// SPDX-License-Identifier: Apache-2.0
// What a GPU is: names, numbers, firmware, modes, its place in the PCI tree.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cstring>

#include "core/text.hpp"
#include "sim/nvml/exports.hpp"
#include "sim/nvml/state.hpp"

namespace nvml = gpuvet::nvml;
namespace sim = gpuvet::sim;
using nvml::Device;
using nvml::Return;
using sim::ask;
using sim::Gpu;
using sim::put;
using sim::put_text;

Return nvmlDeviceGetName(Device d, char* to, unsigned room) {
  return ask(__func__, d, [&](const Gpu& g) { return put_text(g.name, to, room); });
}
Return nvmlDeviceGetUUID(Device d, char* to, unsigned room) {
  return ask(__func__, d, [&](const Gpu& g) { return put_text(g.uuid, to, room); });
}
Return nvmlDeviceGetSerial(Device d, char* to, unsigned room) {
  return ask(__func__, d, [&](const Gpu& g) { return put_text(g.serial, to, room); });
}
Return nvmlDeviceGetBoardPartNumber(Device d, char* to, unsigned room) {
  return ask(__func__, d, [&](const Gpu& g) { return put_text(g.part_number, to, room); });
}
Return nvmlDeviceGetVbiosVersion(Device d, char* to, unsigned room) {
  return ask(__func__, d, [&](const Gpu& g) { return put_text(g.vbios, to, room); });
}
Return nvmlDeviceGetInforomImageVersion(Device d, char* to, unsigned room) {
  return ask(__func__, d, [&](const Gpu& g) { return put_text(g.inforom, to, room); });
}
Return nvmlDeviceGetInforomVersion(Device d, unsigned object, char* to, unsigned room) {
  constexpr std::array<const char*, 3> versions = {"2.0", "6.16", ""};  // OEM, ECC, power
  return ask(__func__, d, [&](const Gpu&) {
    return object >= versions.size() ? Return::invalid_argument
                                     : put_text(versions[object], to, room);
  });
}
Return nvmlDeviceGetInforomConfigurationChecksum(Device d, unsigned* to) {
  return ask(__func__, d, [&](const Gpu& g) {
    return put(to, std::hash<std::string>{}(g.inforom) & 0xffffffffU);
  });
}
Return nvmlDeviceValidateInforom(Device d) {
  return ask(__func__, d, [](const Gpu& g) {
    return g.inforom_valid ? Return::success : Return::corrupted_inforom;
  });
}
Return nvmlDeviceGetGspFirmwareVersion(Device d, char* to) {
  constexpr unsigned room = 80;  // as NVML's documentation promises callers
  return ask(__func__, d, [&](const Gpu& g) { return put_text(g.gsp_firmware, to, room); });
}
Return nvmlDeviceGetGspFirmwareMode(Device d, unsigned* enabled, unsigned* by_default) {
  return ask(__func__, d, [&](const Gpu& g) {
    put(by_default, !g.gsp_firmware.empty());
    return put(enabled, !g.gsp_firmware.empty());
  });
}
Return nvmlDeviceGetIndex(Device d, unsigned* to) {
  return ask(__func__, d, [&](const Gpu& g) { return put(to, g.index); });
}
Return nvmlDeviceGetMinorNumber(Device d, unsigned* to) {
  return ask(__func__, d, [&](const Gpu& g) { return put(to, g.minor); });
}
Return nvmlDeviceGetModuleId(Device d, unsigned* to) {
  return ask(__func__, d, [&](const Gpu& g) { return put(to, g.index); });
}
Return nvmlDeviceGetBoardId(Device d, unsigned* to) {
  return ask(__func__, d, [&](const Gpu& g) { return put(to, g.index << 8U); });
}
Return nvmlDeviceGetMultiGpuBoard(Device d, unsigned* to) {
  return ask(__func__, d, [&](const Gpu&) { return put(to, 0); });
}
Return nvmlDeviceOnSameBoard(Device a, Device b, int* to) {
  return ask(__func__, a, [&](const Gpu&) { return put(to, a == b); });
}
Return nvmlDeviceIsMigDeviceHandle(Device d, unsigned* to) {
  return ask(__func__, d, [&](const Gpu&) { return put(to, 0); });
}
Return nvmlDeviceGetBrand(Device d, unsigned* to) {
  return ask(__func__, d, [&](const Gpu& g) {
    constexpr unsigned tesla = 2, nvidia = 14;
    return put(to, g.name.starts_with("Tesla") ? tesla : nvidia);
  });
}
Return nvmlDeviceGetArchitecture(Device d, unsigned* to) {
  constexpr std::array<std::string_view, 6> names = {"Volta", "Turing", "Ampere",
                                                     "Ada",   "Hopper", "Blackwell"};
  constexpr unsigned first = 5;
  return ask(__func__, d, [&](const Gpu& g) {
    for (unsigned i = 0; i < names.size(); ++i)
      if (g.architecture.starts_with(names[i])) return put(to, first + i);
    return put(to, 0xffffffffU);
  });
}
Return nvmlDeviceGetCudaComputeCapability(Device d, int* major, int* minor) {
  return ask(__func__, d, [&](const Gpu& g) {
    put(minor, g.capability_minor);
    return put(major, g.capability_major);
  });
}
Return nvmlDeviceGetNumGpuCores(Device d, unsigned* to) {
  return ask(__func__, d, [&](const Gpu& g) { return put(to, g.cores); });
}
Return nvmlDeviceGetMemoryBusWidth(Device d, unsigned* to) {
  return ask(__func__, d, [&](const Gpu& g) { return put(to, g.bus_width); });
}

// Modes.
Return nvmlDeviceGetPersistenceMode(Device d, unsigned* to) {
  return ask(__func__, d, [&](const Gpu& g) { return put(to, g.persistence); });
}
Return nvmlDeviceGetAccountingMode(Device d, unsigned* to) {
  return ask(__func__, d, [&](const Gpu& g) { return put(to, g.accounting); });
}
Return nvmlDeviceGetAccountingBufferSize(Device d, unsigned* to) {
  return ask(__func__, d, [&](const Gpu&) { return put(to, 4000); });
}
Return nvmlDeviceGetComputeMode(Device d, unsigned* to) {
  return ask(__func__, d, [&](const Gpu&) { return put(to, 0); });
}
Return nvmlDeviceGetVirtualizationMode(Device d, unsigned* to) {
  return ask(__func__, d, [&](const Gpu&) { return put(to, 0); });
}
Return nvmlDeviceGetDisplayActive(Device d, unsigned* to) {
  return ask(__func__, d, [&](const Gpu&) { return put(to, 0); });
}
Return nvmlDeviceGetDisplayMode(Device d, unsigned* to) {
  return ask(__func__, d, [&](const Gpu&) { return put(to, 0); });
}
Return nvmlDeviceGetMigMode(Device d, unsigned* current, unsigned* pending) {
  return ask(__func__, d, [&](const Gpu& g) {
    if (!g.mig_supported) return Return::not_supported;
    put(pending, g.mig);
    return put(current, g.mig);
  });
}
Return nvmlDeviceGetMaxMigDeviceCount(Device d, unsigned* to) {
  return ask(__func__, d, [&](const Gpu& g) { return put(to, g.mig_supported ? 7 : 0); });
}
Return nvmlDeviceGetAddressingMode(Device d, nvml::AddressingMode* to) {
  return ask(__func__, d, [&](const Gpu& g) {
    if (to == nullptr) return Return::invalid_argument;
    if (to->version != nvml::version_of<nvml::AddressingMode>(1))
      return Return::argument_version_mismatch;
    if (g.gsp_firmware.empty()) return Return::not_supported;
    to->value = 0;  // neither HMM nor ATS
    return Return::success;
  });
}

namespace {

/// Both layouts start alike; only the newer has room for a domain of eight digits.
template <class Info>
Return fill(const Gpu& gpu, Info* to) {
  if (to == nullptr) return Return::invalid_argument;
  const auto& address = gpu.place.address();
  const auto part = [&](std::size_t at, std::size_t digits) {
    return static_cast<unsigned>(gpuvet::parse_integer(address.substr(at, digits), 16).value_or(0));
  };
  std::memset(to, 0, sizeof *to);
  to->domain = part(0, 4);
  to->bus = part(5, 2);
  to->device = part(8, 2);
  std::string shouted = address;
  for (auto& c : shouted) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  std::memcpy(to->bus_id_legacy, shouted.c_str(), shouted.size() + 1);
  if constexpr (sizeof(Info) > sizeof(nvml::PciInfo2)) {
    const auto wide = "0000" + shouted;
    std::memcpy(to->bus_id, wide.c_str(), wide.size() + 1);
  }
  const auto id = [](const std::string& hex, unsigned low) {
    return static_cast<unsigned>(gpuvet::parse_integer(hex, 16).value_or(0)) << 16U | low;
  };
  to->device_id = id(gpu.device_id, 0x10de);
  to->subsystem_id = id(gpu.subsystem_id, 0x10de);
  return Return::success;
}

}  // namespace

Return nvmlDeviceGetPciInfo_v3(Device d, nvml::PciInfo* to) {
  return ask(__func__, d, [&](const Gpu& g) { return fill(g, to); });
}
Return nvmlDeviceGetPciInfo_v2(Device d, nvml::PciInfo2* to) {
  return ask(__func__, d, [&](const Gpu& g) { return fill(g, to); });
}
Return nvmlDeviceGetPciInfo(Device d, nvml::PciInfo2* to) {
  return ask(__func__, d, [&](const Gpu& g) { return fill(g, to); });
}
Return nvmlDeviceGetBusType(Device d, unsigned* to) {
  constexpr unsigned pci_express = 2;
  return ask(__func__, d, [&](const Gpu&) { return put(to, pci_express); });
}

namespace {

/// Sets bit n of `words` for each processor n of "0-15,128-143".
Return put_processors(const std::string& list, unsigned words, unsigned long* to) {
  if (to == nullptr || words == 0) return Return::invalid_argument;
  constexpr std::size_t bits = sizeof(unsigned long) * 8;
  std::fill(to, to + words, 0UL);
  for (const auto range : gpuvet::split(list, ',')) {
    const auto dash = range.find('-');
    const auto first = gpuvet::parse_integer(range.substr(0, dash)).value_or(0);
    const auto last = dash == std::string_view::npos
                          ? first
                          : gpuvet::parse_integer(range.substr(dash + 1)).value_or(first);
    for (auto n = static_cast<std::size_t>(first); n <= static_cast<std::size_t>(last); ++n)
      if (n / bits < words) to[n / bits] |= 1UL << (n % bits);
  }
  return Return::success;
}

}  // namespace

Return nvmlDeviceGetCpuAffinity(Device d, unsigned words, unsigned long* to) {
  return ask(__func__, d, [&](const Gpu& g) { return put_processors(g.cpus, words, to); });
}
Return nvmlDeviceGetCpuAffinityWithinScope(Device d, unsigned words, unsigned long* to, unsigned) {
  return ask(__func__, d, [&](const Gpu& g) { return put_processors(g.cpus, words, to); });
}
Return nvmlDeviceGetMemoryAffinity(Device d, unsigned words, unsigned long* to, unsigned) {
  return ask(__func__, d,
             [&](const Gpu& g) { return put_processors(std::to_string(g.place.numa), words, to); });
}
Return nvmlDeviceGetNumaNodeId(Device d, unsigned*) {
  // Of GPUs whose memory is a node of the system: none of those simulated.
  return ask(__func__, d, [](const Gpu&) { return Return::not_supported; });
}
