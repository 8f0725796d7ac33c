// SPDX-License-Identifier: Apache-2.0
// What the wrong words of a memory have in common.
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "device/memory.hpp"

namespace gpuvet::probe {

/// Where wrong words lie to each other.
enum class Cluster {
  none,
  word,    ///< one
  column,  ///< at a constant distance
  row,     ///< within 8 KiB
  block,   ///< within 1 MiB
  spread,
};
std::string_view name(Cluster);

/// Of byte offsets, ascending, each once.
Cluster cluster_of(const std::vector<std::uint64_t>& offsets);

/// All that was found wrong with one device's memory.
class MemoryFaults {
 public:
  /// `first` is the offset, over all buffers, of the byte at `address`.
  /// Where they are not `located`, the words count and their places don't.
  void add(const device::CheckResult& result, std::uint64_t address, std::uint64_t first,
           bool located = true);

  [[nodiscard]] std::uint64_t wrong() const { return wrong_; }
  [[nodiscard]] std::uint64_t bits() const { return bits_; }
  /// Distinct words, as far as they were kept.
  [[nodiscard]] std::size_t addresses() const { return offsets_.size(); }
  [[nodiscard]] bool all_kept() const { return seen_ == wrong_; }
  /// Share of the kept ones that a second read found wrong too; 1 is a fault of the memory, 0 one
  /// of the way to it.
  [[nodiscard]] double persistent() const;
  [[nodiscard]] Cluster cluster() const;
  /// "0x7f12a000 (offset 4096): expected 0x…, found 0x…, again 0x…, bit 6"
  [[nodiscard]] const std::vector<std::string>& first_ones() const { return texts_; }

 private:
  std::uint64_t wrong_ = 0, bits_ = 0, seen_ = 0, again_ = 0;
  std::set<std::uint64_t> offsets_;
  std::vector<std::string> texts_;
};

}  // namespace gpuvet::probe
