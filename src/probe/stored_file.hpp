// SPDX-License-Identifier: Apache-2.0
// The file that storage tests read: written by us, so that every block is known.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "device/memory.hpp"
#include "platform/direct_reader.hpp"
#include "platform/scratch_file.hpp"
#include "probe/probe.hpp"

namespace gpuvet::probe {

struct StoredFile {
  platform::ScratchFile file;
  std::uint64_t bytes = 0;
  std::uint64_t seed = 0;
  std::string filesystem;

  /// The words from `offset` on.
  [[nodiscard]] device::Pattern pattern(std::uint64_t offset) const {
    return {device::PatternKind::random, seed, offset / 8, false};
  }
  /// Every word is right.
  [[nodiscard]] bool holds(std::uint64_t offset, std::span<const std::byte> seen) const;
  /// The first word of every page is right: cheap enough for reads that are timed.
  [[nodiscard]] bool stamped(std::uint64_t offset, std::span<const std::byte> seen) const;
};

/// Size of the file where `want` bytes would be best: a tenth of the file system stays free.
/// too_large where nothing sensible fits, not_supported where no drive lies behind the folder.
Result<std::uint64_t> stored_size(const platform::FolderSpace& space, std::uint64_t want);

/// Writes the file in the context's folder, for `seconds` at most: slow drives get a smaller one.
Result<StoredFile> store(Context& context, std::uint64_t want, double seconds);

/// storage.read.gds and storage.read.bounce of each GPU, or why not.
void read_to_gpus(Context& context, const StoredFile& stored, double seconds);
/// The bounce path to one device of any kind.
Result<void> read_by_bounce(Context& context, const StoredFile& stored, device::Device& device,
                            double seconds);

/// Times fio on the file; an error where no fio is or it refuses.
Result<void> read_by_fio(Context& context, const StoredFile& stored, bool random, double seconds);

inline constexpr std::size_t large_block = std::size_t{1} << 20, small_block = 4096;
inline constexpr unsigned large_depth = 32, small_depth = 64;

}  // namespace gpuvet::probe
