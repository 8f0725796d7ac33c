// SPDX-License-Identifier: Apache-2.0
// Memory tests as lists of steps over the whole of the memory. What finds which fault is
// docs/method/memory-integrity.md's.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "device/memory.hpp"

namespace gpuvet::probe {

/// One thing done to all words of all buffers before the next begins.
struct MemoryStep {
  enum class Do {
    fill,           ///< writes `next`
    check,          ///< reads `expected`
    exchange_up,    ///< word by word: reads `expected`, writes `next`, from the first word to the
                    ///< last
    exchange_down,  ///< the same from the last word to the first
    move_down,      ///< copies the upper half of each buffer over the lower one by the copy engine
    move_up,        ///< and back by a kernel
    check_halves,   ///< both halves hold what the upper one held of `expected`
    hammer,         ///< reads pieces very often
    idle,           ///< time passes
  };
  Do what = Do::check;
  device::Pattern expected, next;

  /// How often it moves each byte; hammer and idle take time of their own.
  [[nodiscard]] double traffic() const;
};

/// Its copies carry wrong words along, so that where one is found says little of where it broke.
inline constexpr const char* moving_program = "block move";

struct MemoryProgram {
  std::string name;
  std::vector<MemoryStep> steps;

  [[nodiscard]] double traffic() const;
  [[nodiscard]] bool has(MemoryStep::Do) const;
};

/// The strongest for their time first. Everything random comes from `seed`.
std::vector<MemoryProgram> memory_programs(std::uint64_t seed, bool thorough);

}  // namespace gpuvet::probe
