// SPDX-License-Identifier: Apache-2.0
// Every function that this library answers, with its type: a definition that differs does not
// compile. Those that gpuvet calls itself are declared from the same list as the caller's pointers.
#pragma once

#include "core/nvml_abi.hpp"

namespace gpuvet::nvml {

struct ViolationTime {
  unsigned long long reference, violation;
};
/// Before R460: ends where the long bus id came to be.
struct PciInfo2 {
  char bus_id_legacy[16];
  unsigned domain, bus, device, device_id, subsystem_id;
};
struct Temperature1 {
  unsigned version, sensor;
  int temperature;
};
/// The names of older drivers, and what clients ask that gpuvet does not.
// clang-format off
#define GPUVET_NVML_OTHERS(X) \
  X(nvmlDeviceGetAccountingBufferSize, (Device, unsigned*)) \
  X(nvmlDeviceGetBoardId, (Device, unsigned*)) \
  X(nvmlDeviceGetBusType, (Device, unsigned*)) \
  X(nvmlDeviceGetClock, (Device, unsigned, unsigned, unsigned*)) \
  X(nvmlDeviceGetCount, (unsigned*)) \
  X(nvmlDeviceGetCpuAffinityWithinScope, (Device, unsigned, unsigned long*, unsigned)) \
  X(nvmlDeviceGetDefaultEccMode, (Device, unsigned*)) \
  X(nvmlDeviceGetHandleByIndex, (unsigned, Device*)) \
  X(nvmlDeviceGetHandleByPciBusId, (const char*, Device*)) \
  X(nvmlDeviceGetHandleBySerial, (const char*, Device*)) \
  X(nvmlDeviceGetMaxCustomerBoostClock, (Device, unsigned, unsigned*)) \
  X(nvmlDeviceGetModuleId, (Device, unsigned*)) \
  X(nvmlDeviceGetMultiGpuBoard, (Device, unsigned*)) \
  X(nvmlDeviceGetMPSComputeRunningProcesses, (Device, unsigned*, Process1*)) \
  X(nvmlDeviceGetMPSComputeRunningProcesses_v2, (Device, unsigned*, Process*)) \
  X(nvmlDeviceGetMPSComputeRunningProcesses_v3, (Device, unsigned*, Process*)) \
  X(nvmlDeviceGetNumFans, (Device, unsigned*)) \
  X(nvmlDeviceGetNvLinkRemotePciInfo, (Device, unsigned, PciInfo2*)) \
  X(nvmlDeviceGetPciInfo, (Device, PciInfo2*)) \
  X(nvmlDeviceGetPciInfo_v2, (Device, PciInfo2*)) \
  X(nvmlDeviceGetPcieLinkMaxSpeed, (Device, unsigned*)) \
  X(nvmlDeviceGetPcieSpeed, (Device, unsigned*)) \
  X(nvmlDeviceGetPowerManagementMode, (Device, unsigned*)) \
  X(nvmlDeviceGetPowerSource, (Device, unsigned*)) \
  X(nvmlDeviceGetPowerState, (Device, unsigned*)) \
  X(nvmlDeviceGetSupportedClocksEventReasons, (Device, unsigned long long*)) \
  X(nvmlDeviceGetSupportedClocksThrottleReasons, (Device, unsigned long long*)) \
  X(nvmlDeviceGetTemperatureV, (Device, Temperature1*)) \
  X(nvmlDeviceGetTopologyNearestGpus, (Device, unsigned, unsigned*, Device*)) \
  X(nvmlDeviceGetViolationStatus, (Device, unsigned, ViolationTime*)) \
  X(nvmlDeviceIsMigDeviceHandle, (Device, unsigned*)) \
  X(nvmlDeviceOnSameBoard, (Device, Device, int*)) \
  X(nvmlGetExcludedDeviceCount, (unsigned*)) \
  X(nvmlInit, (void)) \
  X(nvmlSystemGetCudaDriverVersion, (int*)) \
  X(nvmlUnitGetCount, (unsigned*))
// clang-format on

namespace function {
#define GPUVET_NVML_OTHER_TYPE(name, arguments) using name = Return arguments;
GPUVET_NVML_OTHERS(GPUVET_NVML_OTHER_TYPE)
#undef GPUVET_NVML_OTHER_TYPE
}  // namespace function
}  // namespace gpuvet::nvml

extern "C" {
#define GPUVET_NVML_EXPORT(name, arguments) \
  [[gnu::visibility("default")]] gpuvet::nvml::function::name name;
GPUVET_NVML_FUNCTIONS(GPUVET_NVML_EXPORT)
GPUVET_NVML_OTHERS(GPUVET_NVML_EXPORT)
#undef GPUVET_NVML_EXPORT
[[gnu::visibility("default")]] const char* nvmlErrorString(gpuvet::nvml::Return);
}
