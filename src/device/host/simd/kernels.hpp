// SPDX-License-Identifier: Apache-2.0
// Vector versions of the host's memory operations. One source is compiled for several instruction
// sets, and memory_kernels.cpp chooses one when the program runs. What is compiled so must leave
// nothing behind that the linker could take for the rest of the program, which runs on processors
// without those instructions: no templates of the standard library, no inline functions of ours.
#pragma once

#include <cstdint>

namespace gpuvet::device::host::simd {

/// device::Pattern, as plain data.
struct Words {
  std::uint32_t kind;  ///< PatternKind
  std::uint64_t value, first;
  std::uint64_t invert;  ///< all ones or 0
};

/// `count` words from `index` on, as they were read; at least one is not as it should be.
struct Report {
  void (*wrong)(void* whom, std::uint64_t index, const std::uint64_t* found, std::uint64_t count);
  void* whom;
};

/// All on words [first, last), of which the first lies at a cache line's beginning and the number
/// is a multiple of `block`. Whatever is written goes past the caches where nothing is read back.
struct Kernels {
  static constexpr std::uint64_t block = 32;
  const char* name;
  void (*fill)(std::uint64_t* to, Words words, std::uint64_t first, std::uint64_t last);
  void (*check)(const std::uint64_t* of, Words words, std::uint64_t first, std::uint64_t last,
                Report report);
  /// Both patterns are of one kind.
  void (*exchange)(std::uint64_t* of, Words expected, Words next, bool descending,
                   std::uint64_t first, std::uint64_t last, Report report);
  std::uint64_t (*read)(const std::uint64_t* of, std::uint64_t first, std::uint64_t last);
  void (*write)(double* to, double value, std::uint64_t first, std::uint64_t last);
  void (*copy)(std::uint64_t* to, const std::uint64_t* from, std::uint64_t first,
               std::uint64_t last);
  void (*triad)(double* to, const double* b, const double* c, double factor, std::uint64_t first,
                std::uint64_t last);
  void (*add)(float* to, const float* from, std::uint64_t first, std::uint64_t last);
  std::uint64_t (*differing)(const std::uint64_t* a, const std::uint64_t* b, std::uint64_t first,
                             std::uint64_t last);
  /// The next read of this cache line comes from memory, where the processor allows it.
  void (*forget)(const void* at);
};

/// The largest that this processor runs.
const Kernels& best();
/// All that this processor runs, the plainest first.
struct Set {
  const Kernels* kernels[3];
  int count;
};
Set all();

}  // namespace gpuvet::device::host::simd
