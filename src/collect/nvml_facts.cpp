// SPDX-License-Identifier: Apache-2.0
#include "collect/nvml_facts.hpp"

#include <fmt/format.h>

#include <array>
#include <vector>

#include "core/text.hpp"

namespace gpuvet::collect {

using nvml::Return;
using platform::call;

namespace {

template <std::size_t N>
std::string one_of(const std::array<std::string_view, N>& names, unsigned value) {
  return value < N ? std::string(names[value]) : fmt::format("unknown ({})", value);
}

constexpr std::array<std::string_view, 11> architectures = {
    "",       "",       "Kepler",       "Maxwell", "Pascal",   "Volta",
    "Turing", "Ampere", "Ada Lovelace", "Hopper",  "Blackwell"};
constexpr std::array<std::string_view, 4> compute_modes = {"Default", "Exclusive_Thread",
                                                           "Prohibited", "Exclusive_Process"};
constexpr std::array<std::string_view, 3> addressing_modes = {"None", "HMM", "ATS"};
constexpr std::array<std::string_view, 5> virtualization_modes = {"None", "Pass-Through", "VGPU",
                                                                  "Host VGPU", "Host VSGA"};
constexpr std::array<std::string_view, 4> fabric_states = {"N/A", "Not Started", "In Progress",
                                                           "Completed"};
constexpr std::array<std::string_view, 4> fabric_healths = {"N/A", "Healthy", "Unhealthy",
                                                            "Limited Capacity"};

}  // namespace

void NvmlGpu::absent(Id id, Return said) const {
  switch (said) {
    case Return::not_supported:
    case Return::function_not_found:
    case Return::argument_version_mismatch:
    case Return::not_found:
      return out.absent(id, subject, Absence::not_supported);
    case Return::no_permission:
      return out.absent(id, subject, Absence::permission);
    case Return::timeout:
      return out.absent(id, subject, Absence::timeout);
    default:
      return out.absent(id, subject, Absence::malformed,
                        fmt::format("NVML returned {}", static_cast<int>(said)));
  }
}

void NvmlGpu::record_text(Id id, const char* value) const {
  const auto shown = printable(trim(value));
  if (shown.empty() || shown == "N/A")
    out.absent(id, subject, Absence::not_supported);
  else
    out.text(id, subject, shown);
}

void record_driver(const platform::Nvml& nvml, unsigned gpus, Recorder& out) {
  const NvmlGpu node{nvml, nullptr, "node", out};
  node.text("node.driver.version"_id, [&](char* to, unsigned room) {
    return call(nvml.nvmlSystemGetDriverVersion, to, room);
  });
  int cuda = 0;
  if (const auto said = call(nvml.nvmlSystemGetCudaDriverVersion_v2, &cuda);
      said == Return::success)
    out.text("node.cuda.version"_id, "node", fmt::format("{}.{}", cuda / 1000, cuda % 1000 / 10));
  else
    node.absent("node.cuda.version"_id, said);
  out.number("node.gpu.attached"_id, "node", gpus);
}

std::string record_handle(const platform::Nvml& nvml, nvml::Device device, unsigned index,
                          Recorder& out) {
  char uuid[96] = {};
  const auto uuid_said =
      call(nvml.nvmlDeviceGetUUID, device, uuid, static_cast<unsigned>(sizeof uuid - 1));
  nvml::PciInfo pci{};
  const auto pci_said = call(nvml.nvmlDeviceGetPciInfo_v3, device, &pci);
  pci.bus_id[sizeof pci.bus_id - 1] = '\0';
  const auto address = pci_said == Return::success ? pci_address(pci.bus_id) : std::nullopt;
  std::string subject = "gpu:smi#" + std::to_string(index);
  if (uuid_said == Return::success && std::string_view(uuid).starts_with("GPU-"))
    subject = "gpu:" + printable(uuid);
  else if (address)
    subject = "gpu:" + *address;
  const NvmlGpu gpu{nvml, device, subject, out};
  out.number("gpu.index"_id, subject, index);
  out.flag("gpu.lost"_id, subject,
           uuid_said == Return::gpu_is_lost || pci_said == Return::gpu_is_lost ||
               uuid_said == Return::reset_required);
  if (uuid_said == Return::success)
    gpu.record_text("gpu.uuid"_id, uuid);
  else
    gpu.absent("gpu.uuid"_id, uuid_said);
  if (!address) {
    gpu.absent("gpu.pci.address"_id, pci_said);
    return subject;
  }
  out.text("gpu.pci.address"_id, subject, *address);
  out.text("gpu.pci.device_id"_id, subject, fmt::format("{:04x}", pci.device_id >> 16U));
  return subject;
}

void NvmlGpu::identity() const {
  const auto ask_text = [&](Id id, auto* function) {
    text(id, [&](char* to, unsigned room) { return call(function, device, to, room); });
  };
  const auto ask_flag = [&](Id id, auto* function) {
    flag(id, [&](unsigned* to) { return call(function, device, to); });
  };
  const auto ask_choice = [&](Id id, auto* function, const auto& names) {
    unsigned value = 0;
    if (const auto said = call(function, device, &value); said == Return::success)
      out.text(id, subject, one_of(names, value));
    else
      absent(id, said);
  };
  ask_text("gpu.name"_id, nvml.nvmlDeviceGetName);
  ask_text("gpu.serial"_id, nvml.nvmlDeviceGetSerial);
  ask_text("gpu.part_number"_id, nvml.nvmlDeviceGetBoardPartNumber);
  ask_text("gpu.vbios.version"_id, nvml.nvmlDeviceGetVbiosVersion);
  ask_text("gpu.inforom.image"_id, nvml.nvmlDeviceGetInforomImageVersion);
  const auto valid = call(nvml.nvmlDeviceValidateInforom, device);
  if (valid == Return::success || valid == Return::corrupted_inforom)
    out.flag("gpu.inforom.valid"_id, subject, valid == Return::success);
  else
    absent("gpu.inforom.valid"_id, valid);
  text("gpu.gsp.firmware"_id,
       [&](char* to, unsigned) { return call(nvml.nvmlDeviceGetGspFirmwareVersion, device, to); });
  ask_choice("gpu.architecture"_id, nvml.nvmlDeviceGetArchitecture, architectures);
  ask_flag("gpu.persistence"_id, nvml.nvmlDeviceGetPersistenceMode);
  ask_flag("gpu.accounting"_id, nvml.nvmlDeviceGetAccountingMode);
  ask_choice("gpu.compute_mode"_id, nvml.nvmlDeviceGetComputeMode, compute_modes);
  ask_choice("gpu.virtualization"_id, nvml.nvmlDeviceGetVirtualizationMode, virtualization_modes);
  ask_flag("gpu.display"_id, nvml.nvmlDeviceGetDisplayActive);
  unsigned pending = 0;
  flag("gpu.mig.mode"_id,
       [&](unsigned* to) { return call(nvml.nvmlDeviceGetMigMode, device, to, &pending); });
  nvml::AddressingMode mode{nvml::version_of<nvml::AddressingMode>(1), 0};
  if (const auto said = call(nvml.nvmlDeviceGetAddressingMode, device, &mode);
      said == Return::success)
    out.text("gpu.addressing_mode"_id, subject, one_of(addressing_modes, mode.value));
  else
    absent("gpu.addressing_mode"_id, said);
  nvml::FabricInfo3 fabric{};
  fabric.version = nvml::version_of<nvml::FabricInfo3>(3);
  if (const auto said = call(nvml.nvmlDeviceGetGpuFabricInfoV, device, &fabric);
      said == Return::success && fabric.state != 0) {
    out.text("gpu.fabric.state"_id, subject, one_of(fabric_states, fabric.state));
    out.text("gpu.fabric.status"_id, subject,
             fabric.status == Return::success
                 ? "Success"
                 : fmt::format("Failure ({})", static_cast<int>(fabric.status)));
    out.text("gpu.fabric.health"_id, subject, one_of(fabric_healths, fabric.health_summary));
  } else {
    absent("gpu.fabric.state"_id, said == Return::success ? Return::not_supported : said);
  }
}

}  // namespace gpuvet::collect
