// SPDX-License-Identifier: Apache-2.0
// Which GPUs CUDA shows here, or why none.
#include <cuda_runtime_api.h>

#include <array>
#include <cstdio>

#include "core/text.hpp"
#include "device/cuda/cuda.hpp"
#include "device/cuda/errors.hpp"
#include "device/cuda/management.hpp"
#include "platform/root.hpp"
#include "platform/terminal.hpp"

namespace gpuvet::device {
namespace {

constexpr int least_capability = 80;  // of the kernels' PTX

/// "12.4" of CUDA's 12040.
std::string version_text(int version) {
  return std::to_string(version / 1000) + "." + std::to_string(version % 1000 / 10);
}

/// The first driver branch for a CUDA of this version (CUDA's release notes, minor version
/// compatibility).
std::string_view branch_for(int version) { return version >= 13000 ? "R580" : "R525"; }

/// Why CUDA does not begin.
Error refusal(cudaError_t status) {
  int driver = 0, own = 0;
  cudaDriverGetVersion(&driver);
  cudaRuntimeGetVersion(&own);
  const auto say = [](Errc code, std::string what) {
    return Error{code, std::move(what), 0, {}, {}};
  };
  if (status == cudaErrorInsufficientDriver && driver == 0)
    return say(Errc::not_found,
               "no NVIDIA driver is installed here (libcuda.so.1 cannot be opened)");
  if (status == cudaErrorInsufficientDriver)
    return say(Errc::not_supported,
               "the NVIDIA driver is too old: it has CUDA " + version_text(driver) +
                   ", this gpuvet was built with CUDA " + version_text(own) + " and needs driver " +
                   std::string(branch_for(own)) + " or newer");
  if (status == cudaErrorStubLibrary)
    return say(Errc::not_found,
               "libcuda.so.1 here is the toolkit's stub, not the NVIDIA driver: take its folder "
               "out of LD_LIBRARY_PATH");
  if (status == cudaErrorNoDevice) {
    const auto visible = platform::environment("CUDA_VISIBLE_DEVICES");
    return say(Errc::not_found,
               "the NVIDIA driver finds no GPU" +
                   (visible.empty() ? std::string() : " (CUDA_VISIBLE_DEVICES=" + visible + ")"));
  }
  return cuda::error_of(status, "CUDA does not start");
}

int attribute(cudaDeviceAttr which, int index) {
  int value = 0;
  return cudaDeviceGetAttribute(&value, which, index) == cudaSuccess ? value : 0;
}

std::string uuid_text(const cudaUUID_t& uuid) {
  std::string out = "GPU";
  for (int i = 0; i < 16; ++i) {
    if (i == 0 || i == 4 || i == 6 || i == 8 || i == 10) out += '-';
    std::array<char, 3> hex{};
    std::snprintf(hex.data(), hex.size(), "%02x", static_cast<unsigned char>(uuid.bytes[i]));
    out += hex.data();
  }
  return out;
}

Result<Properties> properties_of(int index, cuda::Management& management) {
  cudaDeviceProp found{};
  GPUVET_CHECK(cuda::said(cudaGetDeviceProperties(&found, index), "properties of a GPU"));
  Properties out;
  out.backend = Backend::cuda;
  out.name = found.name;
  out.index = index;
  out.capability = 10 * found.major + found.minor;
  out.processors = found.multiProcessorCount;
  out.memory = found.totalGlobalMem;
  out.cache = static_cast<std::uint64_t>(found.l2CacheSize);
  std::array<char, 32> address{};
  if (cudaDeviceGetPCIBusId(address.data(), static_cast<int>(address.size()), index) == cudaSuccess)
    out.address = pci_address(address.data()).value_or("");
  // Parts of a GPU (MIG) share its address: there CUDA's own identity is the one that tells them
  // apart.
  auto uuid = uuid_text(found.uuid);
  if (const auto known = management.uuid_at(out.address); known == uuid) uuid = known;
  out.subject = "gpu:" + uuid;
  const auto numa = platform::Root().line("/sys/bus/pci/devices/" + out.address + "/numa_node");
  if (numa) out.numa = static_cast<int>(parse_integer(*numa).value_or(-1));
  int driver = 0;
  cudaDriverGetVersion(&driver);
  out.driver = management.driver_version();
  if (out.driver.empty()) out.driver = "CUDA " + version_text(driver);
  out.managed_concurrent = attribute(cudaDevAttrConcurrentManagedAccess, index) != 0;
  out.pageable_access = attribute(cudaDevAttrPageableMemoryAccess, index) != 0;
  out.host_page_tables = attribute(cudaDevAttrPageableMemoryAccessUsesHostPageTables, index) != 0;
  return out;
}

}  // namespace

Result<std::vector<std::unique_ptr<Device>>> cuda_devices() {
  int count = 0;
  if (const auto status = cudaGetDeviceCount(&count); status != cudaSuccess) {
    cudaGetLastError();
    return tl::make_unexpected(refusal(status));
  }
  if (count == 0) return tl::make_unexpected(refusal(cudaErrorNoDevice));
  const auto management = std::make_shared<cuda::Management>();
  std::vector<std::unique_ptr<Device>> out;
  std::string too_old;
  for (int i = 0; i < count; ++i) {
    GPUVET_TRY(auto properties, properties_of(i, *management));
    if (properties.capability < least_capability)
      too_old = properties.name;
    else
      out.push_back(std::make_unique<CudaDevice>(std::move(properties), management));
  }
  if (out.empty())
    return fail(Errc::not_supported,
                too_old + " is older than what gpuvet's kernels need (compute capability 8.0)");
  return out;
}

}  // namespace gpuvet::device
