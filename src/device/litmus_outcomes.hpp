// SPDX-License-Identifier: Apache-2.0
// The shapes of litmus.hpp as data: what each thread does, how an outcome is written as one number,
// and what an outcome says. The same code for kernels and for the host; plain enough for nvcc.
//
// Threads of one instance on one device lie in one block where the fence is Fence::block, in
// different ones else. Words are 32 bits, 0 before the test; loads and stores are relaxed atomics.
#pragma once

#include <cstdint>

#include "device/litmus.hpp"

namespace gpuvet::device {

enum class LitmusOp : std::uint32_t {
  load,      ///< register = word
  store,     ///< word = value
  add,       ///< register = word, word += value
  exchange,  ///< register = word, word = value
  cas,       ///< register = word, word = value if it was 0
};

struct LitmusAccess {
  LitmusOp op = LitmusOp::load;
  std::uint32_t word = 0;   ///< 0: x, 1: y
  std::uint32_t value = 0;  ///< what is stored, added or exchanged
  std::uint32_t reg = 0;    ///< register that takes what was read, counted over all threads
};

struct LitmusThread {
  LitmusAccess access[3];
  std::uint32_t count = 0;  ///< accesses; the fence stands between each two of them
};

struct LitmusShape {
  LitmusThread thread[4];
  std::uint32_t threads = 0;
  std::uint32_t registers = 0;
  std::uint32_t words = 2;
};

GPUVET_HD constexpr LitmusAccess litmus_load(std::uint32_t word, std::uint32_t reg) {
  return {LitmusOp::load, word, 0, reg};
}
GPUVET_HD constexpr LitmusAccess litmus_store(std::uint32_t word, std::uint32_t value) {
  return {LitmusOp::store, word, value, 0};
}

GPUVET_HD constexpr LitmusShape litmus_shape(Litmus shape) {
  constexpr std::uint32_t x = 0, y = 1;
  LitmusShape out{};
  LitmusThread* t = out.thread;
  switch (shape) {
    case Litmus::message_passing:
      t[0] = {{litmus_store(x, 1), litmus_store(y, 1), {}}, 2};
      t[1] = {{litmus_load(y, 0), litmus_load(x, 1), {}}, 2};
      out.threads = out.registers = 2;
      break;
    case Litmus::store_buffering:
      t[0] = {{litmus_store(x, 1), litmus_load(y, 0), {}}, 2};
      t[1] = {{litmus_store(y, 1), litmus_load(x, 1), {}}, 2};
      out.threads = out.registers = 2;
      break;
    case Litmus::load_buffering:
      t[0] = {{litmus_load(x, 0), litmus_store(y, 1), {}}, 2};
      t[1] = {{litmus_load(y, 1), litmus_store(x, 1), {}}, 2};
      out.threads = out.registers = 2;
      break;
    case Litmus::iriw:
      t[0] = {{litmus_store(x, 1), {}, {}}, 1};
      t[1] = {{litmus_store(y, 1), {}, {}}, 1};
      t[2] = {{litmus_load(x, 0), litmus_load(y, 1), {}}, 2};
      t[3] = {{litmus_load(y, 2), litmus_load(x, 3), {}}, 2};
      out.threads = out.registers = 4;
      break;
    case Litmus::coherence:
      t[0] = {{litmus_store(x, 1), litmus_store(x, 2), {}}, 2};
      t[1] = {{litmus_load(x, 0), litmus_load(x, 1), litmus_load(x, 2)}, 3};
      out.threads = 2, out.registers = 3, out.words = 1;
      break;
    case Litmus::atomic_add:
      t[0] = {{{LitmusOp::add, x, 1, 0}, {LitmusOp::add, x, 1, 1}, {}}, 2};
      t[1] = {{{LitmusOp::add, x, 1, 2}, {LitmusOp::add, x, 1, 3}, {}}, 2};
      out.threads = 2, out.registers = 4, out.words = 1;
      break;
    case Litmus::atomic_cas:
    case Litmus::atomic_exchange: {
      const auto op = shape == Litmus::atomic_cas ? LitmusOp::cas : LitmusOp::exchange;
      t[0] = {{{op, x, 1, 0}, {}, {}}, 1};
      t[1] = {{{op, x, 2, 1}, {}, {}}, 1};
      out.threads = out.registers = 2, out.words = 1;
      break;
    }
  }
  return out;
}

/// An outcome as one number: three bits for each of four registers, then for x and y at the end.
/// What no shape can write, such as the rest of a torn or corrupted word, becomes 7.
struct LitmusOutcome {
  static constexpr std::uint32_t fields = 6, x = 4, y = 5;  ///< fields 0 to 3: registers
  static constexpr std::uint32_t codes = 1U << (3 * fields);
  std::uint32_t code = 0;

  GPUVET_HD constexpr void set(std::uint32_t field, std::uint32_t value) {
    const std::uint32_t kept = value < 7 ? value : 7;
    code = (code & ~(7U << (3 * field))) | kept << (3 * field);
  }
  [[nodiscard]] GPUVET_HD constexpr std::uint32_t get(std::uint32_t field) const {
    return code >> (3 * field) & 7U;
  }
};

enum class LitmusClass : std::uint32_t {
  sequential,  ///< some interleaving of the threads gives it
  weak,        ///< none does; a weak order may, unless fences forbid it
  impossible,  ///< no memory that keeps each word coherent gives it, fences or not
};

/// What `o` says of `shape`; kernels may count by it.
GPUVET_HD constexpr LitmusClass litmus_class(Litmus shape, LitmusOutcome o) {
  const std::uint32_t a = o.get(0), b = o.get(1), c = o.get(2), d = o.get(3);
  const std::uint32_t x = o.get(LitmusOutcome::x), y = o.get(LitmusOutcome::y);
  const auto judged = [](bool possible, bool weak) {
    return !possible ? LitmusClass::impossible : weak ? LitmusClass::weak : LitmusClass::sequential;
  };
  // Registers of the four shapes of two words hold 0 or 1, and both words end as 1.
  const bool bits = a <= 1 && b <= 1 && x == 1 && y == 1;
  const bool two = bits && c == 0 && d == 0;
  const bool one_word = y == 0;
  switch (shape) {
    case Litmus::message_passing:
      return judged(two, a == 1 && b == 0);
    case Litmus::store_buffering:
      return judged(two, a == 0 && b == 0);
    case Litmus::load_buffering:
      return judged(two, a == 1 && b == 1);
    case Litmus::iriw:
      return judged(bits && c <= 1 && d <= 1, a == 1 && b == 0 && c == 1 && d == 0);
    case Litmus::coherence:
      return judged(one_word && a <= b && b <= c && c <= 2 && d == 0 && x == 2, false);
    case Litmus::atomic_add:
      return judged(one_word && x == 4 && a < b && c < d && b <= 3 && d <= 3 && a != c && a != d &&
                        b != c && b != d,
                    false);
    case Litmus::atomic_cas:
      return judged(one_word && c == 0 && d == 0 &&
                        ((a == 0 && b == 1 && x == 1) || (a == 2 && b == 0 && x == 2)),
                    false);
    case Litmus::atomic_exchange:
      return judged(one_word && c == 0 && d == 0 &&
                        ((a == 0 && b == 1 && x == 2) || (a == 2 && b == 0 && x == 1)),
                    false);
  }
  return LitmusClass::impossible;
}

/// Whether the fence asked for reaches every thread of the test, so that weak outcomes are
/// forbidden.
bool fence_covers(const LitmusSetup& setup);
/// "r0=1 r1=0", with the words' ends where they are what counts: "r0=0 r1=1 x=2".
std::string litmus_text(Litmus shape, LitmusOutcome outcome);
/// Counts `times` of `outcome` as setup's shape and fence classify it.
void add_outcome(const LitmusSetup& setup, LitmusOutcome outcome, std::uint64_t times,
                 LitmusCounts& counts);

}  // namespace gpuvet::device
