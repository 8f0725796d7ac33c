// SPDX-License-Identifier: Apache-2.0
// The host's memory operations word by word: what the vector versions must equal, and what does
// beginnings and ends that fill no block.
#pragma once

#include <cstdint>

#include "device/memory.hpp"

namespace gpuvet::device::host {

/// Adds to `out` that `found` was read where `expected` was due, and reads once more.
void note(const std::uint64_t* word, std::uint64_t expected, std::uint64_t found, CheckResult& out);

namespace plain {

void fill(std::uint64_t* to, Pattern pattern, std::uint64_t first, std::uint64_t last);
void check(const std::uint64_t* of, Pattern pattern, std::uint64_t first, std::uint64_t last,
           CheckResult& out);
void exchange(std::uint64_t* of, Pattern expected, Pattern next, Order order, std::uint64_t first,
              std::uint64_t last, CheckResult& out);
void pass(StreamKernel kernel, double* a, const double* b, const double* c, std::uint64_t first,
          std::uint64_t last);
void add(float* to, const float* from, std::uint64_t first, std::uint64_t last);
std::uint64_t differing(const std::uint64_t* a, const std::uint64_t* b, std::uint64_t first,
                        std::uint64_t last);

}  // namespace plain
}  // namespace gpuvet::device::host
