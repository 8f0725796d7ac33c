// SPDX-License-Identifier: Apache-2.0
// Litmus tests of memory ordering: a few threads of one to three accesses each, run millions of
// times, and which of the possible outcomes were seen.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "device/memory.hpp"

namespace gpuvet::device {

/// Shapes as the literature names them (Alglave et al., "Herding cats"; Sorensen et al. for GPUs).
enum class Litmus {
  message_passing,
  store_buffering,
  load_buffering,
  iriw,       ///< independent reads of independent writes
  coherence,  ///< reads of one location never go back
  atomic_add,
  atomic_cas,
  atomic_exchange,
};
std::string_view name(Litmus);

/// Who runs a thread of the test.
enum class Agent { host, device, peer };

/// How far a fence reaches. `none` is the variant that shows whether the test has teeth.
enum class Fence { none, block, device, system };
std::string_view name(Fence);

struct LitmusSetup {
  Litmus shape = Litmus::message_passing;
  Fence fence = Fence::system;
  std::vector<Agent> agents;             ///< one for each thread of the shape
  Placement memory = Placement::device;  ///< where the shared words lie
  std::uint64_t iterations = 100'000;
  std::uint64_t seed = 1;  ///< of the random delays that make threads meet
};

struct LitmusCounts {
  std::uint64_t iterations = 0;
  std::uint64_t forbidden = 0;  ///< outcomes that must never be, with the fence asked for
  std::uint64_t weak = 0;       ///< outcomes that only a weak order allows
  std::map<std::string, std::uint64_t> outcomes;  ///< "r0=1 r1=0" -> how often
};

/// Number of threads of a shape.
int threads(Litmus);

}  // namespace gpuvet::device
