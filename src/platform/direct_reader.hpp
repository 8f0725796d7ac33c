// SPDX-License-Identifier: Apache-2.0
// Many reads of one file at a time, past the page cache: by io_uring or, where the kernel or a
// sandbox forbids it, by threads.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "core/result.hpp"

namespace gpuvet::platform {

struct ReadJob {
  std::string path;
  std::uint64_t bytes = 0;                   ///< of the file, a multiple of `block`
  std::size_t block = std::size_t{1} << 20;  ///< bytes of one read, a multiple of 4096
  unsigned depth = 32;                       ///< reads under way
  bool random = false;  ///< places drawn by `seed`; else front to back, over and over
  std::uint64_t seed = 1;
  double seconds = 1;      ///< after which no read is begun
  std::uint64_t most = 0;  ///< reads at most; 0: as many as time allows
  bool threads = false;    ///< not even try io_uring
  /// Where blocks come to, `depth` times `block` bytes on a page boundary; own memory when empty.
  std::span<std::byte> memory = {};
  /// Looks at what came; false when it is wrong. Called by one thread at a time for io_uring, by
  /// several for threads; `slot` is below `depth` and not looked at twice at once.
  std::function<bool(unsigned slot, std::uint64_t offset, std::span<const std::byte>)> visit =
      [](unsigned, std::uint64_t, std::span<const std::byte>) { return true; };
  std::function<bool()> cancelled = [] { return false; };
};

struct ReadRun {
  std::string engine;                                   ///< "io_uring", "pread"
  std::string remark;                                   ///< why it is not io_uring
  std::uint64_t reads = 0, wrong = 0, first_wrong = 0;  ///< first_wrong: its offset in the file
  double seconds = 0;            ///< from the first submission to the last block's end
  std::vector<float> latencies;  ///< seconds, of the first million reads
};

/// Errors: not_supported where the file system reads only through its cache.
Result<ReadRun> read_directly(const ReadJob& job);

}  // namespace gpuvet::platform
