// SPDX-License-Identifier: Apache-2.0
#include <cuda_runtime_api.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <thread>

#include "device/cuda/cuda.hpp"
#include "device/cuda/errors.hpp"
#include "device/cuda/management.hpp"
#include "platform/terminal.hpp"

namespace gpuvet::device {
namespace {

using cuda::said;

void* pointer(std::uint64_t address) { return reinterpret_cast<void*>(address); }

bool of_host(Placement placement) {
  return placement == Placement::pinned || placement == Placement::pageable;
}

/// What the driver and gpuvet's own streams still take when all else is taken.
constexpr std::uint64_t reserve = std::uint64_t{32} << 20;

}  // namespace

CudaDevice::CudaDevice(Properties properties, std::shared_ptr<cuda::Management> management)
    : properties_{std::move(properties)}, management_{std::move(management)} {}

Result<void> CudaDevice::select() const {
  return in_context(said(cudaSetDevice(properties_.index), "taking the GPU"), properties_.subject);
}

Result<void> CudaDevice::usable(const Range& range) const {
  if (range.placement == Placement::pageable && !properties_.pageable_access.value_or(false))
    return fail(Errc::not_supported, "kernels here cannot use pageable host memory");
  return {};
}

Result<Telemetry> CudaDevice::telemetry() { return management_->telemetry(properties_.address); }

Result<std::uint64_t> CudaDevice::free_memory() {
  GPUVET_CHECK(select());
  std::size_t free = 0, total = 0;
  GPUVET_CHECK(said(cudaMemGetInfo(&free, &total), "free memory"));
  return free - std::min<std::uint64_t>(free, reserve);
}

double CudaDevice::now() const { return platform::monotonic_seconds(); }

void CudaDevice::idle(double seconds) {
  std::this_thread::sleep_for(std::chrono::duration<double>(seconds));
}

Result<std::unique_ptr<Stream>> CudaDevice::stream() {
  GPUVET_CHECK(select());
  cudaStream_t stream = nullptr;
  // Not held up by the default stream, which read() and write() use.
  GPUVET_CHECK(said(cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking), "a stream"));
  auto out = std::make_unique<CudaStream>(*this, stream);
  GPUVET_CHECK(out->pool_.prepare());
  return out;
}

Result<void> CudaDevice::read(Range from, std::span<std::byte> to) {
  const auto bytes = std::min<std::size_t>(to.size(), from.bytes);
  if (of_host(from.placement)) {
    std::memcpy(to.data(), pointer(from.address), bytes);
    return {};
  }
  if (hangs()) return fail(Errc::timeout, "the GPU does not answer");
  GPUVET_CHECK(select());
  return said(cudaMemcpy(to.data(), pointer(from.address), bytes, cudaMemcpyDefault), "reading");
}

Result<void> CudaDevice::write(Range to, std::span<const std::byte> from) {
  const auto bytes = std::min<std::size_t>(from.size(), to.bytes);
  if (of_host(to.placement)) {
    std::memcpy(pointer(to.address), from.data(), bytes);
    return {};
  }
  if (hangs()) return fail(Errc::timeout, "the GPU does not answer");
  GPUVET_CHECK(select());
  GPUVET_CHECK(
      said(cudaMemcpy(pointer(to.address), from.data(), bytes, cudaMemcpyDefault), "writing"));
  // A copy from pageable memory may come back before the device has the bytes, and our streams do
  // not wait for it.
  return said(cudaStreamSynchronize(nullptr), "writing");
}

Result<bool> CudaDevice::reach(Device& peer) {
  const auto* other = dynamic_cast<CudaDevice*>(&peer);
  if (other == nullptr) return false;
  if (other->properties_.index == properties_.index) return true;
  int can = 0;
  GPUVET_CHECK(said(cudaDeviceCanAccessPeer(&can, properties_.index, other->properties_.index),
                    "peer access"));
  if (can == 0) return false;
  GPUVET_CHECK(select());
  const auto status = cudaDeviceEnablePeerAccess(other->properties_.index, 0);
  if (status == cudaErrorPeerAccessAlreadyEnabled) {
    cudaGetLastError();
    return true;
  }
  GPUVET_CHECK(said(status, "peer access"));
  return true;
}

Result<std::uint64_t> CudaDevice::allocate_bytes(std::uint64_t bytes, Placement placement) {
  if (hangs()) return fail(Errc::timeout, "the GPU does not answer");
  GPUVET_CHECK(select());
  void* out = nullptr;
  switch (placement) {
    case Placement::device:
      GPUVET_CHECK(said(cudaMalloc(&out, bytes), "GPU memory"));
      break;
    case Placement::pinned:
      GPUVET_CHECK(said(cudaHostAlloc(&out, bytes, cudaHostAllocPortable | cudaHostAllocMapped),
                        "pinned host memory"));
      break;
    case Placement::managed:
      GPUVET_CHECK(said(cudaMallocManaged(&out, bytes, cudaMemAttachGlobal), "managed memory"));
      break;
    case Placement::pageable: {
      constexpr std::size_t page = 4096;
      out = std::aligned_alloc(page, (bytes + page - 1) / page * page);
      if (out == nullptr) return fail(Errc::too_large, "host memory: not so much is free");
      break;
    }
  }
  return reinterpret_cast<std::uint64_t>(out);
}

void CudaDevice::free_bytes(std::uint64_t address, Placement placement) noexcept {
  if (hangs()) return;
  if (placement == Placement::pageable) return std::free(pointer(address));
  // After an error that sticks these fail too; the driver frees all when the process ends.
  cudaSetDevice(properties_.index);
  if (placement == Placement::pinned)
    cudaFreeHost(pointer(address));
  else
    cudaFree(pointer(address));
  cudaGetLastError();
}

}  // namespace gpuvet::device
