// SPDX-License-Identifier: Apache-2.0
// GPUDirect Storage: reads from a file straight into a GPU's memory. NVIDIA's library is opened
// where it is there; the few calls that we need are declared by hand.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "core/result.hpp"

namespace gpuvet::platform {

class CuFile {
 public:
  /// Opens the library and its driver, with the library's own detour through host memory forbidden:
  /// what is then read went straight. not_found without the library, vendor_failure without
  /// nvidia-fs.
  static Result<CuFile> open();

  /// A file that is open for reads past the page cache.
  class File {
   public:
    File(File&& other) noexcept;
    File& operator=(File&&) = delete;
    File(const File&) = delete;
    File& operator=(const File&) = delete;
    ~File();

    /// Reads `bytes` from `offset` to the GPU's `address`, in the calling thread's CUDA context.
    [[nodiscard]] Result<void> read(std::uint64_t address, std::size_t bytes,
                                    std::uint64_t offset) const;

   private:
    friend class CuFile;
    File(const CuFile& library, int descriptor, void* handle)
        : library_{&library}, descriptor_{descriptor}, handle_{handle} {}
    const CuFile* library_;
    int descriptor_;
    void* handle_;
  };
  /// not_supported where the file system does not take part. The file must not outlive this.
  [[nodiscard]] Result<File> file(const std::string& path) const;

 private:
  struct Calls;
  explicit CuFile(std::shared_ptr<const Calls> calls) : calls_{std::move(calls)} {}
  std::shared_ptr<const Calls> calls_;
};

}  // namespace gpuvet::platform
