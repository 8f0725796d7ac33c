// SPDX-License-Identifier: Apache-2.0
#include "model/serving.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <deque>
#include <queue>

namespace gpuvet::model {
namespace {

constexpr double tau = 6.283185307179586;

/// Durations by weight, in bins of 1.5 %: tokens are too many to keep one by one.
class Histogram {
 public:
  void add(double seconds, double weight) {
    const double at = (std::log(std::max(seconds, shortest)) - std::log(shortest)) / width;
    bins_[std::min(static_cast<std::size_t>(at), bins_.size() - 1)] += weight;
    total_ += weight;
    sum_ += weight * seconds;
  }
  [[nodiscard]] Seconds mean() const { return Seconds::base(total_ > 0 ? sum_ / total_ : 0); }
  [[nodiscard]] Seconds quantile(double share) const {
    double below = 0;
    for (std::size_t i = 0; i < bins_.size(); ++i) {
      below += bins_[i];
      if (below >= share * total_ && below > 0)
        return Seconds::base(shortest * std::exp((static_cast<double>(i) + 0.5) * width));
    }
    return {};
  }
  [[nodiscard]] Percentiles percentiles() const {
    return {mean(), quantile(0.5), quantile(0.9), quantile(0.95), quantile(0.99)};
  }

 private:
  static constexpr double shortest = 1e-6, width = 0.015;
  std::array<double, 1400> bins_{};
  double total_ = 0, sum_ = 0;
};

Percentiles percentiles_of(std::vector<double>& values) {
  if (values.empty()) return {};
  double sum = 0;
  for (const double v : values) sum += v;
  const auto at = [&](double share) {
    const auto i = static_cast<std::size_t>(share * static_cast<double>(values.size() - 1));
    std::nth_element(values.begin(), values.begin() + static_cast<std::ptrdiff_t>(i), values.end());
    return Seconds::base(values[i]);
  };
  return {Seconds::base(sum / static_cast<double>(values.size())), at(0.5), at(0.9), at(0.95),
          at(0.99)};
}

struct Request {
  double arrival = 0, first = -1, finish = 0;
  double prompt = 0, output = 0;
  double generated = 0;  ///< before the last preemption
};

class Simulation {
 public:
  Simulation(const ServingLoad& load, const StepTimes& times, double cache,
             const Scheduler& scheduler)
      : load_(load), times_(times), cache_(cache), scheduler_(scheduler) {
    draw_requests();
  }

  ServingResult run() {
    while (finished_ < requests_.size()) {
      take_arrivals();
      if (!waiting_.empty() && (scheduler_.chunked ? mixed_step() : prefill_step())) continue;
      if (!running_.empty())
        decode_steps();
      else
        now_ = std::max(now_, next_arrival());
    }
    return result();
  }

 private:
  struct Running {
    double last_step = 0;  ///< after which it has its whole answer
    std::uint32_t id = 0;
    bool operator>(const Running& o) const {
      return last_step != o.last_step ? last_step > o.last_step : id > o.id;
    }
  };

  void draw_requests() {
    const std::size_t count = load_.trace.empty() ? load_.requests : load_.trace.size();
    requests_.resize(count);
    double clock = 0;
    for (std::size_t i = 0; i < count; ++i) {
      auto& r = requests_[i];
      r.prompt = std::max(1.0, std::round(draw(load_.prompt, 1, i)));
      r.output = std::max(1.0, std::round(draw(load_.output, 2, i)));
      r.prompt = std::min(r.prompt, std::max(1.0, cache_ / 2));
      r.output = std::min(r.output, std::max(1.0, cache_ - r.prompt - 2 * scheduler_.block));
      if (!load_.trace.empty()) {
        clock = load_.trace[i];
      } else if (load_.arrivals == ServingLoad::Arrivals::poisson) {
        clock -= std::log(uniform(load_.seed, 3, i)) / load_.rate;
      }
      r.arrival = clock;
    }
    const bool closed = load_.trace.empty() && load_.arrivals == ServingLoad::Arrivals::closed;
    released_ =
        closed ? std::min(count, static_cast<std::size_t>(std::max(1.0, load_.at_a_time))) : count;
  }

  /// Log-normal by Box-Muller from two numbers of the counter-based generator.
  double draw(const Lengths& l, std::uint64_t stream, std::uint64_t i) const {
    if (l.spread <= 0) return std::clamp(l.mean, l.least, l.most);
    const double variance = std::log(1 + l.spread * l.spread);
    const double normal = std::sqrt(-2 * std::log(uniform(load_.seed, 2 * stream + 8, i))) *
                          std::cos(tau * uniform(load_.seed, 2 * stream + 9, i));
    return std::clamp(l.mean * std::exp(std::sqrt(variance) * normal - variance / 2), l.least,
                      l.most);
  }

  double next_arrival() const {
    return arrived_ < released_ ? requests_[arrived_].arrival : INFINITY;
  }

  void take_arrivals() {
    while (arrived_ < released_ && requests_[arrived_].arrival <= now_)
      waiting_.push_back(static_cast<std::uint32_t>(arrived_++));
  }

  /// Cache tokens that running sequences hold; half a block of each is empty on average.
  double used() const {
    return context_ + static_cast<double>(running_.size()) * scheduler_.block / 2;
  }

  /// Whether `length` more tokens may enter beside `running` sequences and `held` tokens of this
  /// step. Running sequences need room to grow, or the newcomer is thrown out at once.
  bool fits(double length, double running, double held) const {
    if (running >= scheduler_.sequences) return false;
    constexpr double kept_free = 0.01;
    return running <= 0 ||
           used() + held + length + scheduler_.block + running <= (1 - kept_free) * cache_;
  }

  /// The request has its prompt in the cache and its next token.
  void start(std::uint32_t id) {
    auto& r = requests_[id];
    if (r.first < 0) r.first = now_;
    context_ += r.prompt + r.generated;
    r.generated += 1;
    generated_ += 1;
    if (r.generated >= r.output) {
      context_ -= r.prompt + r.generated - 1;
      finish(id);
      return;
    }
    running_.push({step_ + r.output - r.generated, id});
    youngest_.push_back(id);
  }

  void finish(std::uint32_t id) {
    requests_[id].finish = now_;
    ++finished_;
    if (released_ == requests_.size()) return;
    requests_[released_++].arrival = now_;
    if (released_ == requests_.size()) full_ = {now_, static_cast<double>(finished_), generated_};
  }

  void spend(double seconds, double sequences, double steps) {
    now_ += seconds;
    busy_ += seconds;
    sequence_steps_ += sequences * steps;
    steps_ += steps;
  }

  /// Prompts of those waiting, as many as fit, while running sequences wait.
  bool prefill_step() {
    double tokens = 0, squares = 0;
    std::vector<std::uint32_t> batch;
    double held = 0;
    while (!waiting_.empty()) {
      const auto& r = requests_[waiting_.front()];
      const double length = r.prompt + r.generated;
      if (!batch.empty() && tokens + length > scheduler_.batched_tokens) break;
      if (!fits(length, static_cast<double>(running_.size() + batch.size()), held)) break;
      tokens += length;
      held += length + scheduler_.block;
      squares += length * length / 2;
      batch.push_back(waiting_.front());
      waiting_.pop_front();
    }
    if (batch.empty()) return false;
    const double seconds = times_.step(0, 0, tokens, squares, static_cast<double>(batch.size()));
    spend(seconds, static_cast<double>(running_.size()), 0);
    if (!running_.empty()) stall_ += seconds;
    for (const auto id : batch) start(id);
    return true;
  }

  /// One step of all running sequences and as much of the first prompts as the budget lets in.
  bool mixed_step() {
    const auto decodes = static_cast<double>(running_.size());
    double budget = scheduler_.batched_tokens - decodes;
    double tokens = 0, squares = 0;
    std::vector<std::uint32_t> done;
    double held = 0;
    while (!waiting_.empty() && budget > 0) {
      const auto id = waiting_.front();
      const auto& r = requests_[id];
      const double length = r.prompt + r.generated;
      if (progress_ == 0 && !fits(length, decodes + static_cast<double>(done.size()), held)) break;
      const double part = std::min(length - progress_, budget);
      squares += part * (progress_ + part / 2);
      tokens += part;
      budget -= part;
      progress_ += part;
      if (progress_ < length) break;
      progress_ = 0;
      held += length + scheduler_.block;
      done.push_back(id);
      waiting_.pop_front();
    }
    if (tokens <= 0) return false;
    if (decodes > 0 && used() + decodes > cache_) preempt();
    const auto still = static_cast<double>(running_.size());
    const double seconds =
        times_.step(still, context_, tokens, squares, static_cast<double>(done.size()));
    spend(seconds, still, 1);
    if (still > 0) advance(1, seconds);
    for (const auto id : done) start(id);
    return true;
  }

  /// Steps of running sequences only, up to the next thing that changes: an answer ends, the cache
  /// is full, a request arrives that could start.
  void decode_steps() {
    const auto n = static_cast<double>(running_.size());
    double steps = running_.top().last_step - step_;
    const double room = std::floor((cache_ - used()) / n);
    if (room < 1 && n > 1) {
      preempt();
      return;
    }
    steps = std::max(1.0, std::min(steps, std::max(1.0, room)));
    const double first = times_.decode(n, context_), each = times_.context * n;
    const auto lasting = [&](double k) { return k * first + each * k * (k - 1) / 2; };
    if (const double until = next_arrival() - now_; waiting_.empty() && lasting(steps) > until) {
      const double b = first - each / 2;
      const double k = each > 0 ? (std::sqrt(b * b + 2 * each * until) - b) / each : until / first;
      steps = std::clamp(std::ceil(k), 1.0, steps);
    }
    const double seconds = lasting(steps);
    spend(seconds, n, steps);
    advance(steps, seconds);
  }

  void advance(double steps, double seconds) {
    const auto n = static_cast<double>(running_.size());
    if (stall_ > 0) {
      between_.add(stall_ + seconds / steps, n);
      stall_ = 0;
      if (steps > 1) between_.add(seconds / steps, n * (steps - 1));
    } else {
      between_.add(seconds / steps, n * steps);
    }
    step_ += steps;
    context_ += n * steps;
    generated_ += n * steps;
    while (!running_.empty() && running_.top().last_step <= step_) {
      const auto id = running_.top().id;
      running_.pop();
      auto& r = requests_[id];
      context_ -= r.prompt + r.output - 1;
      r.generated = r.output;
      finish(id);
    }
  }

  /// The youngest gives its blocks back and computes its prompt and answer again later.
  void preempt() {
    std::vector<Running> all;
    all.reserve(running_.size());
    while (!running_.empty()) {
      all.push_back(running_.top());
      running_.pop();
    }
    std::uint32_t victim = 0;
    for (;;) {  // entries of those that finished or started again since are stale
      victim = youngest_.back();
      youngest_.pop_back();
      if (std::any_of(all.begin(), all.end(), [&](const auto& r) { return r.id == victim; })) break;
    }
    for (const auto& r : all) {
      if (r.id != victim) {
        running_.push(r);
        continue;
      }
      auto& request = requests_[victim];
      request.generated = request.output - (r.last_step - step_);
      context_ -= request.prompt + request.generated - 1;
    }
    waiting_.push_front(victim);
    progress_ = 0;  // of the prompt that stood first until now
    ++preemptions_;
  }

  ServingResult result() {
    ServingResult out;
    std::vector<double> first, whole, per_token;
    first.reserve(requests_.size());
    whole.reserve(requests_.size());
    per_token.reserve(requests_.size());
    for (const auto& r : requests_) {
      first.push_back(r.first - r.arrival);
      whole.push_back(r.finish - r.arrival);
      if (r.output > 1) per_token.push_back((r.finish - r.first) / (r.output - 1));
    }
    out.first_token = percentiles_of(first);
    out.whole = percentiles_of(whole);
    out.per_token = percentiles_of(per_token);
    out.between_tokens = between_.percentiles();
    out.makespan = Seconds::base(now_);
    if (full_.until <= 0) full_ = {now_, static_cast<double>(requests_.size()), generated_};
    if (full_.until > 0) {
      out.requests_per_second = full_.finished / full_.until;
      out.tokens_per_second = full_.generated / full_.until;
      out.busy = busy_ / now_;
    }
    out.preemptions = preemptions_;
    out.mean_sequences = steps_ > 0 ? sequence_steps_ / steps_ : 0;
    return out;
  }

  const ServingLoad& load_;
  const StepTimes& times_;
  double cache_;
  const Scheduler& scheduler_;
  std::vector<Request> requests_;
  std::deque<std::uint32_t> waiting_;
  std::priority_queue<Running, std::vector<Running>, std::greater<>> running_;
  std::vector<std::uint32_t> youngest_;
  Histogram between_;
  std::size_t arrived_ = 0, released_ = 0, finished_ = 0;
  double now_ = 0, busy_ = 0, stall_ = 0, progress_ = 0;
  struct {
    double until = 0, finished = 0, generated = 0;
  } full_;              ///< when the last request of a closed load started
  double step_ = 0;     ///< steps of decoding so far
  double context_ = 0;  ///< tokens that running sequences have in the cache
  double generated_ = 0, preemptions_ = 0, sequence_steps_ = 0, steps_ = 0;
};

}  // namespace

ServingResult simulate(const ServingLoad& load, const StepTimes& times, double cache,
                       const Scheduler& scheduler) {
  return Simulation(load, times, cache, scheduler).run();
}

Answer<ServingResult> simulate(const ServingLoad& load, const Inference& inference,
                               const Deployment& d, const Gpu& gpu, const Fabric& fabric,
                               const Scheduler& scheduler) {
  GPUVET_ANSWER(const StepTimes times, inference.steps(d, gpu, fabric));
  GPUVET_ANSWER(const double cache, inference.cache_tokens(d, gpu));
  if (load.prompt.mean < 1 || load.output.mean < 1)
    return refuse("a load needs lengths of prompts and answers of at least one token");
  if (load.trace.empty() && load.arrivals == ServingLoad::Arrivals::poisson && load.rate <= 0)
    return refuse("a load needs a rate above 0");
  return simulate(load, times, cache, scheduler);
}

}  // namespace gpuvet::model
