// SPDX-License-Identifier: Apache-2.0
#include "device/sim/cells.hpp"

#include <algorithm>
#include <utility>

#include "device/memory.hpp"

namespace gpuvet::device {
namespace {

constexpr std::uint64_t row_words = 128;       // 1 KiB
constexpr std::uint64_t column_stride = 1024;  // words
constexpr double fading = 0.5;                 // seconds
constexpr int enough_reads = 1000;

/// Numbers that only the seed decides.
struct Dice {
  std::uint64_t state;
  std::uint64_t below(std::uint64_t limit) {
    state += 0x9e3779b97f4a7c15U;
    return Pattern::mix(state) % limit;
  }
};

}  // namespace

Spot spot_of(std::uint64_t seed, std::uint64_t words) {
  Dice dice{seed};
  Spot out;
  out.word = dice.below(words);
  out.bit = dice.below(64);
  out.partner = (out.word + 1 + dice.below(words - 1)) % words;
  out.strike = 1 + dice.below(3);
  return out;
}

Cells::Cells(const std::vector<Plant>& plants, std::uint64_t words) {
  for (const auto& p : plants) plant(p, words);
}

void Cells::plant(const Plant& plant, std::uint64_t words) {
  const auto spot = spot_of(plant.seed, words);
  Cell cell;
  cell.kind = plant.kind;
  cell.word = spot.word;
  cell.mask = std::uint64_t{1} << spot.bit;
  cell.partner = spot.partner;
  cell.strike = spot.strike;
  const auto add = [&](Cell one) { cells_.emplace(one.word, one); };
  switch (plant.kind) {
    case PlantKind::row: {
      Dice dice{~plant.seed};
      cell.word = cell.word / row_words * row_words;
      for (std::uint64_t i = 0; i < row_words && cell.word < words; ++i, ++cell.word) {
        cell.mask = std::uint64_t{1} << dice.below(64);
        cell.kind = dice.below(2) == 0 ? PlantKind::stuck_high : PlantKind::stuck_low;
        add(cell);
      }
      return;
    }
    case PlantKind::column:
      cell.kind = PlantKind::stuck_high;
      for (int i = 0; i < 32 && cell.word < words; ++i, cell.word += column_stride) add(cell);
      return;
    case PlantKind::block:
      for (int i = 0; i < 64 && cell.word < words; ++i, ++cell.word) add(cell);
      return;
    case PlantKind::alias: {
      add(cell);
      std::swap(cell.word, cell.partner);
      return add(cell);
    }
    case PlantKind::ecc_uncorrected:
      cell.kind = PlantKind::stuck_high;
      return add(cell);
    case PlantKind::stuck_high:
    case PlantKind::stuck_low:
    case PlantKind::transient:
    case PlantKind::transition_up:
    case PlantKind::transition_down:
    case PlantKind::coupling_invert:
    case PlantKind::coupling_set:
    case PlantKind::stale_write:
    case PlantKind::retention:
    case PlantKind::hammered:
    case PlantKind::read_disturbed:
      return add(cell);
    default:
      return;  // not a fault of cells
  }
}

std::vector<std::uint64_t> Cells::words_in(std::uint64_t first, std::uint64_t last) const {
  std::vector<std::uint64_t> out;
  for (auto at = cells_.lower_bound(first); at != cells_.end() && at->first < last; ++at)
    if (out.empty() || out.back() != at->first) out.push_back(at->first);
  return out;
}

void Cells::before_read(std::uint64_t word, double now, const Access& memory) {
  for (auto [at, end] = cells_.equal_range(word); at != end; ++at) {
    auto& cell = at->second;
    ++cell.reads;
    const auto value = memory.get(word);
    const bool due = !cell.fired && cell.reads >= cell.strike;
    switch (cell.kind) {
      case PlantKind::stuck_high:
        memory.set(word, value | cell.mask);
        break;
      case PlantKind::stuck_low:
        memory.set(word, value & ~cell.mask);
        break;
      case PlantKind::transient:
        if (due) memory.set(word, value ^ cell.mask);
        cell.fired = cell.fired || due;
        break;
      case PlantKind::read_disturbed:
        if (due) memory.set(word, value ^ cell.mask);
        cell.wrong_now = due;
        cell.fired = cell.fired || due;
        break;
      case PlantKind::retention:
        if (cell.writes > 0 && now - cell.written > fading) {
          memory.set(word, value ^ cell.mask);
          cell.written = now;  // fades once for each write
          cell.writes = 0;
        }
        break;
      default:
        break;
    }
  }
}

bool Cells::after_read(std::uint64_t word, const Access& memory, bool restore) {
  bool out = false;
  for (auto [at, end] = cells_.equal_range(word); at != end; ++at) {
    if (!at->second.wrong_now) continue;
    if (restore) memory.set(word, memory.get(word) ^ at->second.mask);
    at->second.wrong_now = false;
    out = true;
  }
  return out;
}

void Cells::before_write(std::uint64_t word, const Access& memory) {
  for (auto [at, end] = cells_.equal_range(word); at != end; ++at)
    at->second.old = memory.get(word);
}

void Cells::after_write(std::uint64_t word, double now, const Access& memory) {
  for (auto [at, end] = cells_.equal_range(word); at != end; ++at) {
    auto& cell = at->second;
    ++cell.writes;
    cell.written = now;
    const auto value = memory.get(word);
    const auto risen = value & ~cell.old & cell.mask, fallen = cell.old & ~value & cell.mask;
    switch (cell.kind) {
      case PlantKind::stuck_high:
        memory.set(word, value | cell.mask);
        break;
      case PlantKind::stuck_low:
        memory.set(word, value & ~cell.mask);
        break;
      case PlantKind::transition_up:
        memory.set(word, value & ~risen);
        break;
      case PlantKind::transition_down:
        memory.set(word, value | fallen);
        break;
      case PlantKind::coupling_invert:
        if ((risen | fallen) != 0) memory.set(cell.partner, memory.get(cell.partner) ^ cell.mask);
        break;
      case PlantKind::coupling_set:
        if (risen != 0) memory.set(cell.partner, memory.get(cell.partner) | cell.mask);
        break;
      case PlantKind::alias:
        memory.set(cell.partner, value);
        break;
      case PlantKind::block:
        if (cell.writes % 2 == 0) memory.set(word, cell.old);
        break;
      case PlantKind::stale_write:
        // The first write of all is not lost: nobody knows what was there before.
        if (!cell.fired && cell.writes > cell.strike && value != cell.old) {
          memory.set(word, cell.old);
          cell.fired = true;
        }
        break;
      default:
        break;
    }
  }
}

void Cells::hammered(std::uint64_t first, std::uint64_t last, int times, const Access& memory) {
  for (auto& [word, cell] : cells_) {
    if (cell.kind != PlantKind::hammered || cell.fired) continue;
    const auto row = word / row_words;
    const auto begins = row == 0 ? 0 : (row - 1) * row_words;
    if (begins >= last || (row + 2) * row_words <= first) continue;
    cell.reads += static_cast<std::uint64_t>(times);
    if (cell.reads < enough_reads) continue;
    memory.set(word, memory.get(word) ^ cell.mask);
    cell.fired = true;
  }
}

}  // namespace gpuvet::device
