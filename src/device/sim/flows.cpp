// SPDX-License-Identifier: Apache-2.0
#include "device/sim/flows.hpp"

#include <algorithm>
#include <limits>

namespace gpuvet::device {
namespace {

constexpr double never = std::numeric_limits<double>::infinity();

struct State {
  double wait = 0;   ///< of `fixed`, left
  double left = 1;   ///< share of the work
  double solo = 0;   ///< seconds that it would take alone
  double speed = 0;  ///< relative to alone
  bool running = false, done = false;
};

double alone(const Flow& flow, const std::vector<double>& capacity) {
  double out = 0;
  for (const auto& use : flow.uses) out = std::max(out, use.amount / capacity[use.part]);
  return out;
}

/// Raises all speeds together until a part is full, fixes those that use it, and goes on with the
/// others: no flow can be faster without making a slower one slower still.
void share_parts(const std::vector<Flow>& flows, const std::vector<double>& capacity,
                 std::vector<State>& states) {
  std::vector<std::size_t> open;
  for (std::size_t i = 0; i < flows.size(); ++i) {
    auto& state = states[i];
    state.speed = 0;
    if (state.running && state.wait <= 0 && state.solo > 0) open.push_back(i);
  }
  std::vector<double> left = capacity;
  std::vector<double> demand(capacity.size());
  double level = 0;
  while (!open.empty()) {
    std::fill(demand.begin(), demand.end(), 0);
    for (const auto i : open)
      for (const auto& use : flows[i].uses) demand[use.part] += use.amount / states[i].solo;
    double room = 1 - level;  // nobody is faster than alone
    for (std::size_t p = 0; p < demand.size(); ++p)
      if (demand[p] > 0) room = std::min(room, left[p] / demand[p]);
    level += room;
    for (const auto i : open) states[i].speed = level;
    for (std::size_t p = 0; p < demand.size(); ++p) left[p] -= room * demand[p];
    std::erase_if(open, [&](std::size_t i) {
      return level >= 1 - 1e-12 ||
             std::any_of(flows[i].uses.begin(), flows[i].uses.end(), [&](const auto& use) {
               return left[use.part] <= 1e-9 * capacity[use.part];
             });
    });
  }
}

}  // namespace

std::vector<double> end_times(const std::vector<Flow>& flows, const std::vector<double>& capacity) {
  std::vector<State> states(flows.size());
  std::vector<double> ends(flows.size(), never);
  for (std::size_t i = 0; i < flows.size(); ++i) {
    states[i].wait = flows[i].fixed;
    states[i].solo = alone(flows[i], capacity);
  }
  double now = never;
  for (const auto& flow : flows) now = std::min(now, flow.earliest);
  for (std::size_t done = 0; done < flows.size();) {
    double next = never;
    for (std::size_t i = 0; i < flows.size(); ++i) {
      auto& state = states[i];
      if (state.done || state.running) continue;
      const bool ready = std::all_of(flows[i].after.begin(), flows[i].after.end(),
                                     [&](std::size_t before) { return states[before].done; });
      state.running = ready && flows[i].earliest <= now;
      if (ready && !state.running) next = std::min(next, flows[i].earliest - now);
    }
    share_parts(flows, capacity, states);
    for (const auto& state : states)
      if (state.running) {
        if (state.wait > 0)
          next = std::min(next, state.wait);
        else
          next = std::min(next, state.solo > 0 ? state.left * state.solo / state.speed : 0);
      }
    if (next == never) break;  // a dependency that never ends
    now += next;
    for (std::size_t i = 0; i < flows.size(); ++i) {
      auto& state = states[i];
      if (!state.running) continue;
      if (state.wait > 0) {
        state.wait -= next;
        if (state.wait > 1e-15) continue;
        state.wait = 0;
        if (state.solo > 0) continue;
      } else if (state.solo > 0) {
        state.left -= next * state.speed / state.solo;
        if (state.left > 1e-9) continue;
      }
      state.running = false;
      state.done = true;
      ends[i] = now;
      ++done;
    }
  }
  return ends;
}

}  // namespace gpuvet::device
