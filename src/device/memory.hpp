// SPDX-License-Identifier: Apache-2.0
// What memory tests write, and what they find. The words of a pattern are computed by the same code
// on GPU and host; the host's is the oracle. Plain enough for nvcc: no fmt, no containers in what
// kernels see.
#pragma once

#include <cstdint>
#include <vector>

#ifdef __CUDACC__
#define GPUVET_HD __host__ __device__
#else
#define GPUVET_HD
#endif

namespace gpuvet::device {

class Device;

enum class Placement {
  device,    ///< the device's own memory
  pinned,    ///< host memory that the device reaches by itself
  pageable,  ///< host memory as malloc gives it
  managed,   ///< migrates between the two
};

/// Bytes of an allocation.
struct Range {
  Device* device = nullptr;
  Placement placement = Placement::device;
  std::uint64_t address = 0;
  std::uint64_t bytes = 0;
};

/// Which hardware moves the bytes.
enum class Engine { copy_engine, kernel };

/// STREAM's kernels. Bytes moved: read and write 1, copy 2, triad 3 times the array.
enum class StreamKernel {
  read,   ///< sum over a
  write,  ///< a = constant
  copy,   ///< a = b
  triad,  ///< a = b + 3 c
};

enum class Order { ascending, descending };

enum class PatternKind : std::uint32_t {
  constant,     ///< `value`
  walking,      ///< one bit set, moving on by one with each word; `value` the first position
  address,      ///< the word's own index
  random,       ///< of index and `value` alone: nothing needs to be kept to check it
  modulo20,     ///< every 20th word, from `value` mod 20 on, is all ones, the others zero
  checkerboard  ///< 0xaa… and 0x55… in turn
};

/// A 64-bit word for each index. Patterns go on over several buffers by `first`.
struct Pattern {
  PatternKind kind = PatternKind::constant;
  std::uint64_t value = 0;
  std::uint64_t first = 0;  ///< index of the range's first word
  bool inverted = false;    ///< every bit

  /// The word at `index` within the range.
  [[nodiscard]] GPUVET_HD constexpr std::uint64_t word(std::uint64_t index) const {
    const std::uint64_t i = first + index;
    std::uint64_t out = value;
    switch (kind) {
      case PatternKind::constant:
        break;
      case PatternKind::walking:
        out = std::uint64_t{1} << ((i + value) & 63U);
        break;
      case PatternKind::address:
        out = i;
        break;
      case PatternKind::random:
        out = mix(i * 0x9e3779b97f4a7c15U + mix(value));
        break;
      case PatternKind::modulo20:
        out = i % 20 == value % 20 ? ~std::uint64_t{0} : 0;
        break;
      case PatternKind::checkerboard:
        out = (i & 1U) != 0 ? 0x5555555555555555U : 0xaaaaaaaaaaaaaaaaU;
        break;
    }
    return inverted ? ~out : out;
  }

  /// The finaliser of splitmix64 (Steele, Lea, Flood 2014): a bijection that mixes all bits.
  static GPUVET_HD constexpr std::uint64_t mix(std::uint64_t x) {
    x = (x ^ (x >> 30U)) * 0xbf58476d1ce4e5b9U;
    x = (x ^ (x >> 27U)) * 0x94d049bb133111ebU;
    return x ^ (x >> 31U);
  }
};

/// A word that was not as written.
struct Mismatch {
  std::uint64_t address = 0;  ///< of the word, as the device addresses it
  std::uint64_t expected = 0, found = 0;
  std::uint64_t again = 0;  ///< read once more at once: the same (memory) or right (on the way)
};

/// What checks found so far.
struct CheckResult {
  static constexpr std::uint32_t kept = 256;  ///< mismatches kept of one check
  std::uint64_t words = 0;                    ///< checked
  std::uint64_t wrong = 0;
  std::uint64_t bits = 0;  ///< that were ever wrong, or-ed
  std::vector<Mismatch> mismatches;

  void add(const CheckResult& other);
};

}  // namespace gpuvet::device
