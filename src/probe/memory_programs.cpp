// SPDX-License-Identifier: Apache-2.0
#include "probe/memory_programs.hpp"

#include <algorithm>
#include <utility>

namespace gpuvet::probe {
namespace {

using device::Pattern;
using device::PatternKind;
using Do = MemoryStep::Do;

Pattern inverse(Pattern pattern) {
  pattern.inverted = !pattern.inverted;
  return pattern;
}

MemoryStep fill(Pattern next) { return {Do::fill, {}, next}; }
MemoryStep check(Pattern expected) { return {Do::check, expected, {}}; }

/// March C-: the shortest march that finds stuck bits, transitions, aliases and all unlinked
/// coupling of two cells (van de Goor 1991). Two sweeps in each direction, since a cell that flips
/// another one twice undoes what a single pair of sweeps would see.
MemoryProgram march(std::string name, Pattern zero) {
  const auto one = inverse(zero);
  return {std::move(name),
          {fill(zero),
           {Do::exchange_up, zero, one},
           {Do::exchange_up, one, zero},
           {Do::exchange_down, zero, one},
           {Do::exchange_down, one, zero},
           check(zero)}};
}

/// Every word knows where it is: two addresses of one word can't both be right.
MemoryProgram own_address() {
  const Pattern address{PatternKind::address};
  return {"own address",
          {fill(address),
           check(address),
           {Do::exchange_up, address, inverse(address)},
           check(inverse(address))}};
}

/// `between` stands between writing and checking, for a pattern and for its inverse: a cell may
/// fail from one of its states only.
MemoryProgram after(std::string name, Do between, Pattern pattern) {
  return {std::move(name),
          {fill(pattern),
           {between, {}, {}},
           check(pattern),
           fill(inverse(pattern)),
           {between, {}, {}},
           check(inverse(pattern))}};
}

MemoryProgram block_move(std::uint64_t seed) {
  MemoryProgram out{moving_program, {}};
  for (std::uint64_t i = 0; i < 2; ++i) {
    const Pattern pattern{PatternKind::random, seed + i};
    out.steps.push_back(fill(pattern));
    out.steps.push_back({Do::move_down, {}, {}});
    out.steps.push_back({Do::check_halves, pattern, {}});
    out.steps.push_back({Do::move_up, {}, {}});
    out.steps.push_back({Do::check_halves, pattern, {}});
  }
  return out;
}

/// A one (or zero) walks through every bit of every word; each word's neighbours hold it elsewhere.
MemoryProgram walking(std::string name, bool inverted) {
  const auto at = [&](std::uint64_t position) {
    return Pattern{PatternKind::walking, position, 0, inverted};
  };
  MemoryProgram out{std::move(name), {fill(at(0))}};
  for (std::uint64_t i = 0; i < 63; ++i)
    out.steps.push_back({i % 2 == 0 ? Do::exchange_up : Do::exchange_down, at(i), at(i + 1)});
  out.steps.push_back(check(at(63)));
  return out;
}

/// Words 20 apart hold ones among zeros: caches and row buffers, which work in powers of two, can't
/// hide what neighbours do to them.
MemoryProgram modulo20() {
  MemoryProgram out{"modulo 20", {}};
  for (std::uint64_t i = 0; i < 20; ++i)
    for (const bool inverted : {false, true}) {
      const Pattern pattern{PatternKind::modulo20, i, 0, inverted};
      out.steps.push_back(fill(pattern));
      out.steps.push_back(check(pattern));
    }
  return out;
}

Pattern constant(std::uint64_t value) { return {PatternKind::constant, value}; }

}  // namespace

double MemoryStep::traffic() const {
  switch (what) {
    case Do::exchange_up:
    case Do::exchange_down:
      return 2;
    case Do::hammer:
    case Do::idle:
      return 0;
    default:
      return 1;
  }
}

double MemoryProgram::traffic() const {
  double out = 0;
  for (const auto& step : steps) out += step.traffic();
  return out;
}

bool MemoryProgram::has(MemoryStep::Do what) const {
  return std::any_of(steps.begin(), steps.end(), [&](const auto& s) { return s.what == what; });
}

std::vector<MemoryProgram> memory_programs(std::uint64_t seed, bool thorough) {
  const auto random = [&](std::uint64_t n) {
    return Pattern{PatternKind::random, Pattern::mix(seed + n)};
  };
  std::vector<MemoryProgram> out;
  out.push_back(march("random", random(0)));
  out.push_back(own_address());
  out.push_back(march("moving inversions, zeros and ones", constant(0)));
  out.push_back(after("bit fade", Do::idle, random(1)));
  out.push_back(block_move(Pattern::mix(seed + 2)));
  out.push_back(after("hammer", Do::hammer, random(4)));
  out.push_back(march("moving inversions, checkerboard", {PatternKind::checkerboard}));
  out.push_back(march("moving inversions, pairs of bits", constant(0x3333333333333333U)));
  out.push_back(march("moving inversions, half bytes", constant(0x0f0f0f0f0f0f0f0fU)));
  out.push_back(march("moving inversions, bytes", constant(0x00ff00ff00ff00ffU)));
  out.push_back(modulo20());
  out.push_back(walking("walking ones", false));
  out.push_back(walking("walking zeros", true));
  if (thorough)
    for (std::uint64_t i = 5; i < 8; ++i)
      out.push_back(march("random again " + std::to_string(i - 4), random(i)));
  return out;
}

}  // namespace gpuvet::probe
