// SPDX-License-Identifier: Apache-2.0
// What the host's memory operations do with one thread's share of the words.
#pragma once

#include <cstdint>

#include "device/memory.hpp"

namespace gpuvet::device::host {

/// Words [first, last) of `to` become the pattern's; past the caches.
void fill(std::uint64_t* to, Pattern pattern, std::uint64_t first, std::uint64_t last);
void check(const std::uint64_t* of, Pattern pattern, std::uint64_t first, std::uint64_t last,
           CheckResult& out);
void exchange(std::uint64_t* of, Pattern expected, Pattern next, Order order, std::uint64_t first,
              std::uint64_t last, CheckResult& out);
void hammer(const std::uint64_t* of, std::uint64_t first, std::uint64_t last, int times);
/// Of doubles, STREAM's way.
void pass(StreamKernel kernel, double* a, const double* b, const double* c, std::uint64_t first,
          std::uint64_t last);
void copy(std::uint64_t* to, const std::uint64_t* from, std::uint64_t first, std::uint64_t last);
void add(float* to, const float* from, std::uint64_t first, std::uint64_t last);
std::uint64_t differing(const std::uint64_t* a, const std::uint64_t* b, std::uint64_t first,
                        std::uint64_t last);

}  // namespace gpuvet::device::host
