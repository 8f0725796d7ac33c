// SPDX-License-Identifier: Apache-2.0
#include "device/sim/flows.hpp"

#include <algorithm>
#include <functional>
#include <limits>
#include <queue>
#include <utility>

namespace gpuvet::device {
namespace {

constexpr double never = std::numeric_limits<double>::infinity();

struct State {
  double wait = 0;                     ///< of `fixed`, left
  double left = 1;                     ///< share of the work
  double solo = 0;                     ///< seconds that it would take alone
  double speed = 0;                    ///< relative to alone
  std::size_t before = 0;              ///< flows that it still waits for
  std::vector<std::size_t> followers;  ///< flows that wait for it
};

double alone(const Flow& flow, const std::vector<double>& capacity) {
  double out = 0;
  for (const auto& use : flow.uses) out = std::max(out, use.amount / capacity[use.part]);
  return out;
}

/// Who shares what, as time goes on.
class Sharing {
 public:
  Sharing(const std::vector<Flow>& flows, const std::vector<double>& capacity)
      : flows_{flows}, capacity_{capacity}, states_(flows.size()), ends_(flows.size(), never) {
    for (std::size_t i = 0; i < flows.size(); ++i) {
      states_[i].wait = flows[i].fixed;
      states_[i].solo = alone(flows[i], capacity);
      states_[i].before = flows[i].after.size();
      for (const auto before : flows[i].after) states_[before].followers.push_back(i);
      now_ = std::min(now_, flows[i].earliest);
    }
    for (std::size_t i = 0; i < flows.size(); ++i)
      if (states_[i].before == 0) ready_.emplace(flows[i].earliest, i);
  }

  std::vector<double> run() {
    while (!ready_.empty() || !running_.empty()) {
      for (; !ready_.empty() && ready_.top().first <= now_; ready_.pop())
        running_.push_back(ready_.top().second);
      share_parts();
      go_on(next_change());
    }
    return std::move(ends_);  // never, where a flow waits for itself
  }

 private:
  /// Raises all speeds together until a part is full, fixes those that use it, and goes on with
  /// the others: no flow can be faster without making a slower one slower still.
  void share_parts() {
    open_.clear();
    for (const auto i : running_) {
      states_[i].speed = 0;
      if (states_[i].wait <= 0 && states_[i].solo > 0) open_.push_back(i);
    }
    left_ = capacity_;
    double level = 0;
    while (!open_.empty()) {
      demand_.assign(capacity_.size(), 0);
      for (const auto i : open_)
        for (const auto& use : flows_[i].uses) demand_[use.part] += use.amount / states_[i].solo;
      double room = 1 - level;  // nobody is faster than alone
      for (std::size_t p = 0; p < demand_.size(); ++p)
        if (demand_[p] > 0) room = std::min(room, left_[p] / demand_[p]);
      level += room;
      for (const auto i : open_) states_[i].speed = level;
      for (std::size_t p = 0; p < demand_.size(); ++p) left_[p] -= room * demand_[p];
      std::erase_if(open_, [&](std::size_t i) {
        return level >= 1 - 1e-12 ||
               std::any_of(flows_[i].uses.begin(), flows_[i].uses.end(), [&](const auto& use) {
                 return left_[use.part] <= 1e-9 * capacity_[use.part];
               });
      });
    }
  }

  /// Seconds until a flow starts, begins to flow or ends.
  [[nodiscard]] double next_change() const {
    double next = ready_.empty() ? never : ready_.top().first - now_;
    for (const auto i : running_) {
      const auto& state = states_[i];
      if (state.wait > 0)
        next = std::min(next, state.wait);
      else
        next = std::min(next, state.solo > 0 ? state.left * state.solo / state.speed : 0);
    }
    return next;
  }

  void go_on(double seconds) {
    now_ += seconds;
    std::erase_if(running_, [&](std::size_t i) {
      auto& state = states_[i];
      if (state.wait > 0) {
        state.wait -= seconds;
        if (state.wait > 1e-15) return false;
        state.wait = 0;
        if (state.solo > 0) return false;
      } else if (state.solo > 0) {
        state.left -= seconds * state.speed / state.solo;
        if (state.left > 1e-9) return false;
      }
      ends_[i] = now_;
      for (const auto follower : state.followers)
        if (--states_[follower].before == 0) ready_.emplace(flows_[follower].earliest, follower);
      return true;
    });
  }

  using Start = std::pair<double, std::size_t>;  ///< moment, flow

  const std::vector<Flow>& flows_;
  const std::vector<double>& capacity_;
  std::vector<State> states_;
  std::vector<double> ends_;
  double now_ = never;
  std::priority_queue<Start, std::vector<Start>, std::greater<>> ready_;
  std::vector<std::size_t> running_, open_;
  std::vector<double> left_, demand_;
};

}  // namespace

std::vector<double> end_times(const std::vector<Flow>& flows, const std::vector<double>& capacity) {
  return Sharing(flows, capacity).run();
}

}  // namespace gpuvet::device
