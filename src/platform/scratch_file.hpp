// SPDX-License-Identifier: Apache-2.0
// A file that nobody else sees and that vanishes with us, whatever ends us: it never has a name
// that stays in its folder.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>

#include "core/result.hpp"

namespace gpuvet::platform {

struct FolderSpace {
  std::uint64_t total = 0, free = 0;  ///< bytes; free for us, not for root alone
  std::string filesystem;             ///< "ext4", "xfs", "nfs", "tmpfs"; "0x…" where unknown
  bool in_memory = false;             ///< no drive lies behind it
  bool over_network = false;
};
Result<FolderSpace> folder_space(const std::string& folder);

class ScratchFile {
 public:
  static Result<ScratchFile> create(const std::string& folder);
  ScratchFile(ScratchFile&& other) noexcept : descriptor_{other.descriptor_} {
    other.descriptor_ = -1;
  }
  ScratchFile& operator=(ScratchFile&&) = delete;
  ScratchFile(const ScratchFile&) = delete;
  ScratchFile& operator=(const ScratchFile&) = delete;
  ~ScratchFile();

  /// Under which it can be opened by us and by programs that we start, while this exists.
  [[nodiscard]] std::string path() const;

  /// Writes past the page cache, in pieces of `block` bytes that `fill` makes, until `bytes` are
  /// written or `stop` says so, and waits until all lies on the drive. Returns the bytes written.
  /// not_supported where the file system takes no such writes.
  Result<std::uint64_t> write(
      std::uint64_t bytes, std::size_t block,
      const std::function<void(std::uint64_t offset, std::span<std::byte> to)>& fill,
      const std::function<bool()>& stop);

 private:
  explicit ScratchFile(int descriptor) : descriptor_{descriptor} {}
  int descriptor_;
};

}  // namespace gpuvet::platform
