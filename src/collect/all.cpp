// SPDX-License-Identifier: Apache-2.0
#include <array>

#include "collect/collector.hpp"

namespace gpuvet::collect {

Result<void> collect_nvml(const Machine&, Collected&);
Result<void> collect_kernel_log(const Machine&, Collected&);
Result<void> collect_host(const Machine&, Collected&);
Result<void> collect_memory(const Machine&, Collected&);
Result<void> collect_pci(const Machine&, Collected&);
Result<void> collect_firmware(const Machine&, Collected&);
Result<void> collect_rdma(const Machine&, Collected&);
Result<void> collect_drives(const Machine&, Collected&);
Result<void> collect_driver_modules(const Machine&, Collected&);
Result<void> collect_services(const Machine&, Collected&);
Result<void> collect_libraries(const Machine&, Collected&);
Result<void> collect_visibility(const Machine&, Collected&);
Result<void> collect_environment(const Machine&, Collected&);
Result<void> collect_clock(const Machine&, Collected&);
Result<void> collect_ipmi(const Machine&, Collected&);
Result<void> collect_redfish(const Machine&, Collected&);

std::span<const Collector> all() {
  static const std::array collectors = {
      Collector{"nvml", "the NVIDIA driver, through its management library", collect_nvml},
      Collector{"kernel-log", "the kernel's messages", collect_kernel_log},
      Collector{"host", "processors, NUMA nodes, name of the machine", collect_host},
      Collector{"memory", "host memory and swap", collect_memory},
      Collector{"pci", "the PCI tree: GPUs, adapters, bridges, ACS, IOMMU", collect_pci},
      Collector{"firmware", "SMBIOS: system, slots, memory modules", collect_firmware},
      Collector{"rdma", "RDMA adapters and their ports", collect_rdma},
      Collector{"drives", "NVMe drives", collect_drives},
      Collector{"modules", "the driver's kernel modules, GPUDirect RDMA and Storage",
                collect_driver_modules},
      Collector{"services", "fabric manager, persistence daemon", collect_services},
      Collector{"libraries", "CUDA runtime, cuBLASLt, NCCL, cuDNN", collect_libraries},
      Collector{"visibility", "container, and which GPUs it may use", collect_visibility},
      Collector{"environment", "NCCL and CUDA variables that were set", collect_environment},
      Collector{"clock", "clock synchronisation", collect_clock},
      Collector{"ipmi", "the management controller, through ipmitool", collect_ipmi},
      Collector{"redfish", "the management controller named with --bmc, over Redfish",
                collect_redfish},
  };
  return collectors;
}

}  // namespace gpuvet::collect
