// SPDX-License-Identifier: Apache-2.0
// Faulty memory cells of one simulated device. Words are counted from the beginning of its memory;
// whoever reads or writes one says so before and after.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <vector>

#include "device/sim/plants.hpp"

namespace gpuvet::device {

/// Where and when a fault strikes.
struct Spot {
  std::uint64_t word = 0, bit = 0;
  std::uint64_t partner = 0;  ///< the word that it changes or is mistaken for, if it does so
  std::uint64_t strike = 1;   ///< at which read or write
};
/// Of the fault with that seed, in a memory of `words`.
Spot spot_of(std::uint64_t seed, std::uint64_t words);

class Cells {
 public:
  /// Gets and sets words of the real memory; get() of a word that nobody allocated is 0.
  struct Access {
    std::function<std::uint64_t(std::uint64_t word)> get;
    std::function<void(std::uint64_t word, std::uint64_t value)> set;
  };

  Cells(const std::vector<Plant>& plants, std::uint64_t words);

  /// Faulty words in [first, last), ascending.
  [[nodiscard]] std::vector<std::uint64_t> words_in(std::uint64_t first, std::uint64_t last) const;

  void before_read(std::uint64_t word, double now, const Access& memory);
  /// True where what was just read was wrong and the cell is right; puts that back where `restore`.
  bool after_read(std::uint64_t word, const Access& memory, bool restore = true);
  void before_write(std::uint64_t word, const Access& memory);
  void after_write(std::uint64_t word, double now, const Access& memory);
  /// Words [first, last) were read `times` times, over and over.
  void hammered(std::uint64_t first, std::uint64_t last, int times, const Access& memory);

 private:
  struct Cell {
    PlantKind kind{};
    std::uint64_t word = 0, partner = 0;
    std::uint64_t mask = 0;
    std::uint64_t strike = 1;  ///< at which read or write it happens
    std::uint64_t reads = 0, writes = 0, old = 0;
    double written = 0;
    bool fired = false, wrong_now = false;
  };
  void plant(const Plant& plant, std::uint64_t words);

  std::multimap<std::uint64_t, Cell> cells_;  ///< by word
};

}  // namespace gpuvet::device
