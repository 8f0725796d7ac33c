// SPDX-License-Identifier: Apache-2.0
// What a stream keeps for its products and their checks: made when they are first asked for.
#pragma once

#include <memory>

#include "device/cuda/cublaslt.hpp"
#include "device/cuda/cuda.hpp"

namespace gpuvet::device::cuda {

class MatrixWork {
 public:
  explicit MatrixWork(CudaDevice& device) : device_{device} {}
  MatrixWork(const MatrixWork&) = delete;
  MatrixWork& operator=(const MatrixWork&) = delete;
  /// Frees nothing of a device that hangs.
  ~MatrixWork();

  Result<Cublas*> library();
  /// At least so many bytes on the device; a larger one than before waits for `stream`.
  Result<void*> scratch(std::uint64_t bytes, cudaStream_t stream);

 private:
  CudaDevice& device_;
  std::unique_ptr<Cublas> library_;
  void* scratch_ = nullptr;
  std::uint64_t scratch_bytes_ = 0;
};

}  // namespace gpuvet::device::cuda
