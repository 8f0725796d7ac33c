// SPDX-License-Identifier: Apache-2.0
// Whether memory holds what was written (docs/method/memory-integrity.md). All devices at once,
// step by step, each step over all of the memory.
#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <vector>

#include "probe/memory_subject.hpp"

namespace gpuvet::probe {
namespace {

using Do = MemoryStep::Do;

class Test {
 public:
  explicit Test(Context& context) : context_{context} {
    for (auto* device : context.devices)
      subjects_.push_back(std::make_unique<MemorySubject>(*device));
  }

  /// Where a device failed, the first one's error, once what all showed is recorded.
  Result<void> run() {
    const auto programs = memory_programs(context_.seed, context_.thorough);
    calibrate(programs.front().traffic());
    double done = 0;
    for (const auto& program : programs) {
      context_.progress(done++ / static_cast<double>(programs.size()), program.name);
      // With the same time, what follows is weaker: a shorter program may still fit.
      const double due = seconds_of(program);
      if (due > context_.left() && done > 1)
        leave_out(program,
                  fmt::format("would take {:.1f} s; {:.1f} s were left", due, context_.left()));
      else
        perform(program);
    }
    for (auto& subject : subjects_) subject->look_again();
    for (auto& subject : subjects_) subject->record(context_, seconds_);
    context_.publish();
    for (std::size_t i = 0; i < subjects_.size(); ++i)
      if (const auto& error = subjects_[i]->error(); error && blames_device(error->code))
        return in_context(Result<void>(tl::make_unexpected(*error)),
                          context_.devices[i]->properties().subject);
    return {};
  }

 private:
  [[nodiscard]] double now() const { return context_.devices.front()->now(); }

  /// Seconds that moving every byte once takes, and less memory where even the first program would
  /// not fit into the time.
  void calibrate(double traffic) {
    const MemoryStep fill{Do::fill, {}, {device::PatternKind::random, context_.seed}};
    std::uint64_t first = 0, most = 0;
    for (int i = 0; i < 2; ++i) {  // the first time pages are made
      const double begin = now();
      on_buffer(fill, 0, "");
      each_ = now() - begin;
    }
    for (const auto& subject : subjects_) {
      if (subject->buffers() == 0) continue;
      most = std::max(most, subject->bytes());
      first = std::max(first, subject->first_bytes());
    }
    if (first == 0) return;
    each_ *= static_cast<double>(most) / static_cast<double>(first);
    const double fits = 0.8 * context_.left() / (traffic * std::max(each_, 1e-9));
    if (fits >= 1) return;
    for (auto& subject : subjects_)
      subject->shrink(static_cast<std::uint64_t>(fits * static_cast<double>(most)));
    each_ *= fits;
  }

  [[nodiscard]] double fading() const {
    return std::clamp(0.05 * context_.left(), 1.0, context_.thorough ? 60.0 : 3.0);
  }
  [[nodiscard]] double hammering() const { return 0.05 * context_.left(); }

  [[nodiscard]] double seconds_of(const MemoryProgram& program) const {
    double out = program.traffic() * each_;
    if (program.has(Do::idle)) out += 2 * fading();
    if (program.has(Do::hammer)) out += 2 * hammering();
    return out;
  }

  void leave_out(const MemoryProgram& program, const std::string& why) {
    for (auto& subject : subjects_) subject->left_out(program.name, why);
  }

  void perform(const MemoryProgram& program) {
    const double idle = fading(), hammered = hammering();
    for (const auto& step : program.steps) {
      const double begin = now();
      if (step.what == Do::idle) {
        rest(idle);
      } else if (step.what == Do::hammer) {
        for (auto& subject : subjects_) subject->hammer(hammered, context_.call_limit);
      } else if (on_all(step, program.name)) {
        const double took = now() - begin;
        seconds_ += took;
        each_ = std::max(each_, took / step.traffic());
      }
      if (stopped_) return leave_out(program, "was stopped, or time was up, on the way");
    }
    for (auto& subject : subjects_) {
      if (subject->error())
        subject->left_out(program.name, subject->error()->message());
      else
        subject->finished(program.name);
    }
  }

  /// In pieces, so that somebody who asks to stop does not wait long.
  void rest(double seconds) {
    for (double left = seconds; left > 0 && !(stopped_ = context_.cancelled()); left -= 0.25)
      context_.devices.front()->idle(std::min(left, 0.25));
  }

  bool on_all(const MemoryStep& step, const std::string& program) {
    std::size_t count = 0;
    for (const auto& subject : subjects_) count = std::max(count, subject->buffers());
    for (std::size_t i = 0; i < count; ++i) {
      if ((stopped_ = context_.over())) return false;
      on_buffer(step, step.what == Do::exchange_down ? count - 1 - i : i, program);
    }
    return count > 0;
  }

  void on_buffer(const MemoryStep& step, std::size_t index, const std::string& program) {
    for (auto& subject : subjects_) subject->enqueue(step, index);
    for (auto& subject : subjects_) subject->settle(index, program, context_.call_limit);
  }

  Context& context_;
  std::vector<std::unique_ptr<MemorySubject>> subjects_;
  double each_ = 0;     ///< seconds for moving every byte once
  double seconds_ = 0;  ///< spent in steps that move bytes
  bool stopped_ = false;
};

}  // namespace

Result<void> memory_integrity(Context& context) { return Test(context).run(); }

}  // namespace gpuvet::probe
