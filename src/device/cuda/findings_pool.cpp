// SPDX-License-Identifier: Apache-2.0
#include "device/cuda/findings_pool.hpp"

#include <cuda_runtime_api.h>

#include <cstddef>
#include <utility>

#include "device/cuda/errors.hpp"

namespace gpuvet::device::cuda {

FindingsPool::~FindingsPool() {
  for (const auto& chunk : chunks_) {
    cudaFree(chunk.there);
    cudaFreeHost(chunk.here);
  }
}

Result<void> FindingsPool::prepare() {
  Chunk chunk{};
  void* memory = nullptr;
  GPUVET_CHECK(said(cudaMalloc(&memory, places * sizeof(Findings)), "memory for findings"));
  chunk.there = static_cast<Findings*>(memory);
  auto host = said(cudaHostAlloc(&memory, places * sizeof(Findings), cudaHostAllocDefault),
                   "host memory for findings");
  if (!host) {
    cudaFree(chunk.there);
    return host;
  }
  chunk.here = static_cast<Findings*>(memory);
  chunks_.push_back(chunk);
  return {};
}

Result<void> FindingsPool::run(CUstream_st* stream, const std::function<int(Findings*)>& launch,
                               std::function<void(const Findings&)> take) {
  if (pending_.size() == chunks_.size() * places) GPUVET_CHECK(prepare());
  const auto& chunk = chunks_[pending_.size() / places];
  const auto place = pending_.size() % places;
  Findings* there = chunk.there + place;
  GPUVET_CHECK(
      said(cudaMemsetAsync(there, 0, offsetof(Findings, kept), stream), "clearing of findings"));
  GPUVET_CHECK(said(launch(there), "a kernel"));
  GPUVET_CHECK(said(
      cudaMemcpyAsync(chunk.here + place, there, sizeof(Findings), cudaMemcpyDeviceToHost, stream),
      "copying of findings"));
  pending_.push_back({chunk.here + place, std::move(take)});
  return {};
}

void FindingsPool::collect() {
  for (const auto& p : pending_) p.take(*p.here);
  pending_.clear();
}

}  // namespace gpuvet::device::cuda
