// SPDX-License-Identifier: Apache-2.0
// cuBLASLt, opened at run time. One of these belongs to one stream, whose products share its
// scratch memory.
#pragma once

#include <memory>
#include <string>

#include "core/result.hpp"
#include "device/cuda/matrix.hpp"

namespace gpuvet::device::cuda {

class Cublas {
 public:
  /// For the current device. not_supported where no library answers.
  static Result<std::unique_ptr<Cublas>> open();
  Cublas(const Cublas&) = delete;
  Cublas& operator=(const Cublas&) = delete;
  ~Cublas();

  /// Whether the library has a kernel for this GPU.
  [[nodiscard]] bool has(Precision precision) const;

  /// Enqueues the product. The first of a size waits for the stream and tries several algorithms;
  /// what it chose holds for every GPU of that name, so that siblings compute the same bits.
  Result<void> multiply(Precision precision, const Operands& operands, cudaStream_t stream);

  /// "libcublasLt.so.13 13.0.2"
  [[nodiscard]] const std::string& name() const { return name_; }

 private:
  Cublas() = default;

  void* handle_ = nullptr;
  void* scratch_ = nullptr;
  std::string name_, gpu_;
};

}  // namespace gpuvet::device::cuda
