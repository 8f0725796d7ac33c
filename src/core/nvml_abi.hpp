// SPDX-License-Identifier: Apache-2.0
// NVML's public binary interface, as far as gpuvet calls or simulates it: declared by hand, so that
// neither a header nor the library is needed to build. Layouts and numbers are those of NVIDIA's
// public nvml.h; drivers from R450 on keep them and add.
#pragma once

#include <cstddef>

namespace gpuvet::nvml {

using Device = struct DeviceHandle*;

enum class Return : int {
  success = 0,
  uninitialized = 1,
  invalid_argument = 2,
  not_supported = 3,
  no_permission = 4,
  not_found = 6,
  insufficient_size = 7,
  driver_not_loaded = 9,
  timeout = 10,
  function_not_found = 13,
  corrupted_inforom = 14,
  gpu_is_lost = 15,
  reset_required = 16,
  version_mismatch = 18,
  in_use = 19,
  no_data = 21,
  argument_version_mismatch = 25,
  unknown = 999,
};

struct PciInfo {
  char bus_id_legacy[16];
  unsigned domain, bus, device;
  unsigned device_id;     ///< device in the upper, vendor in the lower half
  unsigned subsystem_id;  ///< likewise
  char bus_id[32];
};
struct Memory {
  unsigned long long total, free, used;
};
struct Memory2 {
  unsigned version;
  unsigned long long total, reserved, free, used;
};
struct Bar1Memory {
  unsigned long long total, free, used;
};
struct Utilization {
  unsigned gpu, memory;  ///< per cent
};
struct Process1 {
  unsigned pid;
  unsigned long long memory;
};
struct Process {
  unsigned pid;
  unsigned long long memory;
  unsigned gpu_instance, compute_instance;
};
struct RowRemapperHistogram {
  unsigned max, high, partial, low, none;
};
struct MarginTemperature {
  unsigned version;
  int margin;  ///< kelvin to the point of throttling
};
struct AddressingMode {
  unsigned version, value;
};
struct RepairStatus {
  unsigned version, channel_pending, tpc_pending;
};
struct FabricInfo {
  unsigned char cluster[16];
  Return status;
  unsigned clique;
  unsigned char state;
};
struct FabricInfo3 {
  unsigned version;
  unsigned char cluster[16];
  Return status;
  unsigned clique;
  unsigned char state;
  unsigned health_mask;
  unsigned char health_summary;
};
union FieldNumber {
  double real;
  int signed_int;
  unsigned unsigned_int;
  unsigned long unsigned_long;
  unsigned long long unsigned_long_long;
  long long signed_long_long;
  unsigned short unsigned_short;
};
struct FieldValue {
  unsigned field, scope;
  long long timestamp, latency;
  unsigned type;
  Return result;
  FieldNumber value;
};

/// The version word that NVML's versioned structs start with.
template <class T>
constexpr unsigned version_of(unsigned number) {
  return static_cast<unsigned>(sizeof(T)) | (number << 24U);
}

enum Threshold : unsigned { shutdown, slowdown, memory_max, gpu_max };
enum Clock : unsigned { graphics, sm, memory, video };
enum EccCounter : unsigned { volatile_errors, aggregate_errors };
enum ErrorType : unsigned { corrected, uncorrected };
enum Location : unsigned { l1, l2, dram, register_file, texture, texture_shm, cbu, sram };
enum Topology : unsigned {
  internal = 0,
  one_switch = 10,
  several_switches = 20,
  host_bridge = 30,
  numa_node = 40,
  system = 50
};
enum LinkError : unsigned { replay, recovery, crc_flit, crc_data, ecc_data };
enum LinkEnd : unsigned { link_gpu = 0, link_npu = 1, link_switch = 2, link_unknown = 0xff };

/// Bits of the clock event reasons.
enum Reason : unsigned long long {
  reason_idle = 0x1,
  reason_applications_clocks = 0x2,
  reason_sw_power_cap = 0x4,
  reason_hw_slowdown = 0x8,
  reason_sync_boost = 0x10,
  reason_sw_thermal = 0x20,
  reason_hw_thermal = 0x40,
  reason_hw_power_brake = 0x80,
};

/// Fields of nvmlDeviceGetFieldValues.
enum Field : unsigned {
  field_memory_temperature = 82,
  field_energy = 83,
  field_nvlink_speed_common = 90,  ///< Mb/s
  field_nvlink_count = 91,
  field_pcie_replays = 94,
  field_remapped_pending = 144,
  field_nvlink_speed = 164,  ///< Mb/s of the link in scope

  field_c2c_count = 170,
  field_power_average = 185,
  field_power_instant = 186,
  field_shutdown_margin = 193,
  field_slowdown_margin = 194,
  field_memory_margin = 195,
  field_gpu_max_margin = 196,
  field_recovery_action = 230,
};

constexpr unsigned most_links = 36;

// clang-format off
/// X(name, arguments): every function returns Return.
#define GPUVET_NVML_FUNCTIONS(X) \
  X(nvmlDeviceGetAccountingMode, (Device, unsigned*)) \
  X(nvmlDeviceGetAddressingMode, (Device, AddressingMode*)) \
  X(nvmlDeviceGetApplicationsClock, (Device, unsigned, unsigned*)) \
  X(nvmlDeviceGetArchitecture, (Device, unsigned*)) \
  X(nvmlDeviceGetBAR1MemoryInfo, (Device, Bar1Memory*)) \
  X(nvmlDeviceGetBoardPartNumber, (Device, char*, unsigned)) \
  X(nvmlDeviceGetBrand, (Device, unsigned*)) \
  X(nvmlDeviceGetClockInfo, (Device, unsigned, unsigned*)) \
  X(nvmlDeviceGetComputeMode, (Device, unsigned*)) \
  X(nvmlDeviceGetComputeRunningProcesses, (Device, unsigned*, Process1*)) \
  X(nvmlDeviceGetComputeRunningProcesses_v2, (Device, unsigned*, Process*)) \
  X(nvmlDeviceGetComputeRunningProcesses_v3, (Device, unsigned*, Process*)) \
  X(nvmlDeviceGetCount_v2, (unsigned*)) \
  X(nvmlDeviceGetCpuAffinity, (Device, unsigned, unsigned long*)) \
  X(nvmlDeviceGetCudaComputeCapability, (Device, int*, int*)) \
  X(nvmlDeviceGetCurrPcieLinkGeneration, (Device, unsigned*)) \
  X(nvmlDeviceGetCurrPcieLinkWidth, (Device, unsigned*)) \
  X(nvmlDeviceGetCurrentClocksEventReasons, (Device, unsigned long long*)) \
  X(nvmlDeviceGetCurrentClocksThrottleReasons, (Device, unsigned long long*)) \
  X(nvmlDeviceGetDecoderUtilization, (Device, unsigned*, unsigned*)) \
  X(nvmlDeviceGetDefaultApplicationsClock, (Device, unsigned, unsigned*)) \
  X(nvmlDeviceGetDisplayActive, (Device, unsigned*)) \
  X(nvmlDeviceGetDisplayMode, (Device, unsigned*)) \
  X(nvmlDeviceGetEccMode, (Device, unsigned*, unsigned*)) \
  X(nvmlDeviceGetEncoderUtilization, (Device, unsigned*, unsigned*)) \
  X(nvmlDeviceGetEnforcedPowerLimit, (Device, unsigned*)) \
  X(nvmlDeviceGetFanSpeed, (Device, unsigned*)) \
  X(nvmlDeviceGetFieldValues, (Device, int, FieldValue*)) \
  X(nvmlDeviceGetGpuFabricInfo, (Device, FabricInfo*)) \
  X(nvmlDeviceGetGpuFabricInfoV, (Device, FabricInfo3*)) \
  X(nvmlDeviceGetGpuMaxPcieLinkGeneration, (Device, unsigned*)) \
  X(nvmlDeviceGetGraphicsRunningProcesses, (Device, unsigned*, Process1*)) \
  X(nvmlDeviceGetGraphicsRunningProcesses_v2, (Device, unsigned*, Process*)) \
  X(nvmlDeviceGetGraphicsRunningProcesses_v3, (Device, unsigned*, Process*)) \
  X(nvmlDeviceGetGspFirmwareMode, (Device, unsigned*, unsigned*)) \
  X(nvmlDeviceGetGspFirmwareVersion, (Device, char*)) \
  X(nvmlDeviceGetHandleByIndex_v2, (unsigned, Device*)) \
  X(nvmlDeviceGetHandleByPciBusId_v2, (const char*, Device*)) \
  X(nvmlDeviceGetHandleByUUID, (const char*, Device*)) \
  X(nvmlDeviceGetIndex, (Device, unsigned*)) \
  X(nvmlDeviceGetInforomConfigurationChecksum, (Device, unsigned*)) \
  X(nvmlDeviceGetInforomImageVersion, (Device, char*, unsigned)) \
  X(nvmlDeviceGetInforomVersion, (Device, unsigned, char*, unsigned)) \
  X(nvmlDeviceGetMarginTemperature, (Device, MarginTemperature*)) \
  X(nvmlDeviceGetMaxClockInfo, (Device, unsigned, unsigned*)) \
  X(nvmlDeviceGetMaxMigDeviceCount, (Device, unsigned*)) \
  X(nvmlDeviceGetMaxPcieLinkGeneration, (Device, unsigned*)) \
  X(nvmlDeviceGetMaxPcieLinkWidth, (Device, unsigned*)) \
  X(nvmlDeviceGetMemoryAffinity, (Device, unsigned, unsigned long*, unsigned)) \
  X(nvmlDeviceGetMemoryBusWidth, (Device, unsigned*)) \
  X(nvmlDeviceGetMemoryErrorCounter, (Device, unsigned, unsigned, unsigned, unsigned long long*)) \
  X(nvmlDeviceGetMemoryInfo, (Device, Memory*)) \
  X(nvmlDeviceGetMemoryInfo_v2, (Device, Memory2*)) \
  X(nvmlDeviceGetMigMode, (Device, unsigned*, unsigned*)) \
  X(nvmlDeviceGetMinorNumber, (Device, unsigned*)) \
  X(nvmlDeviceGetName, (Device, char*, unsigned)) \
  X(nvmlDeviceGetNumGpuCores, (Device, unsigned*)) \
  X(nvmlDeviceGetNumaNodeId, (Device, unsigned*)) \
  X(nvmlDeviceGetNvLinkCapability, (Device, unsigned, unsigned, unsigned*)) \
  X(nvmlDeviceGetNvLinkErrorCounter, (Device, unsigned, unsigned, unsigned long long*)) \
  X(nvmlDeviceGetNvLinkRemoteDeviceType, (Device, unsigned, unsigned*)) \
  X(nvmlDeviceGetNvLinkRemotePciInfo_v2, (Device, unsigned, PciInfo*)) \
  X(nvmlDeviceGetNvLinkState, (Device, unsigned, unsigned*)) \
  X(nvmlDeviceGetNvLinkVersion, (Device, unsigned, unsigned*)) \
  X(nvmlDeviceGetP2PStatus, (Device, Device, unsigned, unsigned*)) \
  X(nvmlDeviceGetPciInfo_v3, (Device, PciInfo*)) \
  X(nvmlDeviceGetPcieReplayCounter, (Device, unsigned*)) \
  X(nvmlDeviceGetPcieThroughput, (Device, unsigned, unsigned*)) \
  X(nvmlDeviceGetPerformanceState, (Device, unsigned*)) \
  X(nvmlDeviceGetPersistenceMode, (Device, unsigned*)) \
  X(nvmlDeviceGetPowerManagementDefaultLimit, (Device, unsigned*)) \
  X(nvmlDeviceGetPowerManagementLimit, (Device, unsigned*)) \
  X(nvmlDeviceGetPowerManagementLimitConstraints, (Device, unsigned*, unsigned*)) \
  X(nvmlDeviceGetPowerUsage, (Device, unsigned*)) \
  X(nvmlDeviceGetRemappedRows, (Device, unsigned*, unsigned*, unsigned*, unsigned*)) \
  X(nvmlDeviceGetRepairStatus, (Device, RepairStatus*)) \
  X(nvmlDeviceGetRetiredPages, (Device, unsigned, unsigned*, unsigned long long*)) \
  X(nvmlDeviceGetRetiredPagesPendingStatus, (Device, unsigned*)) \
  X(nvmlDeviceGetRowRemapperHistogram, (Device, RowRemapperHistogram*)) \
  X(nvmlDeviceGetSerial, (Device, char*, unsigned)) \
  X(nvmlDeviceGetSupportedGraphicsClocks, (Device, unsigned, unsigned*, unsigned*)) \
  X(nvmlDeviceGetSupportedMemoryClocks, (Device, unsigned*, unsigned*)) \
  X(nvmlDeviceGetTemperature, (Device, unsigned, unsigned*)) \
  X(nvmlDeviceGetTemperatureThreshold, (Device, unsigned, unsigned*)) \
  X(nvmlDeviceGetTopologyCommonAncestor, (Device, Device, unsigned*)) \
  X(nvmlDeviceGetTotalEccErrors, (Device, unsigned, unsigned, unsigned long long*)) \
  X(nvmlDeviceGetTotalEnergyConsumption, (Device, unsigned long long*)) \
  X(nvmlDeviceGetUUID, (Device, char*, unsigned)) \
  X(nvmlDeviceGetUtilizationRates, (Device, Utilization*)) \
  X(nvmlDeviceGetVbiosVersion, (Device, char*, unsigned)) \
  X(nvmlDeviceGetVirtualizationMode, (Device, unsigned*)) \
  X(nvmlDeviceValidateInforom, (Device)) \
  X(nvmlInitWithFlags, (unsigned)) \
  X(nvmlInit_v2, (void)) \
  X(nvmlShutdown, (void)) \
  X(nvmlSystemGetCudaDriverVersion_v2, (int*)) \
  X(nvmlSystemGetDriverVersion, (char*, unsigned)) \
  X(nvmlSystemGetNVMLVersion, (char*, unsigned)) \
  X(nvmlSystemGetProcessName, (unsigned, char*, unsigned))
// clang-format on

/// The type of each function, by its name.
namespace function {
#define GPUVET_NVML_TYPE(name, arguments) using name = Return arguments;
GPUVET_NVML_FUNCTIONS(GPUVET_NVML_TYPE)
#undef GPUVET_NVML_TYPE
}  // namespace function

}  // namespace gpuvet::nvml
