// SPDX-License-Identifier: Apache-2.0
// What the probe of the host times besides streams of memory: single reads, processors, pages.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "core/result.hpp"

namespace gpuvet::device::host {

/// Links the cache lines of `memory` into one cycle in random order: the first word of each is the
/// number of the next. At most 2³² lines.
void link_cycle(std::span<std::uint64_t> memory, std::uint64_t seed);

/// Follows `steps` links from line `at` on, which moves along. Seconds of one step. No read can
/// begin before the one before it has ended.
double chase(std::span<const std::uint64_t> memory, std::uint64_t& at, std::uint64_t steps);

struct ProcessorRate {
  int processor = 0;
  double rate = 0;   ///< rounds of work per second of processor time
  double share = 0;  ///< of the time that the thread had the processor
};
/// All of `processors` work for `seconds` at the same time.
std::vector<ProcessorRate> rates(const std::vector<int>& processors, double seconds);

/// Processors that this process may use.
std::vector<int> usable_processors();

/// Seconds that it takes to touch `bytes` of fresh memory, page by page of `page_bytes`.
Result<double> touch_pages(std::uint64_t bytes);
constexpr std::uint64_t page_bytes = 4096;

/// Seconds that it takes to allocate and lock `bytes`. Errors: permission where the process may not
/// lock that much.
Result<double> lock_pages(std::uint64_t bytes);

}  // namespace gpuvet::device::host
