// SPDX-License-Identifier: Apache-2.0
#include "device/litmus_outcomes.hpp"

#include <algorithm>
#include <functional>

namespace gpuvet::device {

bool fence_covers(const LitmusSetup& setup) {
  switch (setup.fence) {
    case Fence::none:
      return false;
    case Fence::block:
    case Fence::device:
      // Threads of one device lie in one block where the fence reaches no further.
      return std::adjacent_find(setup.agents.begin(), setup.agents.end(), std::not_equal_to<>{}) ==
             setup.agents.end();
    case Fence::system:
      return true;
  }
  return false;
}

std::string litmus_text(Litmus shape, LitmusOutcome outcome) {
  const auto what = litmus_shape(shape);
  std::string out;
  const auto field = [&](std::string_view label, std::uint32_t at) {
    if (!out.empty()) out += ' ';
    out += label;
    out += '=';
    const auto value = outcome.get(at);
    out += value == 7 ? std::string("?") : std::to_string(value);
  };
  for (std::uint32_t i = 0; i < what.registers; ++i) field("r" + std::to_string(i), i);
  const bool ends = what.words == 1 || litmus_class(shape, outcome) == LitmusClass::impossible;
  if (ends) field("x", LitmusOutcome::x);
  if (ends && what.words == 2) field("y", LitmusOutcome::y);
  return out;
}

void add_outcome(const LitmusSetup& setup, LitmusOutcome outcome, std::uint64_t times,
                 LitmusCounts& counts) {
  counts.iterations += times;
  counts.outcomes[litmus_text(setup.shape, outcome)] += times;
  const auto kind = litmus_class(setup.shape, outcome);
  if (kind == LitmusClass::impossible || (kind == LitmusClass::weak && fence_covers(setup)))
    counts.forbidden += times;
  else if (kind == LitmusClass::weak)
    counts.weak += times;
}

}  // namespace gpuvet::device
